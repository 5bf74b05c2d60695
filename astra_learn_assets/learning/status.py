"""What is known of a tenant's learning, read in one go: for the API, the page and ``astra-learn status``.

Counts, hashes and rates only; no text of a document and no name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import plain_words, training_history
from astra_learn_assets.learning.plain_words import Language, Phrases
from astra_learn_assets.learning.training import plan, progress
from astra_learn_assets.learning.training_history import Training
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import (
    canaries,
    examples,
    looks,
    pages,
    promotions,
    signs,
    tallies,
    tenants,
    trainings,
)
from astra_learn_assets.store.tables import Promotion

Activity = Literal["none", "queued", "training", "evaluating", "stopped"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Progress(_Answer):
    """How far a training's process is; ``alive``: it gave a sign of life within a minute."""

    phase: str
    step: int | None
    steps: int | None
    share: float | None = Field(description="0 to 1.")
    eta_seconds: float | None
    moved_at: datetime = Field(description="When its last step was done.")
    alive: bool


class Decision(_Answer):
    """What would be decided now about the next training, and from what."""

    train: bool
    code: str
    reason: str
    reason_es: str = Field(description="The same for people.")
    next_possible: datetime | None = Field(
        description="When the next training may begin if nothing else happens; None: something has to."
    )
    until: datetime | None = Field(description="When time alone may change it.")
    since: datetime | None = Field(description="Since when the sensor says so.")
    trainings_this_week: int
    weekly_quota: int
    gpu_minutes_this_month: float
    gpu_minutes_month: float | None


class Champion(_Answer):
    """The adapter that is served."""

    adapter_id: str
    promoted_at: datetime
    promoted_by: str
    kind: str
    canary_share: float | None = Field(description="While on trial: the share of the sessions that have it.")


class LearningStatus(_Answer):
    """How a tenant's model is learning."""

    tenant_id: str
    display_name: str
    documents: dict[str, int] = Field(description="Compared finals by state.")
    finals_received: int = Field(description="Uploads that the learning path has not looked at yet.")
    examples_waiting: int = Field(description="Usable examples no finished training has seen.")
    oldest_waiting_since: datetime | None
    train_threshold: int = Field(description="Examples that start a training.")
    examples: dict[str, int]
    dictionary_version: int
    dictionary_entries: int
    champion: Champion | None
    last_training: Training | None
    activity: Activity = Field(
        description="training, evaluating: a process is at it; queued: it waits; stopped: it is gone."
    )
    training_now: bool = Field(description="Whether a process trains or evaluates at this moment.")
    running: str | None = Field(description="The training that runs or waits.")
    progress: Progress | None
    decision: Decision
    message: str = Field(description="The state in one Spanish sentence.")


def learning_status(platform: Platform, tenant_id: TenantId, *, language: Language = "es") -> LearningStatus:
    """The status of ``tenant_id``, its sentences in ``language``.

    Raises:
        UnknownTenant: there is none.
    """
    with platform.database.session() as session:
        return status_in(session, platform.settings, tenant_id, language=language)


def status_in(
    session: orm.Session, settings: Settings, tenant_id: TenantId, *, language: Language = "es"
) -> LearningStatus:
    """:func:`learning_status` inside an open transaction."""
    tenant = tenants.get(session, tenant_id)
    pending = examples.pending(session, tenant_id)
    version, entries = tallies.dictionary_size(session, tenant_id)
    rows = pages.trainings(session, tenant_id, limit=1)
    unfinished = trainings.unfinished(session, tenant_id)
    sign = progress.shown(signs.of_training(session, unfinished[0].run_id)) if unfinished else None
    activity = _activity(unfinished[0].state if unfinished else None, sign)
    found = LearningStatus(
        tenant_id=tenant_id,
        display_name=tenant.display_name,
        documents=tallies.documents_by_state(session, tenant_id),
        finals_received=tallies.finals_not_prepared(session, tenant_id),
        examples_waiting=pending.count,
        oldest_waiting_since=pending.oldest_created_at,
        train_threshold=settings.train_threshold,
        examples=_numbers(examples.counts(session, tenant_id)),
        dictionary_version=version,
        dictionary_entries=entries,
        champion=_champion(session, promotions.current(session, tenant_id)),
        last_training=training_history.brief(rows[0], settings, language=language) if rows else None,
        activity=activity,
        training_now=activity in ("training", "evaluating"),
        running=unfinished[0].run_id if unfinished else None,
        progress=None if sign is None else Progress(**vars(sign)),
        decision=decision_in(session, settings, tenant_id, language=language),
        message="",
    )
    return found.model_copy(update={"message": message(found, language)})


def _champion(session: orm.Session, row: Promotion | None) -> Champion | None:
    if row is None:
        return None
    trial = canaries.current(session, row.tenant_id)
    return Champion(
        adapter_id=row.adapter_id,
        promoted_at=row.created_at,
        promoted_by=row.promoted_by,
        kind=row.kind,
        canary_share=trial.share if trial else None,
    )


def _numbers(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(name): int(number) for name, number in counts.items()}


def _activity(state: str | None, sign: progress.Progress | None) -> Activity:
    """``training`` means that a process is alive; a row alone is ``queued`` or ``stopped``."""
    if state is None:
        return "none"
    if state == "queued" or sign is None:
        return "queued"
    if not sign.alive:
        return "stopped"
    return "evaluating" if sign.phase == "evaluating" else "training"


def decision_in(
    session: orm.Session, settings: Settings, tenant_id: TenantId, *, language: Language = "es"
) -> Decision:
    """What would be decided now; ``reason_es`` in ``language``."""
    now = datetime.now(UTC)
    decision, facts, rules = plan.explain_in(session, settings, tenant_id, now=now)
    stand = looks.stands(session, tenant_id).get("learn")
    return Decision(
        train=decision.train,
        code=decision.code,
        reason=decision.reason,
        reason_es=plain_words.waiting(decision, facts, rules, language=language),
        next_possible=plain_words.next_possible(decision, facts, rules, now),
        until=decision.until,
        since=stand.since if stand is not None and stand.code == decision.code else None,
        trainings_this_week=facts.started_this_week,
        weekly_quota=rules.weekly_quota,
        gpu_minutes_this_month=round(facts.gpu_minutes_used, 1),
        gpu_minutes_month=rules.gpu_minutes_month,
    )


def message(status: LearningStatus, language: Language = "es") -> str:
    """The state in a sentence or two."""
    phrases = plain_words.said(language)
    first = phrases.text("served.own" if status.champion else "served.base")
    return f"{first} {_now(status, phrases)}"


def _now(status: LearningStatus, phrases: Phrases) -> str:
    share = None if status.progress is None else status.progress.share
    if status.activity == "training" and share is not None:
        return phrases.text("now.training_share", percent=round(100 * share))
    if status.activity != "none":
        return phrases.text(f"now.{status.activity}")
    waiting, missing = status.examples_waiting, status.train_threshold - status.examples_waiting
    if waiting == 0:
        return phrases.text("now.nothing")
    if missing <= 0:
        return phrases.text("now.soon", waiting=waiting)
    return phrases.text("now.missing", waiting=waiting, missing=missing)
