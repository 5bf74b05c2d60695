"""A resident base in the chart: runs that wait without a card, the pod that has it, and what neither may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.automation import compute, resident
from astra_learn_assets_tests.deploy.chart import (
    NAME,
    NAMESPACE,
    VALUES,
    Manifest,
    dagster_yaml,
    missing,
    named,
    profiles,
    refusal,
    render,
    run,
)
from astra_learn_assets_tests.deploy.test_chart_objects import versions
from astra_learn_assets_tests.deploy.test_gpu_pod import compare
from astra_learn_assets_tests.deploy.test_network import PEERS, reachable

ON: dict[str, Any] = {"residentBase": {"enabled": True, "claim": "astra-queue"}}
LANES = {"default": ["gpu-t4"], "minimal": ["gpu"], "aws-t4": ["gpu-t4"], "aws-l4": ["gpu-l4", "gpu-t4"]}


def policy(values: str, folder: Path, change: Manifest | None = None) -> compute.ComputePolicy:
    path = folder / "profiles.json"
    path.write_text(json.dumps(profiles(render(VALUES[values], {**ON, **(change or {})}))))
    return compute.load(path)


def jobs(values: str, folder: Path) -> dict[str, Manifest]:
    """Each lane's Job, as the daemon makes it from the chart's file."""
    found = policy(values, folder).resident
    return {lane: resident.manifest(lane, one, namespace=NAMESPACE) for lane, one in found.items()}


def inside(job: Manifest) -> Manifest:
    spec: Manifest = job["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("values", VALUES)
def test_each_training_profile_gets_a_server_and_its_runs_ask_for_no_card(
    values: str, tmp_path: Path
) -> None:
    found = policy(values, tmp_path)
    assert sorted(found.resident) == LANES[values]
    for lane in LANES[values]:
        profile = found.profiles[lane]
        assert profile.gpu == 0
        assert profile.node_selector == {}
        assert profile.service_account == f"{NAME}-training"
        assert "kueue.x-k8s.io/queue-name" not in profile.labels
        before = profiles(render(VALUES[values]))["profiles"][lane]
        pod = found.resident[lane].pod
        assert (pod.gpu, pod.node_selector, pod.limits) == (
            before["gpu"], before["node_selector"], before["limits"],
        )  # fmt: skip
        assert pod.labels.get("kueue.x-k8s.io/queue-name") == before["labels"].get(
            "kueue.x-k8s.io/queue-name"
        )


@pytest.mark.parametrize("version", versions())
def test_the_servers_job_is_valid(version: str, tmp_path: Path) -> None:
    import kubernetes_validate

    for values in VALUES:
        for job in jobs(values, tmp_path).values():
            kubernetes_validate.validate(job, version, strict=True)
        for item in render(VALUES[values], ON):
            if item["kind"] in {"ServiceAccount", "ConfigMap"}:
                kubernetes_validate.validate(item, version, strict=True)


def test_schemas_to_check_it_with_are_at_hand() -> None:
    if not versions():
        missing("kubernetes-validate is not installed: make deploy-check")


@pytest.mark.parametrize(("values", "lane"), [("minimal", "gpu"), ("aws-l4", "gpu-l4")])
def test_the_servers_job_is_the_stored_one(values: str, lane: str, tmp_path: Path) -> None:
    compare(f"resident-{lane}", jobs(values, tmp_path)[lane])


@pytest.mark.parametrize("values", VALUES)
def test_who_serves_holds_no_secret_no_token_and_no_right(values: str, tmp_path: Path) -> None:
    """Tenants' trainings run in it: what it does not have they cannot take."""
    for job in jobs(values, tmp_path).values():
        spec = inside(job)
        (container,) = spec["containers"]
        assert spec["serviceAccountName"] == f"{NAME}-resident"
        assert spec["automountServiceAccountToken"] is False
        assert not [volume for volume in spec["volumes"] if "secret" in volume or "configMap" in volume]
        assert not [entry for entry in container["env"] if entry["name"].startswith(("ASTRA_", "PG", "AWS_"))]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_who_serves_reaches_nothing_but_names(tmp_path: Path) -> None:
    objects = render(VALUES["default"], {**ON, "networkPolicy": {"destinations": PEERS}})
    (job,) = jobs("default", tmp_path).values()
    assert reachable(objects, job["spec"]["template"]["metadata"]["labels"]) == set()
    caller = profiles(objects)["profiles"]["gpu-t4"]
    assert reachable(objects, caller["labels"]) == {"postgres", "objectStore", "mlflow"}
    account = named(objects, "ServiceAccount", f"{NAME}-resident")
    assert account["automountServiceAccountToken"] is False
    assert "annotations" not in account["metadata"]
    bound = {
        subject["name"] for item in objects if item["kind"] == "RoleBinding" for subject in item["subjects"]
    }
    assert bound == {f"{NAME}-daemon", f"{NAME}-webserver"}


def test_the_daemon_may_do_to_jobs_what_a_look_does_and_needed_no_new_right() -> None:
    rules = [
        named(render(VALUES["default"], change), "Role", f"{NAME}-daemon")["rules"] for change in (ON, None)
    ]
    assert rules[0] == rules[1]
    (verbs,) = [rule["verbs"] for rule in rules[0] if rule["resources"] == ["jobs"]]
    assert {"create", "get", "delete"} <= set(verbs)


def test_the_server_counts_for_trainings_quota_and_gives_way_as_they_do(tmp_path: Path) -> None:
    quota = named(render(VALUES["default"], ON), "ResourceQuota", f"{NAME}-training")["spec"]
    (job,) = jobs("default", tmp_path).values()
    assert inside(job)["priorityClassName"] in quota["scopeSelector"]["matchExpressions"][0]["values"]


def test_checkpoints_are_where_both_see_them(tmp_path: Path) -> None:
    for lane, job in jobs("aws-l4", tmp_path).items():
        mounts = {mount["mountPath"] for mount in inside(job)["containers"][0]["volumeMounts"]}
        caller = policy("aws-l4", tmp_path).profiles[lane]
        assert {"/var/lib/checkpoints", "/var/lib/queue"} <= mounts
        assert {"/var/lib/checkpoints", "/var/lib/queue"} <= {m["mountPath"] for m in caller.volume_mounts}


def test_the_base_that_is_trained_is_the_one_that_is_served(tmp_path: Path) -> None:
    settings = {"settings": {"ASTRA_BASE_MODEL": "org/base", "ASTRA_BASE_REVISION": "abc"}}
    served = policy("default", tmp_path, settings).resident["gpu-t4"]
    assert (served.base, served.base_revision) == ("org/base", "abc")
    env = [{"name": "ASTRA_BASE_MODEL", "value": "/models/base"}, {"name": "HF_HOME", "value": "/models"}]
    own = {"computeProfiles": {"profiles": {"gpu-t4": {"env": env}}}}
    served = policy("default", tmp_path, own).resident["gpu-t4"]
    assert served.base == "/models/base"
    assert [variable.name for variable in served.pod.env] == ["HF_HOME"]
    assert policy("default", tmp_path).resident["gpu-t4"].base is None


@pytest.mark.parametrize("values", VALUES)
def test_dagster_launches_with_the_launcher_that_looks_after_it(values: str) -> None:
    from dagster import Field, Shape
    from dagster._config import process_config, resolve_to_config_type

    from astra_learn_assets.automation.served_launcher import ServedRunLauncher
    from astra_learn_assets.resources.queue_guard import K8S_LAUNCHERS

    launcher = dagster_yaml(render(VALUES[values], ON))["run_launcher"]
    assert launcher["module"] == ServedRunLauncher.__module__
    assert launcher["class"] == ServedRunLauncher.__name__
    assert launcher["class"] in K8S_LAUNCHERS
    schema = Field(Shape(ServedRunLauncher.config_type()))
    checked = process_config(resolve_to_config_type(schema.config_type), launcher["config"])
    assert checked.success, checked.errors


def test_as_many_runs_as_the_values_say_may_wait_for_it() -> None:
    written = dagster_yaml(
        render(VALUES["default"], {"residentBase": {**ON["residentBase"], "runs": {"atOnce": 7}}})
    )
    limits = {e["key"]: e["limit"] for e in written["concurrency"]["runs"]["tag_concurrency_limits"]}
    assert limits["astra/gpu"] == written["concurrency"]["pools"]["default_limit"] == 7


def test_switched_off_it_leaves_no_trace() -> None:
    for values in VALUES.values():
        objects = render(values)
        assert "resident" not in profiles(objects)
        assert dagster_yaml(objects)["run_launcher"]["module"] == "dagster_k8s"
        assert "resident" not in {item["metadata"]["name"].removeprefix(f"{NAME}-") for item in objects}


def changed(**change: Any) -> Manifest:
    return {"residentBase": {**ON["residentBase"], **change}}


REFUSED: dict[str, tuple[Manifest, str]] = {
    "no claim": (changed(claim=""), "residentBase.claim is empty: name a ReadWriteMany claim"),
    "waits too short": (changed(waitMinutes=10), "it must wait longer than that one may be idle"),
    "no limit": (changed(runs={"limits": {"memory": None}}), "residentBase.runs has no limit of memory"),
    "no request": (changed(runs={"requests": {"cpu": None}}), "residentBase.runs has no request of cpu"),
    "on the inference pool": (
        changed(runs={"nodeSelector": {"astra-learn/pool": "inference"}}),
        "residentBase.runs selects inference's nodes by astra-learn/pool=inference",
    ),
    "tolerates everything": (
        changed(runs={"tolerations": [{"operator": "Exists"}]}),
        "residentBase.runs tolerates every taint",
    ),
    "tolerates inference": (
        changed(runs={"tolerations": [{"key": "astra-learn/inference", "operator": "Exists"}]}),
        "residentBase.runs tolerates astra-learn/inference",
    ),
    "more servers than cards": (
        {**ON, "computeProfiles": {"profiles": {"gpu-t4": {"gpu": 2}}}},
        "2 in all, and quota.training allows 1: one of them would never start",
    ),
    "a queue by hand": (
        {**ON, "settings": {"ASTRA_TRAINER_QUEUE": "/queue"}},
        "settings.ASTRA_TRAINER_QUEUE: the chart sets this variable itself",
    ),
    "a queue of a profile's own": (
        {
            **ON,
            "computeProfiles": {
                "profiles": {"gpu-t4": {"env": [{"name": "ASTRA_TRAINER_QUEUE", "value": "/queue"}]}}
            },
        },
        "computeProfiles.profiles.gpu-t4.env: ASTRA_TRAINER_QUEUE is residentBase's to set",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_serve_is_refused_with_a_sentence(case: str) -> None:
    change, sentence = REFUSED[case]
    assert sentence in refusal(change)


@pytest.mark.parametrize("case", ["idleMinutes", "atOnce"])
def test_what_has_the_wrong_shape_is_refused_by_the_schema(case: str) -> None:
    change = changed(idleMinutes=0) if case == "idleMinutes" else changed(runs={"atOnce": 0})
    assert case in refusal(change)


@pytest.mark.parametrize("values", VALUES)
def test_helm_lint_finds_nothing(values: str) -> None:
    done = run("lint", VALUES[values], change=ON)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout, done.stdout
