"""Figures of a tenant's learning over time: what clerks had to correct, what each adapter was measured at.

Two kinds of error stand here and must not be mixed. *Corrected*: the share of a month's draft words that the
clerks changed, the mean over documents with its 95 % interval. *Measured*: what the gate found of each
adapter on a golden set of one version; figures of two versions are not of the same text, so each names its.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.evaluation.interval import student_quantile
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import tallies, tenants

POINTS = 200


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Point(_Answer):
    """One adapter as it was measured. Rates: 0.021 = 2.1 %; ``low`` and ``high`` are of ``wer``."""

    at: datetime
    run_id: str
    adapter_id: str | None
    golden_hash: str | None
    promoted: bool
    wer: float
    cer: float | None
    low: float | None = Field(description="95 % interval: the draft's rate and the interval of the gain.")
    high: float | None
    wer_draft: float | None = Field(description="Of the untouched draft, on the same golden set.")
    wer_champion: float | None
    words: int | None = Field(description="Words of the golden set.")


class Month(_Answer):
    """One month of the calendar, UTC."""

    month: str = Field(description="As 2026-03.")
    documents: int
    quarantined: int
    corrections: int = Field(description="Anonymized examples of the month's documents.")
    corrections_per_document: float | None
    corrected: float | None = Field(description="Share of draft words that clerks changed: 0.021 = 2.1 %.")
    corrected_low: float | None = Field(description="95 % interval over documents; None for fewer than two.")
    corrected_high: float | None
    accepted: float | None = Field(description="Share of draft words that clerks left as they were.")
    hotfixes: int = Field(description="Names put into the dictionary.")
    trainings_judged: int
    trainings_promoted: int


class LearningMetrics(_Answer):
    """Figures over time. ``trainings`` and the like count all the time asked for; ``points`` may be cut."""

    tenant_id: TenantId
    since: datetime
    trainings: int
    promoted: int
    rejected: int
    failed: int
    acceptance: float | None = Field(description="Promoted of all that were judged; None before the first.")
    months: tuple[Month, ...]
    points: tuple[Point, ...] = Field(description="Oldest first; the newest, if there are more.")
    points_cut: bool


def learning_metrics(
    platform: Platform, tenant_id: TenantId, *, days: int, now: datetime | None = None
) -> LearningMetrics:
    """The last ``days`` of a tenant.

    Raises:
        UnknownTenant: there is none.
    """
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        return metrics_in(session, tenant_id, days=days, now=now)


def metrics_in(
    session: orm.Session, tenant_id: TenantId, *, days: int, now: datetime | None = None
) -> LearningMetrics:
    """:func:`learning_metrics` of a tenant that is there, inside an open transaction."""
    since = (now or datetime.now(UTC)) - timedelta(days=days)
    months = tallies.by_month(session, tenant_id, since)
    rows = tallies.judged_trainings(session, tenant_id, since, limit=POINTS + 1)
    points = [_point(row) for row in rows[:POINTS]]
    promoted = sum(month.promoted for month in months)
    rejected = sum(month.judged for month in months) - promoted
    return LearningMetrics(
        tenant_id=tenant_id,
        since=since,
        trainings=sum(month.trainings for month in months),
        promoted=promoted,
        rejected=rejected,
        failed=sum(month.failed for month in months),
        acceptance=promoted / (promoted + rejected) if promoted + rejected else None,
        months=tuple(map(month_of, months)),
        points=tuple(reversed(points)),
        points_cut=len(rows) > POINTS,
    )


def month_of(row: tallies.Month) -> Month:
    """A month's counts with what follows from them."""
    low, high = mean_interval(row.wer, row.spread, row.measured)
    return Month(
        month=f"{row.month:%Y-%m}",
        documents=row.documents,
        quarantined=row.quarantined,
        corrections=row.corrections,
        corrections_per_document=row.corrections / row.documents if row.documents else None,
        corrected=row.wer,
        corrected_low=low,
        corrected_high=high,
        accepted=None if row.wer is None else max(0.0, 1.0 - row.wer),
        hotfixes=row.hotfixes,
        trainings_judged=row.judged,
        trainings_promoted=row.promoted,
    )


def mean_interval(
    mean: float | None, spread: float | None, count: int
) -> tuple[float, float] | tuple[None, None]:
    """The 95 % interval of Student's t of a mean over documents, never below 0; none for fewer than two."""
    if mean is None or spread is None or count < 2:
        return None, None
    half = student_quantile(0.975, count - 1) * spread / math.sqrt(count)
    return max(0.0, mean - half), mean + half


def _point(row: sa.Row[Any]) -> Point:
    known = row.draft_wer is not None and row.vs_draft_low is not None and row.vs_draft_high is not None
    return Point(
        at=row.finished_at or row.created_at,
        run_id=row.run_id,
        adapter_id=row.adapter_id,
        golden_hash=row.golden_hash,
        promoted=row.state == "promoted",
        wer=row.candidate_wer,
        cer=row.candidate_cer,
        low=max(0.0, row.draft_wer + row.vs_draft_low / 100) if known else None,
        high=min(1e6, row.draft_wer + row.vs_draft_high / 100) if known else None,
        wer_draft=row.draft_wer,
        wer_champion=row.champion_wer,
        words=None if row.words is None else int(row.words),
    )
