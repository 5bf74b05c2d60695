"""The sensors: feedback starts preparing, enough examples start training, the outbox is relayed.

A run key dedupes against failed runs too, so every key carries something that grows when a retry is
wanted: the number of earlier runs for the same waiting work, the attempt of a training.

What waits for preparing is read from the rows, not from what a run did: finals without a document, documents
without examples or with examples made under another privacy policy, examples that no gate has judged,
files that could not be read. A run that died anywhere in between leaves one of these, and so does a name
that enters the blocklist. The same work is asked for at most six times a day, five minutes apart; then
the sensor says that a person must look.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from astra_learn_assets.automation.jobs import prepare_examples, train_adapter
from astra_learn_assets.errors import AstraError, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import anonymize, promoter
from astra_learn_assets.learning.training import plan
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.plan import LAUNCH_GRACE, RunState
from astra_learn_assets.learning.training.policy import run_key
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.resources import PlatformResource
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import artifacts, dictionary, outbox, tenants
from astra_learn_assets.store.documents import Outstanding
from astra_learn_assets.store.tables import TrainingRun

WORK_TAG = "astra/waiting"
_ATTEMPT_TAG = "astra/attempt"
_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# Dagster's own: set with the failure (absent for a moment after it), and when the retry exists.
_WILL_RETRY_TAG, _RETRY_TAG = "dagster/will_retry", "dagster/auto_retry_run_id"
_RETRY_AFTER = timedelta(minutes=5)
_MAX_PREPARE_RUNS = 6
_PREPARE_WINDOW = timedelta(days=1)
_NAMED = 3
_log = logging.getLogger(__name__)


def build_sensors() -> list[dg.SensorDefinition]:
    """The sensors, ticking as often as the settings say."""
    interval = get_settings().sensor_interval_seconds

    @dg.sensor(
        job=prepare_examples,
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Registers tenants as partitions; waiting finals start prepare_examples.",
    )
    def feedback_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
        with platform.open() as opened:
            return feedback(context.instance, opened, context.cursor)

    @dg.sensor(
        job=train_adapter,
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Enough pending examples start train_adapter; answers with a reason per tenant.",
    )
    def training_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
        with platform.open() as opened:
            return training(context.instance, opened, cron=False)

    @dg.sensor(
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Publishes events that Redis missed and forgets old ones; sets lost model pointers and "
        "MLflow aliases again.",
    )
    def outbox_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
        with platform.open() as opened:
            return follow(opened, context.cursor)

    return [feedback_sensor, training_sensor, outbox_sensor]


def follow(platform: Platform, cursor: str | None) -> dg.SensorResult:
    """One tick of the outbox sensor: what follows the database catches up; none holds back another.

    The cursor (``tenant=promotion;…``) says which promotions MLflow's alias shows already, so that a tick
    without a promotion asks MLflow nothing. Clear it in the UI to compare every alias, for example after
    MLflow was restored from a backup.
    """
    published = outbox.relay(platform.database, platform.redis)
    with platform.database.session() as session:
        forgotten = outbox.purge(session, timedelta(hours=platform.settings.outbox_retention_hours))
    try:
        pointers = f"{promoter.republish(platform)} model pointers set again"
    except Unavailable as error:
        pointers = f"model pointers wait: {error}"
    parts = (part.partition("=") for part in (cursor or "").split(";"))
    done = {tenant: int(row) for tenant, _, row in parts if row.isdecimal()}
    shown = promoter.repair_aliases(platform, done)
    checked = sum(done.get(tenant) != row for tenant, row in shown.items())
    return dg.SensorResult(
        skip_reason=f"{published} events published, {forgotten} old ones forgotten, {pointers}, "
        f"{checked} MLflow aliases checked",
        cursor=";".join(f"{tenant}={row}" for tenant, row in sorted(shown.items())),
    )


def feedback(instance: dg.DagsterInstance, platform: Platform, cursor: str | None) -> dg.SensorResult:
    """One tick of the feedback sensor.

    While a tenant's preparing run is active nothing more is asked for it: the run takes every final
    that waits when it starts, and the next tick sees the rest. An erased tenant is no partition any more.
    """
    with platform.database.session() as session:
        everyone = tenants.list_all(session)
        finals = artifacts.tenants_with_new_finals(session)
    known = [tenant.tenant_id for tenant in everyone if tenant.wrapped_key is not None]
    erased = {tenant.tenant_id for tenant in everyone if tenant.wrapped_key is None}
    present = set(instance.get_dynamic_partitions(str(tenant_partitions.name)))
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if new := [str(tenant) for tenant in known if tenant not in present]:
        changes.append(tenant_partitions.build_add_request(new))
    if gone := sorted(str(tenant) for tenant in erased & present):
        changes.append(tenant_partitions.build_delete_request(gone))
    requests: list[dg.RunRequest] = []
    reasons: list[str] = []
    for tenant in known:
        try:
            waiting = Waiting(finals.get(tenant), anonymize.outstanding(platform, tenant))
        except AstraError as error:
            # One tenant's fault is not the others': it is said, and asked again at the next tick.
            reasons.append(f"{tenant}: {error}")
            _log.warning("feedback of %s: %s", tenant, error)
            continue
        if waiting:
            answer = _prepare_request(instance, tenant, waiting)
            if isinstance(answer, dg.RunRequest):
                requests.append(answer)
            else:
                reasons.append(f"{tenant}: {answer}")
    if requests and reasons:
        _log.info("%s", "; ".join(reasons))  # a tick that asks for runs shows no reasons
    events, cursor = _outside_events(platform, {t: seq for t, seq in finals.items() if t in known}, cursor)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(reasons) or "nothing waits to be prepared",
        cursor=cursor,
        dynamic_partitions_requests=changes,
        asset_events=events,
    )


@dataclass(frozen=True)
class Waiting:
    """What a tenant's next preparing run would find to do; false when that is nothing."""

    newest_final: int | None
    documents: Outstanding

    def __bool__(self) -> bool:
        return self.newest_final is not None or bool(self.documents)

    @property
    def key(self) -> str:
        """16 hexadecimal digits that change with the work, so that new work is never taken for a retry."""
        rows = self.documents
        content = [self.newest_final, rows.policy, rows.stale, rows.unjudged, rows.unreadable]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        rows = self.documents
        more = " …" if len(rows.unreadable) > _NAMED else ""
        parts = [
            "new finals" if self.newest_final is not None else "",
            f"documents to anonymize: {len(rows.stale)}" if rows.stale else "",
            f"documents without a verdict: {len(rows.unjudged)}" if rows.unjudged else "",
            f"unreadable files of {' '.join(rows.unreadable[:_NAMED])}{more}" if rows.unreadable else "",
        ]
        return ", ".join(part for part in parts if part)


def training(instance: dg.DagsterInstance, platform: Platform, *, cron: bool) -> dg.SensorResult:
    """One look at every tenant: close what was lost, ask the policy, begin what it decides.

    A tenant that cannot be looked at is told so and does not cost the others their training. A row
    whose request was lost on the way (the daemon died) is asked for again by the sensor, under the same
    run key: it never starts twice.
    """
    requests: list[dg.RunRequest] = []
    reasons: list[str] = []
    with platform.database.session() as session:
        known = [tenant.tenant_id for tenant in tenants.list_all(session)]
    present = set(instance.get_dynamic_partitions(str(tenant_partitions.name)))
    for tenant in known:
        try:
            reason, request = _training_request(instance, platform, tenant, cron, tenant in present)
        except AstraError as error:
            reason, request = f"cannot be looked at: {error}", None
        reasons.append(f"{tenant}: {reason}")
        requests += [request] if request else []
    return dg.SensorResult(
        run_requests=requests, skip_reason=None if requests else "; ".join(reasons) or "no tenants yet"
    )


def _training_request(
    instance: dg.DagsterInstance, platform: Platform, tenant: TenantId, cron: bool, is_partition: bool
) -> tuple[str, dg.RunRequest | None]:
    plan.close_lost(platform, tenant, lambda row: _run_state(instance, row))
    if not is_partition:
        return "is not a partition yet", None
    decision, row = plan.decide_and_begin(platform, tenant, cron=cron)
    if row is None and not cron:
        row = next((r for r in plan.queued(platform, tenant) if _run_state(instance, r) == "unknown"), None)
    if row is None:
        return decision.reason, None
    tags = {training_run.TAG: row.run_id, "astra/reason": decision.reason}
    key = run_key(tenant, row.through_seq, row.attempt)
    return decision.reason, dg.RunRequest(run_key=key, partition_key=str(tenant), tags=tags)


def _prepare_request(instance: dg.DagsterInstance, tenant: TenantId, waiting: Waiting) -> dg.RunRequest | str:
    """The run to ask for, or why none is."""
    now = datetime.now(UTC)
    lane = {"dagster/partition": str(tenant)}
    active = dg.RunsFilter(job_name=prepare_examples.name, tags=lane, statuses=_ACTIVE)
    if instance.get_runs(active, limit=1):
        return f"{waiting}; a preparing run is under way"
    same = dg.RunsFilter(job_name=prepare_examples.name, tags={**lane, WORK_TAG: waiting.key})
    earlier = instance.get_run_records(same, limit=_MAX_PREPARE_RUNS)
    recent = [run for run in earlier if now - run.create_timestamp < _PREPARE_WINDOW]
    if len(recent) >= _MAX_PREPARE_RUNS:
        again = (recent[-1].create_timestamp + _PREPARE_WINDOW).isoformat(timespec="minutes")
        return (
            f"{waiting}, and {len(recent)} runs did not change that: a person must look at the last run of "
            f"{prepare_examples.name}; tried again at {again}"
        )
    if recent and now - recent[0].create_timestamp < _RETRY_AFTER:
        again = (recent[0].create_timestamp + _RETRY_AFTER).isoformat(timespec="minutes")
        return f"{waiting}; the last run did not change that, tried again at {again}"
    # From the newest run's number, not from how many there are: old runs may be cleaned away.
    attempt = 1 + (int(earlier[0].dagster_run.tags.get(_ATTEMPT_TAG, len(earlier))) if earlier else 0)
    return dg.RunRequest(
        run_key=f"{tenant}:{waiting.key}:{attempt}",
        partition_key=str(tenant),
        tags={WORK_TAG: waiting.key, _ATTEMPT_TAG: str(attempt)},
    )


def _run_state(instance: dg.DagsterInstance, row: TrainingRun) -> RunState:
    """What became of the newest run behind a training's row."""
    runs = instance.get_runs(dg.RunsFilter(tags={training_run.TAG: row.run_id}), limit=1)
    if not runs and row.dagster_run_id is not None:
        run = instance.get_run_by_id(row.dagster_run_id)
        runs = [run] if run is not None else []
    if not runs:
        return "unknown"
    if runs[0].status in _ACTIVE or _awaits_retry(instance, runs[0]):
        return "active"
    return "succeeded" if runs[0].status == dg.DagsterRunStatus.SUCCESS else "failed"


def _awaits_retry(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether Dagster is about to start a failed run again by itself.

    Closed in this moment, the training would begin a second time beside its own retry. The daemon takes the
    tag back when it cannot launch one; if it never comes to that, the grace of a lost launch is the bound.
    """
    if run.status != dg.DagsterRunStatus.FAILURE or not instance.run_retries_enabled:
        return False
    if run.tags.get(_WILL_RETRY_TAG) == "false" or _RETRY_TAG in run.tags:
        return False  # none will come; or it came, and is newer than this run if it still works on the row
    record = instance.get_run_record_by_id(run.run_id)
    ended = record.end_time if record is not None else None
    return ended is not None and datetime.now(UTC).timestamp() - ended < LAUNCH_GRACE.total_seconds()


def _outside_events(
    platform: Platform, waiting: dict[TenantId, int], cursor: str | None
) -> tuple[list[dg.AssetMaterialization], str]:
    """Materializations of what the hot path wrote since ``cursor`` (``tenant=finals,dictionary;…``)."""
    seen = dict(part.split("=", 1) for part in (cursor or "").split(";") if "=" in part)
    events: list[dg.AssetMaterialization] = []
    with platform.database.session() as session:
        for tenant, newest in sorted(waiting.items()):
            version, entries = dictionary.read(session, tenant)
            finals_before, _, version_before = seen.get(tenant, "0,0").partition(",")
            if str(newest) != finals_before:
                events.append(
                    dg.AssetMaterialization(
                        "final_documents", partition=str(tenant), metadata={"newest_seq": newest}
                    )
                )
            if str(version) != version_before and version > 0:
                metadata = {"version": version, "entries": len(entries)}
                events.append(
                    dg.AssetMaterialization("entities_dictionary", partition=str(tenant), metadata=metadata)
                )
            seen[tenant] = f"{newest},{version}"
    return events, ";".join(f"{tenant}={value}" for tenant, value in sorted(seen.items()))
