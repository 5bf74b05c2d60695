"""Sessions and their documents: drafts and finals, in order of arrival."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB, insert

from astra_learn_assets import ids
from astra_learn_assets.errors import BadInput, BaseMissing, Conflict, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import locks
from astra_learn_assets.store.tables import Artifact, Session

_KINDS = ("generated", "final")
_ID_LENGTH = 80
_SEEN, _ASKED = 400, 100  # finals: a year of a town's sessions; more would only cost time


def register_session(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    session_id: str,
    version: int,
    cloned_from: str | None = None,
    roster: Sequence[str] = (),
) -> Session:
    """Make a session known in one version. Again: a longer roster is taken over, nothing is removed.

    Raises:
        InvalidId: malformed session id or version.
        Conflict: the same session and version was registered as a clone of another one.
    """
    if cloned_from is not None:
        ids.name(cloned_from, "session id")
    names = list(dict.fromkeys(roster))
    session.execute(
        insert(Session)
        .values(
            tenant_id=tenant_id,
            session_id=ids.name(session_id, "session id"),
            version=ids.version(version),
            cloned_from=cloned_from,
            roster=names,
        )
        .on_conflict_do_nothing()
    )
    row = session.get_one(Session, (tenant_id, session_id, version), with_for_update=True)
    if cloned_from is not None and row.cloned_from is None:
        row.cloned_from = cloned_from
    if cloned_from is not None and row.cloned_from != cloned_from:
        raise Conflict(
            f"session {session_id!r} version {version} is a clone of {row.cloned_from!r}, "
            f"not of {cloned_from!r}"
        )
    added = [name for name in names if name not in row.roster]
    if added:
        row.roster = [*row.roster, *added]
    session.flush()
    return row


def get_session(session: orm.Session, tenant_id: TenantId, session_id: str, version: int) -> Session:
    """A session in one version.

    Raises:
        NotFound: there is none of this tenant.
    """
    row = session.get(Session, (tenant_id, session_id, version))
    if row is None:
        raise NotFound(f"tenant {tenant_id!r} has no session {session_id!r:.90} version {version}")
    return row


def rosters(session: orm.Session, tenant_id: TenantId) -> list[str]:
    """Every name on any roster of the tenant, once, sorted."""
    return sorted(session.scalars(_rosters(tenant_id)))


def told_of_names(
    session: orm.Session, tenant_id: TenantId, *, but_of: str
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """:func:`rosters`, and (wrong, right, author) of every correction that finals of other sessions than
    ``but_of`` left waiting. One statement: every upload asks, and a clerk waits for it.

    The finals of one session repeat each other's corrections, so they say nothing about one another.
    """
    rows = session.execute(_told_of_names(), {"tenant_id": tenant_id, "but_of": but_of}).all()
    return (
        sorted(str(name) for name, right, _ in rows if right is None),
        sorted((str(wrong), str(right), str(who)) for wrong, right, who in rows if right is not None),
    )


@cache
def _told_of_names() -> sa.CompoundSelect[Any]:
    """The statement of :func:`told_of_names`, put together once: that costs more than to send it."""
    waiting = Artifact.summary["entities_waiting"]
    entry = sa.func.jsonb_array_elements(waiting).table_valued("value")
    wrong, right = (sa.cast(entry.c.value, JSONB)[side].astext for side in ("wrong", "right"))
    corrections = (
        sa.select(wrong, right, sa.func.coalesce(Artifact.uploaded_by, ""))
        .select_from(Artifact)
        .join(entry, sa.true())
        .where(
            Artifact.tenant_id == sa.bindparam("tenant_id"),
            Artifact.kind == "final",
            Artifact.session_id != sa.bindparam("but_of"),
            # word for word the condition of ``ix_artifacts_waiting``
            sa.text("artifacts.summary -> 'entities_waiting' <> '[]'::jsonb"),
            sa.func.jsonb_typeof(waiting) == "array",
        )
        .distinct()
    )
    names = _rosters(sa.bindparam("tenant_id")).add_columns(sa.null(), sa.null())
    return sa.union_all(names, corrections)


def names_written(session: orm.Session, tenant_id: TenantId, *, but_of: str, but_by: str) -> set[str]:
    """The words of names in the newest finals of other sessions that others have sent.

    At most :data:`_ASKED` of them, among the newest :data:`_SEEN`: an upload waits for it, so they come as
    one text (a word is letters and nothing else): as thousands of rows they cost the API twice as much.
    """
    given = {"tenant_id": tenant_id, "but_of": but_of, "but_by": but_by}
    return set((session.scalar(_names_written(), given) or "").split())


@cache
def _names_written() -> sa.Select[Any]:
    newest = (
        sa.select(Artifact.names, Artifact.uploaded_by, Artifact.seq)
        .where(
            Artifact.tenant_id == sa.bindparam("tenant_id"),
            Artifact.names.is_not(None),
            Artifact.session_id != sa.bindparam("but_of"),
        )
        .order_by(Artifact.seq.desc())
        .limit(_SEEN)
        .subquery()
    )
    others = (
        sa.select(newest.c.names)
        .where(newest.c.uploaded_by != sa.bindparam("but_by"))
        .order_by(newest.c.seq.desc())
        .limit(_ASKED)
        .subquery()
    )
    words = sa.select(sa.func.unnest(others.c.names).label("word")).distinct().subquery()
    return sa.select(sa.func.string_agg(words.c.word, " "))


def _rosters(tenant_id: sa.ColumnElement[str] | TenantId) -> sa.Select[tuple[str]]:
    name = sa.func.jsonb_array_elements_text(Session.roster).label("name")
    return sa.select(name).where(Session.tenant_id == tenant_id).distinct()


def artifact_id(session_id: str, version: int, kind: str, sha256: str) -> str:
    """``{session_id}-v{n}-{kind}-{12 of sha256}``; a session id too long for that is cut and hashed."""
    tail = f"-v{version}-{kind}-{sha256[:12]}"
    if len(session_id) + len(tail) > _ID_LENGTH:
        digest = hashlib.sha256(session_id.encode()).hexdigest()[:8]
        session_id = f"{session_id[: _ID_LENGTH - len(tail) - 9]}-{digest}"
    return session_id + tail


def traces(session: orm.Session, tenant_id: TenantId, finals: Sequence[str]) -> dict[str, str]:
    """The ``traceparent`` of each of these finals' uploads, where there is one; nothing is asked for none."""
    if not finals:
        return {}
    rows = session.execute(
        sa.select(Artifact.artifact_id, Artifact.trace).where(
            Artifact.tenant_id == tenant_id, Artifact.artifact_id.in_(finals), Artifact.trace.is_not(None)
        )
    )
    return {final: str(trace) for final, trace in rows}


def add_artifact(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    session_id: str,
    version: int,
    kind: str,
    uri: str,
    sha256: str,
    uploaded_by: str | None = None,
    manifest_sha256: str | None = None,
    adapter_id: str | None = None,
    trace: str | None = None,
) -> tuple[Artifact, bool]:
    """Note a stored DOCX; ``(row, created)``. The same bytes again give the row that is there.

    Of two identical uploads at once the second waits for the first to commit and then finds its row.

    Raises:
        NotFound: the session is not registered in this version.
        BadInput, InvalidId: unknown kind, malformed id or digest.
        Conflict: other bytes whose digest begins with the same 12 digits.
    """
    if kind not in _KINDS:
        raise BadInput(f"invalid kind {kind!r:.20}: expected 'generated' or 'final'")
    get_session(session, tenant_id, ids.name(session_id, "session id"), ids.version(version))
    locks.hold(session, "artifacts", tenant_id)
    identity = artifact_id(session_id, version, kind, ids.digest(sha256, "artifact digest"))
    created: Artifact | None = session.scalar(
        insert(Artifact)
        .values(
            tenant_id=tenant_id,
            artifact_id=identity,
            session_id=session_id,
            version=version,
            kind=kind,
            uri=uri,
            sha256=sha256,
            uploaded_by=uploaded_by,
            manifest_sha256=manifest_sha256,
            adapter_id=adapter_id,
            trace=trace,
        )
        .on_conflict_do_nothing()
        .returning(Artifact)
    )
    if created is not None:
        return created, True
    existing = session.get_one(Artifact, (tenant_id, identity))
    if existing.sha256 != sha256:
        raise Conflict(f"artifact {identity!r} exists with other content")
    return existing, False


def get_artifact(session: orm.Session, tenant_id: TenantId, artifact_id: str) -> Artifact:
    """A document of this tenant.

    Raises:
        NotFound: there is none; a document of another tenant is none.
    """
    row = session.get(Artifact, (tenant_id, artifact_id))
    if row is None:
        raise NotFound(f"tenant {tenant_id!r} has no document {artifact_id!r:.90}")
    return row


def listing(session: orm.Session, tenant_id: TenantId) -> list[Artifact]:
    """Every draft and final of the tenant, in order of arrival."""
    return list(
        session.scalars(sa.select(Artifact).where(Artifact.tenant_id == tenant_id).order_by(Artifact.seq))
    )


def base_for(session: orm.Session, tenant_id: TenantId, session_id: str, version: int) -> Artifact | None:
    """The newest draft of exactly this session and version: what its finals are compared with."""
    row: Artifact | None = session.scalar(
        sa.select(Artifact)
        .where(
            Artifact.tenant_id == tenant_id,
            Artifact.session_id == session_id,
            Artifact.version == version,
            Artifact.kind == "generated",
        )
        .order_by(Artifact.seq.desc())
        .limit(1)
    )
    return row


def only_under(session: orm.Session, final: Artifact) -> list[Artifact]:
    """The drafts of ``final``'s session and version, if no other final of them is there."""
    rows = session.scalars(
        sa.select(Artifact).where(
            Artifact.tenant_id == final.tenant_id,
            Artifact.session_id == final.session_id,
            Artifact.version == final.version,
            Artifact.artifact_id != final.artifact_id,
        )
    ).all()
    return [] if any(row.kind == "final" for row in rows) else list(rows)


def forget_people(session: orm.Session, tenant_id: TenantId, known: Mapping[str, Any]) -> None:
    """Take out of every final's note of whom it was compared with all who are not ``known`` any more."""
    roster, corrected = set(known["roster"]), [list(pair) for pair in known["corrected"]]
    rows = session.scalars(
        sa.select(Artifact).where(Artifact.tenant_id == tenant_id, Artifact.known_people.is_not(None))
    )
    for row in rows:
        before = row.known_people or {}
        row.known_people = {
            "roster": [word for word in before["roster"] if word in roster],
            "corrected": [pair for pair in before["corrected"] if list(pair) in corrected],
        }
    session.flush()


def own_base(session: orm.Session, final: Artifact) -> Artifact:
    """The draft ``final`` was compared with; the newest of its session and version if it never was.

    Raises:
        BaseMissing: there is none.
    """
    if final.base_id is not None:
        return get_artifact(session, final.tenant_id, final.base_id)
    newest = base_for(session, final.tenant_id, final.session_id, final.version)
    if newest is None:
        raise BaseMissing("no draft of this session and version")
    return newest


def note_comparison(
    session: orm.Session,
    final: Artifact,
    *,
    base_id: str,
    dictionary_version: int,
    known_people: Mapping[str, Any],
    comparison: str,
    diff_sha256: str,
) -> None:
    """Say which result is the final's own, unless another process has said it meanwhile."""
    session.execute(
        sa.update(Artifact)
        .where(
            Artifact.tenant_id == final.tenant_id,
            Artifact.artifact_id == final.artifact_id,
            Artifact.comparison.is_not_distinct_from(final.comparison),
        )
        .values(
            base_id=base_id,
            dictionary_version=dictionary_version,
            known_people=dict(known_people),
            comparison=comparison,
            diff_sha256=diff_sha256,
        )
    )


def _without_document() -> sa.ColumnElement[bool]:
    return sa.and_(Artifact.kind == "final", ~Artifact.prepared)


def finals_without_document(session: orm.Session, tenant_id: TenantId) -> list[Artifact]:
    """The finals that no diff was stored for yet, in order of arrival."""
    return list(
        session.scalars(
            sa.select(Artifact)
            .where(Artifact.tenant_id == tenant_id, _without_document())
            .order_by(Artifact.seq)
        )
    )


def uploaders(session: orm.Session, tenant_id: TenantId) -> dict[str, str]:
    """Who sent each final, by its id; one that nobody is known for is left out."""
    rows = session.execute(
        sa.select(Artifact.artifact_id, Artifact.uploaded_by).where(
            Artifact.tenant_id == tenant_id,
            Artifact.kind == "final",
            Artifact.uploaded_by.is_not(None),
        )
    )
    return {identity: str(name) for identity, name in rows}
