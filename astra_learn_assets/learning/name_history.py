"""The history of a tenant's dictionary, newest first: who put which name in, took it out, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import cursors, plain_words
from astra_learn_assets.learning.plain_words import Language, Phrases
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import pages, tenants
from astra_learn_assets.store.pages import ChangeKey
from astra_learn_assets.store.tables import DictionaryChange

LARGEST_PAGE = 1_000
_READ_AT_ONCE = 200  # of a whole history: who goes away after the first lines has not had a thousand made
_KIND = "dictionary"


class NameChange(BaseModel):
    """One change of one name. ``conflict``: another author had said otherwise."""

    model_config = ConfigDict(frozen=True)

    version: int
    action: str = Field(description="added, changed or removed.")
    wrong: str
    right: str | None = Field(description="What it becomes; None: the entry is out.")
    before: str | None = Field(description="What it became until then.")
    kind: str | None
    author: str | None
    source_document: str | None
    reason: str | None = Field(
        description="Why it was taken out when no person did, in Spanish: then it waits for a second voice."
    )
    conflict: bool
    at: datetime


def page(
    platform: Platform,
    tenant_id: TenantId,
    *,
    cursor: str | None = None,
    limit: int = 100,
    language: Language = "es",
) -> tuple[list[NameChange], str | None]:
    """A page of the history and the cursor of the next one.

    Raises:
        UnknownTenant: there is no such tenant.
        BadInput: a cursor that is not of this listing.
    """
    after = None
    if cursor is not None:
        version, key = cursors.decode(cursor, _KIND, 2)
        after = ChangeKey(min(int(cursors.number(version)), 2**31 - 1), key)
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = pages.dictionary_changes(session, tenant_id, after=after, limit=limit + 1)
    following = None
    if len(rows) > limit:
        following = cursors.encode(_KIND, str(rows[limit - 1].version), rows[limit - 1].key)
    phrases = plain_words.said(language)
    return [_of(row, phrases) for row in rows[:limit]], following


def every(platform: Platform, tenant_id: TenantId) -> Iterator[NameChange]:
    """The whole history, read page by page as it is asked for."""
    cursor: str | None = None
    while True:
        found, cursor = page(platform, tenant_id, cursor=cursor, limit=_READ_AT_ONCE)
        yield from found
        if cursor is None:
            return


def _of(row: DictionaryChange, phrases: Phrases) -> NameChange:
    entry, previous = row.entry or {}, row.previous or {}
    reason = entry.get("reason") if row.action == "removed" else None
    known = entry if row.action != "removed" else previous
    return NameChange(
        version=row.version,
        action=row.action,
        wrong=known.get("wrong", row.key),
        right=None if row.action == "removed" else entry.get("right"),
        before=previous.get("right"),
        kind=known.get("kind"),
        author=entry.get("author"),
        source_document=known.get("source_document"),
        reason=phrases.text(f"waits.{reason}") if reason else None,
        conflict=row.conflict,
        at=row.created_at,
    )
