"""The dictionary of proper nouns: read with ETag, catch up by version, undo an entry.

Entries are named in paths by ``entry_id``, a digest of the wrong form: a path ends up in proxy logs,
and a name must not.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel

from astra_learn_assets.api.auth import Access, CanEdit, CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.contracts import DictionaryEntry, EntityKind
from astra_learn_assets.errors import NotFound
from astra_learn_assets.hotpath.wording import told
from astra_learn_assets.learning import cursors, name_history
from astra_learn_assets.spanish.fold import entry_key, fold
from astra_learn_assets.store import audit, dictionary, erasure, tenants

router = APIRouter(prefix="/v1/tenants/{tenant}/dictionary", tags=["dictionary"])

EntryPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="`entry_id` of the entry.")]


class Entry(BaseModel):
    """One proper noun: ``wrong`` becomes ``right`` in every later draft."""

    entry_id: str
    wrong: str
    right: str
    kind: EntityKind
    source_document: str
    author: str
    created_at: datetime


class DictionaryAnswer(BaseModel):
    """The whole dictionary at one version."""

    tenant_id: str
    version: int
    entries: tuple[Entry, ...]


class Change(BaseModel):
    """One changed entry; ``conflict``: another author had set another ``right``, kept in ``previous``."""

    version: int
    action: str
    key: str
    entry: dict[str, Any] | None
    previous: dict[str, Any] | None
    conflict: bool
    created_at: datetime


class ChangesAnswer(BaseModel):
    """What happened after version ``since``, oldest first; ``version`` is where the reader then is.

    ``more``: there are later changes; ask again with ``since`` = ``version``.
    """

    tenant_id: str
    since: int
    version: int
    more: bool
    changes: tuple[Change, ...]


class HistoryAnswer(BaseModel):
    """A page of the history, newest first; `next_cursor` leads to the next one, null at the end."""

    tenant_id: str
    changes: tuple[name_history.NameChange, ...]
    next_cursor: str | None


class RemovedAnswer(BaseModel):
    """The version that no longer holds the entry."""

    tenant_id: str
    version: int
    removed: str


def id_of_entry(wrong: str) -> str:
    """The id of an entry in paths: 16 hexadecimal digits of the SHA-256 of its key."""
    return _id_of_key(entry_key(wrong))


def _id_of_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@router.get(
    "",
    responses={
        **responses(404),
        200: {"headers": {"ETag": {"schema": {"type": "string"}}}},
        304: {"description": "The version named in If-None-Match is still the newest"},
    },
    response_model=DictionaryAnswer,
)
def read_dictionary(access: CanRead, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The tenant's proper nouns. Send the ETag back in If-None-Match: 304 while nothing changed."""
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        version = dictionary.version_of(session, access.tenant_id)
        if if_none_match is not None and _matches(if_none_match, _etag(access, version)):
            return Response(status_code=304, headers=_caching(access, version))
        version, entries = dictionary.as_json(session, access.tenant_id)
    # not through the model: ten thousand entries were made by it when they came in
    body = f'{{"tenant_id":"{access.tenant_id}","version":{version},"entries":{entries}}}'
    return Response(body, media_type="application/json", headers=_caching(access, version))


@router.get("/changes", responses=responses(404))
def read_changes(
    access: CanRead,
    since: Annotated[int, Query(ge=0, le=2**31 - 1, description="Last version seen.")] = 0,
    limit: Annotated[
        int, Query(ge=1, le=20_000, description="Changes at most; a version is never cut in two.")
    ] = 10_000,
) -> ChangesAnswer:
    """Every change after version ``since``, for a reader that was away."""
    with access.platform.database.session() as session:
        # the version first: what is committed between the two questions is then in the rows
        newest = dictionary.version_of(session, access.tenant_id)
        rows = dictionary.changes_since(session, access.tenant_id, since, limit=limit)
        if not newest:
            tenants.get(session, access.tenant_id)
    version = rows[-1].version if rows else newest
    changes = tuple(Change.model_validate(row, from_attributes=True) for row in rows)
    return ChangesAnswer(
        tenant_id=access.tenant_id, since=since, version=version, more=version < newest, changes=changes
    )


@router.get("/history", responses=responses(404))
def read_history(
    access: CanRead,
    limit: Annotated[int, Query(ge=1, le=name_history.LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=cursors.LONGEST)] = None,
) -> HistoryAnswer:
    """Who put which name in or took it out, newest first: for people; programs follow `changes`."""
    found, following = name_history.page(access.platform, access.tenant_id, cursor=cursor, limit=limit)
    return HistoryAnswer(tenant_id=access.tenant_id, changes=tuple(found), next_cursor=following)


@router.delete("/{entry_id}", responses=responses(404, 410))
def remove_entry(access: CanEdit, entry_id: EntryPath) -> RemovedAnswer:
    """Undo an entry: later drafts are no longer changed by it. The history keeps it."""
    return RemovedAnswer(tenant_id=access.tenant_id, version=removed(access, entry_id), removed=entry_id)


def found_entries(access: Access, wanted: str, *, start: int, limit: int) -> tuple[int, list[Entry]]:
    """How many entries have ``wanted`` in either form, accents and capitals aside, and ``limit`` of them.

    All have an empty one.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        if part := fold(wanted):
            _, entries = dictionary.stored(session, access.tenant_id)
            found = [
                (key, entry)
                for key, entry in entries.items()
                if part in fold(entry["wrong"]) or part in fold(entry["right"])
            ]
            total, found = len(found), found[start : start + limit]
        else:
            total, found = dictionary.part(session, access.tenant_id, start=start, limit=limit)
    return total, [Entry(entry_id=_id_of_key(key), **entry) for key, entry in found]


def removed(access: Access, entry_id: str) -> int:
    """Take an entry out, tell those who follow; returns the version without it.

    Raises:
        NotFound: it is not in. TenantErased, UnknownTenant.
    """
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        erasure.hold_open(session, access.tenant_id)
        entry = _find(dictionary.read(session, access.tenant_id)[1], entry_id)
        dictionary.remove(session, access.tenant_id, entry.wrong, access.principal.actor)
        audit.record(
            session,
            tenant_id=access.tenant_id,
            actor=access.principal.actor,
            action="dictionary.remove",
            target=entry_id,
            outcome="done",
            request_id=access.request_id,
        )
        version = dictionary.version_of(session, access.tenant_id)
    if access.state.relay is not None:
        access.state.relay.wake()
    return version


def _etag(access: Access, version: int) -> str:
    return f'"{access.tenant_id}-{version}"'


def _caching(access: Access, version: int) -> dict[str, str]:
    return {"ETag": _etag(access, version), "Cache-Control": "private, no-cache"}


def _find(entries: list[DictionaryEntry], wanted: str) -> DictionaryEntry:
    for entry in entries:
        if id_of_entry(entry.wrong) == wanted:
            return entry
    raise told(NotFound("esa entrada no está en el diccionario (o ya se retiró)"))


def _matches(header: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags
