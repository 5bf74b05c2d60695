"""Word error rate, by kind of error, new errors apart; intervals by resampling paragraphs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from benchmarks.real_council.recognizer import Unit

NEW = "new"


def errors_by_kind(units: Sequence[Unit], answer: str) -> Counter[str]:
    """Edits between the right text and ``answer``, each to the error it stands on, else ``new``."""
    right: list[str] = []
    owner: list[str | None] = []  # of each right word
    gaps: dict[int, str] = {}  # an error before right word i that has no right word of its own
    for unit in units:
        if unit.kind is not None:
            gaps.setdefault(len(right), unit.kind)
            if unit.right:
                gaps.setdefault(len(right) + len(unit.right), unit.kind)
        right += unit.right
        owner += [unit.kind] * len(unit.right)
    found: Counter[str] = Counter()
    for edit in Levenshtein.editops(right, answer.split()):
        at = edit.src_pos
        if edit.tag == "insert":
            found[gaps.get(at) or NEW] += 1
        else:
            found[owner[at] or gaps.get(at) or NEW] += 1
    return found


def rate(errors: Sequence[int], words: Sequence[int]) -> float:
    return 100 * sum(errors) / max(1, sum(words))


def interval(errors: Sequence[int], words: Sequence[int], seed: int = 1) -> tuple[float, float]:
    """95 % of 1,000 resamples of the paragraphs."""
    draw = random.Random(seed)
    places = range(len(errors))
    rates = sorted(
        rate([errors[i] for i in chosen], [words[i] for i in chosen])
        for chosen in (draw.choices(places, k=len(errors)) for _ in range(1000))
    )
    return rates[25], rates[974]
