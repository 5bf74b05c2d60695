"""The row of one training: begun by the sensor or by hand, carried through the learning assets.

A sensor's run names its row in the tag ``astra/training_id``. A run started by hand has no tag: if
the tenant's newest training already has the very same corpus and ended in a verdict, the run is a
re-materialization and keeps that row as it is; otherwise it is a new attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from astra_learn_assets.errors import GateRefused
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import examples, trainings
from astra_learn_assets.store.tables import TrainingRun

TAG = "astra/training_id"
ADAPTER_TAG = "astra/adapter_id"
_ENDED = ("promoted", "rejected")


@dataclass(frozen=True)
class Training:
    """A training with a corpus: what the assets after ``training_corpus`` need to know of it."""

    run_id: str
    tenant_id: str
    dataset_hash: str
    golden_hash: str
    state: str
    adapter_id: str | None
    mlflow_run_id: str | None
    metrics: dict[str, Any]

    @property
    def ended(self) -> bool:
        """Whether it already has its verdict; such a row is never changed again."""
        return self.state in _ENDED


def through_seq(platform: Platform, tenant_id: str, training_id: str | None) -> int:
    """The last example a training may use: its row's, or the tenant's newest for a run by hand."""
    with platform.database.session() as session:
        if training_id is not None:
            return trainings.get(session, training_id).through_seq
        usable = examples.usable(session, tenant_id)
        return usable[-1].seq if usable else 0


def begin(
    platform: Platform,
    tenant_id: str,
    *,
    training_id: str | None,
    dagster_run_id: str,
    through_seq: int,
    dataset_hash: str,
    golden_hash: str,
    examples: int,
) -> TrainingRun:
    """Tie a corpus to its training row; see the module for which row that is."""
    with platform.database.session() as session:
        if training_id is None:
            newest_rows = trainings.listing(session, tenant_id, limit=1)
            if newest_rows and _is_rematerialization(newest_rows[0], dataset_hash, golden_hash):
                return newest_rows[0]
            row = trainings.start(
                session,
                tenant_id,
                through_seq=through_seq,
                attempt=trainings.next_attempt(session, tenant_id, through_seq),
                dagster_run_id=dagster_run_id,
            )
            training_id = row.run_id
        trainings.update(
            session,
            training_id,
            state="training",
            dataset_hash=dataset_hash,
            dagster_run_id=dagster_run_id,
            metrics={"golden_hash": golden_hash, "examples": examples},
        )
        return trainings.get(session, training_id)


def newest(platform: Platform, tenant_id: str) -> Training:
    """The tenant's newest training that has a corpus.

    Raises:
        GateRefused: when there is none.
    """
    with platform.database.session() as session:
        for row in trainings.listing(session, tenant_id, limit=50):
            if row.dataset_hash is not None and "golden_hash" in row.metrics:
                return Training(
                    run_id=row.run_id,
                    tenant_id=tenant_id,
                    dataset_hash=row.dataset_hash,
                    golden_hash=row.metrics["golden_hash"],
                    state=row.state,
                    adapter_id=row.adapter_id,
                    mlflow_run_id=row.mlflow_run_id,
                    metrics=dict(row.metrics),
                )
    raise GateRefused(f"tenant {tenant_id} has no training corpus: materialize training_corpus first")


def note(platform: Platform, training: Training, *, metrics: dict[str, Any], **columns: Any) -> None:
    """Add ``metrics`` and set ``columns`` on a row that has not ended."""
    if training.ended:
        return
    with platform.database.session() as session:
        row = trainings.get(session, training.run_id)
        trainings.update(session, training.run_id, metrics={**row.metrics, **metrics}, **columns)


def end(platform: Platform, training: Training, *, state: str, reason: str) -> None:
    """Close a row with its verdict; a row that has ended keeps the first one."""
    if training.ended:
        return
    with platform.database.session() as session:
        trainings.update(session, training.run_id, state=state, reason=reason, finished_at=datetime.now(UTC))


def _is_rematerialization(row: TrainingRun, dataset_hash: str, golden_hash: str) -> bool:
    return (
        row.state in _ENDED
        and row.dataset_hash == dataset_hash
        and row.metrics.get("golden_hash") == golden_hash
    )
