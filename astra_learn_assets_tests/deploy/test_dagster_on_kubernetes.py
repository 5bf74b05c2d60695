"""The rendered dagster.yaml is one that Dagster accepts, and means the same as the laptop's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import Field, Shape
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.ref import InstanceRef
from dagster_k8s import K8sRunLauncher

from astra_learn_assets.automation.run_coordinator import GPU_TAG, LANE_TAG, TaggingRunCoordinator
from astra_learn_assets.settings import REPOSITORY
from astra_learn_assets_tests.deploy.chart import (
    NAME,
    NAMESPACE,
    RELEASE,
    VALUES,
    containers,
    dagster_yaml,
    named,
    pod_specs,
    profiles,
    render,
)

LAPTOP: dict[str, Any] = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
ON_KUBERNETES = ["default", "minimal", "aws-t4", "aws-l4"]


def instance(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceRef:
    monkeypatch.setenv("ASTRA_DAGSTER_DATABASE_URL", "postgresql+psycopg2://astra@nowhere.invalid/dagster")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    text = named(render(VALUES[name]), "ConfigMap", f"{NAME}-dagster")["data"]["dagster.yaml"]
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")
    return InstanceRef.from_dir(str(folder))


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_dagster_takes_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = instance(name, tmp_path, monkeypatch)
    assert isinstance(ref.run_coordinator, TaggingRunCoordinator)
    assert type(ref.compute_log_manager).__name__ == "S3ComputeLogManager"
    launcher = dagster_yaml(render(VALUES[name]))["run_launcher"]
    assert (launcher["module"], launcher["class"]) == ("dagster_k8s", "K8sRunLauncher")
    schema = Field(Shape(K8sRunLauncher.config_type()))
    checked = process_config(resolve_to_config_type(schema.config_type), launcher["config"])
    assert checked.success, checked.errors


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_runs_outlive_a_rollout_a_dead_worker_and_a_slow_scale_up(name: str) -> None:
    written = dagster_yaml(render(VALUES[name]))
    assert written["run_coordinator"]["config"]["max_user_code_failure_retries"] >= 1
    assert written["run_monitoring"]["enabled"] is True
    assert written["run_monitoring"]["start_timeout_seconds"] >= 1200
    assert written["run_monitoring"]["free_slots_after_run_end_seconds"] == 60
    assert written["run_retries"] == {
        "enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False,
    }  # fmt: skip


@pytest.mark.parametrize("written", [LAPTOP, *ON_KUBERNETES], ids=["laptop", *ON_KUBERNETES])
def test_the_gpu_pool_lets_as_many_runs_pass_as_the_gpu_tag(written: dict[str, Any] | str) -> None:
    config = written if isinstance(written, dict) else dagster_yaml(render(VALUES[written]))
    limits = {
        entry["key"]: entry["limit"] for entry in config["concurrency"]["runs"]["tag_concurrency_limits"]
    }
    assert limits.keys() == {LANE_TAG, GPU_TAG}
    assert limits[LANE_TAG] == 1
    pools = config["concurrency"]["pools"]
    assert (pools["granularity"], pools["default_limit"]) == ("run", limits[GPU_TAG])


def test_the_coordinator_is_the_laptops() -> None:
    for values in VALUES.values():
        coordinator = dagster_yaml(render(values))["run_coordinator"]
        assert (coordinator["module"], coordinator["class"]) == (
            LAPTOP["run_coordinator"]["module"],
            LAPTOP["run_coordinator"]["class"],
        )


def test_compute_logs_go_to_the_bucket_under_the_buckets_key() -> None:
    logs = dagster_yaml(render(VALUES["aws-t4"]))["compute_logs"]["config"]
    assert logs["bucket"] == "astra-learn-111122223333"
    assert logs["prefix"] == "production/compute-logs"
    assert logs["upload_extra_args"]["ServerSideEncryption"] == "aws:kms"
    bare = dagster_yaml(render(VALUES["minimal"]))["compute_logs"]["config"]
    assert (bare["prefix"], bare["endpoint_url"], bare["use_ssl"]) == (
        "compute-logs",
        "http://minio:9000",
        False,
    )


def test_ticks_are_forgotten_after_a_while() -> None:
    for values in VALUES.values():
        objects = render(values)
        for kind in ("sensor", "schedule"):
            days = dagster_yaml(objects)["retention"][kind]["purge_after_days"]
            assert set(days) == {"skipped", "success", "failure"}


@pytest.mark.parametrize("days", [365, 30, 0])
def test_the_cleaning_sensor_keeps_runs_as_long_as_the_chart_says(days: int) -> None:
    objects = render(VALUES["default"], {"dagster": {"retention": {"runsDays": days}}})
    (sensors,) = containers(pod_specs(objects)[f"Deployment/{NAME}-code-location"])
    assert {"name": "ASTRA_RUN_RETENTION_DAYS", "value": str(days)} in sensors["env"]


def test_the_launcher_lets_a_run_change_what_a_profile_has_and_nothing_else() -> None:
    launcher = dagster_yaml(render(VALUES["default"]))["run_launcher"]["config"]
    assert launcher["job_namespace"] == NAMESPACE
    assert launcher["labels"] == {"astra-learn/release": RELEASE}
    assert launcher["run_k8s_config"]["pod_spec_config"]["automount_service_account_token"] is False
    allowed = launcher["only_allow_user_defined_k8s_config_fields"]
    assert "namespace" not in allowed
    for field in ("host_network", "host_pid", "containers", "init_containers"):
        assert field not in allowed["pod_spec_config"]
    assert not {"env_from", "command", "lifecycle"} & allowed["container_config"].keys()


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_everybody_who_queues_or_launches_runs_reads_the_same_profiles(name: str) -> None:
    objects = render(VALUES[name])
    for component in ("code-location", "webserver", "daemon"):
        container = pod_specs(objects)[f"Deployment/{NAME}-{component}"]["spec"]["containers"][0]
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert environment["ASTRA_COMPUTE_PROFILES"] == "/etc/astra/compute/profiles.json"
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {"/etc/astra/compute", environment["DAGSTER_HOME"]} <= mounts
    assert profiles(objects)["kinds"].keys() == {"training", "default"}


def test_a_pod_starts_anew_when_profiles_or_instance_have_changed() -> None:
    def checksums(change: dict[str, Any] | None) -> dict[str, str]:
        pod = pod_specs(render(VALUES["default"], change))[f"Deployment/{NAME}-daemon"]
        found: dict[str, str] = pod["metadata"]["annotations"]
        return found

    before = checksums(None)
    profile = checksums({"computeProfiles": {"profiles": {"cpu": {"ttl_seconds": 60}}}})
    dagster = checksums({"dagster": {"maxConcurrentRuns": 3}})
    assert [
        before["checksum/compute"] != profile["checksum/compute"],
        before["checksum/dagster"] != dagster["checksum/dagster"],
    ] == [True, True]
    assert before["checksum/dagster"] == profile["checksum/dagster"]


def test_one_daemon_at_a_time() -> None:
    spec = named(render(VALUES["aws-l4"]), "Deployment", f"{NAME}-daemon")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
