"""An alert wakes somebody: it must ask about metrics that exist, and lead to words on what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from astra_learn_assets.api.telemetry import Telemetry
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.deploy.chart import NAME, VALUES, named, pod_specs, render


def rules() -> list[dict[str, Any]]:
    spec = named(render(VALUES["aws-t4"]), "PrometheusRule", NAME)["spec"]
    found: list[dict[str, Any]] = spec["groups"][0]["rules"]
    return found


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.findall(r"(?m)^### (Astra\w+)$", text)
    assert sorted(sections) == sorted(rule["alert"] for rule in rules())
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_metrics_of_ours_that_alerts_ask_for_are_exported() -> None:
    exported: dict[str, set[str]] = {}
    for metric in Telemetry().registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
        for suffix in suffixes[metric.type]:
            exported[metric.name + suffix] = set()
    asked: set[str] = set()
    for rule in rules():
        asked |= set(re.findall(r"\bastra_\w+", rule["expr"]))
    assert asked
    assert asked <= exported.keys()


def test_deployments_that_alerts_name_are_the_charts() -> None:
    deployments = {
        where.removeprefix("Deployment/")
        for where in pod_specs(render(VALUES["aws-t4"]))
        if where.startswith("Deployment/")
    }
    asked = {name for rule in rules() for name in re.findall(r'deployment="([^"]+)"', rule["expr"])}
    assert len(asked) == 3
    assert asked <= deployments


@pytest.mark.parametrize("values", ["default", "minimal"])
def test_without_prometheus_nothing_of_it_is_rendered(values: str) -> None:
    assert not [item for item in render(VALUES[values]) if item["apiVersion"].startswith("monitoring.")]
