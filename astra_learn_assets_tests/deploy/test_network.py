"""Who may reach whom, evaluated: the policies are applied to the labels that pods really carry."""

from __future__ import annotations

from typing import Any

import pytest

from astra_learn_assets_tests.deploy.chart import NAME, VALUES, Manifest, named, pod_specs, profiles, render

PLACES = {"postgres": 5432, "redis": 6379, "objectStore": 443, "mlflow": 443, "kubernetesApi": 6443}
PEERS = {
    place: [{"ipBlock": {"cidr": f"10.0.{number}.0/24"}}] for number, place in enumerate(PLACES, start=1)
}


def rendered() -> list[Manifest]:
    return render(VALUES["default"], {"networkPolicy": {"destinations": PEERS}})


def reachable(objects: list[Manifest], labels: dict[str, str]) -> set[str]:
    """The places that a pod with ``labels`` may open a connection to."""
    policies = [
        item
        for item in objects
        if item["kind"] == "NetworkPolicy"
        and "Egress" in item["spec"]["policyTypes"]
        and item["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    ]
    if not policies:
        return {"everywhere"}
    found: set[str] = set()
    for rule in (rule for policy in policies for rule in policy["spec"]["egress"]):
        for place, port in PLACES.items():
            if rule["to"] == PEERS[place] and {"protocol": "TCP", "port": port} in rule["ports"]:
                found.add(place)
        if {"protocol": "TCP", "port": 3030} in rule["ports"]:
            found.add("codeLocation")
    return found


EXPECTED = {
    "api": {"postgres", "redis", "objectStore", "mlflow"},
    "code-location": {"postgres", "redis", "objectStore", "mlflow"},
    "webserver": {"postgres", "objectStore", "kubernetesApi", "codeLocation"},
    "daemon": {"postgres", "objectStore", "kubernetesApi", "codeLocation"},
    "migrate": {"postgres"},
    "smoke": {"postgres", "objectStore", "mlflow"},
}


def test_each_pod_reaches_what_it_needs_and_nothing_else() -> None:
    objects = rendered()
    found = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: reachable(
            objects, pod["metadata"]["labels"]
        )
        for pod in pod_specs(objects).values()
    }
    assert found == EXPECTED


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("gpu-t4", {"postgres", "objectStore", "mlflow"}),
        ("cpu", {"postgres", "redis", "objectStore", "mlflow"}),
    ],
)
def test_a_run_reaches_what_its_profile_says(profile: str, expected: set[str]) -> None:
    objects = rendered()
    assert reachable(objects, profiles(objects)["profiles"][profile]["labels"]) == expected


def test_only_who_sends_notices_gets_out_and_only_where_the_site_says_so() -> None:
    outside = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]
    named = {"networkPolicy": {"destinations": PEERS}, "notices": {"destinations": outside}}
    for changes, expected in (
        (named, {"code-location"}),
        ({"networkPolicy": {"destinations": PEERS}}, set()),
    ):
        objects = render(VALUES["default"], changes)
        lets_out = [
            item["spec"]["podSelector"]["matchLabels"]
            for item in objects
            if item["kind"] == "NetworkPolicy"
            and any(rule.get("to") == outside for rule in item["spec"].get("egress", []))
        ]
        reached = {
            pod["metadata"]["labels"]["app.kubernetes.io/component"]
            for pod in pod_specs(objects).values()
            if any(chosen.items() <= pod["metadata"]["labels"].items() for chosen in lets_out)
        }
        assert reached == expected


def test_the_collector_of_traces_is_reached_by_every_part_once_the_site_says_where_it_is() -> None:
    collector = [{"podSelector": {"matchLabels": {"app": "collector"}}}]
    objects = render(
        VALUES["default"],
        {
            "networkPolicy": {"destinations": PEERS, "traces": {"destinations": collector}},
            "settings": {"ASTRA_TRACES_URL": "http://collector:4318"},
        },
    )
    policy = named(objects, "NetworkPolicy", f"{NAME}-traces-egress")["spec"]
    assert policy["egress"] == [{"to": collector, "ports": [{"protocol": "TCP", "port": 4318}]}]
    for where, pod in pod_specs(objects).items():
        assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items(), where
    assert not [item for item in rendered() if item["metadata"]["name"] == f"{NAME}-traces-egress"]


def test_a_run_cannot_pass_for_a_part_of_the_platform() -> None:
    """What selects the parts' pods is in each profile's labels, which a run may not change."""
    objects = rendered()
    for profile in profiles(objects)["profiles"].values():
        assert profile["labels"]["app.kubernetes.io/component"] == "run"
        assert profile["labels"]["app.kubernetes.io/name"] != "astra-learn"
    selected = {
        item["spec"]["selector"]["app.kubernetes.io/name"] for item in objects if item["kind"] == "Service"
    }
    assert selected == {"astra-learn"}


def test_a_run_without_a_profile_reaches_nothing() -> None:
    """The launcher labels every run with the release, so the policy that denies selects it."""
    assert reachable(rendered(), {"astra-learn/release": "council"}) == set()


def ingress(objects: list[Manifest], component: str) -> list[Any]:
    labels = next(
        pod["metadata"]["labels"]
        for pod in pod_specs(objects).values()
        if pod["metadata"]["labels"]["app.kubernetes.io/component"] == component
    )
    return [
        peer
        for item in objects
        if item["kind"] == "NetworkPolicy"
        and "Ingress" in item["spec"]["policyTypes"]
        and item["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        for rule in item["spec"].get("ingress", [])
        for peer in rule["from"]
    ]


def test_nobody_opens_dagsters_ui_until_the_site_says_who() -> None:
    assert ingress(rendered(), "webserver") == []
    proxy = {"podSelector": {"matchLabels": {"app": "oauth2-proxy"}}}
    assert ingress(render(VALUES["default"], {"networkPolicy": {"webserverFrom": [proxy]}}), "webserver") == [
        proxy
    ]


def test_only_dagster_itself_calls_the_code_location() -> None:
    callers = {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for peer in ingress(rendered(), "code-location")
    }
    assert callers == {"webserver", "daemon"}


def test_prometheus_may_ask_the_api() -> None:
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert monitoring in ingress(render(VALUES["aws-t4"]), "api")


def test_the_policies_belong_to_one_release() -> None:
    for item in rendered():
        if item["kind"] == "NetworkPolicy":
            labels = item["spec"]["podSelector"]["matchLabels"]
            assert labels.get("astra-learn/release") or labels["app.kubernetes.io/instance"], NAME
