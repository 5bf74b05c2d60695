"""Does a new adapter keep its promise in real sessions? Judged by how much clerks still correct.

    judge([0.08, 0.05], [0.06, 0.07], days=3, limits=CanaryLimits())    # -> Judged("wait", ...)

A share of the sessions is drafted with the new adapter, the others with what served before. Each session
gives one figure, the share of its draft's words that the clerk changed; sessions, and not words, are
independent, as in :mod:`interval`. The two groups are different sessions, so the interval of the difference
is Welch's (B. L. Welch, "The generalization of Student's problem", Biometrika 34, 1947).

| outcome | when |
|---|---|
| roll back | the whole interval lies above the margin: it is surely worse |
| roll back | enough sessions, and more points worse than is allowed |
| finish | enough sessions, and the whole interval lies below what is allowed |
| finish | the days are over, and it is not more points worse than is allowed |
| wait | else |

The rules are asked anew after every session, and whoever looks often sees a rare thing at last; so the
interval is one of 99 %. The gate has judged the adapter before; a canary looks for what a golden set does not
show. So too few sessions are no reason to take it back: when the days are over what the gate said holds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from astra_learn_assets.evaluation.interval import student_quantile

Outcome = Literal["wait", "finish", "roll_back"]
_FEWEST = 3  # sessions that can be alike by chance


@dataclass(frozen=True)
class CanaryLimits:
    """``sessions``: how many of each group are enough (at least 2); points are 100 * share of words.

    Raises:
        ValueError: for one that cannot be met.
    """

    sessions: int = 5
    days: float = 28.0
    tolerance_points: float = 2.0
    margin_points: float = 0.5
    confidence: float = 0.99

    def __post_init__(self) -> None:
        numbers = (self.days, self.tolerance_points, self.margin_points)
        if self.sessions < 2 or not all(math.isfinite(one) and one >= 0 for one in numbers):
            raise ValueError(f"impossible limits of a canary: {self}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"a confidence lies between 0 and 1, not {self.confidence}")


@dataclass(frozen=True)
class Judged:
    """The outcome, its reason, and the figures: points, new minus stable; None where nothing is known."""

    outcome: Outcome
    reason: str
    points: float | None
    low: float | None
    high: float | None


def judge(new: Sequence[float], stable: Sequence[float], *, days: float, limits: CanaryLimits) -> Judged:
    """Whether the trial of a new adapter goes on.

    Args:
        new: share of words corrected (0..1, or more) of each session drafted by the new adapter.
        stable: the same of what serves the other sessions.
        days: since the promotion; negative (a clock that was set back) is none.
    """
    over = days >= limits.days
    if not new or not stable:
        if over:
            return Judged("finish", f"no sessions to compare in {limits.days:g} days", None, None, None)
        return Judged("wait", "no sessions to compare yet", None, None, None)
    points = 100 * (statistics.fmean(new) - statistics.fmean(stable))
    low, high = _interval(new, stable, points, limits.confidence)
    enough = min(len(new), len(stable)) >= limits.sessions
    said = f"{points:+.1f} points in {len(new)} sessions against {len(stable)}"
    if min(len(new), len(stable)) >= _FEWEST and low > limits.margin_points:
        return Judged("roll_back", f"surely worse: {said}", points, low, high)
    if (enough or over) and points > limits.tolerance_points:
        return Judged(
            "roll_back", f"more than {limits.tolerance_points:g} points worse: {said}", points, low, high
        )
    if enough and high < limits.tolerance_points:
        return Judged("finish", f"not worse: {said}", points, low, high)
    if over:
        return Judged("finish", f"not seen to be worse in {limits.days:g} days: {said}", points, low, high)
    return Judged("wait", said, points, low, high)


def _interval(
    new: Sequence[float], stable: Sequence[float], points: float, confidence: float
) -> tuple[float, float]:
    if min(len(new), len(stable)) < 2:
        return -math.inf, math.inf
    parts = [statistics.variance(group) / len(group) for group in (new, stable)]
    total = sum(parts)
    if total == 0:
        return points, points
    degrees = total**2 / sum(
        part**2 / (len(group) - 1) for part, group in zip(parts, (new, stable), strict=True)
    )
    half = 100 * student_quantile(1 - (1 - confidence) / 2, degrees) * math.sqrt(total)
    return points - half, points + half
