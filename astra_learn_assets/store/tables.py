"""The tables, in SQLAlchemy 2. Alembic (``store/migrations``) is what creates them in a database.

Every row of a municipality carries ``tenant_id``. ``examples`` and ``documents`` hold no text:
text lives encrypted in the object store, rows hold ids, hashes, counts and verdicts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from astra_learn_assets.ids import TenantId


class TenantColumn(TypeDecorator[TenantId]):
    """``VARCHAR(63)``; what is read from it is a :class:`TenantId`."""

    impl = String(63)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """A plain string: the driver need not know of ours."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> TenantId | None:  # noqa: ARG002
        """Made here, as everywhere where an id enters."""
        return None if value is None else TenantId(value)


_TENANT = TenantColumn()
_SHA256 = String(64)


class Base(DeclarativeBase):
    """Declarative base; JSON columns are JSONB."""

    type_annotation_map: ClassVar = {
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        datetime: DateTime(timezone=True),
    }
    # Named by rule, so that a later migration can name what it changes.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _now() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=func.now())


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _tenant(primary_key: bool = False) -> Mapped[TenantId]:
    return mapped_column(
        _TENANT, ForeignKey("tenants.tenant_id"), primary_key=primary_key, index=not primary_key
    )


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


class Tenant(Base):
    """A municipality. ``wrapped_key`` is its data key wrapped by the master key; NULL = erased.

    ``weekly_quota`` and ``gpu_minutes_month`` take the place of its tier's. While ``paused_at`` stands no
    training starts; of one that is ``retired_at`` nothing is prepared or trained any more.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("weekly_quota >= 0", name="quota_counts"),
        CheckConstraint("gpu_minutes_month >= 0", name="budget_counts"),
    )
    tenant_id: Mapped[TenantId] = mapped_column(_TENANT, primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(String(2))
    tier: Mapped[str] = mapped_column(String(20), ForeignKey("tiers.tier"), server_default="standard")
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = _now()
    weekly_quota: Mapped[int | None] = mapped_column(Integer)
    gpu_minutes_month: Mapped[float | None] = mapped_column(Float)
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_reason: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Session(Base):
    """A council session in one version; a V2 clone names what it was cloned from."""

    __tablename__ = "sessions"
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    cloned_from: Mapped[str | None] = mapped_column(String(80))
    roster: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    created_at: Mapped[datetime] = _now()


class Artifact(Base):
    """A stored DOCX: a draft (``generated``) or a clerk's ``final``. ``seq`` is the arrival order.

    The tenant is part of the key: two municipalities may use the same session id, even the same file.
    ``manifest_sha256`` is a draft's. ``base_id`` and the next four are a final's: the draft, the dictionary
    and the given names it was compared with, the digest of all inputs, the hash of the result's file.
    ``prepared``: a final that has its row in ``documents``; a trigger sets it.
    """

    __tablename__ = "artifacts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "session_id", "version", "kind", "sha256"),
        ForeignKeyConstraint(
            ["tenant_id", "session_id", "version"],
            ["sessions.tenant_id", "sessions.session_id", "sessions.version"],
        ),
        _one_of("kind", "generated", "final"),
        # the finals that wait for a preparing run, and not all there ever were
        Index(
            "ix_artifacts_unprepared",
            "tenant_id",
            "seq",
            postgresql_where=text("kind = 'final' AND NOT prepared"),
        ),
    )
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    artifact_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    session_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    uri: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(_SHA256)
    uploaded_by: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    manifest_sha256: Mapped[str | None] = mapped_column(_SHA256)
    base_id: Mapped[str | None] = mapped_column(String(80))
    dictionary_version: Mapped[int | None] = mapped_column(Integer)
    known_people: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    comparison: Mapped[str | None] = mapped_column(_SHA256)
    diff_sha256: Mapped[str | None] = mapped_column(_SHA256)
    prepared: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = _now()


class Dictionary(Base):
    """A tenant's proper nouns: one JSONB document ``{key: DictionaryEntry}`` and its version."""

    __tablename__ = "entities_dictionary"
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    entries: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = _now()


class DictionaryChange(Base):
    """History of the dictionary, one row per changed entry; append-only."""

    __tablename__ = "dictionary_history"
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    action: Mapped[str] = mapped_column(String(10))
    entry: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    previous: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    conflict: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = _now()


class Outbox(Base):
    """Events written with the change they tell of; published at least once, in order per tenant."""

    __tablename__ = "outbox"
    __table_args__ = (
        # the relay looks only at what is left to do; the published tail stays out of the index
        Index("ix_outbox_waiting", "event_id", postgresql_where=text("published_at IS NULL")),
        # and the purge at the oldest of the published ones
        Index("ix_outbox_published", "published_at", postgresql_where=text("published_at IS NOT NULL")),
    )
    event_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    channel: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = _now()
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Document(Base):
    """A compared final, keyed by its artifact: the diff stored, or why it was kept out.

    ``unreadable``: kept out only until a file of it can be read. ``pii_policy``: the fingerprint under which
    the example file ``pairs_sha256`` was made. ``approved``: what pii_gate said of exactly this file and
    policy, NULL while it has said nothing. ``metrics`` are figures for people; nothing is decided by them.
    """

    __tablename__ = "documents"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "artifact_id"], ["artifacts.tenant_id", "artifacts.artifact_id"]),
        UniqueConstraint("tenant_id", "artifact_id"),
        _one_of("state", "compared", "quarantined", "anonymized"),
        _one_of("review", "released", "dropped"),
        CheckConstraint("NOT unreadable OR state = 'quarantined'", name="unreadable_is_kept_out"),
        CheckConstraint("pii_policy IS NULL OR pairs_sha256 IS NOT NULL", name="policy_of_a_file"),
        CheckConstraint(
            "approved IS NULL OR (state = 'anonymized' AND pii_policy IS NOT NULL)", name="approval_of_a_file"
        ),
        # what the sensor asks of every tenant at every tick; see documents.outstanding
        Index("ix_documents_unreadable", "tenant_id", postgresql_where=text("unreadable")),
        Index(
            "ix_documents_policy",
            "tenant_id",
            "pii_policy",
            postgresql_where=text("state <> 'quarantined' AND diff_sha256 IS NOT NULL"),
        ),
        Index(
            "ix_documents_unjudged",
            "tenant_id",
            postgresql_where=text("state = 'anonymized' AND approved IS NULL"),
        ),
    )
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    document_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    artifact_id: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))  # compared | quarantined | anonymized
    reason: Mapped[str | None] = mapped_column(Text)
    diff_sha256: Mapped[str | None] = mapped_column(_SHA256)
    pairs_sha256: Mapped[str | None] = mapped_column(_SHA256)
    unreadable: Mapped[bool] = mapped_column(Boolean, server_default="false")
    pii_policy: Mapped[str | None] = mapped_column(String(16))
    approved: Mapped[bool | None] = mapped_column(Boolean)
    review: Mapped[str | None] = mapped_column(String(8))  # released | dropped, by a person
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = _now()


class ExampleRow(Base):
    """Index of one anonymized example. ``usable`` = passed pii_gate and quality, not golden."""

    __tablename__ = "examples"
    __table_args__ = (
        UniqueConstraint("tenant_id", "example_id"),
        # what waits for training is counted from this index alone
        Index(
            "ix_examples_trainable",
            "tenant_id",
            "seq",
            postgresql_include=["created_at"],
            postgresql_where=text("usable AND NOT golden"),
        ),
    )
    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    example_id: Mapped[str] = mapped_column(_SHA256)
    document_id: Mapped[str] = mapped_column(String(80))
    route: Mapped[int] = mapped_column(Integer)
    golden: Mapped[bool] = mapped_column(Boolean, server_default="false")
    usable: Mapped[bool] = mapped_column(Boolean, server_default="true")
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = _now()


class GoldenCurated(Base):
    """A file of golden examples that a person added; its masked text lies sealed in the object store."""

    __tablename__ = "golden_curated"
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    curated_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sha256: Mapped[str] = mapped_column(_SHA256)
    pii_policy: Mapped[str] = mapped_column(String(16))
    examples: Mapped[int] = mapped_column(Integer)
    words: Mapped[int] = mapped_column(Integer)
    added_by: Mapped[str] = mapped_column(Text)
    retired_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = _now()


class Verdict(Base):
    """What a gate said of an exact digest; the newest row of a digest counts."""

    __tablename__ = "gate_verdicts"
    __table_args__ = (Index("ix_gate_verdicts_digest", "tenant_id", "gate", "digest"),)
    verdict_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    gate: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(_SHA256)
    passed: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    signature: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = _now()


class TrainingRun(Base):
    """One attempt at training. Pending = usable examples with seq above the last finished run's.

    ``fault``: whose fault a failure was; ``setup``: fingerprint of what it was trained with, where a fault is
    permanent; ``gpu_seconds``: what its training and evaluation took so far.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "through_seq", "attempt"),
        _one_of("state", "queued", "training", "evaluating", "promoted", "rejected", "failed"),
        _one_of("fault", "examples", "capacity", "worker", "permanent", "superseded"),
        Index(
            "ix_training_runs_unfinished",
            "tenant_id",
            postgresql_where=text("state IN ('queued', 'training', 'evaluating')"),
        ),
        Index("ix_training_runs_tenant_time", "tenant_id", "created_at"),
    )
    run_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    attempt: Mapped[int] = mapped_column(Integer)
    through_seq: Mapped[int] = mapped_column(BigInteger)
    dataset_hash: Mapped[str | None] = mapped_column(_SHA256)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    adapter_id: Mapped[str | None] = mapped_column(String(100))
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    mlflow_run_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = _now()
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fault: Mapped[str | None] = mapped_column(String(10))
    setup: Mapped[str | None] = mapped_column(String(16))
    gpu_seconds: Mapped[float] = mapped_column(Float, server_default="0")


class TrainingProgress(Base):
    """How far a training's process is: ``moved_at`` its last step, ``alive_at`` its last sign of life."""

    __tablename__ = "training_progress"
    run_id: Mapped[str] = mapped_column(ForeignKey("training_runs.run_id"), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    phase: Mapped[str] = mapped_column(String(12))
    step: Mapped[int | None] = mapped_column(Integer)
    steps: Mapped[int | None] = mapped_column(Integer)
    eta_seconds: Mapped[float | None] = mapped_column(Float)
    moved_at: Mapped[datetime] = _now()
    alive_at: Mapped[datetime] = _now()


class LearningState(Base):
    """What was decided of a municipality in a lane, why, since when, and when time alone may change it.

    ``rules`` and ``policy`` are fingerprints of what it was decided under; ``by_age``: the nightly schedule
    asked for a training of fewer examples.
    """

    __tablename__ = "learning_state"
    __table_args__ = (_one_of("lane", "prepare", "learn"),)
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    lane: Mapped[str] = mapped_column(String(10), primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = _now()
    looked_at: Mapped[datetime] = _now()
    look_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rules: Mapped[str] = mapped_column(String(16))
    policy: Mapped[str | None] = mapped_column(String(16))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    by_age: Mapped[bool] = mapped_column(Boolean, server_default="false")


class LearningChange(Base):
    """Something changed for a municipality; written by triggers, deleted by the look that takes it."""

    __tablename__ = "learning_changes"
    __table_args__ = (
        _one_of("lane", "prepare", "learn"),
        Index("ix_learning_changes_lane_tenant_id", "lane", "tenant_id"),
    )
    change_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # no foreign key: a writer would have to lock the municipality's row
    tenant_id: Mapped[TenantId] = mapped_column(_TENANT)
    lane: Mapped[str] = mapped_column(String(10))
    policy: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = _now()


class Adapter(Base):
    """A signed adapter in the object store; ``recipe_hash`` finds the one made from the same input."""

    __tablename__ = "adapters"
    adapter_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    digest: Mapped[str] = mapped_column(_SHA256, unique=True)
    recipe_hash: Mapped[str] = mapped_column(_SHA256, index=True)
    dataset_hash: Mapped[str] = mapped_column(_SHA256)
    base_model: Mapped[str] = mapped_column(Text)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mlflow_run_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = _now()


class Promotion(Base):
    """Append-only: which adapter was served from when; a rollback is a row of its own.

    A row of kind ``base`` has no adapter: the base model is in service again.
    """

    __tablename__ = "promotions"
    __table_args__ = (
        _one_of("kind", "promotion", "rollback", "base"),
        CheckConstraint("kind <> 'base' OR adapter_id IS NULL", name="base_has_no_adapter"),
        Index("ix_promotions_newest", "tenant_id", "promotion_id"),
    )
    promotion_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = _tenant()
    adapter_id: Mapped[str] = mapped_column(ForeignKey("adapters.adapter_id"), nullable=True)
    previous_adapter_id: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))  # promotion | rollback | base
    promoted_by: Mapped[str] = mapped_column(Text)
    mlflow_version: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = _now()


class BlocklistTerm(Base):
    """A name that is always masked (``mask``) or a street or institution that never is (``allow``)."""

    __tablename__ = "blocklist"
    __table_args__ = (_one_of("action", "mask", "allow"),)
    tenant_id: Mapped[TenantId] = _tenant(primary_key=True)
    term: Mapped[str] = mapped_column(Text, primary_key=True)
    action: Mapped[str] = mapped_column(String(5), server_default="mask")
    kind: Mapped[str] = mapped_column(String(20), server_default="person")
    created_at: Mapped[datetime] = _now()


class ApiKey(Base):
    """A bearer key, stored as SHA-256. ``tenant_id`` NULL = platform scope."""

    __tablename__ = "api_keys"
    __table_args__ = (_one_of("role", "viewer", "editor", "admin", "platform"),)
    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key_sha256: Mapped[str] = mapped_column(_SHA256, unique=True)
    tenant_id: Mapped[TenantId | None] = mapped_column(_TENANT, ForeignKey("tenants.tenant_id"))
    role: Mapped[str] = mapped_column(String(10))  # viewer | editor | admin | platform
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = _now()
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AuditEntry(Base):
    """Append-only log of writes and refused accesses; holds ids, never text.

    ``tenant_id`` is what was asked for: of a refusal it need not be the id of any tenant, nor a valid one.
    """

    __tablename__ = "audit_log"
    entry_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str | None] = mapped_column(String(63), index=True)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    target: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(10))
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = _now()
