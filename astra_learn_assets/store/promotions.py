"""Which adapter served a tenant from when. Append-only: a rollback is a row of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import adapters, locks
from astra_learn_assets.store.tables import Adapter, Promotion, Tenant

KINDS = ("promotion", "rollback")


def current(session: orm.Session, tenant_id: TenantId) -> Promotion | None:
    """The newest promotion: what is served now."""
    rows = history(session, tenant_id, limit=1)
    return rows[0] if rows else None


@dataclass(frozen=True)
class Served:
    """What serves a tenant: the newest promotion and its adapter."""

    promotion_id: int
    created_at: datetime
    adapter: Adapter


def served(session: orm.Session) -> dict[TenantId, Served | None]:
    """What serves each tenant, None where nothing was promoted yet; one statement for all of them."""
    newest = (
        sa.select(Promotion.promotion_id, Promotion.created_at, Promotion.adapter_id)
        .where(Promotion.tenant_id == Tenant.tenant_id)
        .order_by(Promotion.promotion_id.desc())
        .limit(1)
        .lateral("newest")
    )
    rows = session.execute(
        sa.select(Tenant.tenant_id, newest.c.promotion_id, newest.c.created_at, Adapter)
        .select_from(Tenant)
        .outerjoin(newest, sa.true())
        .outerjoin(Adapter, Adapter.adapter_id == newest.c.adapter_id)
        .order_by(Tenant.tenant_id)
    )
    return {
        tenant: None if adapter is None else Served(number, at, adapter)
        for tenant, number, at, adapter in rows
    }


def add(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    adapter_id: str,
    kind: str,
    promoted_by: str,
    mlflow_version: str | None,
) -> Promotion:
    """Put an adapter in service. When it is served already, that row is returned and nothing is added.

    Raises:
        BadInput: unknown kind.
        InvalidId, ForeignTenant, NotFound: not a published adapter of this tenant.
    """
    if kind not in KINDS:
        raise BadInput(f"invalid kind {kind!r:.20}: expected 'promotion' or 'rollback'")
    adapters.get(session, tenant_id, adapter_id)
    locks.hold(session, "promotions", tenant_id)  # else two at once would name the same predecessor
    before = current(session, tenant_id)
    if before is not None and before.adapter_id == adapter_id:
        return before
    row = Promotion(
        tenant_id=tenant_id,
        adapter_id=adapter_id,
        previous_adapter_id=before.adapter_id if before is not None else None,
        kind=kind,
        promoted_by=promoted_by,
        mlflow_version=mlflow_version,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def history(session: orm.Session, tenant_id: TenantId, *, limit: int | None = None) -> list[Promotion]:
    """Everything that was ever served, newest first."""
    return list(
        session.scalars(
            sa.select(Promotion)
            .where(Promotion.tenant_id == tenant_id)
            .order_by(Promotion.promotion_id.desc())
            .limit(limit)
        )
    )
