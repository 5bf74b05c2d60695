"""When is a tenant trained? One pure function, asked by the sensor, the schedule, the panel and the CLI.

There are two ways in. The *threshold*: enough new examples since the last finished training. *By age*:
fewer, but the oldest has waited long enough, so a small town learns too (the nightly schedule asks for
that). And the ways out, checked first: a tenant that is paused, nothing new, a training under way, the
weekly quota, the month's GPU minutes, a fault that a retry cannot change, too many failures, the back-off
after one. What would train then still waits for a maintenance to end and for the hours of its tier.

Pending is counted from a sequence number, not modulo the threshold: a batch of 300 that jumps from 400 to 700
trains at 700. While corrected documents of the tenant are still being prepared the threshold waits for them,
``settle_minutes`` at most: a batch of uploads is learned as one. The run key carries the attempt, because a
scheduler never starts the same key twice, failed or not: without it one crashed pod would end a town's
learning for good.

A failure is somebody's fault. The *examples'* (the loss was not finite, the data broken): the back-off
doubles with each, and after ``max_attempts`` at the same examples a person has to look; new examples start
anew. A *worker* that was lost, or *capacity* that was not there, is nobody's doing in the town: tried again
soon, however often. A *permanent* fault (no base model) waits until the setup is another one. A
*superseded* training was not needed any more.

Trainings queue by deadline: when they were decided on, plus the tier's patience. A premium town overtakes a
standard one that came up to 20 hours before it, and none that came earlier: nobody starves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from astra_learn_assets.contracts import Fault
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.hours import Hours

Code = Literal[
    "threshold",
    "age",
    "paused",
    "nothing_pending",
    "unfinished",
    "quota",
    "budget",
    "permanent",
    "attempts",
    "backoff",
    "preparing",
    "below_threshold",
    "below_minimum",
    "too_young",
    "maintenance",
    "closed_hours",
]

_LONGEST_BACKOFF = timedelta(hours=24)
_AGAIN = timedelta(minutes=2)  # after a lost worker; doubled, half an hour at most
_LONGEST_AGAIN = timedelta(minutes=30)
_PRIORITY_ZERO = datetime(2025, 1, 1, tzinfo=UTC)
_BACKFILL_PATIENCE = timedelta(days=60)


@dataclass(frozen=True)
class Failure:
    """The newest failure since the last success.

    ``in_a_row``: how many of its fault there were; of the examples' fault those at the same examples.
    """

    at: datetime
    fault: Fault
    reason: str
    setup: str | None = None
    in_a_row: int = 1


@dataclass(frozen=True)
class Facts:
    """What is so of one tenant at one moment. Times are aware.

    ``pending``, ``newest_seq``, ``oldest_at``: usable examples that no finished training has seen;
    ``preparing``: documents whose examples are not there yet; ``next_attempt``: 1 + the last attempt at
    ``newest_seq``; ``charged``: how many of those failed by the examples' fault; ``started_this_week`` and
    ``week_frees_at``: trainings of the last seven days and when the oldest of them leaves that week.
    """

    pending: int = 0
    newest_seq: int | None = None
    oldest_at: datetime | None = None
    preparing: int = 0
    unfinished: bool = False
    failure: Failure | None = None
    next_attempt: int = 1
    charged: int = 0
    started_this_week: int = 0
    week_frees_at: datetime | None = None
    gpu_minutes_used: float = 0.0
    paused: str | None = None


@dataclass(frozen=True)
class Rules:
    """What holds for a tenant: the platform's knobs, its tier's, its own. ``setup``: today's fingerprint.

    ``gpu_minutes_month`` None: no bound; ``hours`` None: always; ``maintenance``: (end, reason) of one that
    is under way.
    """

    threshold: int
    minimum: int
    max_age_hours: float
    backoff_minutes: float
    settle_minutes: float
    weekly_quota: int
    gpu_minutes_month: float | None = None
    patience_hours: float = 24.0
    hours: Hours | None = None
    maintenance: tuple[datetime, str] | None = None
    setup: str | None = None
    max_attempts: int = 5


@dataclass(frozen=True)
class Decision:
    """Train or not, and why. ``code`` is stable, ``reason`` is a sentence for an operator.

    ``until``: when time alone may change it; None when only an event can. ``through_seq`` and ``attempt`` say
    which training, when ``train``; else they are None.
    """

    train: bool
    code: Code
    reason: str
    through_seq: int | None = None
    attempt: int | None = None
    until: datetime | None = None


def decide(facts: Facts, rules: Rules, now: datetime, *, by_age: bool = False) -> Decision:
    """Decide for one tenant at one moment. ``by_age``: fewer examples that are old enough will do.

    At every bound, reaching it is enough.

    Raises:
        ValueError: for a naive time, or an attempt below 1.
    """
    failure = facts.failure
    for value in (now, facts.oldest_at, failure.at if failure else None, facts.week_frees_at):
        if value is not None and value.tzinfo is None:
            raise ValueError("times must carry a time zone")
    if facts.next_attempt < 1:
        raise ValueError("the first attempt is number 1")
    if facts.paused is not None:
        return Decision(False, "paused", f"paused: {facts.paused}")
    if facts.pending <= 0 or facts.newest_seq is None:
        return Decision(False, "nothing_pending", "no new examples since the last training")
    if facts.unfinished:
        return Decision(False, "unfinished", "a training of this tenant is queued or running")
    return (
        _used_up(facts, rules, now)
        or _after_failures(facts, rules, now)
        or _enough(facts, rules, now, by_age=by_age)
    )


def _used_up(facts: Facts, rules: Rules, now: datetime) -> Decision | None:
    if facts.started_this_week >= rules.weekly_quota:
        reason = f"{facts.started_this_week} trainings in the last 7 days, the quota is {rules.weekly_quota}"
        return Decision(False, "quota", reason, until=facts.week_frees_at)
    budget = rules.gpu_minutes_month
    if budget is not None and facts.gpu_minutes_used >= budget:
        month = next_month(now)
        reason = (
            f"{facts.gpu_minutes_used:.0f} of {budget:.0f} GPU minutes of this month are used; "
            f"goes on at {month:%Y-%m-%d}"
        )
        return Decision(False, "budget", reason, until=month)
    return None


def _after_failures(facts: Facts, rules: Rules, now: datetime) -> Decision | None:
    failure = facts.failure
    if failure is not None and failure.fault == "permanent" and failure.setup == rules.setup:
        reason = f"a retry cannot change the last failure ({failure.reason}); put it right, or 'tenant retry'"
        return Decision(False, "permanent", reason)
    if facts.charged >= rules.max_attempts:
        return Decision(
            False,
            "attempts",
            f"{facts.charged} attempts at these examples failed; look at the last failure, "
            "new examples or a manual run start again",
        )
    if failure is None:
        return None
    until = failure.at + backoff(failure, rules)
    if now >= until:
        return None
    reason = f"waiting until {until.isoformat(timespec='minutes')} after the last failure"
    return Decision(False, "backoff", reason, until=until)


def _enough(facts: Facts, rules: Rules, now: datetime, *, by_age: bool) -> Decision:
    oldest = facts.oldest_at
    waited = (now - oldest).total_seconds() / 3600 if oldest is not None else 0.0
    code: Code = "threshold"
    if facts.pending >= rules.threshold:
        settled = (oldest or now) + timedelta(minutes=rules.settle_minutes)
        if facts.preparing > 0 and oldest is not None and now < settled:
            reason = f"{facts.pending} new examples; {facts.preparing} documents are still being prepared"
            return Decision(False, "preparing", reason, until=settled)
        reason = f"{facts.pending} new examples, the threshold is {rules.threshold}"
    elif not by_age:
        return Decision(False, "below_threshold", f"{facts.pending} of {rules.threshold} new examples")
    elif facts.pending < rules.minimum:
        reason = f"{facts.pending} new examples, the schedule needs {rules.minimum}"
        return Decision(False, "below_minimum", reason)
    elif waited < rules.max_age_hours:
        reason = f"the oldest new example is {waited:.1f} h old, {rules.max_age_hours:g} h are needed"
        return Decision(False, "too_young", reason)
    else:
        code, reason = "age", f"{facts.pending} new examples, the oldest waits for {waited:.1f} h"
    if rules.maintenance is not None:
        ends, why = rules.maintenance
        told = f"{reason}; maintenance until {ends.isoformat(timespec='minutes')}: {why}"
        return Decision(False, "maintenance", told, until=ends)
    opens = rules.hours.opens_at(now) if rules.hours is not None else None
    if opens is not None:
        told = f"{reason}; trainings of its tier start at {rules.hours} UTC"
        return Decision(False, "closed_hours", told, until=opens)
    return Decision(True, code, reason, facts.newest_seq, facts.next_attempt)


def run_key(tenant_id: TenantId, through_seq: int, attempt: int) -> str:
    """``tenant:through_seq:attempt``: a scheduler starts a training at most once under it."""
    return f"{tenant_id}:{through_seq}:{attempt}"


def deadline(ready_since: datetime, patience_hours: float) -> datetime:
    """When a training that was decided on at ``ready_since`` goes before everybody who came later."""
    return ready_since + timedelta(hours=patience_hours)


def priority(due: datetime) -> int:
    """The queue's number for a deadline: a minute later, one less; always below the preparing runs' 0."""
    return min(-1, -int((due - _PRIORITY_ZERO).total_seconds() // 60))


def backfill_priority(now: datetime) -> int:
    """Behind every training that is asked for today or in the next weeks, and not behind those for ever."""
    return priority(now + _BACKFILL_PATIENCE)


def next_month(now: datetime) -> datetime:
    """The first moment of the next month, in UTC."""
    moment = now.astimezone(UTC)
    return datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)


def backoff(failure: Failure, rules: Rules) -> timedelta:
    """How long to wait after ``failure``.

    By the examples' fault: the rules' minutes, doubled with each further failure, a day at most. A lost
    worker or a lack of capacity: two minutes, doubled, half an hour at most.
    """
    doublings = min(max(failure.in_a_row - 1, 0), 20)
    if failure.fault in ("worker", "capacity"):
        return min(_AGAIN * (1 << doublings), _LONGEST_AGAIN)
    if failure.fault in ("superseded", "permanent"):  # the one was no failure, the other is put right by now
        return timedelta()
    base = timedelta(minutes=rules.backoff_minutes)
    return max(base, min(base * (1 << doublings), _LONGEST_BACKOFF))
