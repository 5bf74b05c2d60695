"""The row of one training: begun by the sensor or by hand, carried through the learning assets.

A sensor's run names its row in the tag ``astra/training_id``. A run started by hand has no tag: if
the tenant's newest training already has the very same corpus and ended in a verdict, the run is a
re-materialization and keeps that row as it is; otherwise it is a new attempt. So is a run that was
executed again after its row had ended with another corpus.

A row that has ended changes no more, except for ``dagster_run_id``: the run that worked on it last. By it
every later step of a run finds its own training, and not whichever is the newest by then. What a step knows
for that travels as one :class:`Step`.

A row belongs to one run. Another that comes with the same tag is refused while the first may still end
(:func:`begin`), and one whose row was closed or given to another run meanwhile publishes and promotes nothing
(:func:`require_own`): so a worker that was thought lost, and comes back late, does no harm. Two runs with the
same corpus at the same time, by hand, backfill or sensor, are one training: the second is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

from sqlalchemy import orm

from astra_learn_assets import tracing
from astra_learn_assets.contracts import Fault
from astra_learn_assets.errors import GateRefused, Superseded
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import measured
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import examples, locks, signs, trainings
from astra_learn_assets.store.tables import TrainingRun

TAG = "astra/training_id"
ADAPTER_TAG = "astra/adapter_id"
_BEFORE = ("dagster/parent_run_id", "dagster/root_run_id")  # set by Dagster on a run that retries another
_ENDED = ("promoted", "rejected")
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Step:
    """What ties a step to its training: whose it is, its Dagster run, and what that run's tags name.

    ``training_id``: the row that was begun for the run; ``adapter_id``: the adapter to judge and promote
    instead of the training's own; ``ancestors``: the runs that this one retries.
    """

    tenant_id: TenantId
    dagster_run_id: str
    training_id: str | None = None
    adapter_id: str | None = None
    ancestors: frozenset[str] = frozenset()

    @classmethod
    def tagged(cls, tenant_id: TenantId, dagster_run_id: str, tags: Mapping[str, str]) -> Step:
        """The step of a run with ``tags``."""
        before = frozenset(tags[name] for name in _BEFORE if name in tags)
        return cls(tenant_id, dagster_run_id, tags.get(TAG), tags.get(ADAPTER_TAG), before)


@dataclass(frozen=True)
class Training:
    """A training with a corpus: what the assets after ``training_corpus`` need to know of it."""

    run_id: str
    tenant_id: TenantId
    dataset_hash: str
    golden_hash: str
    state: str
    adapter_id: str | None
    mlflow_run_id: str | None
    through_seq: int
    metrics: dict[str, Any]
    dagster_run_id: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it already has its verdict; such a row is never changed again."""
        return self.state in _ENDED


def _done(_made: object) -> str:
    return "done"


def stage(
    name: str, result: Callable[[Any], str] = _done
) -> Callable[[Callable[Concatenate[Platform, Step, P], R]], Callable[Concatenate[Platform, Step, P], R]]:
    """A use case of a step as a span of its training's trace, counted when it ends.

    ``result``: how it ended, of what it returned. See :mod:`astra_learn_assets.tracing` and :mod:`measured`.
    """

    def around(
        use_case: Callable[Concatenate[Platform, Step, P], R],
    ) -> Callable[Concatenate[Platform, Step, P], R]:
        @functools.wraps(use_case)
        def counted(platform: Platform, step: Step, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with measured.stage(platform, name) as seen:
                found = in_span(platform, step, *args, **kwargs)
                seen.result = result(found)
            return found

        def in_span(platform: Platform, step: Step, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if platform.settings.traces_url is None:
                return use_case(platform, step, *args, **kwargs)
            with tracing.span(
                platform.settings,
                name,
                parent=_trace_of(platform, step),
                tenant_id=step.tenant_id,
                dagster_run_id=step.dagster_run_id,
            ):
                try:
                    return use_case(platform, step, *args, **kwargs)
                finally:
                    tracing.flush(platform.settings)

        return counted

    return around


def _trace_of(platform: Platform, step: Step) -> str | None:
    """The trace that the step's training goes on with; a run by hand has one once its row has a corpus."""
    with platform.database.session() as session:
        if step.training_id is not None:
            return trainings.get(session, step.training_id, tenant_id=step.tenant_id).trace
        rows = trainings.listing(session, step.tenant_id, limit=200)
        return next((row.trace for row in rows if row.dagster_run_id == step.dagster_run_id), None)


def through_seq(platform: Platform, step: Step) -> int:
    """The last example a training may use: its row's, or the tenant's newest for a run by hand.

    Raises:
        NotFound: the training is not this tenant's.
    """
    with platform.database.session() as session:
        if step.training_id is not None:
            return trainings.get(session, step.training_id, tenant_id=step.tenant_id).through_seq
        usable = examples.usable(session, step.tenant_id)
        return usable[-1].seq if usable else 0


def begin(
    platform: Platform,
    step: Step,
    *,
    through_seq: int,
    dataset_hash: str,
    golden_hash: str,
    examples: int,
) -> TrainingRun:
    """Tie a corpus to its training row; see the module for which row that is.

    Raises:
        NotFound: the named training is not this tenant's.
        Superseded: the row belongs to another run, another training has learned its examples meanwhile, or
            another run is training on the very same corpus.
    """
    with platform.database.session() as session:
        locks.hold(session, "training", step.tenant_id)
        row: TrainingRun | None
        if step.training_id is not None:
            row = trainings.get(session, step.training_id, tenant_id=step.tenant_id)
            _require_needed(session, row, step)
        else:
            row = next(iter(trainings.listing(session, step.tenant_id, limit=1)), None)
        if row is not None and _is_rematerialization(row, dataset_hash, golden_hash):
            # it keeps the run that trained it: a backfill has only found it
            found_by = {**row.metrics, "found_by": step.dagster_run_id}
            return trainings.update(session, row.run_id, metrics=found_by)
        _require_alone(session, step, dataset_hash, golden_hash)
        if row is None or step.training_id is None or row.state in trainings.ENDED:
            row = _next_attempt(session, step.tenant_id, through_seq)
        signs.sign(session, row.run_id, step.tenant_id, phase="training")
        return trainings.update(
            session,
            row.run_id,
            state="training",
            dataset_hash=dataset_hash,
            dagster_run_id=step.dagster_run_id,
            metrics={"golden_hash": golden_hash, "examples": examples},
        )


def _require_needed(session: orm.Session, row: TrainingRun, step: Step) -> None:
    if row.state not in trainings.UNFINISHED:
        return
    if row.dagster_run_id not in (None, step.dagster_run_id):
        raise Superseded(f"training {row.run_id} belongs to run {row.dagster_run_id}: leave it alone")
    finished = trainings.last_finished(session, step.tenant_id)
    if (
        finished is not None
        and finished.through_seq >= row.through_seq
        and finished.finished_at is not None
        and finished.finished_at > row.created_at
    ):
        raise Superseded(f"training {finished.run_id} has learned these examples meanwhile")


def _require_alone(session: orm.Session, step: Step, dataset_hash: str, golden_hash: str) -> None:
    """A run by hand may pass the queue, and so its municipality's lane; its corpus is trained once still."""
    own = {step.dagster_run_id, *step.ancestors}
    for row in trainings.unfinished(session, step.tenant_id):
        same = (row.dataset_hash, row.metrics.get("golden_hash")) == (dataset_hash, golden_hash)
        if same and row.dagster_run_id not in own:
            raise Superseded(
                f"training {row.run_id} works on the same corpus in run {row.dagster_run_id}: wait for it"
            )


def require_own(platform: Platform, training: Training) -> None:
    """Refuse to go on with a training whose row was closed, or given to another run, since the step began.

    Raises:
        Superseded: so it is.
    """
    if training.ended:
        return
    with platform.database.session() as session:
        row = trainings.get(session, training.run_id)
        if row.state not in trainings.UNFINISHED or row.dagster_run_id != training.dagster_run_id:
            raise Superseded(
                f"training {row.run_id} is {row.state}, of run {row.dagster_run_id}: this run came too late"
            )


def again(platform: Platform, step: Step, training: Training) -> Training:
    """A new attempt at the corpus of a training that has ended, for an adapter it did not have."""
    with platform.database.session() as session:
        row = _next_attempt(session, training.tenant_id, training.through_seq)
        kept = {
            name: training.metrics[name] for name in ("golden_hash", "examples") if name in training.metrics
        }
        row = trainings.update(
            session,
            row.run_id,
            state="training",
            dataset_hash=training.dataset_hash,
            dagster_run_id=step.dagster_run_id,
            metrics=kept,
        )
        return _training(row)


def of_step(platform: Platform, step: Step) -> Training:
    """The training a step works on: the one its run began, else the one its tag names, else the newest.

    The last is for a run by hand that materializes later steps alone.

    Raises:
        GateRefused: when there is none with a corpus.
        NotFound: the named training is not this tenant's.
    """
    with platform.database.session() as session:
        rows = _with_corpus(session, step.tenant_id)
        own = next((row for row in rows if row.dagster_run_id == step.dagster_run_id), None)
        if own is None:
            own = next((row for row in rows if row.metrics.get("found_by") == step.dagster_run_id), None)
        if own is None and step.training_id is not None:
            named = trainings.get(session, step.training_id, tenant_id=step.tenant_id)
            own = named if _has_corpus(named) else None
        elif own is None and rows:
            own = rows[0]
        return _training(own or _no_corpus(step.tenant_id))


def newest(platform: Platform, tenant_id: TenantId) -> Training:
    """The tenant's newest training that has a corpus.

    Raises:
        GateRefused: when there is none.
    """
    with platform.database.session() as session:
        rows = _with_corpus(session, tenant_id)
        return _training(rows[0] if rows else _no_corpus(tenant_id))


def note(platform: Platform, training: Training, *, metrics: dict[str, Any], **columns: Any) -> None:
    """Add ``metrics`` and set ``columns`` on a row that has not ended."""
    if training.ended:
        return
    with platform.database.session() as session:
        row = trainings.get(session, training.run_id)
        trainings.update(session, training.run_id, metrics={**row.metrics, **metrics}, **columns)


def end(
    platform: Platform,
    training: Training,
    *,
    state: str,
    reason: str,
    fault: Fault | None = None,
    setup: str | None = None,
) -> None:
    """Close a row with its verdict; a row that has ended keeps the first one.

    ``fault``, ``setup``: of one that failed, whose fault it was and what it was trained with.
    """
    if training.ended:
        return
    with platform.database.session() as session:
        trainings.update(
            session,
            training.run_id,
            state=state,
            reason=reason,
            fault=fault,
            setup=setup,
            finished_at=datetime.now(UTC),
        )


def _next_attempt(session: orm.Session, tenant_id: TenantId, through_seq: int) -> TrainingRun:
    return trainings.start(
        session,
        tenant_id,
        through_seq=through_seq,
        attempt=trainings.next_attempt(session, tenant_id, through_seq),
        dagster_run_id=None,
    )


def _with_corpus(session: orm.Session, tenant_id: TenantId) -> list[TrainingRun]:
    """Newest first."""
    return [row for row in trainings.listing(session, tenant_id, limit=200) if _has_corpus(row)]


def _no_corpus(tenant_id: TenantId) -> NoReturn:
    raise GateRefused(f"tenant {tenant_id} has no training corpus: materialize training_corpus first")


def _has_corpus(row: TrainingRun) -> bool:
    return row.dataset_hash is not None and "golden_hash" in row.metrics


def _training(row: TrainingRun) -> Training:
    return Training(
        run_id=row.run_id,
        tenant_id=row.tenant_id,
        dataset_hash=str(row.dataset_hash),
        golden_hash=row.metrics["golden_hash"],
        state=row.state,
        adapter_id=row.adapter_id,
        mlflow_run_id=row.mlflow_run_id,
        through_seq=row.through_seq,
        metrics=dict(row.metrics),
        dagster_run_id=row.dagster_run_id,
    )


def _is_rematerialization(row: TrainingRun, dataset_hash: str, golden_hash: str) -> bool:
    return (
        row.state in _ENDED
        and row.dataset_hash == dataset_hash
        and row.metrics.get("golden_hash") == golden_hash
    )
