"""The graph as Dagster sees it: light to load, partitioned throughout, gated without holes."""

from __future__ import annotations

import subprocess
import sys

import dagster as dg
import pytest

from astra_learn_assets.assets.metadata import panel
from astra_learn_assets.checks.gates import gates
from astra_learn_assets.definitions import defs
from astra_learn_assets.ids import TenantId
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.settings import Settings

CHAIN = [
    "document_diffs",
    "anonymized_pairs",
    "golden_set",
    "training_corpus",
    "lora_adapter",
    "evaluation_report",
    "promoted_adapter",
]
GATES = {
    "pii_gate": "anonymized_pairs",
    "corpus_gate": "training_corpus",
    "adapter_gate": "lora_adapter",
    "wer_gate": "evaluation_report",
}
STANDING = {"no_tenant_is_stuck", "no_partition_is_left_failed"}


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:  # type: ignore[name-defined]
    return defs.resolve_asset_graph()


def test_loading_the_definitions_imports_no_heavy_library() -> None:
    heavy = "{'torch','transformers','peft','presidio_analyzer','presidio_anonymizer','spacy','mlflow'}"
    code = (
        "import astra_learn_assets.definitions, sys; "
        f"found = {heavy} & set(sys.modules); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_asset_is_partitioned_by_tenant_described_owned_and_grouped(graph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.partitions_def == tenant_partitions, key
        assert node.description, key
        assert node.owners, key
        assert node.group_name in {"feedback", "privacy", "learning", "serving"}, key
        assert node.kinds, key


def test_every_gate_blocks_with_its_asset_and_carries_the_same_partitions(graph) -> None:
    checks = {key.name: graph.get(key) for key in graph.asset_check_keys}
    assert set(checks) == set(GATES) | STANDING
    for name in GATES:
        node = checks[name]
        assert node.key.asset_key == dg.AssetKey(GATES[name])
        assert node.blocking, name
        assert node.partitions_def == tenant_partitions, name


def test_the_chain_runs_from_the_upload_to_the_promotion(graph) -> None:
    first = graph.get(dg.AssetKey("document_diffs"))
    assert first.parent_keys == {dg.AssetKey("final_documents")}
    last = graph.get(dg.AssetKey("promoted_adapter"))
    ancestors = graph.get_ancestor_asset_keys(last.key) if hasattr(graph, "get_ancestor_asset_keys") else None
    if ancestors is not None:
        assert {dg.AssetKey(name) for name in CHAIN[:-1]} <= ancestors


def test_jobs_sensors_and_schedule_are_on_from_the_start() -> None:
    repository = defs.get_repository_def()
    sensors = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    assert set(sensors) == {
        "feedback_sensor",
        "training_sensor",
        "outbox_sensor",
        "failure_sensor",
        "cleaning_sensor",
    }
    assert set(sensors.values()) == {dg.DefaultSensorStatus.RUNNING}
    assert {schedule.name for schedule in repository.schedule_defs} == {"nightly_training", "hourly_checks"}
    assert {"prepare_examples", "train_adapter", "evaluate_adapter"} <= set(repository.job_names)


def test_a_job_takes_the_gates_of_its_assets_with_it() -> None:
    for job, expected in (
        ("prepare_examples", {"pii_gate"}),
        ("train_adapter", {"corpus_gate", "adapter_gate", "wer_gate"}),
        ("evaluate_adapter", {"wer_gate"}),
        ("standing_checks", STANDING),
    ):
        keys = defs.resolve_job_def(job).asset_layer.asset_graph.asset_check_keys
        assert {key.name for key in keys} == expected, job


def test_there_are_four_gates() -> None:
    assert len(gates) == 4


def test_a_materialization_links_to_the_panel_where_the_api_has_a_public_url(settings: Settings) -> None:
    without = settings.model_copy(update={"api_url": None})
    assert panel(without, TenantId("villaverde")) == {}
    public = settings.model_copy(update={"api_url": "https://learn.example/"})
    assert panel(public, TenantId("villaverde"))["panel"].url == "https://learn.example/panel/villaverde"
