"""Who is trained now: one look at many tenants gathers what the policy asks for, and begins what it decides.

A look is one transaction of a handful of statements (:mod:`astra_learn_assets.store.looks`), whatever the
number of tenants. What it begins is a row in state ``queued`` for each training; the request for its run
follows. A look that is lost before it commits has taken nothing; one whose answer is lost afterwards leaves
a row without a run, which the next look asks for again, under the same key and as the same attempt, for as
long as it takes.

A row whose run is over and did not close it (:func:`verdict`, pure) is closed here, so that a tenant is never
blocked by a run that cannot end any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import orm

from astra_learn_assets.contracts import Fault
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import masking
from astra_learn_assets.learning.training import policy
from astra_learn_assets.learning.training.policy import Decision, Facts, Failure, Rules
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import looks, subscriptions, trainings
from astra_learn_assets.store.hours import Hours
from astra_learn_assets.store.looks import Claimed

RunState = Literal["unknown", "active", "succeeded", "failed"]
LAUNCH_GRACE = timedelta(minutes=10)
AGAIN = "again"
LOOK_LIMIT = 150
REQUEST_LIMIT = 100


@dataclass(frozen=True)
class Unfinished:
    """A training whose row is not closed."""

    run_id: str
    tenant_id: TenantId
    state: str
    dagster_run_id: str | None
    through_seq: int
    attempt: int
    created_at: datetime


@dataclass(frozen=True)
class Fate:
    """What became of the newest run behind a training; ``fault`` and ``reason`` of one that failed."""

    state: RunState
    fault: Fault = "worker"
    reason: str | None = None


@dataclass(frozen=True)
class Begun:
    """A training to ask a run for; ``code``: threshold, age, or ``again`` when its first request was lost."""

    tenant_id: TenantId
    tier: str
    run_id: str
    through_seq: int
    attempt: int
    code: str
    reason: str
    due: datetime

    @property
    def again(self) -> bool:
        """Whether it was asked for before."""
        return self.code == AGAIN


@dataclass
class Look:
    """What a look found: trainings to ask runs for, and the reason of each tenant that has none."""

    begun: list[Begun] = field(default_factory=list)
    reasons: dict[TenantId, str] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)


FateOf = Callable[[Sequence[Unfinished]], dict[str, Fate]]


def look(
    platform: Platform,
    fate_of: FateOf,
    *,
    by_age: bool = False,
    partitions: Collection[str] | None = None,
    now: datetime | None = None,
    limit: int = LOOK_LIMIT,
    requests: int = REQUEST_LIMIT,
) -> Look:
    """Look at those that are due, close what cannot end any more, begin what the policy decides.

    ``by_age``: as the nightly schedule, which also has the small towns looked at whose examples are old.
    What is more than ``limit`` or ``requests`` stays due for the next look; so does who is none of
    ``partitions`` yet.
    """
    now = now or datetime.now(UTC)
    found = Look()
    settings = platform.settings
    with platform.database.session() as session:
        if by_age:
            old = now - timedelta(hours=settings.train_max_age_hours)
            looks.ask_by_age(session, now=now, minimum=settings.train_minimum, older_than=old)
        claimed = looks.claim(session, "learn", now=now, rules=rules_key(settings), limit=limit)
        if not claimed:
            return found
        stands = _stands(session, settings, claimed, now, by_age=by_age)
        fates = fate_of([row for stand in stands for row in stand.unfinished])
        for stand in stands:
            stand.close(fates, now)
        found.closed = [run_id for stand in stands for run_id in stand.closed]
        trainings.close_all(session, [end for stand in stands for end in stand.closed.values()], now)
        for stand in stands:
            stand.decide(now)
            if partitions is not None and stand.claimed.tenant_id not in partitions:
                stand.put_off = True
                found.reasons[stand.claimed.tenant_id] = "is not a partition yet"
        _begin(session, stands, fates, found, now, requests)
        for stand in stands:
            stand.tell_if_used_up(session)
        looks.leave(session, "learn", [stand.seen() for stand in stands], now)
    return found


def explain(
    platform: Platform, tenant_id: TenantId, *, now: datetime | None = None
) -> tuple[Decision, Facts, Rules]:
    """What a look would decide of one tenant now, from what, under which rules; nothing is changed.

    A tenant that is erased or retired has no facts.
    """
    now = now or datetime.now(UTC)
    with platform.database.session() as session:
        return explain_in(session, platform.settings, tenant_id, now=now)


def explain_in(
    session: orm.Session, settings: Settings, tenant_id: TenantId, *, now: datetime
) -> tuple[Decision, Facts, Rules]:
    """:func:`explain` inside an open transaction."""
    claimed = looks.ask(session, "learn", tenant_id, now=now)
    if claimed is None:
        gone = Facts(paused="retired or erased")
        rules = _limits(settings)
        return policy.decide(gone, rules, now), gone, rules
    (stand,) = _stands(session, settings, [claimed], now, by_age=False)
    stand.decide(now)
    return stand.decision, stand.facts, stand.rules


def verdict(row: Unfinished, fate: Fate, now: datetime, setup: str | None = None) -> trainings.End | None:
    """How an unfinished training is over, or None while it may still end.

    A run that succeeded without closing its row materialized only a part of the chain. One that waits for a
    run that nobody launched is asked for again instead, however old it is: that is not its examples' fault.
    """
    if fate.state == "failed":
        return trainings.End(row.run_id, fate.fault, fate.reason or "its run failed or was cancelled", setup)
    if fate.state == "succeeded":
        return trainings.End(row.run_id, "worker", "its run ended without a verdict")
    if fate.state == "unknown" and row.state != "queued" and now - row.created_at > LAUNCH_GRACE:
        return trainings.End(row.run_id, "worker", "its run is gone")
    return None


def rules_key(settings: Settings) -> str:
    """16 digits over what the settings say and the detectors find: another one means another look at all."""
    content = json.dumps([asdict(_limits(settings)), masking.detectors(settings.ner_model)], default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def setup_key(settings: Settings) -> str:
    """16 digits over what a training is made with: under another one a permanent fault is no more."""
    content = [
        settings.base_model, settings.base_revision, settings.trainer_python, settings.lora_rank,
        settings.lora_alpha, settings.learning_rate, settings.epochs, settings.batch_tokens,
        settings.commit_hash, str(settings.compute_profiles), str(settings.replay_file),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _limits(settings: Settings) -> Rules:
    return Rules(
        threshold=settings.train_threshold,
        minimum=settings.train_minimum,
        max_age_hours=settings.train_max_age_hours,
        backoff_minutes=settings.train_backoff_minutes,
        settle_minutes=settings.train_settle_minutes,
        weekly_quota=0,
        setup=setup_key(settings),
    )


@dataclass
class _Stand:
    """One tenant in a look."""

    claimed: Claimed
    facts: Facts
    rules: Rules
    unfinished: list[Unfinished]
    policy_key: str
    by_age: bool
    decision: Decision = field(default_factory=lambda: Decision(False, "nothing_pending", ""))
    closed: dict[str, trainings.End] = field(default_factory=dict)
    put_off: bool = False

    def close(self, fates: dict[str, Fate], now: datetime) -> None:
        """Take out what cannot end any more; the failure counts in this very look."""
        for row in self.unfinished:
            end = verdict(row, fates.get(row.run_id, Fate("unknown")), now, self.rules.setup)
            if end is None:
                continue
            self.closed[row.run_id] = end
            before = self.facts.failure
            same = before is not None and before.fault == end.fault
            newest = row.through_seq == self.facts.newest_seq
            charged = self.facts.charged + (newest and end.fault == "examples")
            earlier = before.in_a_row if before is not None and same else 0
            in_a_row = charged if end.fault == "examples" else earlier + 1
            self.facts = replace(
                self.facts,
                failure=Failure(now, end.fault, end.reason, self.rules.setup, max(in_a_row, 1)),
                charged=charged,
                next_attempt=max(self.facts.next_attempt, row.attempt + 1 if newest else 1),
            )
        self.unfinished = [row for row in self.unfinished if row.run_id not in self.closed]
        self.facts = replace(self.facts, unfinished=bool(self.unfinished))

    def decide(self, now: datetime) -> None:
        """Ask the policy."""
        self.decision = policy.decide(self.facts, self.rules, now, by_age=self.by_age)

    def tell_if_used_up(self, session: orm.Session) -> None:
        """Tell who asked to be told that the week's trainings or the month's minutes are used; once."""
        decision = self.decision
        if decision.code not in ("quota", "budget") or self.claimed.code == decision.code:
            return
        of_week = decision.code == "quota"
        used = self.facts.started_this_week if of_week else round(self.facts.gpu_minutes_used)
        bound = self.rules.weekly_quota if of_week else round(self.rules.gpu_minutes_month or 0)
        until = decision.until.isoformat(timespec="minutes") if decision.until else None
        facts = {"what": decision.code, "used": used, "of": bound, "until": until}
        subscriptions.tell(session, self.claimed.tenant_id, "budget", facts)

    @property
    def ready_since(self) -> datetime | None:
        """Since when it would train, if it was put off before."""
        return self.claimed.since if self.claimed.code in ("threshold", "age") else None

    def seen(self) -> looks.Seen:
        """What the look leaves behind. Who waits for a run or was put off is looked at again soon."""
        waits = self.put_off or self.decision.train or bool(self.unfinished)
        oldest = self.facts.oldest_at
        return looks.Seen(
            tenant_id=self.claimed.tenant_id,
            code=self.decision.code,
            reason=self.decision.reason,
            look_at=datetime(1970, 1, 1, tzinfo=UTC) if waits else self.decision.until,
            rules=self.claimed.rules,
            policy=self.policy_key,
            # asked for until it was answered by a training or by a change that makes it needless
            by_age=self.by_age and not self.decision.train and self.decision.code not in _ANSWERS_AGE,
            facts={
                "pending": self.facts.pending,
                "newest": self.facts.newest_seq,
                "oldest": None if oldest is None else oldest.isoformat(),
                "preparing": self.facts.preparing,
                "gpu_minutes": round(self.facts.gpu_minutes_used, 1),
                "trainings_this_week": self.facts.started_this_week,
            },
        )


_ANSWERS_AGE = ("nothing_pending", "below_minimum", "too_young", "unfinished")


def _stands(
    session: orm.Session, settings: Settings, claimed: Sequence[Claimed], now: datetime, *, by_age: bool
) -> list[_Stand]:
    policies = {one.tenant_id: masking.claimed_policy(settings, one) for one in claimed}
    week, month = (
        now - timedelta(days=7),
        now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0),
    )
    counted = {one.tenant_id: one.facts["newest"] for one in claimed if _is_counted(one)}
    rows = looks.training_facts(session, policies, week=week, month=month, counted=counted)
    known = {row.tenant_id: row for row in rows}
    limits = _limits(settings)
    stands = []
    for one in claimed:
        row = known[str(one.tenant_id)]
        unfinished = [
            Unfinished(name, one.tenant_id, state, run, seq, attempt, datetime.fromisoformat(created))
            for name, state, run, seq, attempt, created in row.unfinished or ()
        ]
        stands.append(
            _Stand(
                claimed=one,
                facts=_facts(row, one, bool(unfinished)),
                rules=replace(
                    limits,
                    weekly_quota=one.weekly_quota,
                    gpu_minutes_month=one.gpu_minutes_month,
                    patience_hours=one.patience_hours,
                    hours=Hours.parse(one.training_hours) if one.training_hours else None,
                    maintenance=one.maintenance,
                ),
                unfinished=unfinished,
                policy_key=policies[one.tenant_id],
                by_age=by_age or one.by_age,
            )
        )
    return stands


def _is_counted(claimed: Claimed) -> bool:
    """Whether the last look's count of examples held at the claim: all that could change it is noted."""
    return not claimed.changed and "newest" in claimed.facts


def _facts(row: Any, claimed: Claimed, unfinished: bool) -> Facts:
    failure = None
    if row.failed_at is not None:
        fault: Fault = row.fault or "worker"
        in_a_row = row.charged if fault == "examples" else row.in_a_row
        failure = Failure(row.failed_at, fault, row.failure or "", row.setup, max(in_a_row, 1))
    pending, oldest_at = row.pending, row.oldest_at
    if row.counted:
        pending, oldest = claimed.facts["pending"], claimed.facts["oldest"]
        oldest_at = None if oldest is None else datetime.fromisoformat(oldest)
    return Facts(
        pending=pending,
        newest_seq=row.newest_seq,
        oldest_at=oldest_at,
        preparing=row.preparing,
        unfinished=unfinished,
        failure=failure,
        next_attempt=row.next_attempt,
        charged=row.charged,
        started_this_week=row.started_this_week,
        week_frees_at=None if row.week_began is None else row.week_began + timedelta(days=7),
        gpu_minutes_used=float(row.gpu_seconds) / 60,
        paused=claimed.paused,
    )


def _begin(
    session: orm.Session,
    stands: Sequence[_Stand],
    fates: dict[str, Fate],
    found: Look,
    now: datetime,
    requests: int,
) -> None:
    """Rows for what is to be trained, the most urgent first; runs never launched are asked for again."""
    lost = [
        Begun(
            row.tenant_id, stand.claimed.tier, row.run_id, row.through_seq, row.attempt, AGAIN,
            "asked for again: its run was never launched",
            policy.deadline(row.created_at, stand.rules.patience_hours),
        )
        for stand in stands
        for row in stand.unfinished
        if row.state == "queued"
        and fates.get(row.run_id, Fate("unknown")).state == "unknown"
        and stand.facts.paused is None
    ]  # fmt: skip
    ready = [stand for stand in stands if stand.decision.train and not stand.put_off]
    ready.sort(key=lambda stand: _due(stand, now))
    room = max(requests - len(lost), 0)
    for stand in ready[room:]:
        stand.put_off = True
        found.reasons[stand.claimed.tenant_id] = f"{stand.decision.reason}; asked for in the next look"
    chosen = ready[:room]
    made = trainings.start_all(
        session,
        [
            (stand.claimed.tenant_id, stand.decision.through_seq or 0, stand.decision.attempt or 1)
            for stand in chosen
        ],
    )
    for stand in chosen:
        tenant = stand.claimed.tenant_id
        run_id = made.get(tenant)
        if run_id is None:  # somebody was faster
            found.reasons[tenant] = "a training of this tenant is queued or running"
            continue
        found.begun.append(
            Begun(
                tenant,
                stand.claimed.tier,
                run_id,
                stand.decision.through_seq or 0,
                stand.decision.attempt or 1,
                stand.decision.code,
                stand.decision.reason,
                _due(stand, now),
            )
        )
    found.begun += lost[:requests]
    asked = {begun.tenant_id for begun in found.begun}
    for stand in stands:
        if stand.claimed.tenant_id not in asked:
            found.reasons.setdefault(stand.claimed.tenant_id, stand.decision.reason)


def _due(stand: _Stand, now: datetime) -> datetime:
    return policy.deadline(stand.ready_since or now, stand.rules.patience_hours)
