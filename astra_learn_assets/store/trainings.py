"""One row per attempt at training a tenant's adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets import ids
from astra_learn_assets.contracts import Fault
from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.examples import FINISHED
from astra_learn_assets.store.learning_tables import LearningChange
from astra_learn_assets.store.table_base import TenantColumn
from astra_learn_assets.store.tables import Artifact, ExampleRow, TrainingRun

UNFINISHED = ("queued", "training", "evaluating")
ENDED = (*FINISHED, "failed")
_COLUMNS = frozenset(
    {
        "dataset_hash",
        "state",
        "reason",
        "metrics",
        "adapter_id",
        "dagster_run_id",
        "mlflow_run_id",
        "finished_at",
        "fault",
        "setup",
    }
)


@dataclass(frozen=True)
class End:
    """How a training failed: ``fault`` says whose, see the training policy."""

    run_id: str
    fault: Fault
    reason: str
    setup: str | None = None


def start(
    session: orm.Session, tenant_id: TenantId, *, through_seq: int, attempt: int, dagster_run_id: str | None
) -> TrainingRun:
    """The row of this attempt, made (state ``queued``) unless it is there: starting twice gives one row.

    Raises:
        BadInput: a negative ``through_seq`` or an ``attempt`` below 1.
    """
    if through_seq < 0 or attempt < 1:
        raise BadInput(f"invalid training: through_seq {through_seq}, attempt {attempt}")
    session.execute(
        insert(TrainingRun)
        .values(
            run_id=ids.name(f"{tenant_id}-{through_seq}-{attempt}", "training id"),
            tenant_id=tenant_id,
            attempt=attempt,
            through_seq=through_seq,
            state="queued",
            dagster_run_id=dagster_run_id,
            trace=_trace_of(tenant_id, through_seq),
        )
        .on_conflict_do_nothing()
    )
    row: TrainingRun = session.scalars(
        sa.select(TrainingRun).where(
            TrainingRun.tenant_id == tenant_id,
            TrainingRun.through_seq == through_seq,
            TrainingRun.attempt == attempt,
        )
    ).one()
    return row


def _trace_of(tenant_id: TenantId, through_seq: int) -> sa.ScalarSelect[str | None]:
    """The trace of the upload that the training's newest example came with."""
    return (
        sa.select(Artifact.trace)
        .join(
            ExampleRow,
            sa.and_(
                ExampleRow.tenant_id == Artifact.tenant_id, ExampleRow.document_id == Artifact.artifact_id
            ),
        )
        .where(ExampleRow.tenant_id == tenant_id, ExampleRow.seq == through_seq)
        .scalar_subquery()
    )


_START_ALL = sa.text(
    """
    INSERT INTO training_runs (run_id, tenant_id, attempt, through_seq, state, trace)
    SELECT w.run_id, w.tenant_id, w.attempt, w.through_seq, 'queued', a.trace
    FROM unnest(CAST(:run_ids AS text[]), CAST(:tenants AS text[]), CAST(:seqs AS bigint[]),
        CAST(:attempts AS integer[])) AS w(run_id, tenant_id, through_seq, attempt)
    LEFT JOIN examples e ON e.tenant_id = w.tenant_id AND e.seq = w.through_seq
    LEFT JOIN artifacts a ON a.tenant_id = e.tenant_id AND a.artifact_id = e.document_id
    ON CONFLICT DO NOTHING RETURNING tenant_id, run_id
    """
).columns(tenant_id=TenantColumn)


def start_all(session: orm.Session, wanted: Sequence[tuple[TenantId, int, int]]) -> dict[TenantId, str]:
    """Begin many: (tenant, through_seq, attempt) each; returns the ids of those that were not there."""
    if not wanted:
        return {}
    values = {
        "run_ids": [ids.name(f"{tenant}-{seq}-{attempt}", "training id") for tenant, seq, attempt in wanted],
        "tenants": [str(tenant) for tenant, _, _ in wanted],
        "seqs": [seq for _, seq, _ in wanted],
        "attempts": [attempt for _, _, attempt in wanted],
    }
    return {row.tenant_id: row.run_id for row in session.execute(_START_ALL, values)}


def traces(session: orm.Session, run_ids: Sequence[str]) -> dict[str, str]:
    """The ``traceparent`` of each of these trainings that has one; nothing is asked for none."""
    if not run_ids:
        return {}
    rows = session.execute(
        sa.select(TrainingRun.run_id, TrainingRun.trace).where(
            TrainingRun.run_id.in_(run_ids), TrainingRun.trace.is_not(None)
        )
    )
    return {run_id: str(trace) for run_id, trace in rows}


def claim_run(session: orm.Session, run_id: str, dagster_run_id: str, ancestors: Sequence[str]) -> bool:
    """Give a training to a Dagster run; False when it is another's, and that one is no ancestor of the run.

    What makes one run of one training, whoever asks: two daemons that ask at once each make a run for the
    same key. A row that has ended may be worked on again.
    """
    taken = session.scalar(
        sa.update(TrainingRun)
        .where(
            TrainingRun.run_id == run_id,
            sa.or_(
                TrainingRun.dagster_run_id.is_(None),
                TrainingRun.dagster_run_id.in_([dagster_run_id, *ancestors]),
                TrainingRun.state.in_(ENDED),
            ),
        )
        .values(dagster_run_id=dagster_run_id)
        .returning(TrainingRun.run_id)
    )
    return taken is not None


def forgive(session: orm.Session, tenant_id: TenantId) -> int:
    """Let no failure since the last success hold up the next attempt; returns how many there were.

    For a person who has put right what they failed by.
    """
    last = last_finished(session, tenant_id)
    query = (
        sa.update(TrainingRun)
        .where(
            TrainingRun.tenant_id == tenant_id,
            TrainingRun.state == "failed",
            TrainingRun.fault.is_distinct_from("superseded"),
        )
        .values(fault="superseded")
        .returning(TrainingRun.run_id)
    )
    if last is not None:
        query = query.where(TrainingRun.created_at > last.created_at)
    forgiven = len(session.execute(query).all())
    session.execute(sa.insert(LearningChange).values(tenant_id=tenant_id, lane="learn"))
    return forgiven


def close_all(session: orm.Session, ends: Sequence[End], now: datetime) -> None:
    """Close many as failed, except those that have ended meanwhile."""
    if not ends:
        return
    given = (
        sa.values(
            sa.column("run_id", sa.String),
            sa.column("fault", sa.String),
            sa.column("reason", sa.Text),
            sa.column("setup", sa.String),
            name="given",
        )
        .data([(end.run_id, end.fault, end.reason, end.setup) for end in ends])
        .alias("given")
    )
    session.execute(
        sa.update(TrainingRun)
        .where(TrainingRun.run_id == given.c.run_id, TrainingRun.state.in_(UNFINISHED))
        .values(
            state="failed",
            fault=given.c.fault,
            reason=given.c.reason,
            setup=sa.cast(given.c.setup, sa.String),
            finished_at=now,
        ),
        execution_options={"synchronize_session": False},
    )


def update(session: orm.Session, run_id: str, **columns: Any) -> TrainingRun:
    """Set columns of a row. A state that ends it also sets ``finished_at``, unless given.

    A failure that names no fault is the examples'.

    Raises:
        NotFound: no such training.
        BadInput: a column that cannot be set, or an unknown state.
    """
    if unknown := set(columns) - _COLUMNS:
        raise BadInput(f"a training has no settable {', '.join(sorted(unknown))}")
    state = columns.get("state")
    if state is not None and state not in (*UNFINISHED, *ENDED):
        raise BadInput(f"invalid training state {state!r:.20}")
    row = session.get(TrainingRun, run_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no training {run_id!r:.90}")
    for name, value in columns.items():
        setattr(row, name, value)
    if state in ENDED and row.finished_at is None:
        row.finished_at = datetime.now(UTC)
    if state == "failed" and row.fault is None:
        row.fault = "examples"
    session.flush()
    return row


def get(session: orm.Session, run_id: str, *, tenant_id: TenantId | None = None) -> TrainingRun:
    """A training; with ``tenant_id`` only if it is that tenant's.

    Raises:
        NotFound: no such training.
    """
    row = session.get(TrainingRun, run_id)
    if row is None or (tenant_id is not None and row.tenant_id != tenant_id):
        raise NotFound(f"no training {run_id!r:.90}")
    return row


def find(session: orm.Session, run_id: str) -> TrainingRun | None:
    """A training, if there is one of this id."""
    return session.get(TrainingRun, run_id)


def listing(session: orm.Session, tenant_id: TenantId, *, limit: int | None = 100) -> list[TrainingRun]:
    """The tenant's trainings, newest first."""
    return list(
        session.scalars(
            _of(tenant_id)
            .order_by(
                TrainingRun.created_at.desc(), TrainingRun.through_seq.desc(), TrainingRun.attempt.desc()
            )
            .limit(limit)
        )
    )


def last_finished(session: orm.Session, tenant_id: TenantId) -> TrainingRun | None:
    """The training that was promoted or rejected last."""
    return _latest(session, tenant_id, *FINISHED)


def unfinished(session: orm.Session, tenant_id: TenantId) -> list[TrainingRun]:
    """The trainings under way or waiting, oldest first; empty when there is none."""
    return list(
        session.scalars(
            _of(tenant_id)
            .where(TrainingRun.state.in_(UNFINISHED))
            .order_by(TrainingRun.created_at, TrainingRun.attempt)
        )
    )


def next_attempt(session: orm.Session, tenant_id: TenantId, through_seq: int) -> int:
    """1 for a corpus never tried, else one more than the last attempt at it."""
    last = session.scalar(
        sa.select(sa.func.max(TrainingRun.attempt)).where(
            TrainingRun.tenant_id == tenant_id, TrainingRun.through_seq == through_seq
        )
    )
    return int(last or 0) + 1


def _of(tenant_id: TenantId) -> sa.Select[Any]:
    return sa.select(TrainingRun).where(TrainingRun.tenant_id == tenant_id)


def _latest(session: orm.Session, tenant_id: TenantId, *states: str) -> TrainingRun | None:
    row: TrainingRun | None = session.scalar(
        _of(tenant_id)
        .where(TrainingRun.state.in_(states))
        .order_by(TrainingRun.finished_at.desc().nulls_last(), TrainingRun.created_at.desc())
        .limit(1)
    )
    return row
