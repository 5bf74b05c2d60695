"""Who may use what, what was decided of whom, and how far a training is; ``tables`` has all the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.table_base import SHA256, TENANT, Base, now, one_of, partial, tenant


class Tier(Base):
    """What a municipality of this tier may use: trainings a week, GPU minutes a month (NULL: no bound).

    ``patience_hours``: how long its training may wait in the queue before it goes first; ``training_hours``:
    when trainings may start, as ``22:00-06:00`` UTC (NULL: always).
    """

    __tablename__ = "tiers"
    __table_args__ = (
        CheckConstraint("weekly_quota >= 0", name="quota_counts"),
        CheckConstraint("gpu_minutes_month >= 0", name="budget_counts"),
        CheckConstraint("patience_hours > 0", name="patience_is_a_time"),
    )
    tier: Mapped[str] = mapped_column(String(20), primary_key=True)
    weekly_quota: Mapped[int] = mapped_column(Integer)
    gpu_minutes_month: Mapped[float | None] = mapped_column(Float)
    patience_hours: Mapped[float] = mapped_column(Float)
    training_hours: Mapped[str | None] = mapped_column(String(11))


class Maintenance(Base):
    """A time in which no training starts anywhere."""

    __tablename__ = "maintenance"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="takes_time"),)
    maintenance_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text)


class TrainingProgress(Base):
    """How far a training's process is: ``moved_at`` its last step, ``alive_at`` its last sign of life."""

    __tablename__ = "training_progress"
    run_id: Mapped[str] = mapped_column(ForeignKey("training_runs.run_id"), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    phase: Mapped[str] = mapped_column(String(12))
    step: Mapped[int | None] = mapped_column(Integer)
    steps: Mapped[int | None] = mapped_column(Integer)
    eta_seconds: Mapped[float | None] = mapped_column(Float)
    moved_at: Mapped[datetime] = now()
    alive_at: Mapped[datetime] = now()


class TrainingLine(Base):
    """A line of a training's log: what the trainer said of one step, figures only.

    A training of many steps keeps every so many, see :data:`astra_learn_assets.store.signs.LINES`.
    """

    __tablename__ = "training_lines"
    run_id: Mapped[str] = mapped_column(ForeignKey("training_runs.run_id"), primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    tenant_id: Mapped[TenantId] = tenant()
    entry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = now()


class ExampleCount(Base):
    """How many examples of a kind a municipality has; triggers on ``examples`` keep it, and nobody else."""

    __tablename__ = "example_counts"
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    usable: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    golden: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    route: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    examples: Mapped[int] = mapped_column(BigInteger)


class LearningState(Base):
    """What was decided of a municipality in a lane, why, since when, and when time alone may change it.

    ``rules`` and ``policy`` are fingerprints of what it was decided under; ``by_age``: the nightly schedule
    asked for a training of fewer examples.
    """

    __tablename__ = "learning_state"
    __table_args__ = (one_of("lane", "prepare", "learn"),)
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    lane: Mapped[str] = mapped_column(String(10), primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = now()
    looked_at: Mapped[datetime] = now()
    look_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rules: Mapped[str] = mapped_column(String(16))
    policy: Mapped[str | None] = mapped_column(String(16))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    by_age: Mapped[bool] = mapped_column(Boolean, server_default="false")


class Subscription(Base):
    """Where a municipality wants to hear of its learning: a ``webhook``'s URL, or an ``email`` address.

    ``events``: of what, see ``store/subscriptions.py``. ``sealed_secret``: what a webhook's messages are
    signed with, sealed with the municipality's own key. ``failing_since`` and ``error`` are of the last
    attempts.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (one_of("kind", "webhook", "email"), UniqueConstraint("tenant_id", "kind", "address"))
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    subscription_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(7))
    address: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]] = mapped_column(JSONB)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = now()


class DocumentTally(Base):
    """How many of a month's documents (UTC) are in a state; triggers on ``documents`` keep it, nobody else.

    ``corrections``: their examples; ``measured``, ``corrected``, ``squares``: how many have a share of words
    that clerks corrected, the sum of these shares and of their squares.
    """

    __tablename__ = "document_tallies"
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    month: Mapped[datetime] = mapped_column(DateTime(timezone=False), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), primary_key=True)
    documents: Mapped[int] = mapped_column(BigInteger)
    corrections: Mapped[int] = mapped_column(BigInteger)
    measured: Mapped[int] = mapped_column(BigInteger)
    corrected: Mapped[float] = mapped_column(Float)
    squares: Mapped[float] = mapped_column(Float)


class GoldenCurated(Base):
    """A file of golden examples that a person added; its masked text lies sealed in the object store."""

    __tablename__ = "golden_curated"
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    curated_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256)
    pii_policy: Mapped[str] = mapped_column(String(16))
    examples: Mapped[int] = mapped_column(Integer)
    words: Mapped[int] = mapped_column(Integer)
    added_by: Mapped[str] = mapped_column(Text)
    retired_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = now()


class Canary(Base):
    """A promotion that began with a ``share`` of the sessions; the others keep ``stable_adapter_id``.

    NULL there is the base model. Open while ``outcome`` is NULL and no later promotion took its place.
    """

    __tablename__ = "canaries"
    __table_args__ = (
        CheckConstraint("share > 0 AND share < 1", name="share_of_sessions"),
        one_of("outcome", "finished", "rolled_back"),
        partial("ix_canaries_open", "promotion_id", where="outcome IS NULL"),
    )
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    # no foreign key: promotions are append-only, and the refusal to truncate them is to say so
    promotion_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    share: Mapped[float] = mapped_column(Float)
    stable_adapter_id: Mapped[str | None] = mapped_column(String(100))
    outcome: Mapped[str | None] = mapped_column(String(11))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LearningChange(Base):
    """Something changed for a municipality; written by triggers, deleted by the look that takes it."""

    __tablename__ = "learning_changes"
    __table_args__ = (
        one_of("lane", "prepare", "learn"),
        Index("ix_learning_changes_lane_tenant_id", "lane", "tenant_id"),
    )
    change_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # no foreign key: a writer would have to lock the municipality's row
    tenant_id: Mapped[TenantId] = mapped_column(TENANT)
    lane: Mapped[str] = mapped_column(String(10))
    policy: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = now()


class StageTally(Base):
    """How often a stage of the learning ended so, in at most ``le`` seconds and more than the bound below it.

    ``seconds``: those of all of them. See :mod:`astra_learn_assets.store.stage_figures`.
    """

    __tablename__ = "stage_tallies"
    stage: Mapped[str] = mapped_column(String(20), primary_key=True)
    result: Mapped[str] = mapped_column(String(12), primary_key=True)
    le: Mapped[float] = mapped_column(Float, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    seconds: Mapped[float] = mapped_column(Float, server_default="0")
