"""Golden sets and models that never existed, with a known truth: what a promotion gate is measured on.

Knows nothing of the gate. A *case* is the table that any gate sees in the end: per document its reference
words and each system's errors. The truth behind it is one number, ``effect``: by how many points the
candidate's error rate is above the champion's in the long run.

What makes real golden sets hard is in it: documents of very different length (log-normal, sigma .6) and
difficulty (a hall with an echo has three times the errors of another), an effect that differs between
documents (standard deviation 1 point), errors that two systems share (70 % of the champion's), and errors
that come in bursts (a lost microphone is one event and several words).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

CHAMPION_RATE = 0.08
BASE_RATE = 0.12
DRAFT_RATE = 0.16
DICTIONARY_RATE = 0.14
SHARED = 0.7
DOCUMENT_SIGMA = 0.6
DIFFICULTY_SIGMA = 0.4
EFFECT_SPREAD = 0.01
BURST = 1.5
"""Mean words of a burst; the number of bursts is what is drawn."""


@dataclass(frozen=True)
class Case:
    """``words`` per document; ``errors`` of each system per document; ``effect`` in points (3.0 = worse)."""

    words: tuple[int, ...]
    errors: Mapping[str, tuple[int, ...]]
    effect: float


def draw(
    rng: np.random.Generator,
    *,
    words: int,
    documents: int,
    effect: float,
    champion: float = CHAMPION_RATE,
    best: float | None = None,
) -> Case:
    """One golden set of about ``words`` words and its answers. ``best``: the rate of the best ever."""
    sizes = rng.lognormal(0.0, DOCUMENT_SIGMA, documents)
    lengths = np.maximum(20, np.round(words * sizes / sizes.sum())).astype(int)
    difficulty = rng.lognormal(-(DIFFICULTY_SIGMA**2) / 2, DIFFICULTY_SIGMA, documents)
    common = _bursts(rng, lengths, SHARED * champion * difficulty)

    def system(rate: float, spread: float = 0.0) -> tuple[int, ...]:
        noise = rng.normal(0.0, spread, documents) if spread else np.zeros(documents)
        own = np.clip(rate * difficulty + noise - SHARED * champion * difficulty, 0.0, 1.0)
        return tuple(int(n) for n in common + _bursts(rng, lengths, own))

    errors = {
        "champion": system(champion),
        "candidate": _candidate(rng, lengths, difficulty, common, champion, effect / 100),
        "base": system(max(BASE_RATE, champion + 0.04), EFFECT_SPREAD),
        "draft": system(max(DRAFT_RATE, champion + 0.08), EFFECT_SPREAD),
        "dictionary": system(max(DICTIONARY_RATE, champion + 0.06), EFFECT_SPREAD),
    }
    if best is not None:
        errors["best"] = system(best)
    return Case(tuple(int(n) for n in lengths), errors, effect)


def _candidate(
    rng: np.random.Generator,
    lengths: np.ndarray,
    difficulty: np.ndarray,
    common: np.ndarray,
    champion: float,
    effect: float,
) -> tuple[int, ...]:
    """The effect is the same number of points in the mean, more or less of it in each document."""
    own = (1 - SHARED) * champion * difficulty + effect + rng.normal(0.0, EFFECT_SPREAD, len(lengths))
    # What falls below zero is taken from what is shared: a better model mends the champion's errors as well.
    mended = rng.binomial(common, np.clip(-own / np.maximum(SHARED * champion * difficulty, 1e-9), 0, 1))
    return tuple(int(n) for n in common - mended + _bursts(rng, lengths, np.clip(own, 0.0, 1.0)))


def _bursts(rng: np.random.Generator, lengths: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Errors of each document when they come in bursts of geometric length."""
    events = rng.poisson(lengths * rates / BURST)
    extra = np.array([int(rng.negative_binomial(n, 1 / BURST)) if n else 0 for n in events])
    return np.minimum(events + extra, lengths)


def true_effect(effect: float, *, documents: int = 40_000, seed: int = 1) -> float:
    """What ``effect`` comes to in the long run, in points: rates cannot fall below nothing."""
    case = draw(np.random.default_rng(seed), words=500 * documents, documents=documents, effect=effect)
    difference = sum(case.errors["candidate"]) - sum(case.errors["champion"])
    return 100 * difference / sum(case.words)
