"""Forgetting a municipality: its key, and every row that can hold a name.

Destroying the key makes sealed objects unreadable, backups included; rows are not sealed, so they are
deleted. What stays says *that* there was a tenant and what was done, without a name:

* the tenant's row (an id is never given twice), its display name replaced by the id;
* the audit log, in which a label such as "marta (key-1f…)" becomes "key-1f…";
* an empty dictionary in a new version, with its event: a subscriber that follows versions empties itself
  instead of keeping the names in its memory for ever.

Any other table with a ``tenant_id`` is emptied of the tenant, one that a later release adds as well.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.contracts import DictionaryUpdated
from astra_learn_assets.errors import TenantErased, UnknownTenant
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import audit, locks, outbox
from astra_learn_assets.store.table_base import Base
from astra_learn_assets.store.tables import AuditEntry, Dictionary, Tenant

_STAYS = frozenset({"tenants", "audit_log", "entities_dictionary"})
_LOCK = "erase"


def erase_rows(session: orm.Session, tenant_id: TenantId, *, actor: str) -> int:
    """Destroy the tenant's key and delete its rows; returns how many rows went. May be repeated.

    Waits for writes that are under way (see :func:`hold_open`) and is one with the caller's transaction.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    locks.hold(session, _LOCK, tenant_id)
    updated = session.execute(
        sa.update(Tenant)
        .where(Tenant.tenant_id == tenant_id)
        .values(wrapped_key=None, display_name=tenant_id)
        .returning(Tenant.tenant_id)
    )
    if updated.first() is None:
        raise UnknownTenant(f"no tenant {tenant_id!r}")
    session.execute(sa.text("SELECT set_config('astra.erasing', 'on', true)"))
    gone = 0
    for table in reversed(Base.metadata.sorted_tables):
        if "tenant_id" in table.columns and table.name not in _STAYS:
            statement = sa.delete(table).where(table.c.tenant_id == tenant_id)
            gone += len(session.execute(statement.returning(table.c.tenant_id)).all())
    _empty_dictionary(session, tenant_id)
    session.execute(
        sa.update(AuditEntry)
        .where(AuditEntry.tenant_id == tenant_id)
        # "label (key id)" -> "key id"; what has no key id keeps only that somebody did it
        .values(
            actor=sa.func.coalesce(
                sa.func.substring(AuditEntry.actor, r"\((key-[0-9a-f]+)\)$"),
                sa.case((AuditEntry.actor.in_(("cli", "builder")), AuditEntry.actor), else_="erased"),
            )
        )
    )
    session.execute(sa.text("SELECT set_config('astra.erasing', '', true)"))
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=actor,
        action="tenant.erase",
        target=tenant_id,
        outcome="done",
        request_id=None,
    )
    return gone


def hold_open(session: orm.Session, tenant_id: TenantId) -> bytes:
    """Keep the tenant from being erased until this transaction ends, so that it leaves nothing behind.

    Returns its wrapped key.

    Raises:
        TenantErased: it was.
        UnknownTenant: there is no such tenant.
    """
    locks.share(session, _LOCK, tenant_id)
    # a statement of its own: it must see what was committed while we waited for the lock
    row = session.execute(sa.select(Tenant.wrapped_key).where(Tenant.tenant_id == tenant_id)).first()
    if row is None:
        raise UnknownTenant(f"no tenant {tenant_id!r}")
    wrapped: bytes | None = row[0]
    if wrapped is None:
        raise TenantErased(f"tenant {tenant_id!r} was erased")
    return wrapped


def _empty_dictionary(session: orm.Session, tenant_id: TenantId) -> None:
    """An empty dictionary above every version that anybody may hold; unchanged when it is empty already."""
    version = session.scalar(
        insert(Dictionary)
        .values(tenant_id=tenant_id, version=1, entries={})
        .on_conflict_do_update(
            index_elements=[Dictionary.tenant_id],
            set_={"version": Dictionary.version + 1, "entries": {}, "updated_at": sa.func.now()},
        )
        .returning(Dictionary.version)
    )
    assert version is not None
    update = DictionaryUpdated(tenant_id=tenant_id, version=version, changed=())
    outbox.enqueue(session, tenant_id, outbox.CHANNEL_DICTIONARY, update.model_dump(mode="json"))
