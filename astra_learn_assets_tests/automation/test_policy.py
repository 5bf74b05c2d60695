"""The training policy, branch by branch and bound by bound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from astra_learn_assets.errors import InvalidTenantId
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
        "tenant_id": "villaverde",
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


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InvalidTenantId):
        _decide(500, tenant_id="a:b")
    with pytest.raises(ValueError, match="time zone"):
        _decide(500, now=datetime(2026, 3, 2))
    with pytest.raises(ValueError, match="attempt"):
        _decide(500, next_attempt=0)
