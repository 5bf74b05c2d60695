"""What is known of a tenant's learning, read in one go: for the API, the page and ``astra-learn status``.

Counts, hashes and rates only; no text of a document and no name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import plan, progress
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import (
    canaries,
    dictionary,
    documents,
    examples,
    looks,
    promotions,
    signs,
    tenants,
    trainings,
)
from astra_learn_assets.store.tables import Promotion, TrainingRun

Activity = Literal["none", "queued", "training", "evaluating", "stopped"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Training(_Answer):
    """One training. Rates are errors per word of the golden set (0.021 = 2.1 %); None = not known yet."""

    run_id: str
    state: str
    reason: str | None
    attempt: int
    dataset_hash: str | None
    adapter_id: str | None
    examples: int | None
    wer_before: float | None = Field(description="Of what was served until then (champion, else base model).")
    wer_after: float | None = Field(description="Of the adapter that was trained.")
    wer_base: float | None = Field(description="Of the base model without any adapter.")
    dagster_run_id: str | None
    dagster_run_url: str | None
    mlflow_run_id: str | None
    report_digest: str | None = Field(description="Names the page of its verdict; None before there is one.")
    created_at: datetime
    finished_at: datetime | None


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
    progress: Progress | None
    decision: Decision
    message: str = Field(description="The state in one Spanish sentence.")


class LearningMetrics(_Answer):
    """Finished trainings, oldest first, as figures over time."""

    tenant_id: str
    trainings: int
    promoted: int
    rejected: int
    failed: int
    points: tuple[Training, ...]


class TrainingLog(_Answer):
    """What is recorded of a training's course. Its console output is in Dagster (``dagster_run_url``)."""

    run_id: str
    state: str
    reason: str | None
    metrics: dict[str, Any]
    dagster_run_id: str | None
    dagster_run_url: str | None


def learning_status(platform: Platform, tenant_id: TenantId) -> LearningStatus:
    """The status of ``tenant_id``.

    Raises:
        UnknownTenant: there is none.
    """
    with platform.database.session() as session:
        return status_in(session, platform.settings, tenant_id)


def status_in(session: orm.Session, settings: Settings, tenant_id: TenantId) -> LearningStatus:
    """:func:`learning_status` inside an open transaction."""
    tenant = tenants.get(session, tenant_id)
    pending = examples.pending(session, tenant_id)
    version, entries = dictionary.read(session, tenant_id)
    current = promotions.current(session, tenant_id)
    rows = trainings.listing(session, tenant_id, limit=1)
    unfinished = trainings.unfinished(session, tenant_id)
    sign = progress.shown(signs.of_training(session, unfinished[0].run_id)) if unfinished else None
    activity = _activity(unfinished[0].state if unfinished else None, sign)
    states: dict[str, int] = {}
    for row in documents.listing(session, tenant_id):
        states[row.state] = states.get(row.state, 0) + 1
    return LearningStatus(
        tenant_id=tenant_id,
        display_name=tenant.display_name,
        documents=states,
        examples_waiting=pending.count,
        oldest_waiting_since=pending.oldest_created_at,
        train_threshold=settings.train_threshold,
        examples=_numbers(examples.counts(session, tenant_id)),
        dictionary_version=version,
        dictionary_entries=len(entries),
        champion=_champion(session, current),
        last_training=_training(rows[0], settings) if rows else None,
        activity=activity,
        training_now=activity in ("training", "evaluating"),
        progress=None if sign is None else Progress(**vars(sign)),
        decision=_decision(session, settings, tenant_id),
        message=_message(pending.count, settings.train_threshold, activity, sign, current),
    )


def learning_trainings(platform: Platform, tenant_id: TenantId, *, limit: int) -> list[Training]:
    """The trainings of ``tenant_id``, newest first."""
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = trainings.listing(session, tenant_id, limit=limit)
        return [_training(row, platform.settings) for row in rows]


def learning_training(platform: Platform, tenant_id: TenantId, run_id: str) -> Training:
    """One training of ``tenant_id``.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        return _training(_own(session, tenant_id, run_id), platform.settings)


def learning_log(platform: Platform, tenant_id: TenantId, run_id: str) -> TrainingLog:
    """What is recorded of one training.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        row = _own(session, tenant_id, run_id)
        return TrainingLog(
            run_id=row.run_id,
            state=row.state,
            reason=row.reason,
            metrics=row.metrics,
            dagster_run_id=row.dagster_run_id,
            dagster_run_url=_run_url(row, platform.settings),
        )


def learning_metrics(platform: Platform, tenant_id: TenantId, *, days: int) -> LearningMetrics:
    """The trainings of the last ``days``, oldest first, and how they ended."""
    since = datetime.now(UTC) - timedelta(days=days)
    points = [run for run in learning_trainings(platform, tenant_id, limit=1_000) if run.created_at >= since]
    return LearningMetrics(
        tenant_id=tenant_id,
        trainings=len(points),
        promoted=sum(run.state == "promoted" for run in points),
        rejected=sum(run.state == "rejected" for run in points),
        failed=sum(run.state == "failed" for run in points),
        points=tuple(reversed(points)),
    )


COLUMNS = (
    "run_id",
    "state",
    "reason",
    "attempt",
    "examples",
    "wer_before",
    "wer_after",
    "wer_base",
    "dataset_hash",
    "adapter_id",
    "dagster_run_id",
    "mlflow_run_id",
    "created_at",
    "finished_at",
)


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def export_csv(rows: Iterable[Training]) -> Iterator[str]:
    """``rows`` as CSV (RFC 4180), header first; text that would run as a formula is quoted."""
    for values in (COLUMNS, *(_cells(row) for row in rows)):
        buffer = io.StringIO()
        csv.writer(buffer).writerow(values)
        yield buffer.getvalue()


def _cells(row: Training) -> list[str]:
    values = row.model_dump(mode="json", include=set(COLUMNS))
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return str(value)


def _own(session: orm.Session, tenant_id: TenantId, run_id: str) -> TrainingRun:
    tenants.get(session, tenant_id)
    return trainings.get(session, run_id, tenant_id=tenant_id)


def _training(row: TrainingRun, settings: Settings) -> Training:
    wer: Mapping[str, Any] = row.metrics.get("wer") or {}
    base = _number(wer.get("base_wer"))
    champion = _number(wer.get("champion_wer"))
    count = row.metrics.get("examples")
    return Training(
        run_id=row.run_id,
        state=row.state,
        reason=row.reason,
        attempt=row.attempt,
        dataset_hash=row.dataset_hash,
        adapter_id=row.adapter_id,
        examples=count if isinstance(count, int) else None,
        wer_before=base if champion is None else champion,
        wer_after=_number(wer.get("candidate_wer")),
        wer_base=base,
        dagster_run_id=row.dagster_run_id,
        dagster_run_url=_run_url(row, settings),
        mlflow_run_id=row.mlflow_run_id,
        report_digest=str(wer["report_digest"]) if "report_digest" in wer else None,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _run_url(row: TrainingRun, settings: Settings) -> str | None:
    if row.dagster_run_id is None or settings.dagster_url is None:
        return None
    return f"{settings.dagster_url.rstrip('/')}/runs/{row.dagster_run_id}"


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


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


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


def _decision(session: orm.Session, settings: Settings, tenant_id: TenantId) -> Decision:
    now = datetime.now(UTC)
    decision, facts, rules = plan.explain_in(session, settings, tenant_id, now=now)
    stand = looks.stands(session, tenant_id).get("learn")
    return Decision(
        train=decision.train,
        code=decision.code,
        reason=decision.reason,
        until=decision.until,
        since=stand.since if stand is not None and stand.code == decision.code else None,
        trainings_this_week=facts.started_this_week,
        weekly_quota=rules.weekly_quota,
        gpu_minutes_this_month=round(facts.gpu_minutes_used, 1),
        gpu_minutes_month=rules.gpu_minutes_month,
    )


def _message(
    waiting: int,
    threshold: int,
    activity: Activity,
    sign: progress.Progress | None,
    champion: Promotion | None,
) -> str:
    first = (
        "Su modelo propio está en servicio."
        if champion
        else "Todavía no hay un modelo propio: se usa el modelo de base."
    )
    if activity == "training":
        far = "" if sign is None or sign.share is None else f" ({100 * sign.share:.0f} %)"
        return f"{first} Ahora mismo se está entrenando con sus correcciones{far}."
    if activity == "evaluating":
        return f"{first} Ahora mismo se está comprobando el modelo entrenado con sus correcciones."
    if activity == "queued":
        return f"{first} Un entrenamiento con sus correcciones espera su turno."
    if activity == "stopped":
        return f"{first} El último entrenamiento se ha interrumpido; se reanudará por sí solo."
    if waiting == 0:
        return f"{first} No hay correcciones nuevas en espera."
    missing = threshold - waiting
    if missing <= 0:
        return f"{first} Hay {waiting} correcciones en espera: el próximo entrenamiento empezará pronto."
    return f"{first} Hay {waiting} correcciones en espera; con {missing} más empezará un entrenamiento."
