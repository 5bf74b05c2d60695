"""Tags set on every run, also on those that come from the UI or a backfill."""

from __future__ import annotations

import pytest

from astra_learn_assets.automation.run_coordinator import GPU_TAG, LANE_TAG, tags_for
from astra_learn_assets.errors import BadConfiguration

PARTITION = {"dagster/partition": "villaverde"}


def test_gpu_settings_that_are_no_json_object_are_refused_with_the_variables_name() -> None:
    for broken in ("{", "[1]", '"x"'):
        with pytest.raises(BadConfiguration, match="ASTRA_GPU_TAGS"):
            tags_for(tags=PARTITION, assets=["lora_adapter"], gpu_config=broken)


def test_learning_and_preparing_of_one_tenant_run_in_different_lanes() -> None:
    assert tags_for(tags=PARTITION, assets=["document_diffs"])[LANE_TAG] == "villaverde:prepare"
    assert tags_for(tags=PARTITION, assets=["document_diffs", "lora_adapter"])[LANE_TAG] == "villaverde:learn"


def test_a_backfill_waits_behind_a_clerks_feedback() -> None:
    added = tags_for(tags={**PARTITION, "dagster/backfill": "abc"}, assets=["document_diffs"])
    assert added["dagster/priority"] == "-10"


def test_a_tag_the_run_brings_itself_is_never_replaced() -> None:
    own = {**PARTITION, "dagster/backfill": "abc", "dagster/priority": "5", LANE_TAG: "mine", GPU_TAG: "2"}
    assert tags_for(tags=own, assets=["lora_adapter"]) == {}


def test_only_runs_that_train_or_evaluate_ask_for_a_gpu() -> None:
    config = '{"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}'
    with_gpu = tags_for(tags=PARTITION, assets=["lora_adapter"], gpu_config=config)
    without = tags_for(tags=PARTITION, assets=["anonymized_pairs"], gpu_config=config)
    assert with_gpu["dagster-k8s/config"] == config
    assert "dagster-k8s/config" not in without
    assert with_gpu[GPU_TAG] == "1"
    assert GPU_TAG not in without


def test_a_run_without_a_partition_gets_no_lane() -> None:
    assert tags_for(tags={}, assets=["document_diffs"]) == {}
