"""The training policy, branch by branch and bound by bound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from astra_learn_assets.learning.training.policy import Decision, decide_training, run_key
from astra_learn_assets.settings import Settings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class _Pending:
    count: int
    newest_seq: int | None = 900
    oldest_created_at: datetime | None = NOW - timedelta(hours=1)


def _decide(count: int, *, age_hours: float = 1, **changes: object) -> Decision:
    arguments: dict[str, object] = {
        "now": NOW,
        "pending": _Pending(count, oldest_created_at=NOW - timedelta(hours=age_hours)),
        "limits": Settings(_env_file=None),  # type: ignore[call-arg]
        "unfinished": False,
        "last_failed_at": None,
        "next_attempt": 1,
        "started_this_week": 0,
        "quota": 7,
    }
    return decide_training(**{**arguments, **changes})  # type: ignore[arg-type]


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
    assert _decide(5, pending=_Pending(5, newest_seq=None)).code == "nothing_pending"


def test_one_training_of_a_tenant_at_a_time() -> None:
    assert _decide(5_000, unfinished=True).code == "unfinished"
    assert _decide(5_000, unfinished=True, cron=True).code == "unfinished"


@pytest.mark.parametrize(
    ("started", "quota", "train"), [(6, 7, True), (7, 7, False), (8, 7, False), (0, 0, False)]
)
def test_the_weekly_quota_is_kept(started: int, quota: int, train: bool) -> None:
    assert _decide(500, started_this_week=started, quota=quota).train is train


@pytest.mark.parametrize(
    ("minutes", "attempt", "train"),
    [
        (29.99, 2, False),
        (30, 2, True),
        (59.99, 3, False),
        (60, 3, True),
        (239, 5, False),
        (240, 5, True),
        (29.99, 1, False),
        (30, 1, True),
    ],
)
def test_the_back_off_doubles_with_each_failure_and_ends(minutes: float, attempt: int, train: bool) -> None:
    decision = _decide(500, last_failed_at=NOW - timedelta(minutes=minutes), next_attempt=attempt)
    assert decision.train is train
    assert (decision.through_seq, decision.attempt) == ((900, attempt) if train else (None, None))


def test_the_back_off_is_a_day_at_most() -> None:
    failed = NOW - timedelta(hours=24)
    assert _decide(500, last_failed_at=failed, next_attempt=40, max_attempts=99).train
    assert not _decide(
        500, last_failed_at=failed + timedelta(seconds=1), next_attempt=40, max_attempts=99
    ).train


def test_after_five_failures_on_the_same_examples_a_person_has_to_look() -> None:
    assert _decide(500, next_attempt=5).train
    assert _decide(500, next_attempt=6).code == "attempts"


def test_a_failure_in_the_future_waits_like_one_just_now() -> None:
    assert _decide(500, last_failed_at=NOW + timedelta(minutes=5)).code == "backoff"


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
            {"next_attempt": 6},
            Decision(
                False,
                "attempts",
                "5 attempts at these examples failed; look at the last failure, "
                "new examples or a manual run start again",
            ),
        ),
        (
            {"last_failed_at": NOW - timedelta(minutes=10)},
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
            {"pending": _Pending(50, oldest_created_at=None), "cron": True},
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
        _decide(500, now=datetime(2026, 3, 2))
    with pytest.raises(ValueError, match=r"^the first attempt is number 1$"):
        _decide(500, next_attempt=0)
