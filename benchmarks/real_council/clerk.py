"""One clerk: how they write what was said, what they let pass and what they put wrong."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from benchmarks.real_council.recognizer import KINDS, Recognizer, Unit, read_pairs

_BARE = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


class Clerk:
    """``habits``: said -> written; ``consistency``: how often they keep to them."""

    def __init__(self, draw: random.Random, habits: int = 24) -> None:
        self.random = draw
        pairs = read_pairs("clerk_style.txt")
        draw.shuffle(pairs)
        self.habits: dict[tuple[str, ...], tuple[str, ...]] = {}
        for said, written in pairs:
            if len(self.habits) == habits:
                break
            if said not in self.habits and written not in self.habits:
                self.habits[said] = written
        self.consistency = draw.uniform(0.85, 0.97)

    def write(self, text: str) -> list[Unit]:
        """``text`` in units of one word each, the clerk's habits applied as units of kind ``style``."""
        words = text.split()
        units: list[Unit] = []
        at = 0
        while at < len(words):
            taken = next((n for n in (3, 2, 1) if self._matches(words[at : at + n], n)), 0)
            if taken and self.random.random() < self.consistency:
                said = words[at : at + taken]
                units.append(Unit(self._written(said), tuple(said), "style"))
                at += taken
            else:
                units.append(Unit((words[at],), (words[at],)))
                at += 1
        return units

    def _matches(self, words: list[str], wanted: int) -> bool:
        if len(words) < wanted:
            return False
        parts = [_BARE.match(word).groups() for word in words]  # type: ignore[union-attr]
        if any(right for _, _, right in parts[:-1]) or any(left for left, _, _ in parts):
            return False
        key = tuple(word.lower() for _, word, _ in parts)
        return key in self.habits and not (len(words) == 1 and parts[0][1].isupper())

    def _written(self, said: list[str]) -> tuple[str, ...]:
        parts = [_BARE.match(word).groups() for word in said]  # type: ignore[union-attr]
        written = self.habits[tuple(word.lower() for _, word, _ in parts)]
        if not written:
            return ()
        tail = parts[-1][2]
        last = written[-1]
        if tail.startswith(".") and last.endswith("."):
            tail = tail[1:]
        words = [*written[:-1], last + tail]
        if said[0][:1].isupper() and words[0][:1].islower():
            words[0] = words[0][0].upper() + words[0][1:]
        return tuple(words)

    def correct(self, units: list[Unit], recognizer: Recognizer, wrong: float) -> list[Unit]:
        """The clerk's own final: a share ``wrong`` of the errors stays or becomes another error."""
        r = self.random
        out = []
        for unit in units:
            if unit.kind in KINDS and r.random() < wrong:
                right = unit.heard
                if r.random() < 0.5 and len(unit.right) == 1 and unit.right[0].isalpha():
                    other = recognizer._misheard(unit.right[0].lower())
                    right = (other,) if other else right
                out.append(replace(unit, right=right))
            else:
                out.append(unit)
        return out
