"""MLflow knows where each adapter comes from, and its absence costs nothing (real MLflow, SQLite)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import Unavailable
from astra_learn_assets.evaluation.results import EvaluationReport, evaluate
from astra_learn_assets.learning import lineage
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.settings import Settings
from astra_learn_assets_tests.evaluation.test_report_and_gate import GENERIC, GOLDEN, _file
from astra_learn_assets_tests.registry.builders import manifest_of, trained_folder

LOG = [{"step": step, "loss": 2.0 / step, "learning_rate": 1e-3} for step in range(1, 1_200)]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return _settings(tmp_path_factory.mktemp("mlflow"))


def _settings(home: Path) -> Settings:
    return Settings(
        home=home,
        mlflow_tracking_uri=f"sqlite:///{home / 'mlflow.db'}",
        mlflow_artifact_root=(home / "artifacts").as_uri(),
    )


def _report(digest: str) -> EvaluationReport:
    return evaluate(
        tenant_id="villaverde",
        golden=GOLDEN,
        generic=GENERIC,
        predictions=_file(base=0.1, candidate=0.02),
        candidate_digest=digest,
    )


@pytest.fixture
def offline() -> Iterator[Settings]:
    """A tracking server that nobody runs."""
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    yield Settings(mlflow_tracking_uri="http://127.0.0.1:1")
    del os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]


def test_a_run_holds_hashes_hyperparameters_metrics_steps_and_the_loss_curve(
    tracked: Settings, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    folder = trained_folder(tmp_path / "out")
    manifest = manifest_of(folder)
    run_id = lineage.log_training(tracked, manifest, folder=folder, log=LOG, dagster_run_id="dagster-1")
    assert run_id is not None
    report = _report(digest_of(manifest))
    verdict = GateVerdict(
        gate="wer_gate", tenant_id="villaverde", digest=digest_of(manifest), passed=True, reason="better"
    )
    lineage.log_evaluation(tracked, run_id, report, verdict)
    client = MlflowClient(tracking_uri=str(tracked.mlflow_tracking_uri))
    run = client.get_run(run_id)
    assert run.info.run_name == manifest.adapter_id
    assert run.info.status == "FINISHED"
    expected = {
        "adapter_id": manifest.adapter_id,
        "commit_hash": "c" * 40,
        "dataset_hash": manifest.dataset_hash,
        "dagster_run_id": "dagster-1",
        "golden_hash": report.golden_hash,
        "wer_gate": "passed",
    }
    assert expected.items() <= run.data.tags.items()
    assert run.data.params["rank"] == "4"
    assert run.data.params["base_model"] == manifest.base_model
    assert run.data.metrics["train_loss_last"] == pytest.approx(0.4)
    assert run.data.metrics["candidate_wer"] == pytest.approx(report.systems["candidate"].wer)
    assert len(client.get_metric_history(run_id, "step_loss")) == len(LOG)
    artifacts = {item.path for item in client.list_artifacts(run_id)}
    assert artifacts == {"loss.png", "metrics.json", "train_log.jsonl", "evaluation_report.json"}


def test_the_same_adapter_has_one_run_and_one_version_and_the_alias_moves(
    tracked: Settings, tmp_path: Path
) -> None:
    manifests = [
        manifest_of(trained_folder(tmp_path / str(seed), seed=seed), "otra-villa") for seed in (1, 2)
    ]
    runs = [lineage.log_training(tracked, item) for item in (*manifests, manifests[0])]
    assert runs[0] == runs[2] != runs[1]
    versions = [
        lineage.register(tracked, item, run_id=None, source="s3://bucket/x")
        for item in (*manifests, manifests[0])
    ]
    assert versions == ["1", "2", "1"]
    assert lineage.champion(tracked, "otra-villa") is None
    for manifest, version in zip(manifests, versions, strict=False):
        assert version is not None
        lineage.set_champion(tracked, "otra-villa", version)
        assert lineage.champion(tracked, "otra-villa") == manifest.adapter_id
    assert lineage.champion(tracked, "tercera-villa") is None


def test_a_server_that_is_away_costs_no_training_and_stops_a_registration(
    offline: Settings, tmp_path: Path
) -> None:
    manifest = manifest_of(trained_folder(tmp_path / "out"))
    assert lineage.log_training(offline, manifest, log=LOG) is None
    verdict = GateVerdict(gate="wer_gate", tenant_id="villaverde", digest="0" * 64, passed=True, reason="x")
    lineage.log_evaluation(offline, "run", _report("0" * 64), verdict)
    with pytest.raises(Unavailable, match="MLflow"):
        lineage.register(offline, manifest, run_id=None, source="s3://bucket/x")


def test_without_a_tracking_server_nothing_is_recorded(tmp_path: Path) -> None:
    manifest = manifest_of(trained_folder(tmp_path / "out"))
    settings = Settings(home=tmp_path / "home")
    assert lineage.log_training(settings, manifest) is None
    assert lineage.register(settings, manifest, run_id=None, source="x") is None
    assert not (tmp_path / "home").exists()


def _first_use(argument: tuple[Path, Path]) -> str | None:
    home, folder = argument
    return lineage.log_training(_settings(home), manifest_of(folder))


def test_two_processes_that_start_mlflow_together_both_write(tmp_path: Path) -> None:
    folders = [trained_folder(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(_first_use, [(tmp_path / "home", folder) for folder in folders]))
    assert None not in runs
    assert len(set(runs)) == 2


def test_no_steps_draw_no_curve() -> None:
    assert lineage.loss_curve([]) is None
    assert lineage.loss_curve([{"step": 1, "loss": None}]) is None
    curve = lineage.loss_curve(LOG)
    assert curve is not None
    assert curve.startswith(b"\x89PNG")
