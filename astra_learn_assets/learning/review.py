"""A person looks at what was kept out: release it, or drop it for good.

A quarantined document changes nothing until somebody has looked at it. *Released*, its corrections are
learned like any other's and its risky changes count as confirmed (the person is the second author);
*dropped*, it stays out and no longer waits for anybody. Either is written down with who did it.

The names of a released document do not enter the dictionary by themselves: a person adds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import orm

from astra_learn_assets.contracts import Delta, Pair
from astra_learn_assets.errors import Conflict
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import audit, documents, tenants
from astra_learn_assets.store.tables import Document


@dataclass(frozen=True)
class KeptOut:
    """One document that nothing is learned from. ``reason`` is Spanish, as the clerk read it."""

    document_id: str
    reason: str
    unreadable: bool
    review: str | None
    reviewed_by: str | None
    created_at: datetime
    metrics: dict[str, object]


def kept_out(platform: Platform, tenant_id: TenantId, *, dropped: bool = False) -> list[KeptOut]:
    """The documents that wait for a person; with ``dropped`` also those that one has dropped.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = documents.listing(session, tenant_id, state="quarantined")
    return [_of(row) for row in rows if dropped or row.review != documents.DROPPED]


def show(platform: Platform, tenant_id: TenantId, document_id: str) -> KeptOut:
    """One kept out document.

    Raises:
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out.
    """
    with platform.database.session() as session:
        return _of(_quarantined(documents.get(session, tenant_id, document_id)))


def release(platform: Platform, tenant_id: TenantId, document_id: str, *, by: str) -> None:
    """Let the document be learned from; the next preparing run makes its examples.

    Raises:
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out, or could not be compared at all.
    """
    with platform.database.session() as session:
        row = _quarantined(documents.get(session, tenant_id, document_id))
        if row.unreadable or row.diff_sha256 is None:
            raise Conflict(f"{document_id} was never compared ({row.reason}): there is nothing to release")
        documents.review(session, tenant_id, document_id, review=documents.RELEASED, by=by)
        _note(session, tenant_id, document_id, by, "quarantine.release")


def drop(platform: Platform, tenant_id: TenantId, document_id: str, *, by: str) -> None:
    """Keep the document out for good.

    Raises:
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out.
    """
    with platform.database.session() as session:
        _quarantined(documents.get(session, tenant_id, document_id))
        documents.review(session, tenant_id, document_id, review=documents.DROPPED, by=by)
        _note(session, tenant_id, document_id, by, "quarantine.drop")


def of_released(delta: Delta) -> Delta:
    """The delta of a document that a person released: its corrected blocks are its pairs."""
    if delta.quarantined is None:
        return delta
    pairs = tuple(
        Pair(
            chunk_id=block.chunk_ids[0] if block.chunk_ids else None,
            route=block.route,
            before=block.before or "",
            after=block.after or "",
            audio_uri=block.audio_uri,
            start_ms=block.start_ms,
            end_ms=block.end_ms,
        )
        for block in delta.blocks
        if block.route is not None and block.before != block.after
    )
    return delta.model_copy(update={"quarantined": None, "examples": pairs})


def _quarantined(row: Document) -> Document:
    if row.state != "quarantined":
        raise Conflict(f"{row.document_id} is not kept out: it is {row.state}")
    return row


def _of(row: Document) -> KeptOut:
    return KeptOut(
        row.document_id,
        row.reason or "",
        row.unreadable,
        row.review,
        row.reviewed_by,
        row.created_at,
        dict(row.metrics),
    )


def _note(session: orm.Session, tenant_id: TenantId, document_id: str, by: str, action: str) -> None:
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=by,
        action=action,
        target=document_id,
        outcome="done",
        request_id=None,
    )
