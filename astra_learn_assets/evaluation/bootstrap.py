"""How sure is a difference in WER? A paired bootstrap over documents.

The errors of one document are alike (same speakers, same room, same editor), so documents and not
sentences are drawn (block bootstrap), and both systems are scored on the same draw (paired): Bisani and
Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """Difference of two WERs in points (100 * rate), with a percentile interval.

    ``probability_worse``: share of draws in which the first system has the higher WER. With fewer than
    two documents there is nothing to draw from and the interval is the difference itself.
    """

    difference: float
    low: float
    high: float
    probability_worse: float
    documents: int
    samples: int


def paired_block_bootstrap(
    errors: Sequence[int],
    other_errors: Sequence[int],
    words: Sequence[int],
    *,
    samples: int,
    seed: int,
    confidence: float = 0.95,
) -> Interval:
    """Interval of WER(first) - WER(second), each sequence with one entry per document.

    Deterministic for a seed.

    Raises:
        ValueError: when the sequences differ in length.
    """
    if not len(errors) == len(other_errors) == len(words):
        raise ValueError("one entry per document is needed in each sequence")
    delta = np.asarray(errors, dtype=np.float64) - np.asarray(other_errors, dtype=np.float64)
    size = np.asarray(words, dtype=np.float64)
    difference = 100 * float(delta.sum()) / max(float(size.sum()), 1.0)
    documents = len(delta)
    if documents < 2:
        return Interval(difference, difference, difference, float(difference > 0), documents, 0)
    # a draw with replacement is how often each document comes up: one multinomial row per draw
    weights = np.random.default_rng(seed).multinomial(documents, np.full(documents, 1 / documents), samples)
    rates = 100 * (weights @ delta) / np.maximum(weights @ size, 1.0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(rates, [tail, 1 - tail])
    return Interval(
        difference=difference,
        low=float(low),
        high=float(high),
        probability_worse=float(np.mean(rates > 1e-12)),
        documents=documents,
        samples=samples,
    )
