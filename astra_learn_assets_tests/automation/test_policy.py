"""The training policy, branch by branch and bound by bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_learn_assets.errors import BadInput
from astra_learn_assets.learning.training.policy import (
    Decision,
    Facts,
    Failure,
    Fault,
    Rules,
    backfill_priority,
    deadline,
    decide,
    next_month,
    priority,
    run_key,
)
from astra_learn_assets.store.hours import Hours

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULES = Rules(
    threshold=500, minimum=50, max_age_hours=168, backoff_minutes=30, settle_minutes=10, weekly_quota=7
)
_OF_RULES = {*Rules.__dataclass_fields__}


def _decide(count: int, *, age_hours: float = 1, cron: bool = False, **changes: Any) -> Decision:
    """``failed`` minutes ago stands for a failure by the examples' fault."""
    facts = Facts(
        pending=count, newest_seq=900, oldest_at=NOW - timedelta(hours=age_hours), week_frees_at=NOW
    )
    rules = replace(RULES, **{name: value for name, value in changes.items() if name in _OF_RULES})
    given = {name: value for name, value in changes.items() if name not in _OF_RULES}
    decision = decide(replace(facts, **given), rules, NOW, by_age=cron)
    return replace(decision, until=None)


def _failed(minutes: float, in_a_row: int = 1, fault: Fault = "examples", **more: Any) -> Failure:
    return Failure(NOW - timedelta(minutes=minutes), fault, "why", in_a_row=in_a_row, **more)


@pytest.mark.parametrize(("count", "train"), [(499, False), (500, True), (501, True), (700, True)])
def test_the_threshold_is_reached_or_passed_and_never_jumped_over(count: int, train: bool) -> None:
    decision = _decide(count)
    assert decision.train is train
    assert decision.code == ("threshold" if train else "below_threshold")
    assert (decision.through_seq, decision.attempt) == ((900, 1) if train else (None, None))
    assert str(count) in decision.reason


@pytest.mark.parametrize(
    ("preparing", "minutes", "code"),
    [(3, 0, "preparing"), (1, 9.9, "preparing"), (1, 10, "threshold"), (0, 0, "threshold")],
)
def test_enough_examples_wait_a_little_for_documents_still_being_prepared(
    preparing: int, minutes: float, code: str
) -> None:
    decision = _decide(500, age_hours=minutes / 60, preparing=preparing)
    assert decision.code == code
    assert decision.train is (code == "threshold")


def test_too_few_examples_wait_for_more_whatever_is_being_prepared() -> None:
    assert _decide(499, age_hours=0, preparing=5).code == "below_threshold"


@pytest.mark.parametrize(
    ("count", "age", "code"),
    [
        (50, 168, "age"),
        (49, 168, "below_minimum"),
        (50, 167.99, "too_young"),
        (499, 400, "age"),
        (500, 0, "threshold"),
    ],
)
def test_the_schedule_trains_fewer_examples_that_have_waited(count: int, age: float, code: str) -> None:
    decision = _decide(count, age_hours=age, cron=True)
    assert decision.code == code
    assert decision.train is (code in ("age", "threshold"))


def test_age_alone_does_not_train_between_schedules() -> None:
    assert _decide(499, age_hours=10_000).code == "below_threshold"


def test_nothing_new_is_said_before_anything_else() -> None:
    assert _decide(0, unfinished=True).code == "nothing_pending"
    assert _decide(5, newest_seq=None).code == "nothing_pending"


def test_one_training_of_a_tenant_at_a_time() -> None:
    assert _decide(5_000, unfinished=True).code == "unfinished"
    assert _decide(5_000, unfinished=True, cron=True).code == "unfinished"


@pytest.mark.parametrize(
    ("started", "quota", "train"), [(6, 7, True), (7, 7, False), (8, 7, False), (0, 0, False)]
)
def test_the_weekly_quota_is_kept(started: int, quota: int, train: bool) -> None:
    assert _decide(500, started_this_week=started, weekly_quota=quota).train is train


@pytest.mark.parametrize(
    ("minutes", "failures", "train"),
    [(29.99, 1, False), (30, 1, True), (59.99, 2, False), (60, 2, True), (239, 4, False), (240, 4, True)],
)
def test_the_back_off_doubles_with_each_failure_and_ends(minutes: float, failures: int, train: bool) -> None:
    decision = _decide(500, failure=_failed(minutes, failures), next_attempt=failures + 1, charged=failures)
    assert decision.train is train
    assert (decision.through_seq, decision.attempt) == ((900, failures + 1) if train else (None, None))


def test_the_back_off_is_a_day_at_most() -> None:
    assert _decide(500, failure=_failed(24 * 60, 40), max_attempts=99).train
    assert not _decide(500, failure=_failed(24 * 60 - 0.1, 40), max_attempts=99).train


def test_after_five_failures_on_the_same_examples_a_person_has_to_look() -> None:
    assert _decide(500, next_attempt=5, charged=4).train
    assert _decide(500, next_attempt=6, charged=5).code == "attempts"


@pytest.mark.parametrize("fault", ["worker", "capacity"])
def test_a_lost_worker_or_a_full_cluster_costs_no_attempt_and_is_tried_again_soon(fault: Fault) -> None:
    decision = _decide(500, failure=_failed(30, 400, fault), next_attempt=401, charged=0)
    assert decision.train
    assert decision.attempt == 401
    assert not _decide(500, failure=_failed(1.9, 1, fault)).train
    assert _decide(500, failure=_failed(2, 1, fault)).train
    assert not _decide(500, failure=_failed(29, 400, fault)).train


def test_a_fault_that_a_retry_cannot_change_waits_for_another_setup() -> None:
    gone = _failed(60 * 24 * 30, fault="permanent", setup="a" * 16)
    decision = _decide(5_000, failure=gone, setup="a" * 16)
    assert decision.code == "permanent"
    assert "why" in decision.reason
    assert _decide(5_000, failure=gone, setup="b" * 16).train
    just_now = _failed(0, fault="permanent", setup="a" * 16)
    assert _decide(5_000, failure=just_now, setup="b" * 16).train, "put right at once, tried again at once"


def test_a_training_that_was_not_needed_any_more_holds_nothing_up() -> None:
    assert _decide(500, failure=_failed(0, 1, "superseded")).train


def test_a_failure_in_the_future_waits_like_one_just_now() -> None:
    assert _decide(500, failure=_failed(-5)).code == "backoff"


def test_the_months_gpu_minutes_stop_a_tenant_until_the_month_ends() -> None:
    assert _decide(500, gpu_minutes_month=60.0, gpu_minutes_used=59.9).train
    facts = Facts(pending=500, newest_seq=9, gpu_minutes_used=60)
    decision = decide(facts, replace(RULES, gpu_minutes_month=60), NOW)
    assert decision.code == "budget"
    assert decision.until == datetime(2026, 4, 1, tzinfo=UTC)
    assert _decide(500, gpu_minutes_month=0.0).code == "budget", "a budget of nothing stops everything"
    assert _decide(500, gpu_minutes_month=None, gpu_minutes_used=10**9).train


def test_the_month_after_december_is_january() -> None:
    assert next_month(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_paused_tenant_is_not_trained_whatever_waits() -> None:
    decision = _decide(5_000, paused="contract under review")
    assert decision.code == "paused"
    assert "contract under review" in decision.reason


def test_a_maintenance_holds_back_what_would_train_and_says_until_when() -> None:
    ends = NOW + timedelta(hours=2)
    decision = decide(Facts(pending=500, newest_seq=9), replace(RULES, maintenance=(ends, "new driver")), NOW)
    assert (decision.code, decision.until) == ("maintenance", ends)
    assert "new driver" in decision.reason
    assert _decide(499, maintenance=(ends, "new driver")).code == "below_threshold"


@pytest.mark.parametrize(
    ("hours", "opens"),
    [
        ("22:00-06:00", datetime(2026, 3, 2, 22, tzinfo=UTC)),
        ("06:00-12:00", datetime(2026, 3, 3, 6, tzinfo=UTC)),
        ("12:00-12:01", None),
        ("11:59-03:00", None),
        ("12:01-12:00", datetime(2026, 3, 2, 12, 1, tzinfo=UTC)),
    ],
)
def test_trainings_start_in_the_hours_of_the_tier(hours: str, opens: datetime | None) -> None:
    decision = decide(Facts(pending=500, newest_seq=9), replace(RULES, hours=Hours.parse(hours)), NOW)
    assert decision.train is (opens is None)
    assert decision.until == opens
    assert decision.code == ("threshold" if opens is None else "closed_hours")


@pytest.mark.parametrize("text", ["", "22-06", "24:00-06:00", "22:00-06:60", "22:00 - 06:00", "x"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="HH:MM-HH:MM"):
        Hours.parse(text)


def test_hours_that_never_open_are_refused() -> None:
    with pytest.raises(BadInput, match="never open"):
        Hours.parse("06:00-06:00")


def test_a_new_attempt_has_a_new_run_key() -> None:
    assert run_key("villaverde", 900, 1) == "villaverde:900:1"
    assert run_key("villaverde", 900, 2) == "villaverde:900:2"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"count": 0},
            Decision(False, "nothing_pending", "no new examples since the last training"),
        ),
        (
            {"unfinished": True},
            Decision(False, "unfinished", "a training of this tenant is queued or running"),
        ),
        (
            {"started_this_week": 7},
            Decision(False, "quota", "7 trainings in the last 7 days, the quota is 7"),
        ),
        (
            {"charged": 5},
            Decision(
                False,
                "attempts",
                "5 attempts at these examples failed; look at the last failure, "
                "new examples or a manual run start again",
            ),
        ),
        (
            {"failure": _failed(10)},
            Decision(False, "backoff", "waiting until 2026-03-02T12:20+00:00 after the last failure"),
        ),
        (
            {"age_hours": 0, "preparing": 3},
            Decision(False, "preparing", "500 new examples; 3 documents are still being prepared"),
        ),
        (
            {"count": 501},
            Decision(True, "threshold", "501 new examples, the threshold is 500", 900, 1),
        ),
        (
            {"count": 499},
            Decision(False, "below_threshold", "499 of 500 new examples"),
        ),
        (
            {"count": 49, "cron": True},
            Decision(False, "below_minimum", "49 new examples, the schedule needs 50"),
        ),
        (
            {"count": 50, "age_hours": 1.5, "cron": True},
            Decision(False, "too_young", "the oldest new example is 1.5 h old, 168 h are needed"),
        ),
        (
            {"count": 50, "oldest_at": None, "cron": True},
            Decision(False, "too_young", "the oldest new example is 0.0 h old, 168 h are needed"),
        ),
        (
            {"count": 50, "age_hours": 200, "cron": True},
            Decision(True, "age", "50 new examples, the oldest waits for 200.0 h", 900, 1),
        ),
    ],
    ids=lambda value: value.code if isinstance(value, Decision) else "",
)
def test_an_operator_reads_why_a_town_is_trained_or_not(changes: dict[str, object], said: Decision) -> None:
    assert _decide(**{"count": 500, **changes}) == said  # type: ignore[arg-type]


def test_a_single_example_is_something_new() -> None:
    assert _decide(1).code == "below_threshold"
    assert _decide(-1).code == "nothing_pending"


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^times must carry a time zone$"):
        decide(Facts(pending=500, newest_seq=9), RULES, datetime(2026, 3, 2))
    with pytest.raises(ValueError, match=r"^the first attempt is number 1$"):
        _decide(500, next_attempt=0)


ASKED = st.lists(
    st.tuples(st.sampled_from([4.0, 24.0, 720.0]), st.integers(0, 60 * 24 * 40)), min_size=2, max_size=60
)


@given(ASKED)
def test_nobody_is_overtaken_by_who_came_later_than_the_difference_of_patience(
    asked: list[tuple[float, int]],
) -> None:
    queue = [(NOW + timedelta(minutes=minute), patience) for patience, minute in asked]
    ranked = sorted(queue, key=lambda one: -priority(deadline(*one)))
    for place, (at, patience) in enumerate(ranked):
        for ahead_at, ahead_patience in ranked[:place]:
            assert ahead_at <= at + timedelta(hours=max(patience - ahead_patience, 0), minutes=1)


@given(ASKED, st.integers(1, 4))
def test_no_tenant_starves_however_many_of_a_better_tier_keep_coming(
    asked: list[tuple[float, int]], cards: int
) -> None:
    """A card that is free takes the first of the queue; a training takes half an hour."""
    coming = sorted((minute, patience) for patience, minute in asked)
    free, waiting, waits = [0.0] * cards, [], []
    while coming or waiting:
        now = min(free)
        if not waiting and coming:
            now = max(now, coming[0][0])
        while coming and coming[0][0] <= now:
            waiting.append(coming.pop(0))
        waiting.sort(key=lambda one: -priority(deadline(NOW + timedelta(minutes=one[0]), one[1])))
        minute, patience = waiting.pop(0)
        waits.append((now - minute, patience, minute))
        free[free.index(min(free))] = now + 30
    for waited, patience, minute in waits:
        before = sum(other <= minute + 60 * patience for _, other in asked)
        assert waited <= 30 * (before / cards + 1)


def test_a_preparing_run_goes_before_every_training_and_a_backfill_behind_them() -> None:
    soon = priority(deadline(NOW, 4))
    late = priority(deadline(NOW + timedelta(days=20), 24))
    assert backfill_priority(NOW) < late < soon < 0


@given(st.integers(0, 5_000), st.integers(0, 20), st.integers(0, 20), st.booleans(), st.floats(0, 500))
def test_a_decision_always_says_why_and_trains_only_what_there_is(
    pending: int, started: int, quota: int, by_age: bool, used: float
) -> None:
    facts = Facts(
        pending=pending, newest_seq=pending or None, oldest_at=NOW, started_this_week=started,
        gpu_minutes_used=used,
    )  # fmt: skip
    rules = replace(RULES, weekly_quota=quota, gpu_minutes_month=250.0)
    decision = decide(facts, rules, NOW, by_age=by_age)
    assert decision.reason
    assert decision.train is (pending >= 500 and started < quota and used < 250)
    assert (decision.through_seq is not None) is decision.train


def _why_not(count: int = 500, **changes: Any) -> Decision:
    """As :func:`_decide`, with the time at which it may be another."""
    facts = Facts(pending=count, newest_seq=900, oldest_at=NOW - timedelta(hours=1), week_frees_at=NOW)
    rules = replace(RULES, **{name: value for name, value in changes.items() if name in _OF_RULES})
    given = {name: value for name, value in changes.items() if name not in _OF_RULES}
    return decide(replace(facts, **given), rules, NOW)


@pytest.mark.parametrize(
    ("changes", "code", "until"),
    [
        ({"paused": "by ana"}, "paused", None),
        ({"started_this_week": 7, "week_frees_at": NOW + timedelta(days=2)}, "quota", timedelta(days=2)),
        ({"failure": _failed(5, fault="permanent", setup="s"), "setup": "s"}, "permanent", None),
        ({"failure": _failed(5)}, "backoff", timedelta(minutes=25)),
        ({"preparing": 1, "oldest_at": NOW - timedelta(minutes=4)}, "preparing", timedelta(minutes=6)),
        ({"maintenance": (NOW + timedelta(hours=3), "disks")}, "maintenance", timedelta(hours=3)),
        ({"hours": Hours.parse("22:00-06:00")}, "closed_hours", timedelta(hours=10)),
    ],
)
def test_what_holds_a_training_back_does_so_and_says_until_when(
    changes: dict[str, Any], code: str, until: timedelta | None
) -> None:
    decision = _why_not(**changes)
    assert (decision.train, decision.code) == (False, code)
    assert decision.until == (None if until is None else NOW + until)


def test_closed_hours_are_told_with_the_hours() -> None:
    told = _why_not(hours=Hours.parse("22:00-06:00")).reason
    assert told == "500 new examples, the threshold is 500; trainings of its tier start at 22:00-06:00 UTC"


def test_only_the_schedule_lets_age_stand_for_number() -> None:
    facts = Facts(pending=60, newest_seq=900, oldest_at=NOW - timedelta(days=30), week_frees_at=NOW)
    assert decide(facts, RULES, NOW).code == "below_threshold"
    assert decide(facts, RULES, NOW, by_age=True).code == "age"


def test_a_failure_without_a_time_zone_is_refused() -> None:
    facts = Facts(pending=1, newest_seq=1, failure=Failure(NOW.replace(tzinfo=None), "worker", "why"))
    with pytest.raises(ValueError, match="time zone"):
        decide(facts, RULES, NOW)


@pytest.mark.parametrize(
    ("after", "number"),
    [
        (timedelta(0), -1),
        (timedelta(seconds=119), -1),
        (timedelta(seconds=121), -2),
        (timedelta(hours=61), -3660),
        (timedelta(days=-400), -1),
    ],
)
def test_the_queue_number_of_a_deadline_counts_whole_minutes(after: timedelta, number: int) -> None:
    assert priority(datetime(2025, 1, 1, tzinfo=UTC) + after) == number


def test_a_month_begins_in_utc_wherever_the_clock_is() -> None:
    there = datetime(2026, 3, 31, 23, 30, tzinfo=timezone(timedelta(hours=-6)))
    assert next_month(there) == datetime(2026, 5, 1, tzinfo=UTC)
