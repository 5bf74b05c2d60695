"""Signs of life of the process behind a training, and the log it writes.

The log is kept line by line while the training runs, so that it can be followed, and stays. Of one with more
than :data:`LINES` steps every so many are kept: a run that never ends must not fill the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.learning_tables import TrainingLine, TrainingProgress
from astra_learn_assets.store.tables import TrainingRun

LINES = 2_000
"""Of one training; a step beyond this many times the spacing is left out."""


def sign(
    session: orm.Session,
    run_id: str,
    tenant_id: TenantId,
    *,
    phase: str,
    step: int | None = None,
    steps: int | None = None,
    eta_seconds: float | None = None,
    gpu_seconds: float = 0.0,
) -> None:
    """Say that the process lives, how far it is, and what it took of the card since the last sign.

    ``moved_at`` stays while phase and step stay.
    """
    row = TrainingProgress.__table__.c
    added = insert(TrainingProgress).values(
        run_id=run_id, tenant_id=tenant_id, phase=phase, step=step, steps=steps, eta_seconds=eta_seconds
    )
    new = added.excluded
    same = sa.and_(row.phase == new.phase, row.step.is_not_distinct_from(new.step))
    session.execute(
        added.on_conflict_do_update(
            index_elements=["run_id"],
            set_={
                **{name: new[name] for name in ("phase", "step", "steps", "eta_seconds")},
                "alive_at": sa.func.clock_timestamp(),
                "moved_at": sa.case((same, row.moved_at), else_=sa.func.clock_timestamp()),
            },
        )
    )
    if not gpu_seconds:
        return
    session.execute(
        sa.update(TrainingRun)
        .where(TrainingRun.run_id == run_id)
        .values(gpu_seconds=TrainingRun.gpu_seconds + gpu_seconds)
    )


def of_training(session: orm.Session, run_id: str) -> TrainingProgress | None:
    """The last sign of a training's process, if it ever gave one."""
    return session.get(TrainingProgress, run_id)


def add_lines(
    session: orm.Session, run_id: str, tenant_id: TenantId, entries: Sequence[Mapping[str, Any]]
) -> int:
    """Keep lines of a training's log; returns how many were new. A step told twice keeps its first line."""
    kept = [entry for entry in entries if _is_kept(int(entry["step"]), int(entry.get("steps", 0)))]
    if not kept:
        return 0
    added = session.execute(
        insert(TrainingLine)
        .values(
            [
                {"run_id": run_id, "tenant_id": tenant_id, "step": int(entry["step"]), "entry": dict(entry)}
                for entry in kept
            ]
        )
        .on_conflict_do_nothing()
        .returning(TrainingLine.step)
    )
    return len(added.all())


def lines_after(session: orm.Session, run_id: str, step: int, *, limit: int = LINES) -> list[TrainingLine]:
    """The lines of a training's log after ``step``, in order."""
    return list(
        session.scalars(
            sa.select(TrainingLine)
            .where(TrainingLine.run_id == run_id, TrainingLine.step > step)
            .order_by(TrainingLine.step)
            .limit(limit)
        )
    )


def newest_lines(session: orm.Session, run_id: str, *, limit: int) -> list[TrainingLine]:
    """The newest lines of a training's log, newest first."""
    return list(
        session.scalars(
            sa.select(TrainingLine)
            .where(TrainingLine.run_id == run_id)
            .order_by(TrainingLine.step.desc())
            .limit(limit)
        )
    )


def _is_kept(step: int, steps: int) -> bool:
    spacing = max(1, -(-steps // LINES))
    return 0 <= step <= LINES * spacing and (step % spacing == 0 or step in (1, steps))
