"""Writers and daemons killed at random: is anything lost, is anything done twice?

Each round: ten processes add examples to a few municipalities, two daemons look and make runs for what they
are asked, check then create as Dagster does, and are killed wherever they happen to be. The parent is the
worker: it ends the trainings whose run was made. When all are dead a last daemon looks until nothing is
left.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dagster as dg
import sqlalchemy as sa

from astra_learn_assets.automation.sensors import training
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import examples, trainings
from astra_learn_assets.store.tables import ExampleRow, TrainingRun

WRITERS, DAEMONS = 10, 2
_QUIET = 10  # looks that find nothing to do: as many as reach a thousand municipalities
_RUN_KEY = "dagster/run_key"


@dataclass
class Tally:
    """What came out of the rounds."""

    rounds: int = 0
    killed: int = 0
    trainings: int = 0
    runs: int = 0
    refused: int = 0
    lost: int = 0
    twice: int = 0
    attempts_spent: int = 0


def play(
    settings: Settings, make_instance: Callable[[], dg.DagsterInstance], names: list[TenantId], rounds: int
) -> Tally:
    """Play ``rounds`` and count."""
    rng, tally = random.Random(11), Tally()
    for number in range(rounds):
        children = [
            _fork(partial(_write, settings, names[n % len(names)], number * 1_000 + n))
            for n in range(WRITERS)
        ]
        children += [_fork(lambda: _look(settings, make_instance, for_ever=True)) for _ in range(DAEMONS)]
        deadline = time.monotonic() + rng.uniform(1, 3)
        while time.monotonic() < deadline and len(children) > 4:
            time.sleep(rng.uniform(0, 0.4))
            os.kill(victim := children.pop(rng.randrange(len(children))), signal.SIGKILL)
            os.waitpid(victim, 0)
            tally.killed += 1
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            tally.killed += 1
        _finish(settings)
        tally.rounds += 1
    with make_instance() as instance, Platform.open(settings) as platform:
        quiet = 0  # a killed daemon's connection may hold the turn for a moment, a look has others to look at
        for _ in range(200 + _QUIET):
            quiet = 0 if _once(instance, platform) + _finish(settings) else quiet + 1
            if quiet == _QUIET:
                break
        _count(instance, platform, names, tally)
    return tally


def _fork(work: Callable[[], None]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001  (a child says what it died of and never returns into the parent)
        traceback.print_exc()
    os._exit(status)


def _write(settings: Settings, tenant: TenantId, seed: int) -> None:
    rng = random.Random(seed)
    with Platform.open(settings) as platform:
        for batch in range(6):
            rows = [
                examples.NewExample(
                    f"{seed:032x}{batch * 100 + n:032x}", "doc-1", 1, golden=False, usable=True, reason=None
                )
                for n in range(rng.randint(1, settings.train_threshold))
            ]
            with platform.database.session() as session:
                examples.add(session, tenant, rows)
                time.sleep(rng.uniform(0, 0.02))


def _look(settings: Settings, make_instance: Callable[[], dg.DagsterInstance], *, for_ever: bool) -> None:
    with make_instance() as instance, Platform.open(settings) as platform:
        while True:
            _once(instance, platform)
            if not for_ever:
                return


def _once(instance: dg.DagsterInstance, platform: Platform) -> int:
    """One tick, and what the daemon and the coordinator do with its answer: check, create, claim.

    First what a killed daemon made and did not submit, which Dagster submits when it goes on with the tick.
    """
    made = dg.RunsFilter(job_name=_JOB.name, statuses=[dg.DagsterRunStatus.NOT_STARTED])
    left = [run for run in instance.get_runs(made) if not _submit(instance, platform, run)]
    requests = training(instance, platform, cron=False).run_requests or []
    for request in requests:
        if instance.get_runs(dg.RunsFilter(tags={_RUN_KEY: str(request.run_key)}), limit=1):
            continue
        tags = {**request.tags, _RUN_KEY: str(request.run_key)}
        _submit(instance, platform, instance.create_run_for_job(_JOB, tags=tags))
    return len(requests) + len(left)


def _submit(instance: dg.DagsterInstance, platform: Platform, run: dg.DagsterRun) -> bool:
    """Claim its training for a run; one that is too late fails, as in the coordinator."""
    with platform.database.session() as session:
        owned = trainings.claim_run(session, run.tags[training_run.TAG], run.run_id, [])
    if owned:
        launched = dg.DagsterEvent(dg.DagsterEventType.PIPELINE_STARTING.value, _JOB.name)
        instance.report_dagster_event(launched, run.run_id)
    else:
        instance.report_run_failed(run, "its training has another run")
    return owned


def _finish(settings: Settings) -> int:
    """Be the worker of every training that has a run; returns how many."""
    with Platform.open(settings) as platform, platform.database.session() as session:
        done = session.execute(
            sa.update(TrainingRun)
            .where(TrainingRun.state == "queued", TrainingRun.dagster_run_id.is_not(None))
            .values(state="promoted", dataset_hash="0" * 64, finished_at=sa.func.clock_timestamp())
            .returning(TrainingRun.run_id)
        )
        return len(done.all())


def _count(instance: dg.DagsterInstance, platform: Platform, names: list[TenantId], tally: Tally) -> None:
    with platform.database.session() as session:
        rows = list(session.scalars(sa.select(TrainingRun).where(TrainingRun.tenant_id.in_(names))))
        newest = dict(
            session.execute(
                sa.select(ExampleRow.tenant_id, sa.func.count()).where(
                    ExampleRow.tenant_id.in_(names),
                    ExampleRow.seq
                    > sa.select(sa.func.coalesce(sa.func.max(TrainingRun.through_seq), 0))
                    .where(TrainingRun.tenant_id == ExampleRow.tenant_id)
                    .scalar_subquery(),
                ).group_by(ExampleRow.tenant_id)
            ).all()
        )  # fmt: skip
    tally.trainings = len(rows)
    owned = {row.dagster_run_id for row in rows if row.dagster_run_id is not None}
    ids = {row.run_id for row in rows}
    made = [
        run
        for run in instance.get_runs(dg.RunsFilter(job_name=_JOB.name))
        if run.tags[training_run.TAG] in ids
    ]
    tally.runs = len(made)
    tally.refused = sum(run.run_id not in owned for run in made)
    tally.lost = sum(count >= platform.settings.train_threshold for count in newest.values())
    tally.lost += sum(row.state != "promoted" for row in rows)
    working = [run.tags[training_run.TAG] for run in made if run.run_id in owned]
    tally.twice = len(working) - len(set(working))
    tally.attempts_spent = sum(row.attempt > 1 for row in rows)


@dg.op
def _nothing() -> None:
    return None


@dg.job(name="train_adapter")
def _JOB() -> None:  # noqa: N802
    _nothing()
