"""What became of each final: compared, kept out, or anonymized. ``document_id`` = its artifact's id.

A document is kept out either for what it says (for good) or because a file of it could not be read
(``metrics`` has :data:`UNREADABLE`): then every preparing run tries it again, so that a bucket that was
mounted wrongly for an hour costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets import ids
from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.store import artifacts
from astra_learn_assets.store.tables import Artifact, Document, Verdict

STATES = ("compared", "quarantined", "anonymized")
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Outstanding:
    """Documents that a preparing run would still change under ``policy``; ids in order of arrival."""

    policy: str
    stale: tuple[str, ...] = ()
    """Without examples, or with examples made under another privacy policy."""
    unjudged: tuple[str, ...] = ()
    """With examples that no pii_gate has judged."""
    unreadable: tuple[str, ...] = ()
    """A file of theirs is missing, damaged or not the one recorded."""

    def __bool__(self) -> bool:
        return bool(self.stale or self.unjudged or self.unreadable)


def record(
    session: orm.Session,
    tenant_id: str,
    *,
    document_id: str,
    artifact_id: str,
    state: str,
    reason: str | None = None,
    diff_sha256: str | None = None,
    pairs_sha256: str | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> Document:
    """Write the document's row, whole: what is not given is emptied. The same again changes nothing.

    Raises:
        NotFound: the tenant has no such artifact.
        BadInput: unknown state.
        InvalidId: malformed id or digest.
    """
    if state not in STATES:
        raise BadInput(f"invalid document state {state!r:.20}: expected one of {', '.join(STATES)}")
    artifacts.get_artifact(session, tenant_id, artifact_id)
    for digest in (diff_sha256, pairs_sha256):
        if digest is not None:
            ids.digest(digest, "digest")
    values = {
        "artifact_id": artifact_id,
        "state": state,
        "reason": reason,
        "diff_sha256": diff_sha256,
        "pairs_sha256": pairs_sha256,
        "metrics": dict(metrics or {}),
    }
    row: Document | None = session.scalar(
        insert(Document)
        .values(tenant_id=tenant_id, document_id=ids.name(document_id, "document id"), **values)
        .on_conflict_do_update(index_elements=["tenant_id", "document_id"], set_=values)
        .returning(Document),
        execution_options={"populate_existing": True},
    )
    assert row is not None  # an upsert always returns its row
    return row


def get(session: orm.Session, tenant_id: str, document_id: str) -> Document:
    """One document.

    Raises:
        NotFound: the tenant has none of this id.
    """
    row = session.get(Document, (ids.tenant_id(tenant_id), document_id))
    if row is None:
        raise NotFound(f"tenant {tenant_id!r} has no document {document_id!r:.90}")
    return row


def listing(session: orm.Session, tenant_id: str, state: str | None = None) -> list[Document]:
    """The tenant's documents in the order in which their finals arrived."""
    query = (
        sa.select(Document)
        .join(
            Artifact,
            sa.and_(Artifact.tenant_id == Document.tenant_id, Artifact.artifact_id == Document.artifact_id),
        )
        .where(Document.tenant_id == ids.tenant_id(tenant_id))
        .order_by(Artifact.seq)
    )
    if state is not None:
        query = query.where(Document.state == state)
    return list(session.scalars(query))


def unreadable_finals(session: orm.Session, tenant_id: str) -> list[Artifact]:
    """The finals kept out only because a file could not be read, in order of arrival."""
    return list(
        session.scalars(
            sa.select(Artifact)
            .join(
                Document,
                sa.and_(
                    Artifact.tenant_id == Document.tenant_id, Artifact.artifact_id == Document.artifact_id
                ),
            )
            .where(Document.tenant_id == ids.tenant_id(tenant_id), _unreadable())
            .order_by(Artifact.seq)
        )
    )


def outstanding(session: orm.Session, tenant_id: str, *, policy: str) -> Outstanding:
    """What is left to prepare of the tenant's documents when ``policy`` is today's fingerprint."""
    made_under = Document.metrics["pii_policy"].astext
    stale = sa.and_(
        Document.state != "quarantined",
        Document.diff_sha256.is_not(None),
        sa.or_(Document.pairs_sha256.is_(None), made_under.is_distinct_from(policy)),
    )
    # the digest that learning.anonymize.gate_digest makes: example file and policy
    bound_to = sa.func.convert_to(Document.pairs_sha256 + " " + made_under, "UTF8")
    judged = sa.select(Verdict.verdict_id).where(
        Verdict.tenant_id == Document.tenant_id,
        Verdict.gate == "pii_gate",
        Verdict.digest == sa.func.encode(sa.func.sha256(bound_to), "hex"),
    )
    why = sa.case(
        (_unreadable(), UNREADABLE),
        (stale, "stale"),
        (sa.and_(Document.state == "anonymized", ~judged.exists()), "unjudged"),
    ).label("why")
    query = (
        sa.select(Document.document_id, why)
        .join(
            Artifact,
            sa.and_(Artifact.tenant_id == Document.tenant_id, Artifact.artifact_id == Document.artifact_id),
        )
        .where(Document.tenant_id == ids.tenant_id(tenant_id))
        .order_by(Artifact.seq)
    )
    found: dict[str, list[str]] = {}
    for document_id, reason in session.execute(query):
        found.setdefault(reason, []).append(document_id)
    stale_ids, unjudged, unreadable = (
        tuple(found.get(name, ())) for name in ("stale", "unjudged", UNREADABLE)
    )
    return Outstanding(policy=policy, stale=stale_ids, unjudged=unjudged, unreadable=unreadable)


def reopen(session: orm.Session, tenant_id: str, document_id: str, *, pairs_sha256: str) -> bool:
    """Have the example file be made anew, unless that has happened since ``pairs_sha256`` was read."""
    changed = session.execute(
        sa.update(Document)
        .where(
            Document.tenant_id == ids.tenant_id(tenant_id),
            Document.document_id == document_id,
            Document.state == "anonymized",
            Document.pairs_sha256 == pairs_sha256,
        )
        .values(state="compared", pairs_sha256=None)
        .returning(Document.document_id)
    )
    return changed.first() is not None


def _unreadable() -> sa.ColumnElement[bool]:
    return sa.and_(Document.state == "quarantined", Document.metrics[UNREADABLE].astext == "true")
