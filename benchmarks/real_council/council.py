"""A council of a seed: corpora to learn from, and three tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.real_council.clerk import Clerk
from benchmarks.real_council.recognizer import Lexicon, Recognizer, Unit
from benchmarks.real_council.text import Paragraph, split, unseen

WRONG = 0.1


@dataclass(frozen=True)
class Pair:
    """``units``: what is right and how it was heard; ``after``: the clerk's final, wrong now and then."""

    sitting: str
    before: str
    after: str
    units: tuple[Unit, ...]

    @property
    def right(self) -> str:
        return " ".join(word for unit in self.units for word in unit.right)


@dataclass(frozen=True)
class Council:
    learn: list[Pair]
    test: list[Pair]
    generic: list[Pair]


def make_council(
    seed: int, paragraphs: Sequence[Paragraph], words: Lexicon, *, learn: int, test: int, generic: int
) -> Council:
    """``learn`` pairs that changed (unchanged ones lie between them), ``test`` and ``generic`` paragraphs.

    ``generic``: what other recognizers make of other sittings, no clerk's habits: shows what is forgotten.
    """
    draw = random.Random(f"real council {seed}")
    pool, held_out = split(paragraphs, draw)
    recognizer = Recognizer(draw, words)
    clerk = Clerk(draw)
    learned: list[Pair] = []
    used: list[Paragraph] = []
    changed = 0
    for paragraph in pool:
        if changed == learn:
            break
        pair = _pair(paragraph, clerk, recognizer, WRONG)
        used.append(paragraph)
        learned.append(pair)
        changed += pair.before != pair.after
    tests = unseen(held_out, used, test + 4 * generic)
    # where the clerk's habits say otherwise, an adapter is right to write otherwise
    plain = [p for p in tests[test:] if not any(u.kind for u in clerk.write(p.text))][:generic]
    others = [(Recognizer(random.Random(f"other {seed} {i}"), words), i) for i in range(8)]
    return Council(
        learned,
        [_pair(p, clerk, recognizer, 0) for p in tests[:test]],
        [_pair(p, None, others[i % 8][0], 0) for i, p in enumerate(plain)],
    )


def _pair(paragraph: Paragraph, clerk: Clerk | None, recognizer: Recognizer, wrong: float) -> Pair:
    said = (
        clerk.write(paragraph.text) if clerk else [Unit((word,), (word,)) for word in paragraph.text.split()]
    )
    units = recognizer.hear(said)
    final = clerk.correct(units, recognizer, wrong) if clerk else units
    return Pair(
        paragraph.sitting,
        " ".join(word for unit in units for word in unit.heard),
        " ".join(word for unit in final for word in unit.right),
        tuple(units),
    )
