"""What became of each final: compared, kept out, or anonymized. ``document_id`` = its artifact's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets import ids
from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.store import artifacts
from astra_learn_assets.store.tables import Artifact, Document

STATES = ("compared", "quarantined", "anonymized")


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
