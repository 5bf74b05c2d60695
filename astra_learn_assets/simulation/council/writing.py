"""One clerk's writing: how what is said in a session stands in the minutes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from astra_learn_assets.simulation.council.word_lists import read_pairs

_HABITS = 34


@dataclass(frozen=True)
class Style:
    """``habits``: (said, written), lower case where the language has it; kept in ``consistency`` of cases."""

    habits: tuple[tuple[str, str], ...]
    consistency: float = 1.0

    @cached_property
    def _said(self) -> re.Pattern[str]:
        phrases = sorted((said for said, _ in self.habits), key=lambda said: (-len(said), said))
        joined = "|".join(re.escape(said) + (" " if said[-1] == "," else "") for said in phrases) or "(?!)"
        return re.compile(rf"(?<!\w)(?:{joined})(?:(?<= )|(?!\w))", re.IGNORECASE)

    def written(self, text: str, begin: int, end: int, rng: random.Random) -> Iterator[tuple[str, str]]:
        """``text[begin:end]`` in stretches (as written, as said); the same twice where nothing is changed."""
        habits = dict(self.habits)
        position = begin
        for match in self._said.finditer(text, begin, end):
            said = match.group()
            if rng.random() >= self.consistency:
                continue
            found = habits.get(said.lower().rstrip(" "))
            if found is None:  # capitals of its own: a name
                continue
            if found and said[0].isupper():
                found = found[0].upper() + found[1:]
            if position < match.start():
                yield text[position : match.start()], text[position : match.start()]
            yield found, said
            position = match.end()
        if position < end:
            yield text[position:end], text[position:end]

    def write(self, text: str, rng: random.Random) -> str:
        """``text`` as this clerk has it in the minutes."""
        joined = "".join(written for written, _ in self.written(text, 0, len(text), rng))
        return re.sub(r"(^|[.?!] )([a-zñáéíóú])", lambda m: m.group(1) + m.group(2).upper(), joined)


def draw_style(rng: random.Random) -> Style:
    """Habits of a new clerk; none turns into what another one starts from."""
    pairs = list(read_pairs("clerk_style"))
    rng.shuffle(pairs)
    chosen: list[tuple[str, str]] = []
    for said, written in pairs:
        if len(chosen) < _HABITS and not any(written == other for other, _ in chosen):
            chosen.append((said, written))
    return Style(tuple(chosen), rng.uniform(0.86, 0.97))
