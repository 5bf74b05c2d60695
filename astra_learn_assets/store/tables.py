"""The tables, in SQLAlchemy 2. Alembic (``store/migrations``) is what creates them in a database.

Every row of a municipality carries ``tenant_id``. ``examples`` and ``documents`` hold no text:
text lives encrypted in the object store, rows hold ids, hashes, counts and verdicts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.learning_tables import Tier
from astra_learn_assets.store.table_base import SHA256, TENANT, Base, computed, now, one_of, partial, tenant


class Tenant(Base):
    """A municipality. ``wrapped_key`` is its data key wrapped by the master key; NULL = erased.

    ``weekly_quota`` and ``gpu_minutes_month`` take the place of its tier's. While ``paused_at`` stands no
    training starts; of one that is ``retired_at`` nothing is prepared or trained any more. ``canary_share``:
    of its sessions that get a new adapter first; NULL is ``ASTRA_CANARY_SHARE``.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("weekly_quota >= 0", name="quota_counts"),
        CheckConstraint("gpu_minutes_month >= 0", name="budget_counts"),
        CheckConstraint("canary_share >= 0 AND canary_share <= 1", name="canary_is_a_share"),
    )
    tenant_id: Mapped[TenantId] = mapped_column(TENANT, primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(String(2))
    tier: Mapped[str] = mapped_column(String(20), ForeignKey(Tier.tier), server_default="standard")
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = now()
    weekly_quota: Mapped[int | None] = mapped_column(Integer)
    gpu_minutes_month: Mapped[float | None] = mapped_column(Float)
    canary_share: Mapped[float | None] = mapped_column(Float)
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_reason: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Session(Base):
    """A council session in one version; a V2 clone names what it was cloned from."""

    __tablename__ = "sessions"
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    cloned_from: Mapped[str | None] = mapped_column(String(80))
    roster: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    created_at: Mapped[datetime] = now()


class Artifact(Base):
    """A stored DOCX: a draft (``generated``) or a clerk's ``final``. ``seq`` is the arrival order.

    The tenant is part of the key: two municipalities may use the same session id, even the same file.
    ``manifest_sha256`` and ``adapter_id``, what made it (``base``: the base model), are a draft's.
    ``base_id`` and the next four are a final's: the draft, the dictionary and the given names it was compared
    with, the digest of all inputs, the hash of the result's file; ``names``, the words of names in it.
    ``prepared``: a final that has its row in ``documents``; a trigger sets it. ``trace``: the ``traceparent``
    of its upload.
    """

    __tablename__ = "artifacts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "session_id", "version", "kind", "sha256"),
        ForeignKeyConstraint(
            ["tenant_id", "session_id", "version"],
            ["sessions.tenant_id", "sessions.session_id", "sessions.version"],
        ),
        one_of("kind", "generated", "final"),
        # the finals that wait for a preparing run, and not all there ever were
        partial("ix_artifacts_unprepared", "tenant_id", "seq", where="kind = 'final' AND NOT prepared"),
        # every upload asks for what other finals left waiting, and few of a long history left anything
        partial(
            "ix_artifacts_waiting",
            "tenant_id",
            where="kind = 'final' AND summary -> 'entities_waiting' <> '[]'::jsonb",
        ),
        # the newest uploads, shown before anything has prepared them
        partial("ix_artifacts_finals", "tenant_id", "seq", where="kind = 'final'"),
        partial("ix_artifacts_drafts", "tenant_id", where="kind = 'generated'"),
        partial("ix_artifacts_adapter", "tenant_id", "adapter_id", where="adapter_id IS NOT NULL"),
        partial("ix_artifacts_names", "tenant_id", "seq", where="names IS NOT NULL"),
    )
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    artifact_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    session_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    uri: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    uploaded_by: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    manifest_sha256: Mapped[str | None] = mapped_column(SHA256)
    adapter_id: Mapped[str | None] = mapped_column(String(100))
    base_id: Mapped[str | None] = mapped_column(String(80))
    dictionary_version: Mapped[int | None] = mapped_column(Integer)
    known_people: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    comparison: Mapped[str | None] = mapped_column(SHA256)
    diff_sha256: Mapped[str | None] = mapped_column(SHA256)
    names: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    prepared: Mapped[bool] = mapped_column(Boolean, server_default="false")
    trace: Mapped[str | None] = mapped_column(String(55))
    created_at: Mapped[datetime] = now()


class Dictionary(Base):
    """A tenant's proper nouns: one JSONB document ``{key: DictionaryEntry}`` and its version."""

    __tablename__ = "entities_dictionary"
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    entries: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = now()


class DictionaryChange(Base):
    """History of the dictionary, one row per changed entry; append-only."""

    __tablename__ = "dictionary_history"
    __table_args__ = (Index("ix_dictionary_history_time", "tenant_id", "created_at"),)
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    action: Mapped[str] = mapped_column(String(10))
    entry: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    previous: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    conflict: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = now()


class Outbox(Base):
    """Events written with the change they tell of; published at least once, in order per tenant.

    One with a ``subscription_id`` is a notice to a person's address instead of Redis: tried from ``due_at``
    on, ``attempts`` times so far; ``error`` beside ``published_at``: given up. ``notice_id`` is what its
    receiver tells it by, see ``store/subscriptions.py``.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "subscription_id"],
            ["subscriptions.tenant_id", "subscriptions.subscription_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("(subscription_id IS NULL) = (notice_id IS NULL)", name="notice_has_an_id"),
        partial("ix_outbox_due", "due_at", where="published_at IS NULL AND subscription_id IS NOT NULL"),
        # the relay looks only at what is left to do; the published tail stays out of the index
        partial("ix_outbox_waiting", "event_id", where="published_at IS NULL"),
        # and the purge at the oldest of the published ones
        partial("ix_outbox_published", "published_at", where="published_at IS NOT NULL"),
    )
    event_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    channel: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = now()
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    subscription_id: Mapped[str | None] = mapped_column(String(20))
    notice_id: Mapped[UUID | None] = mapped_column(Uuid)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)


class Document(Base):
    """A compared final, keyed by its artifact: the diff stored, or why it was kept out.

    ``unreadable``: kept out only until a file of it can be read. ``pii_policy``: the fingerprint under which
    the example file ``pairs_sha256`` was made. ``approved``: what pii_gate said of exactly this file and
    policy, NULL while it has said nothing. ``metrics`` are figures for people; by ``wer`` alone something is
    decided, the trial of a new adapter.
    """

    __tablename__ = "documents"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "artifact_id"], ["artifacts.tenant_id", "artifacts.artifact_id"]),
        UniqueConstraint("tenant_id", "artifact_id"),
        one_of("state", "compared", "quarantined", "anonymized"),
        one_of("review", "released", "dropped"),
        CheckConstraint("NOT unreadable OR state = 'quarantined'", name="unreadable_is_kept_out"),
        CheckConstraint("pii_policy IS NULL OR pairs_sha256 IS NOT NULL", name="policy_of_a_file"),
        CheckConstraint(
            "approved IS NULL OR (state = 'anonymized' AND pii_policy IS NOT NULL)", name="approval_of_a_file"
        ),
        # figures of a year, read from the index alone
        Index(
            "ix_documents_figures",
            "tenant_id",
            "created_at",
            postgresql_include=["state", "corrected", "corrections"],
        ),
        # counts by state, and the newest of a state
        Index("ix_documents_state", "tenant_id", "state", "created_at", "document_id"),
        # what waits or is kept out, of everybody
        partial(
            "ix_documents_to_do",
            "state",
            "created_at",
            where="state <> 'anonymized'",
            include=("tenant_id", "review"),
        ),
        # what the sensor asks of every tenant at every tick; see documents.outstanding
        partial("ix_documents_unreadable", "tenant_id", where="unreadable"),
        partial(
            "ix_documents_policy",
            "tenant_id",
            "pii_policy",
            where="state <> 'quarantined' AND diff_sha256 IS NOT NULL",
        ),
        partial("ix_documents_unjudged", "tenant_id", where="state = 'anonymized' AND approved IS NULL"),
    )
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    document_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    artifact_id: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))  # compared | quarantined | anonymized
    reason: Mapped[str | None] = mapped_column(Text)
    diff_sha256: Mapped[str | None] = mapped_column(SHA256)
    pairs_sha256: Mapped[str | None] = mapped_column(SHA256)
    unreadable: Mapped[bool] = mapped_column(Boolean, server_default="false")
    pii_policy: Mapped[str | None] = mapped_column(String(16))
    approved: Mapped[bool | None] = mapped_column(Boolean)
    review: Mapped[str | None] = mapped_column(String(8))  # released | dropped, by a person
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = now()
    corrected: Mapped[float | None] = computed(Float, "(metrics ->> 'wer')::double precision")
    corrections: Mapped[int | None] = computed(Integer, "(metrics ->> 'examples')::integer")


class ExampleRow(Base):
    """Index of one anonymized example. ``usable`` = passed pii_gate and quality, not golden."""

    __tablename__ = "examples"
    __table_args__ = (
        UniqueConstraint("tenant_id", "example_id"),
        # what waits for training is counted from this index alone
        partial(
            "ix_examples_trainable",
            "tenant_id",
            "seq",
            where="usable AND NOT golden",
            include=("created_at",),
        ),
    )
    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    example_id: Mapped[str] = mapped_column(SHA256)
    document_id: Mapped[str] = mapped_column(String(80))
    route: Mapped[int] = mapped_column(Integer)
    golden: Mapped[bool] = mapped_column(Boolean, server_default="false")
    usable: Mapped[bool] = mapped_column(Boolean, server_default="true")
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = now()


class Verdict(Base):
    """What a gate said of an exact digest; the newest row of a digest counts."""

    __tablename__ = "gate_verdicts"
    __table_args__ = (
        Index("ix_gate_verdicts_digest", "tenant_id", "gate", "digest"),
        Index("ix_gate_verdicts_newest", "tenant_id", "gate", "verdict_id"),
    )
    verdict_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    gate: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(SHA256)
    passed: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    signature: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = now()


class TrainingRun(Base):
    """One attempt at training. Pending = usable examples with seq above the last finished run's.

    ``fault``: whose fault a failure was; ``setup``: fingerprint of what it was trained with, where a fault is
    permanent; ``gpu_seconds``: what its training and evaluation took so far; ``trace``: its newest example's
    upload's.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "through_seq", "attempt"),
        one_of("state", "queued", "training", "evaluating", "promoted", "rejected", "failed"),
        one_of("fault", "examples", "capacity", "worker", "permanent", "superseded"),
        partial(
            "ix_training_runs_unfinished", "tenant_id", where="state IN ('queued', 'training', 'evaluating')"
        ),
        Index("ix_training_runs_tenant_time", "tenant_id", "created_at"),
        # the last one that ended, of how ever many
        partial(
            "ix_training_runs_finished",
            "tenant_id",
            text("finished_at DESC NULLS LAST"),
            text("created_at DESC"),
            where="state IN ('promoted', 'rejected')",
        ),
        partial("ix_training_runs_measured", "tenant_id", "measured", "run_id", where="measured IS NOT NULL"),
    )
    run_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    attempt: Mapped[int] = mapped_column(Integer)
    through_seq: Mapped[int] = mapped_column(BigInteger)
    dataset_hash: Mapped[str | None] = mapped_column(SHA256)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    adapter_id: Mapped[str | None] = mapped_column(String(100))
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    mlflow_run_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = now()
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fault: Mapped[str | None] = mapped_column(String(10))
    setup: Mapped[str | None] = mapped_column(String(16))
    gpu_seconds: Mapped[float] = mapped_column(Float, server_default="0")
    trace: Mapped[str | None] = mapped_column(String(55))
    measured: Mapped[float | None] = computed(
        Float, "(metrics -> 'wer' ->> 'candidate_wer')::double precision"
    )


class Adapter(Base):
    """A signed adapter in the object store; ``recipe_hash`` finds the one made from the same input."""

    __tablename__ = "adapters"
    adapter_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    digest: Mapped[str] = mapped_column(SHA256, unique=True)
    recipe_hash: Mapped[str] = mapped_column(SHA256, index=True)
    dataset_hash: Mapped[str] = mapped_column(SHA256)
    base_model: Mapped[str] = mapped_column(Text)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mlflow_run_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = now()


class Promotion(Base):
    """Append-only: which adapter was served from when; a rollback is a row of its own.

    A row of kind ``base`` has no adapter: the base model is in service again.
    """

    __tablename__ = "promotions"
    __table_args__ = (
        one_of("kind", "promotion", "rollback", "base"),
        CheckConstraint("kind <> 'base' OR adapter_id IS NULL", name="base_has_no_adapter"),
        Index("ix_promotions_newest", "tenant_id", "promotion_id"),
    )
    promotion_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[TenantId] = tenant()
    adapter_id: Mapped[str] = mapped_column(ForeignKey("adapters.adapter_id"), nullable=True)
    previous_adapter_id: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))  # promotion | rollback | base
    promoted_by: Mapped[str] = mapped_column(Text)
    mlflow_version: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = now()


class BlocklistTerm(Base):
    """A name that is always masked (``mask``) or a street or institution that never is (``allow``)."""

    __tablename__ = "blocklist"
    __table_args__ = (one_of("action", "mask", "allow"),)
    tenant_id: Mapped[TenantId] = tenant(primary_key=True)
    term: Mapped[str] = mapped_column(Text, primary_key=True)
    action: Mapped[str] = mapped_column(String(5), server_default="mask")
    kind: Mapped[str] = mapped_column(String(20), server_default="person")
    created_at: Mapped[datetime] = now()


class ApiKey(Base):
    """A bearer key, stored as SHA-256. ``tenant_id`` NULL = platform scope."""

    __tablename__ = "api_keys"
    __table_args__ = (one_of("role", "viewer", "editor", "admin", "platform"),)
    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    tenant_id: Mapped[TenantId | None] = mapped_column(TENANT, ForeignKey("tenants.tenant_id"))
    role: Mapped[str] = mapped_column(String(10))  # viewer | editor | admin | platform
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = now()
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
    created_at: Mapped[datetime] = now()
