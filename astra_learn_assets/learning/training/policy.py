"""When is a tenant trained? One pure function, asked by the sensor, the schedule and the status page.

There are two ways in. The *threshold*: enough new examples since the last finished training. The *cron*:
fewer, but the oldest has waited long enough, so a small town learns too. And four ways out, checked first:
nothing new, a training under way, the weekly quota, and the back-off after a failure.

Pending is counted from a sequence number, not modulo the threshold: a batch of 300 that jumps from 400 to
700 trains at 700. While corrected documents of the tenant are still being prepared the threshold waits
for them, ``train_settle_minutes`` at most: a batch of uploads is learned as one. The run key carries the
attempt, because a scheduler never starts the same key twice, failed or not: without it one crashed pod
would end a town's learning for good. Back-off doubles with each failed attempt on the same examples and
after ``max_attempts`` a person has to look; new examples start at attempt one again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from astra_learn_assets.ids import TenantId

Code = Literal[
    "threshold",
    "age",
    "nothing_pending",
    "unfinished",
    "quota",
    "attempts",
    "backoff",
    "preparing",
    "below_threshold",
    "below_minimum",
    "too_young",
]

_LONGEST_BACKOFF = timedelta(hours=24)


class PendingExamples(Protocol):
    """Usable examples that no finished training has seen; ``oldest_created_at`` is aware."""

    @property
    def count(self) -> int: ...
    @property
    def newest_seq(self) -> int | None: ...
    @property
    def oldest_created_at(self) -> datetime | None: ...


class PolicyLimits(Protocol):
    """The knobs; :class:`astra_learn_assets.settings.Settings` has them."""

    @property
    def train_threshold(self) -> int: ...
    @property
    def train_minimum(self) -> int: ...
    @property
    def train_max_age_hours(self) -> float: ...
    @property
    def train_backoff_minutes(self) -> float: ...
    @property
    def train_settle_minutes(self) -> float: ...


@dataclass(frozen=True)
class Decision:
    """Train or not, and why. ``code`` is stable, ``reason`` is a sentence for an operator.

    ``through_seq`` and ``attempt`` say which training, when ``train``; else they are None.
    """

    train: bool
    code: Code
    reason: str
    through_seq: int | None = None
    attempt: int | None = None


def decide_training(
    *,
    now: datetime,
    pending: PendingExamples,
    limits: PolicyLimits,
    unfinished: bool,
    last_failed_at: datetime | None,
    next_attempt: int,
    started_this_week: int,
    quota: int,
    preparing: int = 0,
    cron: bool = False,
    max_attempts: int = 5,
) -> Decision:
    """Decide for one tenant at one moment.

    ``unfinished``: a training is queued or running; ``last_failed_at``: end of the last failure since the
    last success, if any; ``next_attempt``: 1 + attempts already made at ``pending.newest_seq``;
    ``started_this_week`` against ``quota``; ``preparing``: documents compared or uploaded whose examples
    are not there yet; ``cron``: asked by the schedule, so age counts too. Times are
    aware. At every bound, reaching it is enough.

    Raises:
        ValueError: for a naive time, or an attempt below 1.
    """
    for value in (now, last_failed_at, pending.oldest_created_at):
        if value is not None and value.tzinfo is None:
            raise ValueError("times must carry a time zone")
    if next_attempt < 1:
        raise ValueError("the first attempt is number 1")

    if pending.count <= 0 or pending.newest_seq is None:
        return Decision(False, "nothing_pending", "no new examples since the last training")
    if unfinished:
        return Decision(False, "unfinished", "a training of this tenant is queued or running")
    if started_this_week >= quota:
        return Decision(
            False, "quota", f"{started_this_week} trainings in the last 7 days, the quota is {quota}"
        )
    if next_attempt > max_attempts:
        return Decision(
            False,
            "attempts",
            f"{next_attempt - 1} attempts at these examples failed; look at the last failure, "
            "new examples or a manual run start again",
        )
    if last_failed_at is not None:
        backoff = _backoff(limits.train_backoff_minutes, next_attempt)
        if now < last_failed_at + backoff:
            until = (last_failed_at + backoff).isoformat(timespec="minutes")
            return Decision(False, "backoff", f"waiting until {until} after the last failure")

    if pending.count >= limits.train_threshold:
        settle = timedelta(minutes=limits.train_settle_minutes)
        oldest = pending.oldest_created_at
        if preparing > 0 and oldest is not None and now < oldest + settle:
            reason = f"{pending.count} new examples; {preparing} documents are still being prepared"
            return Decision(False, "preparing", reason)
        reason = f"{pending.count} new examples, the threshold is {limits.train_threshold}"
        return Decision(True, "threshold", reason, pending.newest_seq, next_attempt)
    if not cron:
        reason = f"{pending.count} of {limits.train_threshold} new examples"
        return Decision(False, "below_threshold", reason)
    if pending.count < limits.train_minimum:
        reason = f"{pending.count} new examples, the schedule needs {limits.train_minimum}"
        return Decision(False, "below_minimum", reason)
    oldest = pending.oldest_created_at
    waited = (now - oldest).total_seconds() / 3600 if oldest is not None else 0.0
    if waited < limits.train_max_age_hours:
        reason = f"the oldest new example is {waited:.1f} h old, {limits.train_max_age_hours:g} h are needed"
        return Decision(False, "too_young", reason)
    reason = f"{pending.count} new examples, the oldest waits for {waited:.1f} h"
    return Decision(True, "age", reason, pending.newest_seq, next_attempt)


def run_key(tenant_id: TenantId, through_seq: int, attempt: int) -> str:
    """``tenant:through_seq:attempt``: a scheduler starts a training at most once under it."""
    return f"{tenant_id}:{through_seq}:{attempt}"


def _backoff(minutes: float, next_attempt: int) -> timedelta:
    """``minutes`` after the first failure, doubled with each further attempt, at most 24 hours."""
    base = timedelta(minutes=minutes)
    doublings = min(max(next_attempt - 2, 0), 20)
    return max(base, min(base * (1 << doublings), _LONGEST_BACKOFF))
