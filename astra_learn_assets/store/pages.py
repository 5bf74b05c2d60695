"""Long histories page by page: each page begins behind the last row of the one before (keyset).

A page costs what it shows, however long the history is, and rows that come in meanwhile shift nothing: a
number of rows to skip would do neither.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.documents import DROPPED
from astra_learn_assets.store.tables import Artifact, DictionaryChange, Document, TrainingRun

Order = Literal["newest", "oldest", "best"]


class TrainingKey(NamedTuple):
    """Where a page of trainings begins: behind this value of what it is sorted by."""

    value: str
    run_id: str


class KeptKey(NamedTuple):
    """Where a page of documents begins."""

    created_at: datetime
    document_id: str


class ChangeKey(NamedTuple):
    """Where a page of the dictionary's history begins."""

    version: int
    key: str


def trainings(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    states: Collection[str] = (),
    order: Order = "newest",
    after: TrainingKey | None = None,
    limit: int,
) -> list[TrainingRun]:
    """A page of trainings, of ``states`` alone where some are named.

    ``best``: fewest errors first, those that were judged.
    """
    query = sa.select(TrainingRun).where(TrainingRun.tenant_id == tenant_id)
    if states:
        query = query.where(TrainingRun.state.in_(sorted(states)))
    run: sa.ColumnElement[Any] = TrainingRun.__table__.c.run_id
    value: sa.ColumnElement[Any]
    if order == "best":
        value = TrainingRun.__table__.c.measured
        query = query.where(value.is_not(None))
    else:
        value = TrainingRun.__table__.c.created_at
    if after is not None:
        begin = sa.tuple_(
            sa.cast(after.value, sa.Float if order == "best" else sa.DateTime(timezone=True)),
            sa.cast(after.run_id, sa.String),
        )
        here = sa.tuple_(value, run)
        query = query.where(here < begin if order == "newest" else here > begin)
    columns = (value, run)
    ordered = [column.desc() for column in columns] if order == "newest" else list(columns)
    return list(session.scalars(query.order_by(*ordered).limit(limit)))


def kept_out(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    dropped: bool,
    after: KeptKey | None = None,
    limit: int,
) -> list[Document]:
    """A page of what nothing is learned from, newest first; ``dropped``: those too that a person dropped."""
    query = sa.select(Document).where(Document.tenant_id == tenant_id, Document.state == "quarantined")
    if not dropped:
        query = query.where(Document.review.is_distinct_from(DROPPED))
    if after is not None:
        query = query.where(
            sa.tuple_(Document.created_at, Document.document_id)
            < sa.tuple_(
                sa.cast(after.created_at, sa.DateTime(timezone=True)), sa.cast(after.document_id, sa.String)
            )
        )
    ordered = query.order_by(Document.created_at.desc(), Document.document_id.desc())
    return list(session.scalars(ordered.limit(limit)))


def dictionary_changes(
    session: orm.Session, tenant_id: TenantId, *, after: ChangeKey | None = None, limit: int
) -> list[DictionaryChange]:
    """A page of the dictionary's history, newest first."""
    query = sa.select(DictionaryChange).where(DictionaryChange.tenant_id == tenant_id)
    if after is not None:
        query = query.where(
            sa.tuple_(DictionaryChange.version, DictionaryChange.key)
            < sa.tuple_(sa.cast(after.version, sa.Integer), sa.cast(after.key, sa.Text))
        )
    ordered = query.order_by(DictionaryChange.version.desc(), DictionaryChange.key.desc())
    return list(session.scalars(ordered.limit(limit)))


def newest_finals(
    session: orm.Session, tenant_id: TenantId, *, limit: int
) -> list[tuple[Artifact, Document | None]]:
    """The newest uploads, each with what became of it; None before a run of the learning path has seen it."""
    rows = session.execute(
        sa.select(Artifact, Document)
        .outerjoin(
            Document,
            sa.and_(Document.tenant_id == Artifact.tenant_id, Document.artifact_id == Artifact.artifact_id),
        )
        .where(Artifact.tenant_id == tenant_id, Artifact.kind == "final")
        .order_by(Artifact.seq.desc())
        .limit(limit)
    )
    return [(artifact, document) for artifact, document in rows]


def newest_approved(session: orm.Session, tenant_id: TenantId, *, policy: str, limit: int) -> list[Document]:
    """The newest documents whose examples pii_gate passed under ``policy``."""
    return list(
        session.scalars(
            sa.select(Document)
            .where(
                Document.tenant_id == tenant_id,
                Document.state == "anonymized",
                Document.approved.is_(True),
                Document.pii_policy == policy,
            )
            .order_by(Document.created_at.desc(), Document.document_id.desc())
            .limit(limit)
        )
    )
