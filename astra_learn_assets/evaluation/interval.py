"""How sure is a difference between two systems? A studentized interval over documents, and its power.

    rise = paired_interval([9, 4, 7], [5, 4, 4], [300, 250, 410])
    rise.difference, rise.low, rise.high      # points: 100 * errors / words
    rise.power(2.0)                           # would this set see a rise of 2 points?

The errors of one document are alike (same speakers, same room, same editor), so documents and not sentences
are the independent blocks, and both systems are scored on the same ones (paired): Bisani and Ney, "Bootstrap
estimates for confidence intervals in ASR performance evaluation", ICASSP 2004.

With ten documents the percentile bootstrap of that paper holds the truth in 88 to 90 % of sets instead of 95
(``benchmarks/gates.py``), and a bootstrap of the studentized difference in 92 to 93. What is used is the
studentized interval whose standard error leaves out one document at a time (jackknife; Tukey 1958, Efron and
Stein 1981), with Student's t at the degrees of freedom that documents of unequal length leave:
``(sum w)^2 / sum w^2 - 1`` (Kish's effective number of blocks). It needs no draw and no seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_NEVER = 1e9  # points; what an interval without an end is written as, because JSON has no infinity


@dataclass(frozen=True)
class Interval:
    """Difference of two error rates in points (100 * rate), with a two-sided interval.

    With fewer than two documents nothing is known about the spread: the interval is without end.
    ``size``: reference words (or characters, entities) of all documents.
    """

    difference: float
    low: float
    high: float
    standard_error: float
    degrees: float
    documents: int
    size: int

    @property
    def critical(self) -> float:
        """How many standard errors half the interval is wide."""
        return (self.high - self.difference) / self.standard_error if self.standard_error else 0.0

    @property
    def probability_worse(self) -> float:
        """How probable a rise is, given this difference and this spread (0..1)."""
        if self.standard_error == 0:
            return float(self.difference > 0)
        if self.standard_error >= _NEVER:
            return 0.5
        return _t_cdf(self.difference / self.standard_error, self.degrees)

    def power(self, points: float) -> float:
        """How often an equal candidate, on sets like this one, is shown not to be ``points`` worse (0..1).

        The same number says how often a candidate that is ``points`` worse is shown to be worse.
        """
        if self.standard_error == 0:
            return 1.0
        if self.standard_error >= _NEVER:
            return 0.0
        return _t_cdf(points / self.standard_error - self.critical, self.degrees)

    def growth(self, points: float, power: float) -> float:
        """How many times as many documents (and words) would have that power; 1 = enough already."""
        if self.power(points) >= power:
            return 1.0
        if self.standard_error >= _NEVER:
            return math.inf
        needed = (self.critical + student_quantile(power, self.degrees)) * self.standard_error / points
        return max(needed**2, 1.0)


def paired_interval(
    errors: Sequence[int],
    other_errors: Sequence[int],
    words: Sequence[int],
    *,
    confidence: float = 0.95,
) -> Interval:
    """Interval of rate(first) - rate(second), each sequence with one entry per document.

    Documents without a reference word do not take part.

    Raises:
        ValueError: when the sequences differ in length.
    """
    if not len(errors) == len(other_errors) == len(words):
        raise ValueError("one entry per document is needed in each sequence")
    size = np.asarray(words, dtype=np.float64)
    delta = (np.asarray(errors, dtype=np.float64) - np.asarray(other_errors, dtype=np.float64))[size > 0]
    size = size[size > 0]
    documents, total = len(size), float(size.sum())
    difference = 100 * float(delta.sum()) / max(total, 1.0)
    if documents < 2:
        return Interval(difference, -_NEVER, _NEVER, _NEVER, 0.0, documents, int(total))
    without = 100 * (delta.sum() - delta) / (total - size)
    spread = float(np.sqrt(np.sum((without - without.mean()) ** 2) * (documents - 1) / documents))
    degrees = max(total**2 / float(np.sum(size**2)) - 1, 1.0)
    half = student_quantile(1 - (1 - confidence) / 2, degrees) * spread
    return Interval(difference, difference - half, difference + half, spread, degrees, documents, int(total))


def _t_cdf(value: float, degrees: float) -> float:
    from scipy.special import stdtr

    return float(stdtr(degrees, value))


def student_quantile(share: float, degrees: float) -> float:
    """The value below which Student's t at ``degrees`` of freedom lies with probability ``share``."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, share))
