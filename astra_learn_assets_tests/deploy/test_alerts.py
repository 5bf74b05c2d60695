"""An alert wakes somebody: it must ask about metrics that exist, and lead to words on what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from astra_learn_assets.api import learning_figures
from astra_learn_assets.api.telemetry import Telemetry
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.deploy.chart import CHART, NAME, VALUES, missing, named, pod_specs, render


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
    asked: set[str] = set()
    for rule in rules():
        asked |= set(re.findall(r"\bastra_\w+", rule["expr"]))
    assert asked
    assert asked <= exported()


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


UNIT_TESTS = CHART / "ci" / "alerts.test.yaml"
OF_KUBE_STATE_METRICS = {
    "kube_deployment_status_replicas_available",
    "kube_pod_status_phase",
    "kube_pod_container_status_restarts_total",
}


def promtool(*arguments: str, cwd: Path) -> str:
    """What ``promtool`` answers; without it the test is skipped, or fails under ``make deploy-check``."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not installed: Debian's package prometheus brings it")
        raise AssertionError
    done = subprocess.run([program, *arguments], cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_alert_fires_when_it_must_and_is_silent_otherwise(tmp_path: Path) -> None:
    spec = named(render(VALUES["aws-t4"]), "PrometheusRule", NAME)["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    shutil.copy(UNIT_TESTS, tmp_path)
    assert "SUCCESS" in promtool("test", "rules", UNIT_TESTS.name, cwd=tmp_path)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for case in yaml.safe_load(UNIT_TESTS.read_text(encoding="utf-8"))["tests"]:
        for asked in case["alert_rule_test"]:
            (fires if asked["exp_alerts"] else silent).add(asked["alertname"])
    assert fires == silent == {rule["alert"] for rule in rules()}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (CHART / "dashboards" / "astra-learn.json").read_text(encoding="utf-8")
    )
    return found


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def level_expressions() -> list[str]:
    """Those of the table in docs/operations.md."""
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"(?ms)^## Service levels\n(.*?)(?=^## )", text)
    return re.findall(r"`([^`]*astra_[^`]*)`", table.replace("\\|", "|"))


def exported() -> set[str]:
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
    return {
        metric.name + suffix for metric in Telemetry().registry.collect() for suffix in suffixes[metric.type]
    }


def test_dashboard_and_service_levels_ask_for_metrics_that_exist_and_for_every_one_of_ours() -> None:
    text = " ".join([*dashboard_expressions(), *level_expressions()])
    asked = set(re.findall(r"\b(?:astra|kube)_\w+", text))
    assert asked - OF_KUBE_STATE_METRICS <= exported()
    of_ours = {name.removesuffix("_bucket").removesuffix("_total") for name in asked}
    unshown = {metric.name for metric in Telemetry().registry.collect() if metric.name not in of_ours}
    assert unshown == set(), "a metric that nobody looks at"


def test_labels_that_the_dashboard_asks_for_are_the_metrics_own() -> None:
    own = {metric.name: metric for metric in Telemetry().registry.collect()}
    telemetry = Telemetry()
    names = {
        collector._name: set(collector._labelnames)  # type: ignore[attr-defined]
        for collector in vars(telemetry).values()
        if hasattr(collector, "_labelnames")
    } | {name: set(labels) for name, labels in learning_figures.LABELS.items()}
    assert names.keys() <= own.keys()
    of_prometheus = {"namespace", "le", "pod", "phase", "deployment"}
    asked_for = [*dashboard_expressions(), *level_expressions(), *(rule["expr"] for rule in rules())]
    for expression in asked_for:
        for name, matchers in re.findall(r"(astra_\w+)\{([^}]*)\}", expression):
            base = re.sub(r"_(bucket|count|sum|total)$", "", name)
            asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            assert asked <= names[base] | of_prometheus, expression


def test_every_expression_of_dashboard_and_service_levels_is_understood_by_prometheus(tmp_path: Path) -> None:
    expressions = [*dashboard_expressions(), *level_expressions()]
    assert len(expressions) > 15
    records = [
        {"record": f"astra:panel:{number}", "expr": expression.replace("$namespace", "learning")}
        for number, expression in enumerate(expressions)
    ]
    content = {"groups": [{"name": "panels", "rules": records}]}
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert f"{len(records)} rules found" in promtool("check", "rules", "panels.yaml", cwd=tmp_path)


def test_the_dashboard_comes_with_the_chart_where_it_is_wanted() -> None:
    name = f"{NAME}-dashboard"
    wanted = render(VALUES["default"], {"grafanaDashboard": {"enabled": True}})
    content = named(wanted, "ConfigMap", name)
    assert json.loads(content["data"]["astra-learn.json"]) == dashboard()
    assert content["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert not [item for item in render(VALUES["default"]) if item["metadata"]["name"] == name]
