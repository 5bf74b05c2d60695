"""Which adapter served a tenant from when. Append-only: a rollback is a row of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import adapters, locks, subscriptions
from astra_learn_assets.store.learning_tables import Canary
from astra_learn_assets.store.tables import Adapter, Promotion, Tenant, Verdict

KINDS = ("promotion", "rollback")
BASE = "base"
LOCK = "promotions"  # one at a time for each tenant; who records a verdict holds it too
ERASED = "erased"
"""Outcome of the verdict that rejects an adapter because what it learned from is to be forgotten."""


def current(session: orm.Session, tenant_id: TenantId) -> Promotion | None:
    """The adapter that is served now; None while the base model is."""
    row = newest(session, tenant_id)
    return row if row is not None and row.kind != BASE else None


def newest(session: orm.Session, tenant_id: TenantId) -> Promotion | None:
    """The newest change of what is served; one of kind ``base`` has no adapter."""
    row: Promotion | None = session.scalar(
        sa.select(Promotion)
        .where(Promotion.tenant_id == tenant_id)
        .order_by(Promotion.promotion_id.desc())
        .limit(1)
    )
    return row


def add_base(session: orm.Session, tenant_id: TenantId, *, promoted_by: str) -> Promotion:
    """Put the base model in service again. When it is, and an adapter was before, that row is returned."""
    locks.hold(session, LOCK, tenant_id)
    before = newest(session, tenant_id)
    if before is not None and before.kind == BASE:
        return before
    return _append(
        session,
        Promotion(tenant_id=tenant_id, adapter_id=None, kind=BASE, promoted_by=promoted_by),
        before,
    )


@dataclass(frozen=True)
class Served:
    """What serves a tenant: nothing yet without ``promoted_at``, the base model without ``adapter``.

    ``forgotten``: adapters that learned from what was erased. ``canary``: the adapter serves a share of the
    sessions, and ``stable`` (None: the base model) the others.
    """

    tenant_id: TenantId
    promotion_id: int | None
    promoted_at: datetime | None
    adapter: Adapter | None
    erased: bool
    forgotten: tuple[str, ...] = ()
    canary: Canary | None = None
    stable: Adapter | None = None


def served(session: orm.Session, tenant_id: TenantId | None = None) -> dict[TenantId, Served]:
    """What serves each tenant, or that one; one statement for all of them."""
    last = (
        sa.select(Promotion.promotion_id, Promotion.created_at, Promotion.adapter_id)
        .where(Promotion.tenant_id == Tenant.tenant_id)
        .order_by(Promotion.promotion_id.desc())
        .limit(1)
        .lateral("newest")
    )
    stable = orm.aliased(Adapter)
    asked = (
        sa.select(
            Tenant.tenant_id,
            last.c.promotion_id,
            last.c.created_at,
            Adapter,
            Tenant.wrapped_key.is_(None),
            _forgotten(),
            Canary,
            stable,
        )
        .select_from(Tenant)
        .outerjoin(last, sa.true())
        .outerjoin(Adapter, Adapter.adapter_id == last.c.adapter_id)
        .outerjoin(Canary, sa.and_(Canary.promotion_id == last.c.promotion_id, Canary.outcome.is_(None)))
        .outerjoin(stable, stable.adapter_id == Canary.stable_adapter_id)
        .order_by(Tenant.tenant_id)
    )
    if tenant_id is not None:
        asked = asked.where(Tenant.tenant_id == tenant_id)
    return {
        tenant: Served(tenant, promotion_id, since, adapter, erased, tuple(forgotten), canary, others)
        for tenant, promotion_id, since, adapter, erased, forgotten, canary, others in session.execute(asked)
    }


def _forgotten() -> sa.ColumnElement[list[str]]:
    """The ids of a tenant's adapters that were rejected because of an erasure."""
    rejected = (
        sa.select(Adapter.adapter_id)
        .where(
            Adapter.tenant_id == Tenant.tenant_id,
            sa.exists().where(
                Verdict.tenant_id == Adapter.tenant_id,
                Verdict.gate == "adapter_gate",
                Verdict.digest == Adapter.digest,
                Verdict.details["outcome"].astext == ERASED,
            ),
        )
        .order_by(Adapter.adapter_id)
        .correlate(Tenant)
    )
    return sa.func.array(rejected.scalar_subquery(), type_=sa.ARRAY(sa.Text))


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
    locks.hold(session, LOCK, tenant_id)  # else two at once would name the same predecessor
    before = current(session, tenant_id)
    if before is not None and before.adapter_id == adapter_id:
        return before
    row = Promotion(
        tenant_id=tenant_id,
        adapter_id=adapter_id,
        kind=kind,
        promoted_by=promoted_by,
        mlflow_version=mlflow_version,
    )
    return _append(session, row, before)


def history(session: orm.Session, tenant_id: TenantId, *, limit: int | None = None) -> list[Promotion]:
    """Every adapter that was ever put in service, newest first."""
    return list(
        session.scalars(
            sa.select(Promotion)
            .where(Promotion.tenant_id == tenant_id, Promotion.kind != BASE)
            .order_by(Promotion.promotion_id.desc())
            .limit(limit)
        )
    )


def _append(session: orm.Session, row: Promotion, before: Promotion | None) -> Promotion:
    """Add ``row`` after ``before``, with what the database fills in."""
    # not the transaction's beginning: who waited for the lock comes after whom it waited for, and CORE
    # follows the newest record
    row.created_at = sa.func.clock_timestamp()
    row.previous_adapter_id = before.adapter_id if before is not None else None
    session.add(row)
    session.flush()
    session.refresh(row)
    event = "promotion" if row.kind == "promotion" else "rollback"
    subscriptions.tell(
        session, row.tenant_id, event, {"adapter_id": row.adapter_id, "before": row.previous_adapter_id}
    )
    return row
