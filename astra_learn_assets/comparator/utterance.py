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
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import letters

SHOWN, LEARNED = 0.2, 0.5
_NEGATIONS = frozenset({"no", "ni", "nunca", "jamás", "tampoco", "sin", "nadie", "ningún", "ninguna", "nada"})
_ALIKE, _UNLIKE, _STEM = 0.6, 0.45, 5
FEATURES = (
    "one", "similarity", "kept", "alike", "added", "lost", "lost_run", "added_run", "numbers", "names",
    "negations", "content", "shared_id", "lost_id", "neighbours", "short", "far",
)  # fmt: skip

_LOST_RUN, _ADDED_RUN = FEATURES.index("lost_run"), FEATURES.index("added_run")
_STRETCH, _OF_A_STRETCH = 0.25, 0.3
"""A stretch of this share of the text that is gone or new is more than a correction, whatever the rest."""
_LONGER, _SWAPPED_WORDS, _SWAPPED, _FRAME, _OF_A_FRAME = 4, 4, 0.6, 0.4, 0.1
"""Of :func:`typed_over`: letters of a word that says something, how many of them and which share on each side
are others, the share of all words that stayed, and what is believed then."""


class Belief(NamedTuple):
    """Probabilities, 0..1."""

    same: float
    corrected: float


CERTAIN = Belief(1.0, 1.0)


def features(
    found: Difference, *, similarity: float, shared_id: bool, lost_id: bool, neighbours: int, far: bool
) -> tuple[float, ...]:
    """What two texts have in common, in the order of :data:`FEATURES`; all about 0..1.

    ``neighbours`` 0..2: how many of the paragraphs beside are paired with the ones beside the other;
    ``lost_id``: its id is gone though most of the document kept theirs; ``far``: it has left its place.
    """
    old, new = _count(found.before), _count(found.after)
    alike = lost = added = 0
    lost_run = added_run = numbers = names = 0
    gone = put = negations = 0
    for link in found.links:
        b, a = _words(found.before, link.b0, link.b1), _words(found.after, link.a0, link.a1)
        gone, put = gone + len(b), put + len(a)
        negations += sum(word.casefold() in _NEGATIONS for word in (*b, *a))
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
        float(negations % 2),  # what did not change is as often on both sides
        _content(found),
        float(shared_id),
        float(lost_id),
        neighbours / 2,
        1 / math.sqrt(max(1, min(old, new))),
        float(far),
    )


def belief(measured: tuple[float, ...], *, typed_over: bool = False) -> Belief:
    """The two probabilities of measured :func:`features`; ``typed_over`` as :func:`typed_over` says."""
    corrected = _logistic(_CORRECTED, measured)
    if max(measured[_LOST_RUN], measured[_ADDED_RUN]) > _STRETCH:
        corrected = min(corrected, _OF_A_STRETCH)
    same = _logistic(_SAME, measured)
    if typed_over:
        same, corrected = min(same, _OF_A_FRAME), min(corrected, _OF_A_FRAME)
    return Belief(same, corrected)


def typed_over(found: Difference) -> bool:
    """Whether the frame stayed and what was said in it is another thing: "La portavoz pregunta cuánto costará
    la obra … y pide el informe", "La portavoz ruega que se limpie la acequia … y pide el presupuesto".

    Who rewrites an utterance changes the frame first, so words of the same row with nothing of the matter
    left are no rewriting, however much alike the two texts are.
    """
    gone = put = 0
    taken: list[str] = []
    written: list[str] = []
    for link in found.links:
        b, a = _words(found.before, link.b0, link.b1), _words(found.after, link.a0, link.a1)
        gone, put = gone + len(b), put + len(a)
        if b and a and likeness("".join(b)[:80], "".join(a)[:80]) >= _ALIKE:
            continue
        taken += [word for word in b if len(word) >= _LONGER]
        written += [word for word in a if len(word) >= _LONGER]
    if min(len(taken), len(written)) < _SWAPPED_WORDS:  # nearly always: the rest is dearer
        return False
    old, new = _beginnings(found.before), _beginnings(found.after)
    lost = sum(_beginning(word) not in new for word in taken)
    added = sum(_beginning(word) not in old for word in written)
    if min(lost, added) < _SWAPPED_WORDS:
        return False
    words = _count(found.before) + _count(found.after)
    longer = [sum(t.is_word and len(t.text) >= _LONGER for t in side) for side in (found.before, found.after)]
    swapped = min(lost / max(1, longer[0]), added / max(1, longer[1]))
    return swapped >= _SWAPPED and (words - gone - put) / max(1, words) >= _FRAME


def _beginnings(tokens: list[Token]) -> set[str]:
    return {_beginning(token.text) for token in tokens if token.is_word}


def _beginning(word: str) -> str:
    return letters(word[:40])[:_LONGER]


def _logistic(weights: tuple[float, ...], measured: tuple[float, ...]) -> float:
    total = sum(w * x for w, x in zip(weights, measured, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _count(tokens: list[Token]) -> int:
    return sum([token.text[0].isalnum() for token in tokens])


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


def _content(found: Difference) -> float:
    """Share of the longer words of the shorter side that begin like one of the other side."""
    old, new = (
        {letters(t.text[:40])[:_STEM] for t in side if len(t.text) > _STEM and t.is_word}
        for side in (found.before, found.after)
    )
    return len(old & new) / max(1, min(len(old), len(new)))


_SAME: tuple[float, ...] = (
    -0.881,
    6.492,
    1.795,
    -0.465,
    -3.392,
    -0.369,
    -0.899,
    0.629,
    -1.180,
    -0.350,
    -0.377,
    2.236,
    1.036,
    -2.694,
    0.952,
    -1.900,
    0.814,
)
_CORRECTED: tuple[float, ...] = (
    -14.975,
    13.642,
    1.855,
    9.153,
    0.718,
    9.175,
    -6.562,
    2.234,
    -8.714,
    -7.053,
    -0.818,
    2.952,
    0.024,
    -1.107,
    0.064,
    -2.047,
    -0.029,
)
