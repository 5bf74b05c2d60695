"""What a municipality may use, its pauses, its end; what every tier has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.api.auth import Access, CanAdminister, CanOperate, CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning import status
from astra_learn_assets.store import audit, learning_tables, tables, tenants, tiers, trainings

router = APIRouter(prefix="/v1/tenants/{tenant}", tags=["tenancy"])

Quota = Annotated[int | None, Field(ge=0, le=1_000, description="Trainings a week; null: its tier's.")]
Budget = Annotated[float | None, Field(ge=0, lt=1e6, description="GPU minutes a month; null: its tier's.")]
Share = Annotated[
    float | None, Field(ge=0, le=1, description="Sessions that get a new adapter first; null: as everybody.")
]


class Tier(BaseModel):
    """What municipalities of a tier may use."""

    tier: str
    weekly_quota: int
    gpu_minutes_month: float | None
    patience_hours: float
    training_hours: str | None


class Tenancy(BaseModel):
    """What a municipality may use, and whether it learns."""

    tenant_id: str
    tier: Tier
    weekly_quota: int | None
    gpu_minutes_month: float | None
    canary_share: float | None
    paused_at: datetime | None
    paused_reason: str | None
    retired_at: datetime | None


class AllowRequest(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    tier: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,20}$")
    weekly_quota: Quota = None
    gpu_minutes_month: Budget = None
    canary_share: Share = None


class PauseRequest(BaseModel):
    """Why trainings pause; shown wherever the municipality's learning is shown."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=200)


class Retry(BaseModel):
    """How many failures no longer hold up the next training."""

    failures_forgiven: int


@router.get("/tenancy", responses=responses(404))
def read_tenancy(access: CanRead) -> Tenancy:
    """Tier, quota, budget, pause."""
    with access.platform.database.session() as session:
        row = tenants.get(session, access.tenant_id)
        tier = tiers.get(session, row.tier)
    return shown(row, tier)


@router.patch("/tenancy", responses=responses(404))
def change_tenancy(access: CanOperate, body: AllowRequest) -> Tenancy:
    """Change tier, quota, budget or the share of the sessions that try a new adapter (platform keys)."""
    given = body.model_dump(exclude_unset=True)
    with access.platform.database.session() as session:
        tenants.allow(session, access.tenant_id, **given)
        _note(session, access, "tenant.allow")
    return read_tenancy(access)


@router.post("/learning/pause", responses=responses(404))
def pause_learning(access: CanAdminister, body: PauseRequest) -> Tenancy:
    """Let no training start; finals are still compared and prepared."""
    with access.platform.database.session() as session:
        tenants.pause(session, access.tenant_id, body.reason, datetime.now(UTC))
        _note(session, access, "tenant.pause")
    return read_tenancy(access)


@router.post("/learning/resume", responses=responses(404, 410))
def resume_learning(access: CanAdminister) -> Tenancy:
    """End a pause."""
    with access.platform.database.session() as session:
        tenants.resume(session, access.tenant_id)
        _note(session, access, "tenant.resume")
    return read_tenancy(access)


@router.post("/learning/retry", responses=responses(404))
def retry_learning(access: CanOperate) -> Retry:
    """Try again what was given up: no failure since the last success counts any more (platform keys)."""
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        forgiven = trainings.forgive(session, access.tenant_id)
        _note(session, access, "tenant.retry")
    return Retry(failures_forgiven=forgiven)


@router.post("/retire", responses=responses(404))
def retire_tenant(access: CanOperate) -> Tenancy:
    """Learn nothing more of the municipality; its model stays in service (platform keys)."""
    with access.platform.database.session() as session:
        tenants.retire(session, access.tenant_id, datetime.now(UTC))
        _note(session, access, "tenant.retire")
    return read_tenancy(access)


@router.get("/learning/decision", responses=responses(404))
def read_decision(access: CanRead) -> status.Decision:
    """What would be decided now about the next training, and why."""
    return status.learning_status(access.platform, access.tenant_id).decision


def _note(session: orm.Session, access: Access, action: str) -> None:
    audit.record(
        session,
        tenant_id=access.tenant_id,
        actor=access.principal.actor,
        action=action,
        target=access.tenant_id,
        outcome="done",
        request_id=access.request_id,
    )


def shown(row: tables.Tenant, tier: learning_tables.Tier) -> Tenancy:
    """The rows of a municipality and its tier, as they are answered."""
    return Tenancy(
        tenant_id=row.tenant_id,
        tier=Tier.model_validate(tier, from_attributes=True),
        weekly_quota=row.weekly_quota,
        gpu_minutes_month=row.gpu_minutes_month,
        canary_share=row.canary_share,
        paused_at=row.paused_at,
        paused_reason=row.paused_reason,
        retired_at=row.retired_at,
    )
