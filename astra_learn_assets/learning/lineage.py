"""Where an adapter comes from and when it served, for people who look in MLflow.

One experiment per municipality (``astra-{tenant}``), one run per adapter with its hyperparameters, metrics,
loss curve and the tags ``commit_hash``, ``dataset_hash`` and ``dagster_run_id``; one registered model
``astra-{tenant}`` with a version per promoted adapter and the alias ``champion``. Plain ``MlflowClient``:
no global state, no autologging, no telemetry. Nothing of the data goes there, only numbers and hashes.

MLflow is a record, not a judge: Postgres decides what serves. So an MLflow that is away never costs an
adapter: :func:`log_training` returns None and :func:`register` writes the run when the adapter is
promoted. With SQLite (embedded) calls are serialized by a file lock, as several runs write to it.
"""

from __future__ import annotations

import fcntl
import io
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import structlog

from astra_learn_assets import tracing
from astra_learn_assets.contracts import AdapterManifest, GateVerdict
from astra_learn_assets.errors import Unavailable
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry.manifest import METRICS, digest_of
from astra_learn_assets.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
PACKAGE = "package."  # beginning of a metric's name: the version of something that trained
_DIGEST_LENGTH = 36  # MLflow keeps no more of a data set's digest; the whole stands in its profile
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Input:
    """A data set that a run read: its name, SHA-256, object key, and the hash of each document in it."""

    name: str
    sha256: str
    key: str
    documents: Mapping[str, str] = field(default_factory=dict)


def model_name(tenant_id: TenantId) -> str:
    """Name of a tenant's experiment and registered model."""
    return f"astra-{tenant_id}"


def log_training(
    settings: Settings,
    manifest: AdapterManifest,
    *,
    folder: Path | None = None,
    log: Sequence[Mapping[str, Any]] = (),
    dagster_run_id: str | None = None,
    inputs: Sequence[Input] = (),
) -> str | None:
    """Record the training of one adapter; returns the MLflow run id, None when MLflow is away or unset.

    ``inputs``: what it read, logged as data sets. ``log``: the trainer's steps (``step``, ``loss``,
    ``learning_rate`` …). ``folder``: where ``metrics.json`` and ``train_log.jsonl`` are, kept as artifacts.
    Idempotent by adapter.
    """
    try:
        with _client(settings) as client:
            return (
                None
                if client is None
                else _training_run(client, settings, manifest, folder, log, dagster_run_id, inputs)
            )
    except Unavailable as error:
        _LOG.warning("lineage not recorded", adapter_id=manifest.adapter_id, error=str(error))
        return None


def log_evaluation(
    settings: Settings,
    run_id: str | None,
    report: EvaluationReport,
    verdict: GateVerdict,
    *,
    inputs: Sequence[Input] = (),
    page: str | None = None,
) -> None:
    """Add a report and its verdict to the adapter's run; nothing when there is no run or no MLflow.

    ``inputs``: what was answered. ``page``: where the report for people is.
    """
    if run_id is None:
        return
    metrics: dict[str, float] = {"golden_words": report.words, "golden_documents": report.documents}
    for system, scores in report.systems.items():
        metrics |= {f"{system}_wer": scores.wer, f"{system}_cer": scores.cer}
    for system, rises in report.comparisons.items():
        if (rise := rises.get("wer")) is not None:
            metrics |= {
                f"vs_{system}_points": rise.difference,
                f"vs_{system}_low": rise.low,
                f"vs_{system}_high": rise.high,
            }
    try:
        with _client(settings) as client:
            if client is None:
                return
            from mlflow.entities import Metric, RunTag

            now = int(time.time() * 1_000)
            tags = {
                "golden_hash": report.golden_hash,
                "wer_gate": "passed" if verdict.passed else str(verdict.details.get("outcome", "reject")),
                "wer_gate_reason": verdict.reason[:4_000],
                **({} if page is None else {"verdict_page": page}),
            }
            client.log_batch(
                run_id,
                metrics=[Metric(name, float(value), now, 0) for name, value in metrics.items()],
                tags=[RunTag(name, text) for name, text in tags.items()],
            )
            _log_inputs(client, run_id, inputs, context="evaluation")
            client.log_dict(run_id, report.model_dump(mode="json"), "evaluation_report.json")
    except Unavailable as error:
        _LOG.warning("evaluation not recorded", run_id=run_id, error=str(error))


def register(settings: Settings, manifest: AdapterManifest, *, run_id: str | None, source: str) -> str | None:
    """The model version of an adapter, made when missing; None without MLflow.

    ``source``: where the adapter is, as a URI.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with _client(settings) as client:
        if client is None:
            return None
        name = model_name(manifest.tenant_id)
        _make_if_missing(lambda: client.create_registered_model(name))
        if (found := _version_of(client, name, manifest.adapter_id)) is not None:
            return found
        if run_id is None or not _has_run(client, run_id):
            run_id = _training_run(client, settings, manifest, None, (), None)
        made = client.create_model_version(
            name,
            source=source,
            run_id=run_id,
            tags={
                "adapter_id": manifest.adapter_id,
                "adapter_digest": digest_of(manifest),
                "dataset_hash": manifest.dataset_hash,
                "commit_hash": manifest.commit_hash,
            },
        )
        return str(made.version)


def knows(settings: Settings, run_id: str | None) -> bool:
    """Whether MLflow has the run; True without MLflow, which then has nothing to know.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with _client(settings) as client:
        return client is None or _has_run(client, run_id)


def forget(settings: Settings, tenant_id: TenantId) -> None:
    """Delete a tenant's model and experiment, and its files where they lie in a folder.

    MLflow keeps deleted runs (numbers and hashes) until its keeper runs ``mlflow gc``.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with _client(settings) as client:
        if client is None:
            return
        from mlflow.exceptions import MlflowException

        name = model_name(tenant_id)
        try:
            client.delete_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        found = client.get_experiment_by_name(name)
        if found is not None and str(found.lifecycle_stage) == "active":
            client.delete_experiment(found.experiment_id)
    root = settings.mlflow_artifact_root or ""
    if root.startswith("file://"):
        shutil.rmtree(Path(unquote(urlsplit(root).path), tenant_id), ignore_errors=True)


def set_champion(settings: Settings, tenant_id: TenantId, version: str) -> None:
    """Point the alias ``champion`` at ``version``.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with _client(settings) as client:
        if client is not None:
            client.set_registered_model_alias(model_name(tenant_id), CHAMPION, version)


def champion(settings: Settings, tenant_id: TenantId) -> str | None:
    """The adapter id the alias ``champion`` points at, if any.

    Raises:
        Unavailable: when MLflow does not answer.
    """
    with _client(settings) as client:
        if client is None:
            return None
        for model in client.search_registered_models(f"name='{model_name(tenant_id)}'"):
            version = model.aliases.get(CHAMPION)
            if version is not None:
                tags = client.get_model_version(model.name, str(version)).tags
                return str(tags["adapter_id"]) if "adapter_id" in tags else None
    return None


def _training_run(
    client: MlflowClient,
    settings: Settings,
    manifest: AdapterManifest,
    folder: Path | None,
    log: Sequence[Mapping[str, Any]],
    dagster_run_id: str | None,
    inputs: Sequence[Input] = (),
) -> str:
    from mlflow.entities import Metric, Param

    experiment = _experiment(client, settings, manifest.tenant_id)
    query = f"tags.adapter_id = '{manifest.adapter_id}' and attributes.status = 'FINISHED'"
    for run in client.search_runs([experiment], query, max_results=1):
        return str(run.info.run_id)
    tags = {
        "adapter_id": manifest.adapter_id,
        "adapter_digest": digest_of(manifest),
        "tenant_id": manifest.tenant_id,
        "commit_hash": manifest.commit_hash,
        "dataset_hash": manifest.dataset_hash,
        "mlflow.source.git.commit": manifest.commit_hash,
    }
    if dagster_run_id:
        tags["dagster_run_id"] = dagster_run_id
        if settings.dagster_url is not None:
            tags["dagster_url"] = f"{settings.dagster_url.rstrip('/')}/runs/{dagster_run_id}"
    if (trace_id := tracing.trace_id(tracing.current(settings))) is not None:
        tags["trace_id"] = trace_id
    run_id: str = client.create_run(experiment, tags=tags, run_name=manifest.adapter_id).info.run_id
    versions = {
        name: value
        for name, value in manifest.metrics.items()
        if name.startswith(PACKAGE) and value is not None
    }
    parameters = {
        **_all_hyperparameters(folder),
        **manifest.hyperparameters,
        **versions,
        "base_model": manifest.base_model,
        "base_revision": manifest.base_revision,
    }
    now = int(time.time() * 1_000)
    client.log_batch(
        run_id,
        params=[Param(name, str(value)) for name, value in parameters.items()],
        metrics=[
            Metric(name, float(value), now, 0)
            for name, value in manifest.metrics.items()
            if isinstance(value, int | float)
        ],
    )
    _log_steps(client, run_id, log)
    _log_inputs(client, run_id, inputs, context="training")
    with tempfile.TemporaryDirectory(prefix="astra-lineage-") as work:
        if curve := loss_curve(log):
            Path(work, "loss.png").write_bytes(curve)
            client.log_artifact(run_id, str(Path(work, "loss.png")))
    for name in (METRICS, "train_log.jsonl"):
        if folder is not None and (folder / name).is_file():
            client.log_artifact(run_id, str(folder / name))
    # a run that is not FINISHED was cut short and is not found again: the next call writes a whole one
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _all_hyperparameters(folder: Path | None) -> dict[str, object]:
    """What the trainer really used, the values that it chose itself included."""
    if folder is None or not (folder / METRICS).is_file():
        return {}
    found = json.loads((folder / METRICS).read_bytes()).get("hyperparameters")
    return dict(found) if isinstance(found, dict) else {}


def _log_inputs(client: MlflowClient, run_id: str, inputs: Sequence[Input], *, context: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    given = [
        DatasetInput(
            Dataset(
                name=one.name,
                digest=one.sha256[:_DIGEST_LENGTH],
                source_type="astra-learn",
                source=json.dumps({"key": one.key}),
                profile=json.dumps({"sha256": one.sha256, "documents": dict(one.documents)}),
            ),
            tags=[InputTag("mlflow.data.context", context)],
        )
        for one in inputs
    ]
    if given:
        client.log_inputs(run_id, given)


def _log_steps(client: MlflowClient, run_id: str, log: Sequence[Mapping[str, Any]]) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1_000)
    points = [
        Metric(f"step_{name}", float(value), now, int(entry["step"]))
        for entry in log
        if isinstance(entry.get("step"), int)
        for name, value in entry.items()
        if name != "step" and isinstance(value, int | float) and math.isfinite(value)
    ]
    for start in range(0, len(points), 1_000):
        client.log_batch(run_id, metrics=points[start : start + 1_000])


def loss_curve(log: Sequence[Mapping[str, Any]]) -> bytes | None:
    """The loss over the steps as a PNG; None when there is nothing to draw."""
    points = [
        (entry["step"], entry["loss"])
        for entry in log
        if isinstance(entry.get("step"), int) and isinstance(entry.get("loss"), int | float)
    ]
    if not points:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([step for step, _ in points], [loss for _, loss in points], marker=".", linewidth=1.2)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _experiment(client: MlflowClient, settings: Settings, tenant_id: TenantId) -> str:
    name = model_name(tenant_id)
    location = None
    if settings.mlflow_artifact_root is not None:
        location = f"{settings.mlflow_artifact_root.rstrip('/')}/{tenant_id}"
    _make_if_missing(lambda: client.create_experiment(name, artifact_location=location))
    found = client.get_experiment_by_name(name)
    if found is None:
        raise Unavailable(f"MLflow has no experiment {name!r}")
    return str(found.experiment_id)


def _has_run(client: MlflowClient, run_id: str | None) -> bool:
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return False
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return str(run.info.lifecycle_stage) == "active"


def _version_of(client: MlflowClient, name: str, adapter_id: str) -> str | None:
    for version in client.search_model_versions(f"name='{name}'"):
        if version.tags.get("adapter_id") == adapter_id:
            return str(version.version)
    return None


def _make_if_missing(make: Any) -> None:
    from mlflow.exceptions import MlflowException

    try:
        make()
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def _client(settings: Settings) -> Iterator[MlflowClient | None]:
    """A client, or None when no tracking server is set; MLflow's errors become :class:`Unavailable`."""
    uri = settings.mlflow_tracking_uri
    if uri is None:
        yield None
        return
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    import sqlalchemy.exc
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        with _serialized(settings, uri):
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        raise Unavailable(f"MLflow does not answer: {type(error).__name__}: {error!s:.200}") from error


@contextmanager
def _serialized(settings: Settings, uri: str) -> Iterator[None]:
    if not uri.startswith("sqlite:"):
        yield
        return
    settings.home_path.mkdir(parents=True, exist_ok=True)
    with (settings.home_path / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
