"""What holds for every municipality: tiers, maintenance, a new municipality. Platform keys only.

The command line's ``tier``, ``maintenance`` and ``tenant add`` call the same functions of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.api.auth import Operates, Operator
from astra_learn_assets.api.problems import responses
from astra_learn_assets.api.routes.tenancy import Budget, Tenancy, Tier, shown
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.privacy.identifiers.countries import country_code
from astra_learn_assets.store import audit, tenants, tiers

router = APIRouter(prefix="/v1", tags=["operation"])

TierPath = Annotated[str, Path(description="Name of the tier.", pattern=r"^[A-Za-z0-9_-]{1,20}$")]
Number = Annotated[int, Path(description="Number of the maintenance.", ge=1, lt=2**63)]
_WITHIN = timedelta(days=366)


class TierRequest(BaseModel):
    """What is to be changed of a tier, or what a new one has; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    weekly_quota: int = Field(0, ge=0, le=1_000, description="Trainings a week; 0 stops them.")
    gpu_minutes_month: Budget = None
    patience_hours: float = Field(24, gt=0, le=720, description="Hours until a training goes first.")
    training_hours: str | None = Field(
        None, max_length=20, description="When trainings start, as 22:00-06:00 in UTC; null: always."
    )


class Maintenance(BaseModel):
    """A time in which no training starts."""

    maintenance_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str


class MaintenanceRequest(BaseModel):
    """When no training shall start, and what people are told."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=200)
    minutes: float = Field(60, ge=1, le=43_200)
    starts_at: AwareDatetime | None = Field(None, description="When it begins; null: now.")


class TenantRequest(BaseModel):
    """A new municipality."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: str = Field(min_length=2, max_length=63)
    display_name: str | None = Field(None, max_length=200, description="Name for people; null: the id.")
    country: str | None = Field(
        None, pattern=r"^[a-z]{2}$", description="Whose national ids to look for; null: the platform's."
    )
    tier: str = Field(tiers.STANDARD, pattern=r"^[A-Za-z0-9_-]{1,20}$")


@router.get("/tiers", responses=responses())
def list_tiers(operator: Operates) -> list[Tier]:
    """Every tier."""
    with operator.database.session() as session:
        return [Tier.model_validate(row, from_attributes=True) for row in tiers.listing(session)]


@router.put("/tiers/{tier}", responses=responses())
def put_tier(operator: Operates, tier: TierPath, body: TierRequest) -> Tier:
    """Make a tier, or change what is named of it; it holds from the next look on."""
    with operator.database.session() as session:
        row = tiers.put(session, tier, **body.model_dump(exclude_unset=True))
        _note(session, operator, "tier.set", tier)
        return Tier.model_validate(row, from_attributes=True)


@router.delete("/tiers/{tier}", status_code=204, responses=responses(404, 409))
def remove_tier(operator: Operates, tier: TierPath) -> None:
    """Take a tier away that no municipality has."""
    with operator.database.session() as session:
        tiers.remove(session, tier)
        _note(session, operator, "tier.remove", tier)


@router.get("/maintenance", responses=responses())
def list_maintenance(operator: Operates) -> Sequence[Maintenance]:
    """Those that are not over."""
    with operator.database.session() as session:
        rows = tiers.maintenances(session, datetime.now(UTC))
        return [Maintenance.model_validate(row, from_attributes=True) for row in rows]


@router.post("/maintenance", status_code=201, responses=responses())
def add_maintenance(operator: Operates, body: MaintenanceRequest) -> Maintenance:
    """Let no training start for a while; those that run go on."""
    now = datetime.now(UTC)
    begins = body.starts_at or now
    if not now - _WITHIN < begins < now + _WITHIN:
        raise BadInput("a maintenance begins within a year of now")
    with operator.database.session() as session:
        row = tiers.maintain(session, begins, begins + timedelta(minutes=body.minutes), body.reason)
        _note(session, operator, "maintenance.add", str(row.maintenance_id))
        return Maintenance.model_validate(row, from_attributes=True)


@router.delete("/maintenance/{number}", status_code=204, responses=responses(404))
def end_maintenance(operator: Operates, number: Number) -> None:
    """End one that is under way, or call one off."""
    with operator.database.session() as session:
        tiers.end_maintenance(session, number, datetime.now(UTC))
        _note(session, operator, "maintenance.end", str(number))


@router.post("/tenants", status_code=201, responses=responses(404, 409))
def add_tenant(operator: Operates, body: TenantRequest) -> Tenancy:
    """Make a municipality, with its own encryption key."""
    tenant, platform = TenantId(body.tenant_id), operator.state.platform
    country = country_code(body.country or platform.settings.country)
    with platform.of(tenant).database.session() as session:
        row = tenants.create(
            session,
            tenant,
            display_name=tenant if body.display_name is None else body.display_name,
            country=country,
            tier=body.tier,
            wrapped_key=platform.vault.new_tenant_key(),
        )
        audit.record(
            session,
            tenant_id=tenant,
            actor=operator.principal.actor,
            action="tenant.add",
            target=tenant,
            outcome="done",
            request_id=operator.request_id,
        )
        return shown(row, tiers.get(session, row.tier))


def _note(session: orm.Session, operator: Operator, action: str, target: str) -> None:
    audit.record(
        session,
        tenant_id=None,
        actor=operator.principal.actor,
        action=action,
        target=target,
        outcome="done",
        request_id=operator.request_id,
    )
