"""When a run fails: why, whose fault, and the training's row closed with it.

The sensor writes what it found as tags on the run (``astra/fault``, ``astra/why``), so that a person can
filter by it and the preparing lane knows that a retry would not help. A run that Dagster is about to retry
keeps its row.
"""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from astra_learn_assets.automation import fates
from astra_learn_assets.automation.preparing import FAULT_TAG
from astra_learn_assets.learning.training import plan
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.platform import Platform
from astra_learn_assets.resources import PlatformResource
from astra_learn_assets.store import trainings

WHY_TAG = "astra/why"


def record(instance: dg.DagsterInstance, platform: Platform, run: dg.DagsterRun) -> str:
    """Note why ``run`` failed; returns what was done, for the log of the tick."""
    fate = fates.why(instance, run)
    reason = fate.reason or "its run failed"
    instance.add_run_tags(run.run_id, {FAULT_TAG: fate.fault, WHY_TAG: reason})
    training = run.tags.get(training_run.TAG)
    if training is None:
        return f"{fate.fault}: {reason}"
    known = instance.get_run_record_by_id(run.run_id)
    if known is not None and fates.awaits_retry(instance, known):
        return f"{fate.fault}: {reason}; Dagster tries it again"
    setup = plan.setup_key(platform.settings)
    with platform.database.session() as session:
        row = trainings.find(session, training)
        if row is None or row.dagster_run_id not in (None, run.run_id):
            return f"{fate.fault}: {reason}; its training has another run"
        trainings.close_all(session, [trainings.End(training, fate.fault, reason, setup)], datetime.now(UTC))
    return f"{fate.fault}: {reason}; training {training} closed"


def build_failure_sensor(interval: int) -> dg.SensorDefinition:
    """The sensor, ticking every ``interval`` seconds."""

    @dg.run_failure_sensor(
        name="failure_sensor",
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Says of each failed run why, tells passing faults from permanent ones, closes its row.",
    )
    def failure_sensor(context: dg.RunFailureSensorContext, platform: PlatformResource) -> None:
        with platform.open() as opened:
            context.log.info(record(context.instance, opened, context.dagster_run))

    return failure_sensor
