"""A tenant's trainings for people and programs: pages of them, one in full, its log.

Counts, hashes and rates only; no text of a document and no name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import cursors, plain_words, verdict_pages
from astra_learn_assets.learning.plain_words import Language
from astra_learn_assets.learning.training import progress
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import adapters, pages, signs, tenants, trainings, verdicts
from astra_learn_assets.store.learning_tables import TrainingLine
from astra_learn_assets.store.pages import Order, TrainingKey
from astra_learn_assets.store.tables import Adapter, TrainingRun, Verdict

LARGEST_PAGE = 1_000
_EXPORTED = 200  # read at once for a table that is sent in pieces
LOG_PAGE = 500
_SYSTEMS = ("candidate", "champion", "best", "base", "dictionary", "draft")
_MEASURES = ("wer", "strict", "cer", "entities", "clean", "generic")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Training(_Answer):
    """One training. Rates are errors per word of the golden set (0.021 = 2.1 %); None = not known yet."""

    run_id: str
    state: str
    reason: str | None
    explanation: str = Field(description="How it ended, in one Spanish sentence for people.")
    attempt: int
    dataset_hash: str | None
    golden_hash: str | None
    adapter_id: str | None
    examples: int | None
    wer_before: float | None = Field(description="Of what was served until then (champion, else base model).")
    wer_after: float | None = Field(description="Of the adapter that was trained.")
    wer_base: float | None = Field(description="Of the base model without any adapter.")
    cer_before: float | None = Field(description="Errors per character, of what was served until then.")
    cer_after: float | None
    gpu_minutes: float
    dagster_run_id: str | None
    dagster_run_url: str | None
    mlflow_run_id: str | None
    report_digest: str | None = Field(description="Names the page of its verdict; None before there is one.")
    created_at: datetime
    finished_at: datetime | None
    odd: str | None = Field(description="What is odd about its times, in Spanish; None: nothing.")


class Page(_Answer):
    """Some trainings; ``next_cursor`` leads to those behind them, None when these are the last."""

    trainings: tuple[Training, ...]
    next_cursor: str | None


class Difference(_Answer):
    """Candidate less another, in points (100 * errors / size), with the 95 % interval over documents."""

    against: str
    measure: str
    points: float
    low: float
    high: float


class Said(_Answer):
    """What a gate said of exactly what this training made or learned from."""

    gate: str
    passed: bool
    outcome: str | None = Field(description="Of wer_gate: promote, reject or hold.")
    reason: str
    reason_es: str | None
    at: datetime


class TrainingDetail(Training):
    """One training in full."""

    through_seq: int
    fault: str | None = Field(description="Whose fault a failure was.")
    base_model: str | None
    base_revision: str | None
    commit_hash: str | None
    recipe_hash: str | None
    adapter_digest: str | None
    hyperparameters: dict[str, Any]
    files: dict[str, str] = Field(description="SHA-256 of each file of the adapter.")
    train_metrics: dict[str, Any]
    rates: dict[str, dict[str, float]] = Field(
        description="Errors of each system by measure on the golden set, 0.021 = 2.1 %."
    )
    differences: tuple[Difference, ...]
    golden_words: int | None
    golden_documents: int | None
    verdicts: tuple[Said, ...]
    links: dict[str, str] = Field(description="panel, log, verdict, dagster: where there is one.")


class LogLine(_Answer):
    """What the trainer said of one step."""

    step: int
    at: datetime
    entry: dict[str, Any]


class TrainingLog(_Answer):
    """What is recorded of a training's course. Its console output is in Dagster (``dagster_run_url``)."""

    run_id: str
    state: str
    reason: str | None
    explanation: str
    metrics: dict[str, Any]
    dagster_run_id: str | None
    dagster_run_url: str | None
    lines: tuple[LogLine, ...] = Field(description="The trainer's steps, the first first.")
    more: bool = Field(description="There are later steps: ask again with `after` = the last one.")
    ended: bool


def page(
    platform: Platform,
    tenant_id: TenantId,
    *,
    states: Sequence[str] = (),
    order: Order = "newest",
    cursor: str | None = None,
    limit: int = 100,
    language: Language = "es",
) -> Page:
    """A page of the trainings of ``tenant_id``.

    Raises:
        UnknownTenant: there is none.
        BadInput: a cursor that is not of this listing.
    """
    after = None
    if cursor is not None:
        value, run_id = cursors.decode(cursor, f"trainings:{order}", 2)
        (cursors.number if order == "best" else cursors.moment)(value)
        after = TrainingKey(value, run_id)
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        rows = pages.trainings(session, tenant_id, states=states, order=order, after=after, limit=limit + 1)
        shown = tuple(brief(row, platform.settings, language=language) for row in rows[:limit])
    return Page(trainings=shown, next_cursor=_next(rows, order, limit))


def newest_in(
    session: orm.Session, settings: Settings, tenant_id: TenantId, *, limit: int, language: Language = "es"
) -> tuple[Training, ...]:
    """The newest trainings of a tenant that is there, inside an open transaction."""
    rows = pages.trainings(session, tenant_id, limit=limit)
    return tuple(brief(row, settings, language=language) for row in rows)


def every(platform: Platform, tenant_id: TenantId) -> Iterator[Training]:
    """All trainings of a tenant, newest first, read page by page as they are asked for."""
    cursor: str | None = None
    while True:
        found = page(platform, tenant_id, cursor=cursor, limit=_EXPORTED)
        yield from found.trainings
        cursor = found.next_cursor
        if cursor is None:
            return


def detail(
    platform: Platform, tenant_id: TenantId, run_id: str, *, language: Language = "es"
) -> TrainingDetail:
    """One training of ``tenant_id`` in full.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        row = own(session, tenant_id, run_id)
        made = adapters.get(session, tenant_id, row.adapter_id) if row.adapter_id is not None else None
        return _detail(row, made, _said(session, row, made), platform.settings, language)


def log(
    platform: Platform, tenant_id: TenantId, run_id: str, *, after: int = -1, limit: int = LOG_PAGE
) -> TrainingLog:
    """What is recorded of one training, ``limit`` of its steps behind ``after``.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        row = own(session, tenant_id, run_id)
        shown = brief(row, platform.settings)
        lines = signs.lines_after(session, run_id, after, limit=limit + 1)
        return TrainingLog(
            run_id=row.run_id,
            state=row.state,
            reason=row.reason,
            explanation=shown.explanation,
            metrics=row.metrics,
            dagster_run_id=row.dagster_run_id,
            dagster_run_url=shown.dagster_run_url,
            lines=tuple(map(_line, lines[:limit])),
            more=len(lines) > limit,
            ended=row.state in trainings.ENDED,
        )


def last_lines(platform: Platform, tenant_id: TenantId, run_id: str, *, limit: int) -> list[LogLine]:
    """The newest steps of one training, the first first.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        own(session, tenant_id, run_id)
        return [_line(row) for row in reversed(signs.newest_lines(session, run_id, limit=limit))]


class Moment(_Answer):
    """How far a training is at one moment: what its followers are told."""

    state: str
    progress: dict[str, Any] | None
    lines: tuple[LogLine, ...]
    ended: bool


def moment(platform: Platform, tenant_id: TenantId, run_id: str, *, after: int) -> Moment:
    """State, progress and the lines behind step ``after`` of one training.

    Raises:
        NotFound: no such training, or it is of another tenant.
    """
    with platform.database.session() as session:
        row = own(session, tenant_id, run_id)
        ended = row.state in trainings.ENDED
        sign = None if ended else progress.shown(signs.of_training(session, run_id))
        figures = None
        if sign is not None:
            figures = {**vars(sign), "moved_at": sign.moved_at.isoformat()}
        lines = tuple(map(_line, signs.lines_after(session, run_id, after)))
        return Moment(state=row.state, progress=figures, lines=lines, ended=ended)


def own(session: orm.Session, tenant_id: TenantId, run_id: str) -> TrainingRun:
    """The row of a tenant's training.

    Raises:
        UnknownTenant, NotFound: no such training, or it is of another tenant.
    """
    tenants.get(session, tenant_id)
    return trainings.get(session, run_id, tenant_id=tenant_id)


def brief(row: TrainingRun, settings: Settings, *, language: Language = "es") -> Training:
    """A row as it is answered."""
    wer: Mapping[str, Any] = row.metrics.get("wer") or {}
    before = "champion" if number(wer.get("champion_wer")) is not None else "base"
    count = row.metrics.get("examples")
    golden = row.metrics.get("golden_hash")
    now = datetime.now(UTC)
    return Training(
        run_id=row.run_id,
        state=row.state,
        reason=row.reason,
        explanation=plain_words.ended(
            row.state, fault=row.fault, reason=row.reason, details=wer, language=language
        ),
        attempt=row.attempt,
        dataset_hash=row.dataset_hash,
        golden_hash=golden if isinstance(golden, str) else None,
        adapter_id=row.adapter_id,
        examples=count if isinstance(count, int) else None,
        wer_before=number(wer.get(f"{before}_wer")),
        wer_after=number(wer.get("candidate_wer")),
        wer_base=number(wer.get("base_wer")),
        cer_before=number(wer.get(f"{before}_cer")),
        cer_after=number(wer.get("candidate_cer")),
        gpu_minutes=round(row.gpu_seconds / 60, 2),
        dagster_run_id=row.dagster_run_id,
        dagster_run_url=_run_url(row, settings),
        mlflow_run_id=row.mlflow_run_id,
        report_digest=str(wer["report_digest"]) if "report_digest" in wer else None,
        created_at=row.created_at,
        finished_at=row.finished_at,
        odd=plain_words.odd_times(
            row.created_at,
            row.finished_at,
            now,
            running=row.state in ("training", "evaluating"),
            language=language,
        ),
    )


def number(value: object) -> float | None:
    """A figure of a verdict's details; anything else is None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _detail(
    row: TrainingRun, made: Adapter | None, said: tuple[Said, ...], settings: Settings, language: Language
) -> TrainingDetail:
    wer: Mapping[str, Any] = row.metrics.get("wer") or {}
    train: Mapping[str, Any] = row.metrics.get("train") or {}
    manifest: Mapping[str, Any] = made.manifest if made is not None else {}
    shown = brief(row, settings, language=language)
    words, documents = (number(wer.get(name)) for name in ("words", "documents"))
    return TrainingDetail(
        **vars(shown),
        through_seq=row.through_seq,
        fault=row.fault,
        base_model=manifest.get("base_model"),
        base_revision=manifest.get("base_revision"),
        commit_hash=manifest.get("commit_hash"),
        recipe_hash=made.recipe_hash if made is not None else None,
        adapter_digest=made.digest if made is not None else None,
        hyperparameters=dict(manifest.get("hyperparameters") or train.get("hyperparameters") or {}),
        files=dict(manifest.get("files") or {}),
        train_metrics={name: value for name, value in train.items() if name != "hyperparameters"},
        rates=_rates(wer),
        differences=tuple(_differences(wer)),
        golden_words=None if words is None else int(words),
        golden_documents=None if documents is None else int(documents),
        verdicts=said,
        links=_links(row, shown, settings),
    )


def _rates(wer: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for system in _SYSTEMS:
        for measure in (*_MEASURES, "wer_strict", "exact"):
            value = number(wer.get(f"{system}_{measure}"))
            if value is not None:
                found.setdefault(system, {})[measure] = value
    return found


def _differences(wer: Mapping[str, Any]) -> Iterator[Difference]:
    for system in _SYSTEMS[1:]:
        for measure in _MEASURES:
            name = f"vs_{system}" if measure == "wer" else f"vs_{system}_{measure}"
            points, low, high = (number(wer.get(f"{name}_{end}")) for end in ("points", "low", "high"))
            if points is not None and low is not None and high is not None:
                yield Difference(against=system, measure=measure, points=points, low=low, high=high)


def _said(session: orm.Session, row: TrainingRun, made: Adapter | None) -> tuple[Said, ...]:
    """The newest verdict of each gate on exactly what the training learned from or made."""
    asked = [("corpus_gate", row.dataset_hash)]
    if made is not None:
        asked += [("adapter_gate", made.digest), ("wer_gate", made.digest)]
    found: list[Said] = []
    for gate, digest in asked:
        # a training that never had a corpus has nothing to judge
        said = verdicts.newest(session, row.tenant_id, gate, digest) if digest is not None else None
        if said is not None:
            found.append(_of_verdict(said))
    return tuple(found)


def _of_verdict(row: Verdict) -> Said:
    outcome, spanish = row.details.get("outcome"), row.details.get("reason_es")
    return Said(
        gate=row.gate,
        passed=row.passed,
        outcome=outcome if isinstance(outcome, str) else None,
        reason=row.reason,
        reason_es=spanish if isinstance(spanish, str) else None,
        at=row.created_at,
    )


def _links(row: TrainingRun, shown: Training, settings: Settings) -> dict[str, str]:
    panel = verdict_pages.panel_url(settings, row.tenant_id)
    links = {
        "panel": f"{panel}/trainings/{row.run_id}",
        "log": f"/v1/tenants/{row.tenant_id}/learning/trainings/{row.run_id}/logs",
    }
    if shown.report_digest is not None:
        links["verdict"] = f"{panel}/verdicts/{shown.report_digest}"
    if shown.dagster_run_url is not None:
        links["dagster"] = shown.dagster_run_url
    return links


def _line(row: TrainingLine) -> LogLine:
    return LogLine(step=row.step, at=row.created_at, entry=row.entry)


def _next(rows: Sequence[TrainingRun], order: Order, limit: int) -> str | None:
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    value = last.created_at.isoformat()
    if order == "best":
        value = repr(last.measured)
    return cursors.encode(f"trainings:{order}", value, last.run_id)


def _run_url(row: TrainingRun, settings: Settings) -> str | None:
    if row.dagster_run_id is None or settings.dagster_url is None:
        return None
    return f"{settings.dagster_url.rstrip('/')}/runs/{row.dagster_run_id}"
