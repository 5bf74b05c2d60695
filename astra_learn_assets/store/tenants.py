"""The municipalities. A tenant row is made first; everything else hangs on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.errors import (
    AlreadyExists,
    BadInput,
    InvalidTenantId,
    TenantErased,
    UnknownTenant,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.privacy.identifiers.countries import country_code
from astra_learn_assets.store import tiers
from astra_learn_assets.store.tables import Tenant
from astra_learn_assets.store.tiers import UNSET, Unset

# Replay examples carry this id in their metadata, so no municipality may have it.
RESERVED = frozenset({"replay"})


def create(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    display_name: str,
    country: str,
    tier: str = "standard",
    wrapped_key: bytes,
) -> Tenant:
    """Add a tenant. ``country`` is the lower-case code of a country pack; ``wrapped_key`` from the vault.

    Raises:
        InvalidTenantId: reserved.
        AlreadyExists: there is one of this id, erased or not: an id is never given twice.
        BadInput: no display name, or a country without a pack of national ids.
        NotFound: there is no such tier.
    """
    if tenant_id in RESERVED:
        raise InvalidTenantId(f"tenant id {tenant_id!r} is reserved: choose another one")
    name = " ".join(display_name.split())
    if not name or not name.isprintable() or len(name) > 200:
        raise BadInput("a tenant needs a display name of 1 to 200 characters, for example 'Villaverde'")
    if country_code(country) != country:
        raise BadInput(f"invalid country {country!r:.20}: use two lower-case letters, for example 'es'")
    tiers.get(session, tier)
    row: Tenant | None = session.scalar(
        insert(Tenant)
        .values(tenant_id=tenant_id, display_name=name, country=country, tier=tier, wrapped_key=wrapped_key)
        .on_conflict_do_nothing()
        .returning(Tenant)
    )
    if row is None:
        raise AlreadyExists(f"tenant {tenant_id!r} exists already")
    return row


def get(session: orm.Session, tenant_id: TenantId) -> Tenant:
    """The tenant's row.

    Raises:
        UnknownTenant: there is none.
    """
    row = session.get(Tenant, tenant_id)
    if row is None:
        raise UnknownTenant(f"no tenant {tenant_id!r}: add it with 'astra-learn tenant add {tenant_id}'")
    return row


def state_of(row: Tenant) -> str:
    """``erased``, ``retired``, ``paused`` or ``active``: what a list of municipalities marks."""
    if row.wrapped_key is None:
        return "erased"
    return "retired" if row.retired_at else "paused" if row.paused_at else "active"


def allow(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    tier: str | None = None,
    weekly_quota: int | Unset | None = UNSET,
    gpu_minutes_month: float | Unset | None = UNSET,
    canary_share: float | Unset | None = UNSET,
) -> Tenant:
    """Change what a tenant may use; None gives it what its tier has, of ``canary_share`` what all have.

    What holds now may stop its trainings. The share is that of the next promotion.

    Raises:
        UnknownTenant: there is none.
        NotFound: there is no such tier.
        BadInput: a negative quota or budget, a share that is none.
    """
    row = get(session, tenant_id)
    if tier is not None:
        row.tier = tiers.get(session, tier).tier
    if not isinstance(weekly_quota, Unset):
        tiers.check({"weekly_quota": weekly_quota})
        row.weekly_quota = weekly_quota
    if not isinstance(gpu_minutes_month, Unset):
        tiers.check({"gpu_minutes_month": gpu_minutes_month})
        row.gpu_minutes_month = gpu_minutes_month
    if not isinstance(canary_share, Unset):
        if canary_share is not None and not 0 <= canary_share <= 1:
            raise BadInput(f"canary share {canary_share:g}: expected a share of the sessions, 0 to 1")
        row.canary_share = canary_share
    session.flush()
    return row


def pause(session: orm.Session, tenant_id: TenantId, reason: str, now: datetime) -> Tenant:
    """Let no training of the tenant start until :func:`resume`; what runs goes on, finals are prepared.

    Raises:
        UnknownTenant: there is none.
        BadInput: no reason.
    """
    words = " ".join(reason.split())
    if not words or not words.isprintable() or len(words) > 200:
        raise BadInput("a pause needs a reason of 1 to 200 characters, for example 'contract under review'")
    row = get(session, tenant_id)
    row.paused_at, row.paused_reason = row.paused_at or now, words
    session.flush()
    return row


def resume(session: orm.Session, tenant_id: TenantId) -> Tenant:
    """End a pause; also brings back a tenant that was retired.

    Raises:
        UnknownTenant: there is none.
        TenantErased: it was erased, and nothing is there to learn from.
    """
    row = get(session, tenant_id)
    if row.wrapped_key is None:
        raise TenantErased(f"tenant {tenant_id!r} was erased")
    row.paused_at = row.paused_reason = row.retired_at = None
    session.flush()
    return row


def retire(session: orm.Session, tenant_id: TenantId, now: datetime) -> Tenant:
    """Learn nothing of the tenant any more; what it has stays, is served and can be erased.

    Raises:
        UnknownTenant: there is none.
    """
    row = get(session, tenant_id)
    row.retired_at = row.retired_at or now
    session.flush()
    return row


def standing(session: orm.Session) -> dict[TenantId, bool]:
    """Every tenant, and whether it is one to learn of: neither erased nor retired."""
    rows = session.execute(
        sa.select(Tenant.tenant_id, sa.and_(Tenant.wrapped_key.is_not(None), Tenant.retired_at.is_(None)))
    )
    return {tenant: bool(stands) for tenant, stands in rows}


def erased(session: orm.Session) -> list[TenantId]:
    """The ids that stand for nobody any more."""
    return list(session.scalars(sa.select(Tenant.tenant_id).where(Tenant.wrapped_key.is_(None))))


def list_all(session: orm.Session) -> list[Tenant]:
    """All tenants by id."""
    rows: Sequence[Tenant] = session.scalars(sa.select(Tenant).order_by(Tenant.tenant_id)).all()
    return list(rows)
