"""Signs of life of the process behind a training."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.learning_tables import TrainingProgress
from astra_learn_assets.store.tables import TrainingRun


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
