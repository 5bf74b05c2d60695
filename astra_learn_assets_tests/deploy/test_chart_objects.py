"""Every object of every values file is one that a Kubernetes of today and of two years ago accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from astra_learn_assets_tests.deploy.chart import VALUES, containers, missing, pod_specs, render, run

OLDEST = (1, 29)
# Objects of other projects' operators, which no Kubernetes schema knows: their required parts.
FOREIGN: dict[tuple[str, str], dict[str, Any]] = {
    ("external-secrets.io/v1", "ExternalSecret"): {
        "type": "object",
        "required": ["secretStoreRef", "target", "data"],
        "properties": {
            "secretStoreRef": {"type": "object", "required": ["name", "kind"]},
            "target": {"type": "object", "required": ["name"]},
            "data": {"type": "array", "minItems": 1, "items": {"required": ["secretKey", "remoteRef"]}},
        },
    },
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {
        "type": "object",
        "required": ["selector", "endpoints"],
        "properties": {"endpoints": {"type": "array", "minItems": 1, "items": {"required": ["port"]}}},
    },
    ("monitoring.coreos.com/v1", "PrometheusRule"): {
        "type": "object",
        "required": ["groups"],
        "properties": {
            "groups": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "required": ["name", "rules"],
                    "properties": {
                        "rules": {"type": "array", "minItems": 1, "items": {"required": ["alert", "expr"]}}
                    },
                },
            }
        },
    },
}


def versions() -> list[str]:
    """Every minor version whose schemas are installed, from the oldest that the chart promises."""
    try:
        import kubernetes_validate
    except ImportError:
        return []
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    found = {
        tuple(int(part) for part in schema.name.removeprefix("v").split(".")[:2])
        for schema in folder.iterdir()
        if schema.name.startswith("v1.")
    }
    return [f"{major}.{minor}" for major, minor in sorted(found) if (major, minor) >= OLDEST]


@pytest.mark.parametrize("name", VALUES)
def test_helm_lint_finds_nothing(name: str) -> None:
    done = run("lint", VALUES[name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout, done.stdout


def test_schemas_from_the_oldest_version_to_a_newer_one_are_at_hand() -> None:
    if not versions():
        missing("kubernetes-validate is not installed: make deploy-check")
    assert versions()[0] == "1.29"
    assert len(versions()) >= 6


@pytest.mark.parametrize("version", versions())
def test_every_object_is_valid(version: str) -> None:
    import kubernetes_validate

    distinct: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, values in VALUES.items():
        for item in render(values):
            distinct.setdefault(json.dumps(item, sort_keys=True), (name, item))
    foreign = 0
    for name, item in distinct.values():
        where = f"{name}: {item['kind']} {item['metadata']['name']}"
        schema = FOREIGN.get((item["apiVersion"], item["kind"]))
        try:
            if schema is None:
                kubernetes_validate.validate(item, version, strict=True)
            else:
                foreign += 1
                jsonschema.validate(item["spec"], schema)
        except (
            kubernetes_validate.ValidationError,
            kubernetes_validate.SchemaNotFoundError,
            jsonschema.ValidationError,
        ) as error:
            pytest.fail(f"{where} on {version}: {error}")
    assert foreign >= len(FOREIGN)


@pytest.mark.parametrize("name", VALUES)
def test_no_pod_may_write_to_its_root_or_become_root(name: str) -> None:
    for where, pod in pod_specs(render(VALUES[name])).items():
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where
        for container in containers(pod):
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, where
            assert own["allowPrivilegeEscalation"] is False, where
            assert own["capabilities"] == {"drop": ["ALL"]}, where


@pytest.mark.parametrize("name", VALUES)
def test_every_container_has_requests_and_limits(name: str) -> None:
    for where, pod in pod_specs(render(VALUES[name])).items():
        for container in containers(pod):
            for kind in ("requests", "limits"):
                assert {"cpu", "memory"} <= container["resources"][kind].keys(), f"{where} {kind}"


@pytest.mark.parametrize("name", VALUES)
def test_a_token_of_the_kubernetes_api_is_only_where_jobs_are_made_or_ended(name: str) -> None:
    with_token = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for pod in pod_specs(render(VALUES[name])).values()
        if pod["spec"]["automountServiceAccountToken"]
    }
    assert with_token == {"daemon", "webserver"}


@pytest.mark.parametrize("name", VALUES)
def test_no_pod_gets_a_whole_secret_as_environment(name: str) -> None:
    for where, pod in pod_specs(render(VALUES[name])).items():
        assert all("envFrom" not in container for container in containers(pod)), where


@pytest.mark.parametrize("name", VALUES)
def test_a_volume_that_is_mounted_exists(name: str) -> None:
    for where, pod in pod_specs(render(VALUES[name])).items():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        mounted = {mount["name"] for item in containers(pod) for mount in item["volumeMounts"]}
        assert mounted == volumes, where


def test_what_a_pod_refers_to_is_rendered_or_the_sites_own() -> None:
    """Service accounts, ConfigMaps and priority classes are the chart's; the two Secrets are the site's."""
    for values in VALUES.values():
        objects = render(values)
        have = {(item["kind"], item["metadata"]["name"]) for item in objects}
        for where, pod in pod_specs(objects).items():
            spec = pod["spec"]
            assert ("ServiceAccount", spec["serviceAccountName"]) in have, where
            if "priorityClassName" in spec:
                assert ("PriorityClass", spec["priorityClassName"]) in have, where
            for volume in spec["volumes"]:
                if "configMap" in volume:
                    assert ("ConfigMap", volume["configMap"]["name"]) in have, where


def test_the_api_comes_as_the_role_under_row_level_security_and_never_as_the_owner() -> None:
    for values in VALUES.values():
        pod = next(pod for where, pod in pod_specs(render(values)).items() if where.endswith("-api"))
        environment = {entry["name"]: entry for entry in pod["spec"]["containers"][0]["env"]}
        assert "ASTRA_DATABASE_URL" not in environment
        assert "//astra_api@" in environment["ASTRA_API_DATABASE_URL"]["value"]
        assert environment["PGPASSWORD"]["valueFrom"]["secretKeyRef"]["key"] == "postgres-api-password"


def test_variables_that_the_chart_sets_are_settings_that_exist() -> None:
    from astra_learn_assets.settings import Settings

    known = {f"ASTRA_{name.upper()}" for name in Settings.model_fields} | {"ASTRA_COMPUTE_PROFILES"}
    for values in VALUES.values():
        for where, pod in pod_specs(render(values)).items():
            for container in containers(pod):
                names = [entry["name"] for entry in container["env"]]
                assert len(names) == len(set(names)), f"{where}: a variable is set twice"
                assert {name for name in names if name.startswith("ASTRA_")} <= known, where


def test_a_digest_takes_the_place_of_the_tag() -> None:
    digest = "sha256:" + "a" * 64
    objects = render(VALUES["aws-t4"], {"image": {"platform": {"digest": digest}}})
    images = {c["image"] for pod in pod_specs(objects).values() for c in containers(pod)}
    assert f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/astra-learn@{digest}" in images
    assert not any(image.endswith("/astra-learn:v1") for image in images)
