"""Forgetting a municipality: its key, and every row that can hold a name.

Destroying the key makes sealed objects unreadable, backups included; rows are not sealed, so they are
deleted. What stays says *that* there was a tenant and what was done, without a name:

* the tenant's row (an id is never given twice), its display name replaced by the id;
* the audit log, in which a label such as "marta (key-1f…)" becomes "key-1f…" and targets are taken out;
* an empty dictionary in a new version, with its event: a subscriber that follows versions empties itself
  instead of keeping the names in its memory for ever.

Any other table with a ``tenant_id`` is emptied of the tenant, one that a later release adds as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import ARRAY, insert

from astra_learn_assets.contracts import DictionaryUpdated
from astra_learn_assets.errors import TenantErased, UnknownTenant
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import audit, locks, outbox
from astra_learn_assets.store.learning_tables import LearningChange
from astra_learn_assets.store.table_base import Base
from astra_learn_assets.store.tables import (
    Artifact,
    AuditEntry,
    Dictionary,
    DictionaryChange,
    Document,
    ExampleRow,
    Outbox,
    Session,
    Tenant,
    Verdict,
)

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
            ),
            # an id may be a session's, which somebody named after a person
            target=sa.case((AuditEntry.target == tenant_id, AuditEntry.target), else_=None),
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


def erase_document_rows(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    document_id: str,
    artifact_ids: Sequence[str],
    actor: str,
) -> int:
    """Delete every row of one document, and what it brought into the dictionary; returns how many rows went.

    ``artifact_ids``: the final, and the drafts that go with it. A session without any document goes as well.
    """
    locks.hold(session, _LOCK, tenant_id)
    session.execute(sa.text("SELECT set_config('astra.erasing', 'on', true)"))
    gone = 0
    for statement in (
        sa.delete(ExampleRow).where(ExampleRow.tenant_id == tenant_id, ExampleRow.document_id == document_id),
        sa.delete(Verdict).where(
            Verdict.tenant_id == tenant_id,
            Verdict.reason.contains(document_id, autoescape=True),
            Verdict.gate == "pii_gate",
        ),
        sa.delete(Document).where(Document.tenant_id == tenant_id, Document.document_id == document_id),
        sa.delete(Artifact).where(Artifact.tenant_id == tenant_id, Artifact.artifact_id.in_(artifact_ids)),
    ):
        gone += _deleted(session, statement)
    empty = sa.delete(Session).where(
        Session.tenant_id == tenant_id,
        ~sa.exists().where(
            Artifact.tenant_id == Session.tenant_id,
            Artifact.session_id == Session.session_id,
            Artifact.version == Session.version,
        ),
    )
    gone += _deleted(session, empty)
    gone += _out_of_dictionary(session, tenant_id, document_id)
    session.execute(sa.text("SELECT set_config('astra.erasing', '', true)"))
    # what is erased row by row is noted once, here
    session.add_all([LearningChange(tenant_id=tenant_id, lane=lane) for lane in ("prepare", "learn")])
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=actor,
        action="document.erase",
        target=document_id,
        outcome="done",
        request_id=None,
    )
    return gone


def _deleted(session: orm.Session, statement: sa.Delete) -> int:
    """Delete; returns how many rows that were."""
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _out_of_dictionary(session: orm.Session, tenant_id: TenantId, document_id: str) -> int:
    """Take out what a document brought in, history and events included; what it had replaced comes back."""
    history = session.scalars(
        sa.select(DictionaryChange)
        .where(DictionaryChange.tenant_id == tenant_id)
        .order_by(DictionaryChange.version)
    ).all()

    def of_document(entry: Mapping[str, Any] | None) -> bool:
        return entry is not None and entry.get("source_document") == document_id

    touched = {row.key for row in history if of_document(row.entry) or of_document(row.previous)}
    if not touched:
        return 0
    current = session.get(Dictionary, tenant_id, with_for_update=True, populate_existing=True)
    assert current is not None  # what has a history has a dictionary
    content = dict(current.entries)
    gone = 0
    for key in touched:
        kept: Mapping[str, Any] | None = None  # what the key said before, without this document
        for row in [one for one in history if one.key == key]:
            if of_document(row.entry) or (row.action == "removed" and kept is None):
                session.delete(row)  # a removal of what was the document's alone names its word, too
                gone += 1
                continue
            row.previous = dict(kept) if kept is not None else None
            if row.action == "removed":
                kept = None
            else:
                row.action = "added" if kept is None else "changed"
                kept = row.entry
        if of_document(content.get(key)):
            if kept is None:
                del content[key]
            else:
                content[key] = dict(kept)
    session.flush()
    told = sa.delete(Outbox).where(
        Outbox.tenant_id == tenant_id,
        Outbox.channel == outbox.CHANNEL_DICTIONARY,
        Outbox.payload["changed"].has_any(sa.cast(sorted(touched), ARRAY(sa.Text))),
    )
    gone += _deleted(session, told)
    current.entries = content
    current.version += 1
    current.updated_at = sa.func.clock_timestamp()  # type: ignore[assignment]
    session.flush()
    # whose names they were is not said again: who follows versions reads the whole
    update = DictionaryUpdated(tenant_id=tenant_id, version=current.version, changed=())
    outbox.enqueue(session, tenant_id, outbox.CHANNEL_DICTIONARY, update.model_dump(mode="json"))
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
