"""A person looks at what was kept out: release it, or drop it for good.

A quarantined document changes nothing until somebody has looked at it. *Released*, its corrections are
learned like any other's and its risky changes count as confirmed (the person is the second author);
*dropped*, it stays out and no longer waits for anybody. Either is written down with who did it.

The names of a released document do not enter the dictionary by themselves: a person adds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import orm

from astra_learn_assets.contracts import Delta, Pair
from astra_learn_assets.errors import Conflict
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import cursors
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import audit, documents, erasure, pages, tenants
from astra_learn_assets.store.pages import KeptKey
from astra_learn_assets.store.tables import Document

LARGEST_PAGE = 500


@dataclass(frozen=True)
class KeptOut:
    """One document that nothing is learned from. ``reason`` is Spanish, as the clerk read it.

    ``comparable``: it was compared, so a person may release it.
    """

    document_id: str
    reason: str
    unreadable: bool
    review: str | None
    reviewed_by: str | None
    created_at: datetime
    metrics: dict[str, object]
    comparable: bool = True


def kept_out(platform: Platform, tenant_id: TenantId, *, dropped: bool = False) -> list[KeptOut]:
    """The documents that wait for a person; with ``dropped`` also those that one has dropped.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = documents.listing(session, tenant_id, state="quarantined")
    return [_of(row) for row in rows if dropped or row.review != documents.DROPPED]


def page(
    platform: Platform, tenant_id: TenantId, *, dropped: bool, cursor: str | None = None, limit: int = 100
) -> tuple[list[KeptOut], str | None]:
    """A page of what is kept out, newest first, and the cursor of the next one.

    Raises:
        UnknownTenant: there is no such tenant.
        BadInput: a cursor that is not of this listing.
    """
    kind = f"quarantine:{dropped}"
    after = None
    if cursor is not None:
        at, document_id = cursors.decode(cursor, kind, 2)
        after = KeptKey(cursors.moment(at), document_id)
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = pages.kept_out(session, tenant_id, dropped=dropped, after=after, limit=limit + 1)
    if len(rows) <= limit:
        return [_of(row) for row in rows], None
    last = rows[limit - 1]
    following = cursors.encode(kind, last.created_at.isoformat(), last.document_id)
    return [_of(row) for row in rows[:limit]], following


def every(platform: Platform, tenant_id: TenantId) -> Iterator[KeptOut]:
    """Everything that is kept out, read page by page as it is asked for."""
    cursor: str | None = None
    while True:
        found, cursor = page(platform, tenant_id, dropped=True, cursor=cursor, limit=LARGEST_PAGE)
        yield from found
        if cursor is None:
            return


def show(platform: Platform, tenant_id: TenantId, document_id: str) -> KeptOut:
    """One kept out document.

    Raises:
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out.
    """
    with platform.database.session() as session:
        return _of(_quarantined(documents.get(session, tenant_id, document_id)))


def release(
    platform: Platform, tenant_id: TenantId, document_id: str, *, by: str, request_id: str | None = None
) -> None:
    """Let the document be learned from; the next preparing run makes its examples.

    Raises:
        TenantErased, UnknownTenant: there is no such tenant any more.
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out, or could not be compared at all.
    """
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        row = _quarantined(documents.get(session, tenant_id, document_id))
        if not _of(row).comparable:
            raise Conflict(f"{document_id} was never compared ({row.reason}): there is nothing to release")
        documents.review(session, tenant_id, document_id, review=documents.RELEASED, by=by)
        _note(session, tenant_id, document_id, by, "quarantine.release", request_id)


def drop(
    platform: Platform, tenant_id: TenantId, document_id: str, *, by: str, request_id: str | None = None
) -> None:
    """Keep the document out for good.

    Raises:
        NotFound: the tenant has none of this id.
        Conflict: it is not kept out.
    """
    with platform.database.session() as session:
        erasure.hold_open(session, tenant_id)
        _quarantined(documents.get(session, tenant_id, document_id))
        documents.review(session, tenant_id, document_id, review=documents.DROPPED, by=by)
        _note(session, tenant_id, document_id, by, "quarantine.drop", request_id)


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
        not row.unreadable and row.diff_sha256 is not None,
    )


def _note(
    session: orm.Session, tenant_id: TenantId, document_id: str, by: str, action: str, request_id: str | None
) -> None:
    audit.record(
        session,
        tenant_id=tenant_id,
        actor=by,
        action=action,
        target=document_id,
        outcome="done",
        request_id=request_id,
    )
