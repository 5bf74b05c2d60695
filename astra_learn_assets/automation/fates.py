"""What became of the runs behind unfinished trainings, asked of Dagster for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG
from dagster_shared.error import SerializableErrorInfo

from astra_learn_assets import errors
from astra_learn_assets.learning.training import faults
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.plan import LAUNCH_GRACE, Fate, Unfinished

_WORKING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
MAY_BE_ACTIVE = [dg.DagsterRunStatus.NOT_STARTED, *_WORKING]
# Dagster's own: set with the failure (absent for a moment after it), and when the retry exists.
_LONGEST_REASON = 400
_WILL_RETRY_TAG, _RETRY_TAG = "dagster/will_retry", "dagster/auto_retry_run_id"


def of(instance: dg.DagsterInstance, rows: Sequence[Unfinished]) -> dict[str, Fate]:
    """Training id to the fate of its newest run. Two questions, however many rows."""
    if not rows:
        return {}
    # A row names its run from the moment it was queued; a run without one was made and never queued.
    owners = {row.dagster_run_id: row.run_id for row in rows if row.dagster_run_id is not None}
    found: dict[str, dg.RunRecord] = {}
    if owners:
        for record in instance.get_run_records(dg.RunsFilter(run_ids=list(owners))):
            found[owners[record.dagster_run.run_id]] = record
    others = [row.run_id for row in rows if row.dagster_run_id is None]
    if others:
        by_tag = dg.RunsFilter(tags={training_run.TAG: others})
        for record in instance.get_run_records(by_tag, limit=20 * len(others)):
            found.setdefault(record.dagster_run.tags[training_run.TAG], record)
    return {run_id: _fate(instance, record) for run_id, record in found.items()}


def _fate(instance: dg.DagsterInstance, record: dg.RunRecord) -> Fate:
    run = record.dagster_run
    if is_active(record) or awaits_retry(instance, record):
        return Fate("active")
    if run.status == dg.DagsterRunStatus.NOT_STARTED:
        return Fate("unknown")  # asked for again under its key, Dagster submits this very run
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return Fate("succeeded")
    return why(instance, run)


def is_active(record: dg.RunRecord) -> bool:
    """Whether a run works, waits for its turn, or was made a moment ago by a daemon that will submit it.

    One that stays made and unsubmitted belongs to a daemon that died and never went on with its tick.
    """
    if record.dagster_run.status != dg.DagsterRunStatus.NOT_STARTED:
        return record.dagster_run.status in _WORKING
    return datetime.now(UTC) - record.create_timestamp.astimezone(UTC) < LAUNCH_GRACE


def why(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Fate:
    """The fate of a run that failed or was cancelled: whose fault, and a sentence without anybody's text."""
    if run.status == dg.DagsterRunStatus.CANCELED:
        return Fate("failed", faults.of_run(None, cancelled=True), "its run was cancelled")
    found = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = [entry.get_dagster_event() for entry in found]
    told: list[SerializableErrorInfo] = []
    if events:
        error = events[0].step_failure_data.error
        while error is not None:
            told.append(error)
            error = error.cause
    reason = run.tags.get(RUN_FAILURE_REASON_TAG)
    fault = faults.of_run(reason, [error.cls_name or "" for error in told])
    if not told:
        return Fate("failed", fault, f"its run failed ({(reason or 'no reason given').lower()})")
    # of a foreign error only its class: its message may hold a line of somebody's minutes
    known = next((one for one in reversed(told) if hasattr(errors, one.cls_name or "")), None)
    words = known.message.strip().split(": ", 1)[-1] if known is not None else told[-1].cls_name
    return Fate("failed", fault, f"{events[0].step_key} failed: {words}"[:_LONGEST_REASON])


def awaits_retry(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether Dagster is about to start a failed run again by itself.

    Closed in this moment, the training would begin a second time beside its own retry. The daemon takes the
    tag back when it cannot launch one; if it never comes to that, the grace of a lost launch is the bound.
    """
    run = record.dagster_run
    if run.status != dg.DagsterRunStatus.FAILURE or not instance.run_retries_enabled:
        return False
    if run.tags.get(_WILL_RETRY_TAG) == "false" or _RETRY_TAG in run.tags:
        return False  # none will come; or it came, and is newer than this run if it still works on the row
    ended = record.end_time
    return ended is not None and datetime.now(UTC).timestamp() - ended < LAUNCH_GRACE.total_seconds()
