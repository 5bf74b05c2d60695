"""What a model's answer becomes before anybody reads it: names, figures and placeholders stay what they were.

    as_served("paga 1.200 euros a <PERSONA_1>", model(...), dictionary.replacements, served.steady())

A corrector rewrites words, and now and then a figure or a placeholder among them: "1.200" becomes "1.020",
"<PERSONA_1>" is gone. No clerk would see it, so it is not left to the model. Input and answer are laid beside
each other; a stretch in which a figure or a placeholder went, came or changed is the input's again:

* the same digits otherwise written ("1 200", "1.200") are the model's to write;
* figures for numbers in words, and words for figures, are style as long as the number is the same;
* everything around such a stretch stays the model's.

Then the council's steady substitutions, which lie in the adapter's folder, are put where the model left
the draft's own words (:mod:`serving.habits`). Last, the dictionary puts right the proper nouns that it knows,
as in a transcript without any model. The evaluation asks this very function, so what the gate judges is what
CORE shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from astra_learn_assets.datasets.steady import Steady
from astra_learn_assets.datasets.suspicion import number_words, numbers
from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.serving.habits import in_habit
from astra_learn_assets.spanish.fold import near_fold
from astra_learn_assets.spanish.placeholder import placeholders

_MARKS = ".,;:!?…¿¡()«»\"'"
_JOINTS = frozenset({"y", "por", "coma", "barra", "millon", "millones"})
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+")


def as_served(draft: str, answer: str, replacements: Mapping[str, str], steady: Sequence[Steady] = ()) -> str:
    """``answer`` to ``draft`` as CORE shows it; ``steady``: of the adapter that answered, if one did."""
    return corrected(in_habit(draft, guarded(draft, answer), steady), replacements)


def guarded(draft: str, answer: str) -> str:
    """``answer`` with the figures and placeholders that ``draft`` has; white space as in the answer."""
    was, now = draft.split(), answer.split()
    kept: list[str] = []
    position = 0
    changed = False
    for low, high, first, last in _whole_numbers(*map(_bare, (was, now))):
        kept += now[position:first]
        own = not _keeps(was[low:high], now[first:last])
        kept += was[low:high] if own else now[first:last]
        changed |= own
        position = last
    return " ".join([*kept, *now[position:]]) if changed else answer


def _whole_numbers(was: list[str], now: list[str]) -> list[tuple[int, int, int, int]]:
    """Changed stretches of words; two of one number are one, or half of "dos millones y medio" would go."""
    joined: list[tuple[int, int, int, int]] = []
    for low, high, first, last in changed_stretches(was, now):
        between = was[joined[-1][1] : low] if joined else []
        if joined and len(between) <= 2 and all(_of_a_number(word) for word in between):
            joined[-1] = (joined[-1][0], high, joined[-1][2], last)
        else:
            joined.append((low, high, first, last))
    return joined


def _of_a_number(word: str) -> bool:
    folded = near_fold(word)
    return word[0].isdigit() or folded in number_words() or folded in _JOINTS


def _bare(words: Sequence[str]) -> list[str]:
    """Words without the marks around them and their capitals: what those are is the model's alone."""
    return [word.strip(_MARKS).lower() or word for word in words]


def corrected(text: str, replacements: Mapping[str, str]) -> str:
    """``text`` with every known wrong form put right, whole words only, the longest form first."""
    if not replacements:
        return text
    forms = sorted(replacements, key=lambda form: (-len(form), form))
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, forms)) + r")(?!\w)")
    return pattern.sub(lambda match: replacements[match[0]], text)


def _keeps(was: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a changed stretch holds the same placeholders and the same figures."""
    before, after = " ".join(was), " ".join(now)
    if Counter(placeholders(before)) != Counter(placeholders(after)):
        return False
    if not any(character.isdigit() for character in before + after):
        return True
    return _digits(before) == _digits(after) or _values(before) == _values(after)


def _digits(text: str) -> str | None:
    """The digits of a text in their order; None where it says a number in words, which has none."""
    folded = [near_fold(match[0]) for match in _TOKEN.finditer(text)]
    if any(word in number_words() and number_words()[word] > 1 for word in folded):
        return None
    return "".join(character for character in text if character.isdigit())


def _values(text: str) -> Counter[str]:
    return numbers([near_fold(match[0]) for match in _TOKEN.finditer(text)])
