"""A council's steady substitutions, put where the model has left the draft's own words.

    in_habit("se vota también hoy", answer, served.steady())     # -> "Se vota asimismo hoy."

Where the model wrote something else, it stays: it has seen the sentence, the table has not. Marks around the
words stay, and so does the capital of a sentence's first word. What is steady: :mod:`datasets.steady`.
"""

from __future__ import annotations

from collections.abc import Sequence

from astra_learn_assets.datasets.steady import LONGEST, Steady, bare, closing, opening, said_at, starts
from astra_learn_assets.datasets.word_changes import changed_stretches


def in_habit(draft: str, answer: str, steady: Sequence[Steady]) -> str:
    """``answer`` to ``draft`` with the council's words; with nothing to put, as it was, white space too."""
    if not steady:
        return answer
    habits = {tuple(one.said.split()): one.written.split() for one in steady}
    now = answer.split()
    places = _places(draft.split(), now)
    out: list[str] = []
    at = 0
    changed = False
    while at < len(now):
        for size in range(LONGEST, 0, -1):
            said = said_at(now, at, size)
            if said is not None and said in habits and _untouched(places[at : at + size]):
                out += _in_place_of(now[at : at + size], habits[said], start=starts(now, at))
                at += size
                changed = True
                break
        else:
            out.append(now[at])
            at += 1
    return " ".join(out) if changed else answer


def _places(was: Sequence[str], now: Sequence[str]) -> list[int | None]:
    """Where each word of an answer stands in the draft, marks and capitals apart; None: it does not."""
    before, after = ([bare(word).lower() for word in words] for words in (was, now))
    places: list[int | None] = []
    position = 0
    for low, high, first, last in (*changed_stretches(before, after), (len(was), 0, len(now), len(now))):
        places += range(position, low)
        places += [None] * (last - first)
        position = high
    return places


def _untouched(places: Sequence[int | None]) -> bool:
    first = places[0]
    return first is not None and list(places) == list(range(first, first + len(places)))


def _in_place_of(words: Sequence[str], new: Sequence[str], *, start: bool) -> list[str]:
    """``new`` with the marks and the capital that ``words`` have."""
    before, after = opening(words[0]), closing(words[-1])
    first, *others = new
    if start and words[0][len(before) :][:1].isupper():
        first = first[:1].upper() + first[1:]
    placed = [before + first, *others]
    if after[:1] == "." and placed[-1].endswith("."):  # «Sr.» where a sentence ends
        after = after[1:]
    return [*placed[:-1], placed[-1] + after]
