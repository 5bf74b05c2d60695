"""The proper nouns of a tenant: one versioned document, its history, and the event that tells of it.

A change, its history rows and its outbox row are one transaction under a lock on the tenant's row, so
versions have no gap and no change is lost when two clerks correct names at the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.contracts import DictionaryEntry, DictionaryUpdated
from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets.store import outbox
from astra_learn_assets.store.tables import Dictionary, DictionaryChange

_MAXIMUM_LENGTH = 200


def apply(
    session: orm.Session,
    tenant_id: TenantId,
    entries: Sequence[DictionaryEntry],
    *,
    held: Dictionary | None = None,
) -> DictionaryUpdated | None:
    """Put ``entries`` in, all in one new version; None when they say nothing new. ``held``: the row that this
    transaction has locked (:func:`hold`) already.

    The last writer wins. Where another author had set another ``right``, the history row says
    ``conflict``. An older entry that says the exact opposite (A to B, now B to A) goes, in the same
    version: kept together they would swap the two names back and forth. An entry that corrects nothing
    (``wrong`` equal to ``right``) is passed over.

    Raises:
        BadInput: an entry with an empty side, a NUL, or more than 200 characters.
    """
    wanted: dict[str, DictionaryEntry] = {}
    for entry in entries:
        _check(entry)
        if entry.wrong != entry.right:
            wanted[entry_key(entry.wrong)] = entry
    if not wanted:
        return None
    row = held if held is not None else hold(session, tenant_id)
    changes: list[DictionaryChange] = []
    content = dict(row.entries)
    for key, entry in wanted.items():
        previous: dict[str, Any] | None = content.get(key)
        if previous is not None and (previous["right"], previous["kind"]) == (entry.right, entry.kind):
            continue
        reverse = entry_key(entry.right)
        if reverse not in wanted and reverse in content and entry_key(content[reverse]["right"]) == key:
            changes.append(_removal(content, reverse, entry.author))
        content[key] = entry.model_dump(mode="json")
        changes.append(
            DictionaryChange(
                key=key,
                action="added" if previous is None else "changed",
                entry=content[key],
                previous=previous,
                conflict=previous is not None
                and previous["right"] != entry.right
                and previous["author"] != entry.author,
            )
        )
    return _commit(session, row, content, changes)


def remove(session: orm.Session, tenant_id: TenantId, wrong: str, author: str) -> DictionaryUpdated | None:
    """Take an entry out; None when there is none. The history row's ``entry`` names the ``author``."""
    return take_back(session, {entry_key(wrong): None}, author, held=hold(session, tenant_id))


def take_back(
    session: orm.Session, reasons: Mapping[str, str | None], author: str, *, held: Dictionary
) -> DictionaryUpdated | None:
    """Take the entries of these keys out, all in one new version; None when none of them is in.

    The history rows name ``author`` and the reason of each, where there is one. ``held``: the row that this
    transaction has locked.
    """
    content = dict(held.entries)
    changes = [
        _removal(content, key, author, reason) for key, reason in sorted(reasons.items()) if key in content
    ]
    return _commit(session, held, content, changes)


def read(session: orm.Session, tenant_id: TenantId) -> tuple[int, list[DictionaryEntry]]:
    """``(version, entries)``, entries by key; ``(0, [])`` before the first one."""
    row = session.get(Dictionary, tenant_id, populate_existing=True)
    if row is None:
        return 0, []
    return row.version, [DictionaryEntry.model_validate(row.entries[key]) for key in sorted(row.entries)]


def stored(session: orm.Session, tenant_id: TenantId) -> tuple[int, dict[str, Any]]:
    """``(version, entries by key)`` as they lie there; ``(0, {})`` before the first one."""
    version, entries = _content(session, tenant_id)
    return version, {key: entries[key] for key in sorted(entries)}


_AS_JSON = sa.text(
    """
    SELECT d.version, (
        SELECT string_agg(
            '{"entry_id":"' || left(encode(sha256(convert_to(e.key, 'UTF8')), 'hex'), 16) || '",'
                || substr(e.value::text, 2), ',' ORDER BY e.key COLLATE "C")
        FROM jsonb_each(d.entries) e
    ) FROM entities_dictionary d WHERE d.tenant_id = :tenant
    """
)
_PART = sa.text(
    """
    WITH every AS MATERIALIZED (
        SELECT e.key, e.value FROM entities_dictionary d, jsonb_each(d.entries) e WHERE d.tenant_id = :tenant
    )
    SELECT counted.total, shown.key, shown.value FROM (SELECT count(*) AS total FROM every) counted
    LEFT JOIN (
        SELECT key, value FROM every ORDER BY key COLLATE "C" OFFSET :start LIMIT :limit
    ) shown ON true ORDER BY shown.key COLLATE "C"
    """
)


def as_json(session: orm.Session, tenant_id: TenantId) -> tuple[int, str]:
    """``(version, entries)``, these as a JSON list by key, each with its ``entry_id``: 16 digits of its key's
    SHA-256. Made by the database: to read ten thousand in only to write them out again takes three times as
    long."""
    row = session.execute(_AS_JSON, {"tenant": str(tenant_id)}).first()
    return (0, "[]") if row is None else (int(row[0]), f"[{row[1] or ''}]")


def part(
    session: orm.Session, tenant_id: TenantId, *, start: int, limit: int
) -> tuple[int, list[tuple[str, dict[str, Any]]]]:
    """How many entries there are, and ``limit`` of them by key from ``start`` on."""
    values = {"tenant": str(tenant_id), "start": start, "limit": limit}
    rows = session.execute(_PART, values).all()
    return int(rows[0].total), [(row.key, row.value) for row in rows if row.key is not None]


def replacements(session: orm.Session, tenant_id: TenantId) -> tuple[int, dict[str, str]]:
    """``(version, wrong form -> right form)``, without making ten thousand entries of them."""
    version, entries = _content(session, tenant_id)
    return version, _as_replacements(entries)


def replacements_at(session: orm.Session, tenant_id: TenantId, version: int) -> dict[str, str]:
    """Wrong form -> right form as of ``version``: today's, with the history after it taken back.

    Raises:
        NotFound: the dictionary has never had that version.
    """
    newest, entries = _content(session, tenant_id)
    if not 0 <= version <= newest:
        raise NotFound(f"the dictionary of {tenant_id!r} has no version {version}: the newest is {newest}")
    for change in reversed(changes_since(session, tenant_id, version)):
        if change.previous is None:
            entries.pop(change.key, None)
        else:
            entries[change.key] = change.previous
    return _as_replacements(entries)


def _content(session: orm.Session, tenant_id: TenantId) -> tuple[int, dict[str, Any]]:
    query = sa.select(Dictionary.version, Dictionary.entries).where(Dictionary.tenant_id == tenant_id)
    row = session.execute(query).first()
    return (0, {}) if row is None else (int(row[0]), dict(row[1]))


def _as_replacements(entries: Mapping[str, Any]) -> dict[str, str]:
    return {entries[key]["wrong"]: entries[key]["right"] for key in sorted(entries)}


def version_of(session: orm.Session, tenant_id: TenantId) -> int:
    """The version alone, without reading ten thousand entries; 0 before the first one."""
    query = sa.select(Dictionary.version).where(Dictionary.tenant_id == tenant_id)
    return session.scalar(query) or 0


def changes_since(
    session: orm.Session, tenant_id: TenantId, version: int, *, limit: int | None = None
) -> list[DictionaryChange]:
    """The history after ``version``, oldest first: what a reader that was away has to catch up on.

    With ``limit`` only so many rows, but never half a version, and never none where there are some: who goes
    on from the last row's version misses nothing.
    """
    query = (
        sa.select(DictionaryChange)
        .where(DictionaryChange.tenant_id == tenant_id, DictionaryChange.version > version)
        .order_by(DictionaryChange.version, DictionaryChange.key)
    )
    if limit is None:
        return list(session.scalars(query))
    rows = list(session.scalars(query.limit(limit + 1)))
    if len(rows) <= limit:
        return rows
    whole = [row for row in rows if row.version < rows[-1].version]
    return whole or list(session.scalars(query.where(DictionaryChange.version == rows[0].version)))


def _removal(content: dict[str, Any], key: str, author: str, reason: str | None = None) -> DictionaryChange:
    entry = {"author": author} if reason is None else {"author": author, "reason": reason}
    return DictionaryChange(key=key, action="removed", entry=entry, previous=content.pop(key))


def hold(session: orm.Session, tenant_id: TenantId) -> Dictionary:
    """The tenant's row, made if missing, locked until the commit, as it is now."""
    ask = sa.select(Dictionary).where(Dictionary.tenant_id == tenant_id).with_for_update()
    row = session.scalars(ask, execution_options={"populate_existing": True}).one_or_none()
    if row is not None:
        return row
    session.execute(
        insert(Dictionary).values(tenant_id=tenant_id, version=0, entries={}).on_conflict_do_nothing()
    )
    made: Dictionary = session.scalars(ask, execution_options={"populate_existing": True}).one()
    return made


def _commit(
    session: orm.Session, row: Dictionary, content: dict[str, Any], changes: Sequence[DictionaryChange]
) -> DictionaryUpdated | None:
    if not changes:
        return None
    row.entries = content
    row.version += 1
    # not now(): that is when the transaction began, and it may have waited for the lock since
    row.updated_at = sa.func.clock_timestamp()  # type: ignore[assignment]
    for change in changes:
        change.tenant_id, change.version = row.tenant_id, row.version
    session.add_all(changes)
    update = DictionaryUpdated(
        tenant_id=row.tenant_id, version=row.version, changed=tuple(change.key for change in changes)
    )
    outbox.enqueue(session, row.tenant_id, outbox.CHANNEL_DICTIONARY, update.model_dump(mode="json"))
    session.flush()
    return update


def _check(entry: DictionaryEntry) -> None:
    for side in (entry.wrong, entry.right):
        if not entry_key(side) or "\0" in side or len(side) > _MAXIMUM_LENGTH or not _is_text(side):
            raise BadInput(
                f"a dictionary entry needs 1 to {_MAXIMUM_LENGTH} printable characters on both sides"
            )


def _is_text(value: str) -> bool:
    """Whether Postgres can store it: a lone surrogate is no character."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
