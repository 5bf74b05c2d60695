"""Is the final's text the same utterance as the draft's, and did the human only correct what was said?

Two probabilities for each changed block, each a logistic function of what :func:`features` measures:

* ``same``: the two texts are one utterance, whatever was done to it. Below :data:`SHOWN` the block is
  shown as deleted and inserted: somebody typed another utterance where this one stood.
* ``corrected``: nothing was added, left out or contradicted, so the final is what the recognizer should have
  heard. Below :data:`LEARNED` the block is shown as changed and teaches nothing.

The weights were fitted and calibrated on minutes of the simulated council, edited by
``benchmarks/calibrate_utterance.py``, which prints them; ``benchmarks/rewriting.py`` has the reliability on
material of another hand.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from astra_learn_assets.comparator.names.phonetics import likeness
from astra_learn_assets.comparator.names.word_diff import Difference, Token
from astra_learn_assets.spanish import words as lexicon

SHOWN, LEARNED = 0.2, 0.5
_NEGATIONS = frozenset({"no", "ni", "nunca", "jamás", "tampoco", "sin", "nadie", "ningún", "ninguna", "nada"})
_ALIKE, _UNLIKE = 0.6, 0.45
FEATURES = (
    "one", "similarity", "kept", "alike", "added", "lost", "lost_run", "added_run", "numbers", "names",
    "negations", "shared_id", "neighbours", "short", "far",
)  # fmt: skip


class Belief(NamedTuple):
    """Probabilities, 0..1."""

    same: float
    corrected: float


CERTAIN = Belief(1.0, 1.0)


def features(
    found: Difference, *, similarity: float, shared_id: bool, neighbours: int, far: bool
) -> tuple[float, ...]:
    """What two texts have in common, in the order of :data:`FEATURES`; all about 0..1.

    ``neighbours`` 0..2: how many of the paragraphs beside are paired with the ones beside the other;
    ``far``: the block has left its place.
    """
    old, new = _count(found.before), _count(found.after)
    alike = lost = added = 0
    lost_run = added_run = numbers = names = 0
    gone = put = 0
    for link in found.links:
        b, a = _words(found.before, link.b0, link.b1), _words(found.after, link.a0, link.a1)
        gone, put = gone + len(b), put + len(a)
        if b and a and likeness("".join(b)[:80], "".join(a)[:80]) >= _ALIKE:
            alike += len(a)
            continue
        lost, added = lost + len(b), added + len(a)
        lost_run, added_run = max(lost_run, len(b) - len(a)), max(added_run, len(a) - len(b))
        numbers += _other_number(b, a)
        names += _other_name(b, a)
    kept = (old - gone + new - put) / max(1, old + new)
    return (
        1.0,
        similarity,
        kept,
        alike / max(1, new),
        added / max(1, new),
        lost / max(1, old),
        min(1.0, max(0, lost_run - 2) / max(4, old)),
        min(1.0, max(0, added_run - 2) / max(4, new)),
        min(2, numbers) / 2,
        min(2, names) / 2,
        float(_negations(found.before) != _negations(found.after)),
        float(shared_id),
        neighbours / 2,
        1 / math.sqrt(max(1, min(old, new))),
        float(far),
    )


def belief(measured: tuple[float, ...]) -> Belief:
    """The two probabilities of measured :func:`features`."""
    return Belief(_logistic(_SAME, measured), _logistic(_CORRECTED, measured))


def _logistic(weights: tuple[float, ...], measured: tuple[float, ...]) -> float:
    total = sum(w * x for w, x in zip(weights, measured, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _count(tokens: list[Token]) -> int:
    return sum(token.is_word for token in tokens)


def _words(tokens: list[Token], start: int, end: int) -> list[str]:
    return [token.text for token in tokens[start:end] if token.is_word]


def _other_number(before: list[str], after: list[str]) -> bool:
    """Figures for other figures; figures for number words are a matter of style."""
    old = {re.sub(r"\D", "", word) for word in before if word[0].isdigit()}
    new = {re.sub(r"\D", "", word) for word in after if word[0].isdigit()}
    return bool(old and new) and old.isdisjoint(new)


def _other_name(before: list[str], after: list[str]) -> bool:
    """Names for names that sound nothing like them."""
    old = [w for w in before if w[0].isupper() and not lexicon.is_common(w)]
    new = [w for w in after if w[0].isupper() and not lexicon.is_common(w)]
    return bool(old and new) and max(likeness(a, b) for a in old[:6] for b in new[:6]) < _UNLIKE


def _negations(tokens: list[Token]) -> bool:
    return bool(sum(token.text.casefold() in _NEGATIONS for token in tokens) % 2)


_SAME: tuple[float, ...] = (
    -0.416,
    10.288,
    0.520,
    -1.604,
    -3.993,
    -0.420,
    0.243,
    2.149,
    -1.758,
    -0.601,
    -0.465,
    1.395,
    0.553,
    -3.399,
    0.553,
)
_CORRECTED: tuple[float, ...] = (
    -14.342,
    17.004,
    1.043,
    7.747,
    -0.137,
    9.084,
    -4.568,
    3.425,
    -8.929,
    -6.105,
    -0.874,
    0.177,
    0.145,
    -2.557,
    0.091,
)
