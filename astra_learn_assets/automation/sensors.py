"""The sensors: feedback starts preparing, enough examples start training, the outbox is relayed.

Each tick is one look at those tenants something changed for, or whose time has come, in a handful of
statements (:mod:`astra_learn_assets.store.looks`). It is bounded in tenants and in requests; who does not
fit is looked at first in the next one. A run key dedupes against failed runs too, so every key carries
something that grows when a retry is wanted: the number of earlier runs for the same waiting work, the
attempt of a training.

What waits for preparing is read from the rows, not from what a run did: finals without a document, documents
without examples or with examples made under another privacy policy, examples that no gate has judged,
files that could not be read. A run that died anywhere in between leaves one of these, and so does a name
that enters the blocklist. The same work is asked for at most six times a day, five minutes apart; then
the sensor says that a person must look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy import orm

from astra_learn_assets import tracing
from astra_learn_assets.automation import fates, preparing, retention
from astra_learn_assets.automation.failures import build_failure_sensor
from astra_learn_assets.automation.jobs import prepare_examples, train_adapter
from astra_learn_assets.errors import Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, masking, promoter, running_settings, swaps, trials
from astra_learn_assets.learning.telling import delivery
from astra_learn_assets.learning.training import plan
from astra_learn_assets.learning.training import run as training_run
from astra_learn_assets.learning.training.policy import priority, run_key
from astra_learn_assets.partitions import tenant_partitions
from astra_learn_assets.platform import Platform
from astra_learn_assets.resources import PlatformResource
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets.store import looks, outbox, promotions, tenants, trainings
from astra_learn_assets.store.documents import Outstanding

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # looked at in every tick
_TOLD = 40
TRACE_TAG = "astra/trace_id"
_CLEANING_SECONDS = 20.0
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
            return feedback(context.instance, opened)

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

    @dg.sensor(
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends the webhooks and e-mails that are due; what fails waits longer each time.",
    )
    def notice_sensor(platform: PlatformResource) -> dg.SkipReason:
        with platform.open() as opened:
            done = delivery.deliver(opened)
        return dg.SkipReason(
            f"{done.sent} notices sent, {done.waiting} will be tried again, {done.given_up} given up"
        )

    @dg.sensor(
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Removes runs and their events once they are older than ASTRA_RUN_RETENTION_DAYS, and "
        "those of erased municipalities.",
    )
    def cleaning_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
        with platform.open() as opened, opened.database.session() as session:
            erased = tenants.erased(session)
        forgotten = retention.forget(context.instance, erased, seconds=_CLEANING_SECONDS)
        said = f"{forgotten} runs of erased municipalities were removed"
        days = get_settings().run_retention_days
        if days == 0:
            return dg.SkipReason(f"{said}; ASTRA_RUN_RETENTION_DAYS is 0: every other run is kept")
        before = datetime.now(UTC) - timedelta(days=days)
        gone = retention.clean(context.instance, before=before, seconds=_CLEANING_SECONDS)
        return dg.SkipReason(f"{said}, {gone} that ended before {before:%F}")

    return [
        feedback_sensor,
        training_sensor,
        outbox_sensor,
        notice_sensor,
        cleaning_sensor,
        build_failure_sensor(interval),
    ]


def follow(platform: Platform, cursor: str | None) -> dg.SensorResult:
    """One tick of the outbox sensor: what follows the database catches up; none holds back another.

    The cursor (``tenant=promotion;…``) says which promotions MLflow's alias shows already, so that a tick
    without a promotion asks MLflow nothing. Clear it in the UI to compare every alias, for example after
    MLflow was restored from a backup.
    """
    published = outbox.relay(platform.database, platform.redis)
    with platform.database.session() as session:
        forgotten = outbox.purge(session, timedelta(hours=platform.settings.outbox_retention_hours))
    ended = trials.judge_all(platform)
    with platform.database.session() as session:
        served = promotions.served(session)
    try:
        pointers = f"{announcing.republish(platform, served)} model pointers set again"
        pointers += f", {swaps.count(platform, list(served.values()))} swaps heard of"
    except Unavailable as error:
        pointers = f"model pointers wait: {error}"
    parts = (part.partition("=") for part in (cursor or "").split(";"))
    done = {tenant: int(row) for tenant, _, row in parts if row.isdecimal()}
    shown = promoter.repair_aliases(platform, done, served)
    checked = sum(done.get(tenant) != row for tenant, row in shown.items())
    return dg.SensorResult(
        skip_reason=f"{published} events published, {forgotten} old ones forgotten, "
        f"{ended} trials of adapters ended, {pointers}, {checked} MLflow aliases checked",
        cursor=";".join(f"{tenant}={row}" for tenant, row in sorted(shown.items())),
    )


def feedback(instance: dg.DagsterInstance, platform: Platform) -> dg.SensorResult:
    """One tick of the feedback sensor.

    While a tenant's preparing run is active nothing more is asked for it: the run takes every final
    that waits when it starts, and a later tick sees the rest. An erased or retired tenant is no partition.
    """
    now = datetime.now(UTC)
    with platform.database.session() as session:
        changes = _partition_changes(instance, tenants.standing(session))
        claimed = looks.claim(
            session, "prepare", now=now, rules=plan.rules_key(platform.settings), limit=plan.LOOK_LIMIT
        )
        found = _waiting(session, platform.settings, claimed)
        busy = [one for one in found if one.waiting]
        runs = preparing.Runs.of(instance, {one.tenant: one.waiting.key for one in busy}, now)
        answers = {one.tenant: runs.request(one.tenant, one.waiting) for one in busy}
        requests = [answer for answer in answers.values() if isinstance(answer, dg.RunRequest)]
        late = {str(request.partition_key) for request in requests[plan.REQUEST_LIMIT :]}
        reasons = {tenant: answer for tenant, answer in answers.items() if isinstance(answer, str)}
        reasons |= {tenant: "asked for in the next look" for tenant in answers if tenant in late}
        looks.leave(session, "prepare", [one.seen(reasons.get(one.tenant)) for one in found], now)
    requests = requests[: plan.REQUEST_LIMIT]
    if requests and reasons:
        _log.info("%s", _told(reasons))  # a tick that asks for runs shows no reasons
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _told(reasons) or "nothing waits to be prepared",
        dynamic_partitions_requests=changes,
        asset_events=[event for one in found for event in one.events()],
    )


def _partition_changes(
    instance: dg.DagsterInstance, standing: dict[TenantId, bool]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """What makes the partitions those tenants that are neither erased nor retired."""
    present = set(instance.get_dynamic_partitions(str(tenant_partitions.name)))
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if new := [str(tenant) for tenant, stands in standing.items() if stands and tenant not in present]:
        changes.append(tenant_partitions.build_add_request(new))
    if gone := sorted(str(tenant) for tenant, stands in standing.items() if not stands and tenant in present):
        changes.append(tenant_partitions.build_delete_request(gone))
    return changes


@dataclass(frozen=True)
class _Found:
    """One tenant in a look of the feedback sensor."""

    claimed: looks.Claimed
    policy: str
    waiting: preparing.Waiting
    newest_final: int
    version: int
    entries: int

    @property
    def tenant(self) -> TenantId:
        return self.claimed.tenant_id

    def seen(self, reason: str | None) -> looks.Seen:
        """Whom something waits for is looked at again at every tick: a lost request costs nothing."""
        return looks.Seen(
            tenant_id=self.tenant,
            code="waiting" if self.waiting else "nothing_waits",
            reason=reason or str(self.waiting) or "nothing waits to be prepared",
            look_at=_ALWAYS if self.waiting else None,
            rules=self.claimed.rules,
            policy=self.policy,
            by_age=False,
            facts={"newest_final": self.newest_final, "dictionary": self.version},
        )

    def events(self) -> Iterator[dg.AssetMaterialization]:
        """What the hot path wrote since the last look."""
        before = self.claimed.facts
        if self.newest_final > before.get("newest_final", 0):
            yield dg.AssetMaterialization(
                "final_documents", partition=str(self.tenant), metadata={"newest_seq": self.newest_final}
            )
        if self.version > before.get("dictionary", 0):
            metadata = {"version": self.version, "entries": self.entries}
            yield dg.AssetMaterialization(
                "entities_dictionary", partition=str(self.tenant), metadata=metadata
            )


def _waiting(session: orm.Session, settings: Settings, claimed: Sequence[looks.Claimed]) -> list[_Found]:
    policies = {one.tenant_id: masking.claimed_policy(settings, one) for one in claimed}
    known = {row.tenant_id: row for row in looks.prepare_facts(session, policies)} if policies else {}
    found = []
    for one in claimed:
        row, policy = known[str(one.tenant_id)], policies[one.tenant_id]
        left = Outstanding(
            policy=policy,
            stale=tuple(row.stale or ()),
            unjudged=tuple(row.unjudged or ()),
            unreadable=tuple(row.unreadable or ()),
        )
        newest = max(row.newest_final or 0, one.facts.get("newest_final", 0))
        found.append(
            _Found(
                one,
                policy,
                preparing.Waiting(row.newest_final, left),
                newest,
                row.version or 0,
                row.entries or 0,
            )
        )
    return found


def _told(reasons: Mapping[TenantId, str]) -> str:
    """The reasons of a few; every one stands in the table."""
    shown = [f"{tenant}: {reason}" for tenant, reason in list(reasons.items())[:_TOLD]]
    more = len(reasons) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _trace_tag(trace: str | None) -> dict[str, str]:
    trace_id = tracing.trace_id(trace)
    return {TRACE_TAG: trace_id} if trace_id is not None else {}


def training(instance: dg.DagsterInstance, platform: Platform, *, cron: bool) -> dg.SensorResult:
    """One look of the learning lane; see :mod:`astra_learn_assets.learning.training.plan`."""
    with suppress(Unavailable):  # for people to look at: no look waits for Redis
        running_settings.say(platform, "learning")
    present = set(instance.get_dynamic_partitions(str(tenant_partitions.name)))
    found = plan.look(
        platform, lambda rows: fates.of(instance, rows), by_age=cron,
        partitions=present,
    )  # fmt: skip
    with platform.database.session() as session:
        traces = trainings.traces(session, [begun.run_id for begun in found.begun])
    requests = [
        dg.RunRequest(
            run_key=run_key(begun.tenant_id, begun.through_seq, begun.attempt),
            partition_key=str(begun.tenant_id),
            tags={
                training_run.TAG: begun.run_id,
                "astra/code": begun.code,
                "astra/reason": begun.reason,
                "astra/tier": begun.tier,
                "dagster/priority": str(priority(begun.due)),
                **_trace_tag(traces.get(begun.run_id)),
            },
        )
        for begun in found.begun
    ]
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _told(found.reasons) or "nothing has changed for any tenant",
    )
