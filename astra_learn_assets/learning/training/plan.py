"""Who is trained now: gathers what the policy asks for, and closes trainings whose run is gone.

A training's row is written before its run is requested. If the daemon dies in between, or a pod is
lost for good, the row would stay unfinished and block its tenant for ever. So each look first asks
what became of the runs behind unfinished rows (:func:`verdict_on_unfinished`, pure) and closes those
that cannot end any more; the next attempt then has a number, and a run key, of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize
from astra_learn_assets.learning.training.policy import Decision, decide_training
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import artifacts, examples, locks, tenants, trainings
from astra_learn_assets.store.tables import TrainingRun

RunState = Literal["unknown", "active", "succeeded", "failed"]
LAUNCH_GRACE = timedelta(minutes=10)
_QUOTA_FACTOR = {"standard": 1, "premium": 4}


def decide_and_begin(
    platform: Platform, tenant_id: TenantId, *, cron: bool, now: datetime | None = None
) -> tuple[Decision, TrainingRun | None]:
    """The policy's answer, and the row (state ``queued``) of the training it decided on.

    In one transaction and under a lock of the tenant, so that schedule and sensor, looking at the same
    moment, begin one training and not two.
    """
    preparing = _preparing(platform, tenant_id)
    with platform.database.session() as session:
        locks.hold(session, "training", tenant_id)
        decision = _decide(
            session, platform.settings, tenant_id, preparing, cron=cron, now=now or datetime.now(UTC)
        )
        if decision.through_seq is None or decision.attempt is None:
            return decision, None
        row = trainings.start(
            session,
            tenant_id,
            through_seq=decision.through_seq,
            attempt=decision.attempt,
            dagster_run_id=None,
        )
        return decision, row


def _preparing(platform: Platform, tenant_id: TenantId) -> int:
    """Documents without examples that pii_gate has passed under today's policy, which a run will make."""
    outstanding = anonymize.outstanding(platform, tenant_id)
    with platform.database.session() as session:
        finals = artifacts.finals_without_document(session, tenant_id)
    return len(finals) + len(outstanding.stale) + len(outstanding.unjudged)


def _decide(
    session: orm.Session,
    settings: Settings,
    tenant_id: TenantId,
    preparing: int,
    *,
    cron: bool,
    now: datetime,
) -> Decision:
    pending = examples.pending(session, tenant_id)
    failed = trainings.last_failed(session, tenant_id)
    finished = trainings.last_finished(session, tenant_id)
    # A failure older than the last success is history, not a reason to wait.
    recent = failed if failed and (finished is None or failed.created_at > finished.created_at) else None
    tier = tenants.get(session, tenant_id).tier
    return decide_training(
        now=now,
        pending=pending,
        limits=settings,
        unfinished=bool(trainings.unfinished(session, tenant_id)),
        last_failed_at=(recent.finished_at or recent.created_at) if recent else None,
        next_attempt=trainings.next_attempt(session, tenant_id, pending.newest_seq or 0),
        started_this_week=trainings.started_since(session, tenant_id, now - timedelta(days=7)),
        quota=settings.train_weekly_quota * _QUOTA_FACTOR.get(tier, 1),
        preparing=preparing,
        cron=cron,
    )


def queued(platform: Platform, tenant_id: TenantId) -> list[TrainingRun]:
    """The tenant's trainings that wait for their run."""
    with platform.database.session() as session:
        return [row for row in trainings.unfinished(session, tenant_id) if row.state == "queued"]


def close_lost(
    platform: Platform,
    tenant_id: TenantId,
    state_of: Callable[[TrainingRun], RunState],
    now: datetime | None = None,
) -> list[str]:
    """Close unfinished trainings whose run cannot end any more; returns their ids."""
    now = now or datetime.now(UTC)
    closed = []
    with platform.database.session() as session:
        for row in trainings.unfinished(session, tenant_id):
            reason = verdict_on_unfinished(state_of(row), now - row.created_at)
            if reason is not None:
                trainings.update(session, row.run_id, state="failed", reason=reason, finished_at=now)
                closed.append(row.run_id)
    return closed


def verdict_on_unfinished(state: RunState, age: timedelta) -> str | None:
    """Why an unfinished training is over, or None while it may still end.

    A run that succeeded without closing its row materialized only a part of the chain.
    """
    if state == "failed":
        return "its run failed or was cancelled"
    if state == "succeeded":
        return "its run ended without a verdict"
    if state == "unknown" and age > LAUNCH_GRACE:
        return f"no run was launched within {LAUNCH_GRACE.total_seconds() / 60:.0f} minutes"
    return None
