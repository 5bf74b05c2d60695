"""A trial in real sessions: each rule on both of its sides."""

from __future__ import annotations

import math
import random

import pytest

from astra_learn_assets.evaluation.canary_rules import CanaryLimits, judge

LIMITS = CanaryLimits(sessions=5, days=28)
STEADY = [0.060, 0.064, 0.058, 0.061, 0.062, 0.059]


def moved(points: float, sessions: list[float] = STEADY) -> list[float]:
    return [one + points / 100 for one in sessions]


def test_without_sessions_of_both_it_waits_and_when_the_days_are_over_the_gates_word_holds() -> None:
    for new, stable in (([], []), (STEADY, []), ([], STEADY)):
        assert judge(new, stable, days=27.9, limits=LIMITS).outcome == "wait"
        ended = judge(new, stable, days=28, limits=LIMITS)
        assert (ended.outcome, ended.points) == ("finish", None)


def test_as_good_an_adapter_finishes_as_soon_as_enough_sessions_say_so() -> None:
    assert judge(STEADY[:4], STEADY, days=1, limits=LIMITS).outcome == "wait"
    judged = judge(STEADY, moved(0.1), days=1, limits=LIMITS)
    assert judged.outcome == "finish"
    assert judged.points == pytest.approx(-0.1)
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low < -0.1 < judged.high


def test_a_much_worse_adapter_is_rolled_back_before_the_sessions_are_enough() -> None:
    assert (
        judge(moved(8)[:2], STEADY, days=0.5, limits=LIMITS).outcome == "wait"
    )  # two can be alike by chance
    judged = judge(moved(8)[:3], STEADY, days=0.5, limits=LIMITS)
    assert judged.outcome == "roll_back"
    assert "+8.0 points in 3 sessions against 6" in judged.reason


def test_more_points_than_are_allowed_roll_back_even_where_sessions_differ_much() -> None:
    wild = [0.01, 0.30, 0.02, 0.25, 0.03, 0.2]
    other = [0.02, 0.20, 0.01, 0.15, 0.02, 0.1]
    judged = judge(wild, other, days=1, limits=LIMITS)
    assert judged.outcome == "roll_back"
    assert judged.low is not None
    assert judged.low < 0
    assert judge(wild[:4], other[:4], days=1, limits=LIMITS).outcome == "wait"
    assert judge(wild[:4], other[:4], days=28, limits=LIMITS).outcome == "roll_back"


def test_what_cannot_be_told_waits_until_the_days_are_over() -> None:
    wild = [0.01, 0.30, 0.02, 0.25, 0.03, 0.2]
    assert judge(wild, wild[::-1], days=1, limits=LIMITS).outcome == "wait"
    assert judge(wild, wild[::-1], days=30, limits=LIMITS).outcome == "finish"


def test_a_small_but_sure_rise_is_rolled_back_and_one_within_the_margin_is_not() -> None:
    same = [0.06] * 6
    assert judge([0.066] * 6, same, days=1, limits=LIMITS).outcome == "roll_back"  # .6 points, no spread
    assert judge([0.064] * 6, same, days=1, limits=LIMITS).outcome == "finish"  # .4 points


def test_a_clock_that_was_set_back_ends_nothing() -> None:
    assert judge([], [], days=-400, limits=LIMITS).outcome == "wait"


def test_an_equal_adapter_is_seldom_rolled_back_however_often_it_is_looked_at() -> None:
    rng = random.Random(7)
    failed = 0
    for _ in range(300):
        new, stable = [], [rng.gauss(0.08, 0.02) for _ in range(10)]
        for _ in range(25):
            new.append(rng.gauss(0.08, 0.02))
            judged = judge(new, stable, days=1, limits=LIMITS)
            if judged.outcome != "wait":
                failed += judged.outcome == "roll_back"
                break
    assert failed <= 15  # of 300: 5 %


@pytest.mark.parametrize(
    "wrong", [{"sessions": 1}, {"days": -1}, {"tolerance_points": float("nan")}, {"confidence": 1}]
)
def test_limits_that_cannot_be_met_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"limits|confidence"):
        CanaryLimits(**wrong)  # type: ignore[arg-type]


def test_the_interval_is_welchs() -> None:
    from scipy.stats import ttest_ind

    new, stable = [0.05, 0.09, 0.07], [0.06, 0.064, 0.058, 0.061]
    judged = judge(new, stable, days=1, limits=LIMITS)
    wanted = ttest_ind(new, stable, equal_var=False).confidence_interval(0.99)
    assert (judged.low, judged.high) == (pytest.approx(100 * wanted.low), pytest.approx(100 * wanted.high))
    assert judge([0.05, 0.09], stable, days=1, limits=LIMITS).low != -math.inf
    assert judge([0.05], stable, days=1, limits=LIMITS).low == -math.inf


SAME = [0.06] * 5


@pytest.mark.parametrize(
    ("new", "days", "outcome", "reason", "points"),
    [
        ([], 1, "wait", "no sessions to compare yet", None),
        ([], 28, "finish", "no sessions to compare in 28 days", None),
        ([0.1] * 3, 1, "roll_back", "surely worse: +4.0 points in 3 sessions against 5", 4.0),
        (
            [0.064] * 5,
            1,
            "finish",
            "not worse: +0.4 points in 5 sessions against 5",
            0.4,
        ),
        (
            [0.02, 0.3, 0.02, 0.3, 0.06],
            1,
            "roll_back",
            "more than 2 points worse: +8.0 points in 5 sess",
            8.0,
        ),
        ([0.02, 0.2], 1, "wait", "+5.0 points in 2 sessions against 5", 5.0),
        ([0.02, 0.1], 28, "finish", "not seen to be worse in 28 days: +0.0 points in 2 sess", 0.0),
    ],
)
def test_every_outcome_says_why_and_by_how_much(
    new: list[float], days: float, outcome: str, reason: str, points: float | None
) -> None:
    judged = judge(new, SAME, days=days, limits=LIMITS)
    assert judged.outcome == outcome
    assert judged.reason.startswith(reason)
    if points is None:
        assert (judged.points, judged.low, judged.high) == (None, None, None)
        return
    assert judged.points == pytest.approx(points, abs=1e-9)
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low <= judged.points + 1e-9 <= judged.high + 2e-9


def test_the_least_limits_that_can_be_met_are_allowed() -> None:
    assert CanaryLimits(sessions=2, days=0, tolerance_points=0, margin_points=0).sessions == 2
    for confidence in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            CanaryLimits(confidence=confidence)
