"""Every run is stamped on its way into the queue, wherever it comes from."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import SubmitRunContext
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from astra_learn_assets.automation.run_coordinator import (
    GPU_TAG,
    K8S_TAG,
    LANE_TAG,
    OWN_POD_TAG,
    compute_tags,
    tags_for,
)
from astra_learn_assets.definitions import defs
from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.learning.training.policy import priority
from astra_learn_assets.resources.queue_guard import COMPUTE_TAG, refuse_bypass
from astra_learn_assets.settings import get_settings
from astra_learn_assets_tests.automation.test_compute import POLICY, load

PARTITION = {"dagster/partition": "villaverde"}


def test_learning_and_preparing_of_one_tenant_run_in_different_lanes() -> None:
    preparing = ["document_diffs", "anonymized_pairs", "anonymized_pairs_pii_gate"]
    assert tags_for(tags=PARTITION, steps=preparing, gpu=False)[LANE_TAG] == "villaverde:prepare"
    both = ["document_diffs", "lora_adapter"]
    assert tags_for(tags=PARTITION, steps=both, gpu=True)[LANE_TAG] == "villaverde:learn"


def test_a_backfill_waits_behind_a_clerks_feedback() -> None:
    added = tags_for(tags={**PARTITION, "dagster/backfill": "abc"}, steps=["document_diffs"], gpu=False)
    soon = priority(datetime.now(UTC) + timedelta(days=30))
    assert int(added["dagster/priority"]) < soon < 0, "0 is what a clerk's feedback has"


def test_a_lane_priority_or_card_the_run_brings_itself_is_never_replaced() -> None:
    own = {**PARTITION, "dagster/backfill": "abc", "dagster/priority": "5", LANE_TAG: "mine", GPU_TAG: "2"}
    assert tags_for(tags=own, steps=["lora_adapter"], gpu=True) == {}


def test_a_run_without_a_partition_gets_no_lane() -> None:
    assert tags_for(tags={}, steps=["document_diffs"], gpu=False) == {}


def test_a_run_that_brings_an_empty_pod_still_gets_the_whole_profile(tmp_path: Path) -> None:
    policy = load(tmp_path, POLICY)
    whole = compute_tags(tags={}, gpu=True, policy=policy, tier="standard")
    assert compute_tags(tags={K8S_TAG: "{}"}, gpu=True, policy=policy, tier="standard") == whole
    assert whole[COMPUTE_TAG] == "gpu-t4"
    assert compute_tags(tags={}, gpu=False, policy=policy, tier="standard")[COMPUTE_TAG] == "cpu"


def test_a_retry_is_stamped_from_what_its_parent_brought_and_todays_policy(tmp_path: Path) -> None:
    own = json.dumps({"container_config": {"resources": {"limits": {"cpu": "2"}}}})
    for brought in ({}, {K8S_TAG: own}):
        policy = load(tmp_path, POLICY)
        first = {**brought, **compute_tags(tags=brought, gpu=True, policy=policy, tier="standard")}
        assert compute_tags(tags=first, gpu=True, policy=policy, tier="standard").items() <= first.items()

        smaller = copy.deepcopy(POLICY)
        smaller["profiles"]["gpu-t4"]["limits"]["memory"] = "14Gi"
        smaller["profiles"]["gpu-t4"]["tolerations"] = [{"key": "new", "operator": "Exists"}]
        later = load(tmp_path, smaller)
        again = json.loads(compute_tags(tags=first, gpu=True, policy=later, tier="standard")[K8S_TAG])
        assert again["container_config"]["resources"]["limits"]["memory"] == "14Gi"
        assert again["pod_spec_config"]["tolerations"] == [{"key": "new", "operator": "Exists"}]
        assert (again["container_config"]["resources"]["limits"]["cpu"] == "2") == bool(brought)


def test_a_stamp_set_by_hand_hides_nothing(tmp_path: Path) -> None:
    evil = json.dumps({"pod_spec_config": {"host_network": True}})
    policy = load(tmp_path, POLICY)
    whole = compute_tags(tags={}, gpu=True, policy=policy, tier="standard")
    forged = {K8S_TAG: evil, COMPUTE_TAG: "cpu"}
    assert compute_tags(tags=forged, gpu=True, policy=policy, tier="standard") == whole
    with pytest.raises(BadConfiguration, match="host_network"):
        compute_tags(tags={**forged, OWN_POD_TAG: evil}, gpu=True, policy=policy, tier="standard")


@pytest.mark.parametrize("own", ["{", "[1]", '"x"'])
def test_a_pod_that_is_no_json_object_is_refused(tmp_path: Path, own: str) -> None:
    with pytest.raises(BadConfiguration, match="dagster-k8s/config"):
        compute_tags(tags={K8S_TAG: own}, gpu=True, policy=load(tmp_path, POLICY), tier="standard")


def test_a_run_in_the_callers_process_is_refused_where_runs_are_pods_without_asking_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)  # a launcher could not be made here
    config = {"instance_config_map": "x", "service_account_name": "x", "dagster_home": "/x"}
    launcher = {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": config}
    with instance_for_test(overrides={"run_launcher": launcher}) as instance:
        with pytest.raises(BadConfiguration, match="dagster asset materialize"):
            refuse_bypass(instance, {})
        refuse_bypass(instance, {COMPUTE_TAG: "cpu"})
    with instance_for_test() as instance:
        refuse_bypass(instance, {})
    with dg.DagsterInstance.ephemeral() as instance:
        refuse_bypass(instance, {})


class Queue:
    """An instance with our coordinator, and runs of the real graph for it."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.job = defs.resolve_implicit_global_asset_job_def()

    def submit(self, assets: list[str] | None, **tags: str) -> dg.DagsterRun:
        """A run of these assets (None: of the whole graph, without a selection), through the coordinator."""
        selection = None if assets is None else frozenset(dg.AssetKey(name) for name in assets)
        job = self.job if selection is None else self.job.get_subset(asset_selection=selection)
        run = self.instance.create_run_for_job(
            job_def=job,
            asset_selection=selection,
            tags=tags,
            remote_job_origin=RemoteJobOrigin(
                RemoteRepositoryOrigin(InProcessCodeLocationOrigin(_loadable(), location_name="x"), "x"),
                job.name,
            ),
        )
        self.instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]
        stored = self.instance.get_run_by_id(run.run_id)
        assert stored is not None
        return stored


def _loadable() -> LoadableTargetOrigin:
    return LoadableTargetOrigin(module_name="astra_learn_assets.definitions")


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps(POLICY))
    monkeypatch.setenv("ASTRA_COMPUTE_PROFILES", str(profiles))
    get_settings.cache_clear()
    coordinator = {
        "module": "astra_learn_assets.automation.run_coordinator",
        "class": "TaggingRunCoordinator",
    }
    with instance_for_test(overrides={"run_coordinator": coordinator}) as instance:
        instance.add_dynamic_partitions("tenant", ["a", "b", "villaverde"])
        yield Queue(instance)
    get_settings.cache_clear()


def test_every_run_gets_limits_and_those_of_the_gpu_pool_a_card(queue: Queue) -> None:
    cases: list[tuple[list[str] | None, dict[str, str], str]] = [
        (["lora_adapter"], PARTITION, "gpu-t4"),
        (["evaluation_report", "promoted_adapter"], {**PARTITION, "dagster/backfill": "b"}, "gpu-t4"),
        (["document_diffs"], PARTITION, "cpu"),
        (["promoted_adapter"], PARTITION, "cpu"),
        (None, {}, "gpu-t4"),
        (
            ["lora_adapter"],
            {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"},
            "gpu-t4",
        ),
        (["lora_adapter"], {**PARTITION, K8S_TAG: "{}"}, "gpu-t4"),
    ]
    for assets, tags, profile in cases:
        run = queue.submit(assets, **tags)
        assert run.status == dg.DagsterRunStatus.QUEUED, (assets, tags)
        assert run.tags[COMPUTE_TAG] == profile, (assets, tags)
        resources: dict[str, Any] = json.loads(run.tags[K8S_TAG])["container_config"]["resources"]
        assert {"cpu", "memory"} <= resources["limits"].keys()
        assert ("nvidia.com/gpu" in resources["limits"]) == (profile == "gpu-t4")
        assert (run.tags.get(GPU_TAG) == "1") == (profile == "gpu-t4")


def test_a_run_that_would_weaken_its_profile_fails_with_the_reason_and_never_waits(queue: Queue) -> None:
    own = json.dumps({"pod_spec_config": {"node_selector": {"astra-learn/pool": "inference"}}})
    run = queue.submit(["lora_adapter"], **PARTITION, **{K8S_TAG: own})
    assert run.status == dg.DagsterRunStatus.FAILURE
    told = [entry.message for entry in queue.instance.all_logs(run.run_id)]
    assert any("would weaken its compute profile" in message for message in told), told


def test_profiles_that_are_not_sound_stop_runs_with_the_reason(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text("{}")
    run = queue.submit(["lora_adapter"], **PARTITION)
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert any("ASTRA_COMPUTE_PROFILES" in entry.message for entry in queue.instance.all_logs(run.run_id))
