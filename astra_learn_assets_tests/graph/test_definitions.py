"""The graph as Dagster sees it: light to load, partitioned throughout, gated without holes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from pydantic import ValidationError

from astra_learn_assets.assets import code, outside
from astra_learn_assets.assets.document_diffs import document_diffs
from astra_learn_assets.assets.metadata import panel
from astra_learn_assets.checks.gates import gates
from astra_learn_assets.contracts import Example
from astra_learn_assets.definitions import defs
from astra_learn_assets.ids import TenantId
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.registry.commit import UNKNOWN
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


def test_every_description_reads_as_text() -> None:
    """The graph and the lists show them as they are: marks of Sphinx and backticks are no words."""
    repository = defs.get_repository_def()
    graph = defs.resolve_asset_graph()
    described = {key.to_user_string(): graph.get(key).description for key in graph.get_all_asset_keys()}
    described |= {one.name: one.description for one in (*repository.sensor_defs, *repository.schedule_defs)}
    described |= {
        job.name: job.description for job in repository.get_all_jobs() if not job.name.startswith("__")
    }
    assert len(described) > 12
    for name, text in described.items():
        assert text, f"{name} says nothing"
        assert "`" not in text, f"{name}: {text}"
        assert ":func:" not in text, f"{name}: {text}"
        assert ":mod:" not in text, f"{name}: {text}"


def test_jobs_sensors_and_schedule_are_on_from_the_start() -> None:
    repository = defs.get_repository_def()
    sensors = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    assert set(sensors) == {
        "feedback_sensor",
        "training_sensor",
        "outbox_sensor",
        "notice_sensor",
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


def test_every_asset_is_to_be_fresh_and_says_where_its_code_is(graph) -> None:
    specs = defs.resolve_all_asset_specs()
    assert {spec.key for spec in specs} == graph.get_all_asset_keys()
    for spec in specs:
        assert spec.freshness_policy is not None, spec.key
        (place,) = spec.metadata["dagster/code_references"].code_references
        lines = Path(place.file_path).read_text(encoding="utf-8").splitlines()
        assert lines[place.line_number - 1].startswith(("@dg.asset", "@tracing.traced", "def ")), spec.key


def test_the_code_is_linked_at_the_commit_that_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "c0ffee" + 34 * "0"
    monkeypatch.setattr(code, "commit_hash", lambda: commit)
    shown = settings.model_copy(update={"source_url": "https://git.example/town/learn/blob/{commit}/"})
    made, given = code.linked([document_diffs, outside.final_documents], shown)
    assert isinstance(made, dg.AssetsDefinition)
    links = {
        spec.key.to_user_string(): spec.metadata["dagster/code_references"].code_references[0].url
        for spec in (*made.specs, given)
    }
    start = f"https://git.example/town/learn/blob/{commit}/astra_learn_assets/"
    assert links["document_diffs"].startswith(f"{start}assets/document_diffs.py#L")
    assert links["final_documents"].startswith(f"{start}hotpath/intake.py#L")
    monkeypatch.setattr(code, "commit_hash", lambda: UNKNOWN)
    (linked,) = code.linked([outside.final_documents], shown)
    assert "/blob/HEAD/" in linked.metadata["dagster/code_references"].code_references[0].url


@pytest.mark.parametrize("address", ["github.com/town/learn", "file:///code", "javascript:alert(1)"])
def test_an_address_of_the_code_that_is_no_web_page_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="source_url"):
        Settings(source_url=address, _env_file=None)  # type: ignore[call-arg]


def test_every_asset_that_runs_make_knows_which_code_made_it() -> None:
    made = [spec for spec in defs.resolve_all_asset_specs() if spec.key.to_user_string() in CHAIN]
    assert len(made) == len(CHAIN)
    assert all(spec.code_version for spec in made)
    assert code.version_of("trainer") != code.version_of("astra_learn_assets/datasets")
    with pytest.raises(FileNotFoundError, match="no_such_folder"):
        code.version_of("no_such_folder")


def test_assets_of_rows_say_what_columns_they_have() -> None:
    rows = {
        spec.key.to_user_string(): [column.name for column in spec.metadata["dagster/column_schema"].columns]
        for spec in defs.resolve_all_asset_specs()
        if "dagster/column_schema" in spec.metadata
    }
    assert set(rows) == {"document_diffs", "anonymized_pairs", "golden_set", "training_corpus"}
    assert rows["training_corpus"] == list(Example.model_fields)
