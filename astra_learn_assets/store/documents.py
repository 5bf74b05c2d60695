"""What became of each final: compared, kept out, or anonymized. ``document_id`` = its artifact's id.

A document is kept out either for what it says (for good) or because a file of it could not be read
(``unreadable``): then every preparing run tries it again, so that a bucket that was mounted wrongly for an
hour costs nothing.

Whether its examples may teach is a matter of three columns: ``pairs_sha256`` is the file, ``pii_policy``
what it was made under, ``approved`` what pii_gate said of the two. Whatever writes the file's digest anew
takes the approval back; only :func:`judged` gives one, and only to the very file that was judged.
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
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import artifacts, subscriptions
from astra_learn_assets.store.tables import Artifact, Document

STATES = ("compared", "quarantined", "anonymized")
RELEASED, DROPPED = "released", "dropped"


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
    tenant_id: TenantId,
    *,
    document_id: str,
    artifact_id: str,
    state: str,
    reason: str | None = None,
    diff_sha256: str | None = None,
    pairs_sha256: str | None = None,
    pii_policy: str | None = None,
    unreadable: bool = False,
    metrics: Mapping[str, Any] | None = None,
) -> Document:
    """Write the document's row, whole: what is not given is emptied, an approval is taken back.

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
        "pii_policy": pii_policy,
        "unreadable": unreadable,
        "approved": None,
        "metrics": dict(metrics or {}),
    }
    if state == "quarantined":
        _tell_once(session, tenant_id, document_id)
    row: Document | None = session.scalar(
        insert(Document)
        .values(tenant_id=tenant_id, document_id=ids.name(document_id, "document id"), **values)
        .on_conflict_do_update(index_elements=["tenant_id", "document_id"], set_=values)
        .returning(Document),
        execution_options={"populate_existing": True},
    )
    assert row is not None  # an upsert always returns its row
    return row


def _tell_once(session: orm.Session, tenant_id: TenantId, document_id: str) -> None:
    """Tell who asked to be told, unless the document was kept out before."""
    before = session.scalar(
        sa.select(Document.state).where(Document.tenant_id == tenant_id, Document.document_id == document_id)
    )
    if before != "quarantined":
        subscriptions.tell(session, tenant_id, "quarantine", {})


def get(session: orm.Session, tenant_id: TenantId, document_id: str) -> Document:
    """One document.

    Raises:
        NotFound: the tenant has none of this id.
    """
    row = session.get(Document, (tenant_id, document_id))
    if row is None:
        raise NotFound(f"tenant {tenant_id!r} has no document {document_id!r:.90}")
    return row


def listing(session: orm.Session, tenant_id: TenantId, state: str | None = None) -> list[Document]:
    """The tenant's documents in the order in which their finals arrived."""
    query = (
        sa.select(Document)
        .join(
            Artifact,
            sa.and_(Artifact.tenant_id == Document.tenant_id, Artifact.artifact_id == Document.artifact_id),
        )
        .where(Document.tenant_id == tenant_id)
        .order_by(Artifact.seq)
    )
    if state is not None:
        query = query.where(Document.state == state)
    return list(session.scalars(query))


def unreadable_finals(session: orm.Session, tenant_id: TenantId) -> list[Artifact]:
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
            .where(Document.tenant_id == tenant_id, Document.unreadable)
            .order_by(Artifact.seq)
        )
    )


def outstanding(session: orm.Session, tenant_id: TenantId, *, policy: str) -> Outstanding:
    """What is left to prepare of the tenant's documents when ``policy`` is today's fingerprint."""
    # Not IS DISTINCT FROM, which no index answers.
    made_otherwise = sa.or_(
        Document.pii_policy.is_(None), Document.pii_policy < policy, Document.pii_policy > policy
    )
    left = {
        "stale": (Document.state != "quarantined", Document.diff_sha256.is_not(None), made_otherwise),
        "unjudged": (
            Document.state == "anonymized",
            Document.approved.is_(None),
            sa.or_(Document.pii_policy == policy, Document.diff_sha256.is_(None)),
        ),
        "unreadable": (Document.unreadable,),
    }
    found: dict[str, tuple[str, ...]] = {}
    for why, conditions in left.items():
        query = (
            sa.select(Document.document_id)
            .join(
                Artifact,
                sa.and_(
                    Artifact.tenant_id == Document.tenant_id, Artifact.artifact_id == Document.artifact_id
                ),
            )
            .where(Document.tenant_id == tenant_id, *conditions)
            .order_by(Artifact.seq)
        )
        found[why] = tuple(session.scalars(query))
    return Outstanding(policy=policy, **found)


def judged(
    session: orm.Session,
    tenant_id: TenantId,
    document_id: str,
    *,
    pairs_sha256: str,
    pii_policy: str,
    approved: bool,
) -> bool:
    """Note what pii_gate said of an example file, unless another has been made since it was read."""
    changed = session.execute(
        sa.update(Document)
        .where(
            Document.tenant_id == tenant_id,
            Document.document_id == document_id,
            Document.state == "anonymized",
            Document.pairs_sha256 == pairs_sha256,
            Document.pii_policy == pii_policy,
        )
        .values(approved=approved)
        .returning(Document.document_id)
    )
    return changed.first() is not None


def review(session: orm.Session, tenant_id: TenantId, document_id: str, *, review: str, by: str) -> None:
    """Write down what a person decided; a released document is compared, and its examples are to be made."""
    values: dict[str, Any] = {"review": review, "reviewed_by": by}
    if review == RELEASED:
        values |= {"state": "compared", "reason": None, "pairs_sha256": None, "pii_policy": None}
    session.execute(
        sa.update(Document)
        .where(Document.tenant_id == tenant_id, Document.document_id == document_id)
        .values(**values)
    )


def reopen(session: orm.Session, tenant_id: TenantId, document_id: str, *, pairs_sha256: str) -> bool:
    """Have the example file be made anew, unless that has happened since ``pairs_sha256`` was read."""
    changed = session.execute(
        sa.update(Document)
        .where(
            Document.tenant_id == tenant_id,
            Document.document_id == document_id,
            Document.state == "anonymized",
            Document.pairs_sha256 == pairs_sha256,
        )
        .values(state="compared", pairs_sha256=None, pii_policy=None, approved=None)
        .returning(Document.document_id)
    )
    return changed.first() is not None
