"""Figures over time and counts for people: of one municipality, counted by the database.

Months are of the calendar in UTC. Nothing here reads the text of a document or a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import documents
from astra_learn_assets.store.learning_tables import DocumentTally
from astra_learn_assets.store.tables import (
    Adapter,
    Artifact,
    AuditEntry,
    BlocklistTerm,
    Dictionary,
    DictionaryChange,
    Document,
    TrainingRun,
)


@dataclass(frozen=True)
class Month:
    """One month: ``wer`` is what clerks changed of the drafts' words, mean of documents, 0.021 = 2.1 %.

    ``spread``: the documents' standard deviation, ``measured``: how many of them have that figure.
    """

    month: datetime
    documents: int = 0
    quarantined: int = 0
    corrections: int = 0
    wer: float | None = None
    spread: float | None = None
    measured: int = 0
    hotfixes: int = 0
    judged: int = 0
    promoted: int = 0
    failed: int = 0
    trainings: int = 0


def by_month(session: orm.Session, tenant_id: TenantId, since: datetime) -> list[Month]:
    """Every month since ``since`` in which something was, oldest first."""
    found: dict[datetime, dict[str, Any]] = {}
    whole = _month_after(since)
    for query in (
        _documents_by_month(tenant_id, since, whole),
        _tallied_by_month(tenant_id, whole),
        _hotfixes_by_month(tenant_id, since),
        _trainings_by_month(tenant_id, since),
    ):
        for row in session.execute(query).mappings():
            found.setdefault(row["month"], {}).update(row)
    return [Month(**found[month]) for month in sorted(found)]


def _month_after(since: datetime) -> datetime:
    """The first moment of the calendar's first month that is wholly after ``since``, in UTC."""
    first = since.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first if first >= since else (first + timedelta(days=32)).replace(day=1)


def _tallied_by_month(tenant_id: TenantId, since: datetime) -> sa.Executable:
    """Of whole months, from what is counted already; the same figures as :func:`_documents_by_month`."""
    kept = DocumentTally.state != "quarantined"
    total, squares, number = (
        sa.func.coalesce(sa.func.sum(column).filter(kept), 0)
        for column in (DocumentTally.corrected, DocumentTally.squares, DocumentTally.measured)
    )
    mean = total / sa.func.nullif(number, 0)
    # a spread of nothing may come out below it, by as little as a sum is rounded
    variance = sa.func.greatest(squares - total * mean, 0.0) / sa.func.nullif(
        sa.func.greatest(number - 1, 0), 0
    )
    return (
        sa.select(
            DocumentTally.month,
            sa.cast(sa.func.sum(DocumentTally.documents), sa.BigInteger).label("documents"),
            sa.cast(
                sa.func.coalesce(sa.func.sum(DocumentTally.documents).filter(~kept), 0), sa.BigInteger
            ).label("quarantined"),
            sa.cast(sa.func.sum(DocumentTally.corrections), sa.BigInteger).label("corrections"),
            mean.label("wer"),
            sa.func.sqrt(variance).label("spread"),
            sa.cast(number, sa.BigInteger).label("measured"),
        )
        .where(DocumentTally.tenant_id == tenant_id, DocumentTally.month >= since.replace(tzinfo=None))
        .group_by(DocumentTally.month)
        .having(sa.func.sum(DocumentTally.documents) > 0)
    )


def _documents_by_month(tenant_id: TenantId, since: datetime, before: datetime) -> sa.Executable:
    # what is kept out is often another text altogether, and would say nothing of the drafts
    wer = sa.case((Document.state != "quarantined", Document.corrected), else_=None)
    return (
        sa.select(
            _month(Document.created_at),
            sa.func.count().label("documents"),
            sa.func.count().filter(Document.state == "quarantined").label("quarantined"),
            sa.func.coalesce(sa.func.sum(Document.corrections), 0).label("corrections"),
            sa.func.avg(wer).label("wer"),
            sa.func.stddev_samp(wer).label("spread"),
            sa.func.count(wer).label("measured"),
        )
        .where(Document.tenant_id == tenant_id, Document.created_at >= since, Document.created_at < before)
        .group_by("month")
    )


def _hotfixes_by_month(tenant_id: TenantId, since: datetime) -> sa.Executable:
    return (
        sa.select(_month(DictionaryChange.created_at), sa.func.count().label("hotfixes"))
        .where(
            DictionaryChange.tenant_id == tenant_id,
            DictionaryChange.created_at >= since,
            DictionaryChange.action != "removed",
        )
        .group_by("month")
    )


def _trainings_by_month(tenant_id: TenantId, since: datetime) -> sa.Executable:
    return (
        sa.select(
            _month(TrainingRun.created_at),
            sa.func.count().filter(TrainingRun.state.in_(("promoted", "rejected"))).label("judged"),
            sa.func.count().filter(TrainingRun.state == "promoted").label("promoted"),
            sa.func.count().filter(TrainingRun.state == "failed").label("failed"),
            sa.func.count().label("trainings"),
        )
        .where(TrainingRun.tenant_id == tenant_id, TrainingRun.created_at >= since)
        .group_by("month")
    )


def _month(column: Any) -> sa.Label[datetime]:
    return sa.func.date_trunc("month", sa.func.timezone("UTC", column)).label("month")


_OF_VERDICT = (
    "champion_wer", "candidate_wer", "candidate_cer", "draft_wer", "vs_draft_low", "vs_draft_high", "words",
)  # fmt: skip


def judged_trainings(
    session: orm.Session, tenant_id: TenantId, since: datetime, *, limit: int
) -> list[sa.Row[Any]]:
    """The newest trainings that were judged on a golden set, newest first; of the verdict what is drawn.

    ``run_id``, ``state``, ``adapter_id``, ``created_at``, ``finished_at``, ``golden_hash`` and the figures of
    :data:`_OF_VERDICT`: two hundred whole verdicts would take longer to read than all the rest.
    """
    verdict = TrainingRun.metrics["wer"]
    return list(
        session.execute(
            sa.select(
                TrainingRun.run_id,
                TrainingRun.state,
                TrainingRun.adapter_id,
                TrainingRun.created_at,
                TrainingRun.finished_at,
                TrainingRun.metrics["golden_hash"].astext.label("golden_hash"),
                *(sa.cast(verdict[name].astext, sa.Float).label(name) for name in _OF_VERDICT),
            )
            .where(
                TrainingRun.tenant_id == tenant_id,
                TrainingRun.created_at >= since,
                TrainingRun.measured.is_not(None),
            )
            .order_by(TrainingRun.created_at.desc())
            .limit(limit)
        )
    )


def documents_by_state(session: orm.Session, tenant_id: TenantId) -> dict[str, int]:
    """How many compared finals are in each state that any is in."""
    rows = session.execute(
        sa.select(DocumentTally.state, sa.func.sum(DocumentTally.documents))
        .where(DocumentTally.tenant_id == tenant_id)
        .group_by(DocumentTally.state)
    )
    counted = {str(state): int(number) for state, number in rows}
    return {state: counted[state] for state in documents.STATES if counted.get(state)}


def kept_out_by_review(session: orm.Session, tenant_id: TenantId) -> dict[str, int]:
    """How many documents are kept out: ``waiting`` for a person, ``dropped`` by one."""
    rows = session.execute(
        sa.select(sa.func.coalesce(Document.review, "waiting"), sa.func.count())
        .where(Document.tenant_id == tenant_id, Document.state == "quarantined")
        .group_by(sa.text("1"))
    )
    return {"waiting": 0, "dropped": 0} | {review: int(number) for review, number in rows}


def finals_not_prepared(session: orm.Session, tenant_id: TenantId) -> int:
    """Uploads that no run of the learning path has looked at yet."""
    number = session.scalar(
        sa.select(sa.func.count())
        .select_from(Artifact)
        .where(Artifact.tenant_id == tenant_id, Artifact.kind == "final", ~Artifact.prepared)
    )
    return int(number or 0)


def dictionary_size(session: orm.Session, tenant_id: TenantId) -> tuple[int, int]:
    """``(version, entries)`` of the dictionary, counted where it lies."""
    keys = sa.select(sa.func.count()).select_from(sa.func.jsonb_object_keys(Dictionary.entries).alias("k"))
    row = session.execute(
        sa.select(Dictionary.version, keys.scalar_subquery()).where(Dictionary.tenant_id == tenant_id)
    ).first()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


@dataclass(frozen=True)
class Scans:
    """What ``pii_gate`` found in the ``counted`` files it judged last; ``masked`` and ``hits`` by kind."""

    counted: int
    approved: int
    newest_at: datetime | None
    masked: dict[str, int]
    hits: dict[str, int]


def scans(session: orm.Session, tenant_id: TenantId, *, newest: int) -> Scans:
    """Sums over the ``newest`` verdicts of pii_gate; a bound, for a long history has a hundred thousand."""
    values = {"tenant": str(tenant_id), "newest": newest}
    counted, approved, at = session.execute(
        sa.text(f"SELECT count(*), count(*) FILTER (WHERE passed), max(created_at) FROM ({_NEWEST_SCANS}) v"),
        values,
    ).one()
    sums: dict[str, dict[str, int]] = {"masked": {}, "hits": {}}
    for name, number in session.execute(
        sa.text(
            f"SELECT d.key, sum(d.value::bigint) FROM ({_NEWEST_SCANS}) v, jsonb_each_text(v.details) d "
            "WHERE (starts_with(d.key, 'masked.') OR starts_with(d.key, 'hits.')) "
            "AND d.value ~ '^[0-9]{1,15}$' "
            "GROUP BY d.key ORDER BY d.key"
        ),
        values,
    ):
        group, _, kind = str(name).partition(".")
        sums[group][kind] = int(number)
    return Scans(int(counted), int(approved), at, sums["masked"], sums["hits"])


_NEWEST_SCANS = """
    SELECT passed, created_at, details FROM gate_verdicts
    WHERE tenant_id = :tenant AND gate = 'pii_gate' ORDER BY verdict_id DESC LIMIT :newest
"""


def held(session: orm.Session, tenant_id: TenantId) -> dict[str, int]:
    """How many rows of each kind are kept of a municipality."""
    tables: dict[str, tuple[Any, tuple[sa.ColumnElement[bool], ...]]] = {
        "drafts": (Artifact, (Artifact.kind == "generated",)),
        "dictionary_changes": (DictionaryChange, ()),
        "blocklist": (BlocklistTerm, ()),
        "trainings": (TrainingRun, ()),
        "adapters": (Adapter, ()),
        "audit_lines": (AuditEntry, ()),
    }
    counts = [
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.tenant_id == tenant_id, *conditions)
        .scalar_subquery()
        for table, conditions in tables.values()
    ]
    row = session.execute(sa.select(*counts)).one()
    found = {name: int(number) for name, number in zip(tables, row, strict=True)}
    # what is prepared has its row in documents, and those are counted as they come
    prepared = sum(documents_by_state(session, tenant_id).values())
    finals = prepared + finals_not_prepared(session, tenant_id)
    return {"drafts": found.pop("drafts"), "finals": finals, **found}
