"""How far a name runs where the place says that a person stands: behind a title, a cue, in a row of a list.

There every capital counts in printed text, also of words that no list has or that are everyday words
("el inspector Santander", "Nora Nevado Sábado"); what ends a name is a word that never is one
(``tables/never_names.txt``), an office, a mark or the end of the line. Text in capitals or in lower case
has no such sign: there the words must be names, or words of no list.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, names_as_words, role_words, surnames
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    WORD,
    is_common,
    is_inflected,
    is_name_word,
    is_ordinary,
)

Case = Literal["printed", "capitals", "lower"]

ABBREVIATIONS = table("title_abbreviations")
_COMPOUND = table("compound_surnames")
OPENS_PLACE = frozenset(word for word in table("town_openings") if " " not in word)
LOOSE_IN_SPEECH = table("loose_in_speech")
_SHORT = frozenset(["ma", "mª", "fco", "fca", "gpe"])
_GAP = re.compile(r"[ ]{1,2}|[ ]?\n[ ]{0,4}(?=[^\W\d_])|-\n[ ]{0,4}|-|[.][ ]?(?=[^\W\d_])")
_AROUND = 90


@lru_cache(maxsize=1)
def never_names() -> frozenset[str]:
    """Folded words that end a name; those that are names too do not."""
    return table("never_names") - given_names() - surnames() - names_as_words() - PARTICLES


@lru_cache(maxsize=65_536)
def may_be_name(word: str) -> bool:
    """Whether a folded word is a listed name, or an everyday word that is also one."""
    return is_name_word(word) or word in names_as_words()


@lru_cache(maxsize=65_536)
def is_strong(word: str) -> bool:
    """Whether a folded word is a listed name and nothing else."""
    return is_name_word(word) and not is_ordinary(word)


@lru_cache(maxsize=65_536)
def is_given(word: str) -> bool:
    """Whether a folded word can be a given name."""
    return word in given_names() or (word in names_as_words() and word not in surnames())


def case_at(text: str, start: int, end: int | None = None) -> Case:
    """How the line around a place is written."""
    stop = start if end is None else end
    low, high = max(0, start - _AROUND), min(len(text), stop + _AROUND)
    line = text[max(low, text.rfind("\n", low, start) + 1) : high]
    at = line.find("\n", max(0, stop - low))
    line = line if at < 0 else line[:at]
    upper = sum(map(str.isupper, line))
    lower = sum(map(str.islower, line))
    if not upper:
        return "lower"
    return "capitals" if upper > 4 * lower else "printed"


def strong_run(
    text: str, start: int, case: Case, *, limit: int = 6, sure: bool = True, wrapped: bool = True
) -> int | None:
    """End of the name that begins at ``start``; None when none does.

    ``sure``: the place alone says that a person stands there, so that in printed text any capital will do;
    else one word of the run must be a name or of no list. ``wrapped``: it may go on in the next line.
    """
    at, end, core = start, None, 0
    named = particle = False
    listed = True
    while core < limit:
        word = WORD.match(text, at)
        if word is None:
            break
        value, folded = word[0], fold_chars(word[0])
        stop = word.end()
        if len(value) == 1:
            dotted = text[stop : stop + 1] == "."
            if (
                not value.isupper()
                or not (dotted or end is not None)
                or (folded in ("y", "e", "o", "a") and not dotted)
            ):
                break
            end = stop + dotted
        elif folded in PARTICLES and not (value.istitle() and folded in ("san", "santa") and end is not None):
            if end is None and not _PARTICLED.match(text, at):
                break
            gap = _GAP.match(text, stop)
            if gap is None:
                break
            at, particle = gap.end(), True
            continue
        elif not (
            accepts(value, folded, case, first=end is None, sure=sure)
            or (core > 1 and particle and _compound(value, folded, case))
            or (folded in _SHORT and text[stop : stop + 1] in (".", "ª") and value[0].isupper())
        ):
            break
        else:
            listed = listed and may_be_name(folded)
            named = named or is_strong(folded) or (not is_ordinary(folded) and not is_inflected(folded))
            core += 1
            end, particle = stop, False
        gap = _GAP.match(text, end)
        if gap is None or (gap[0].startswith(".") and len(value) > 2):
            break
        if "\n" in gap[0] and not (wrapped and _is_wrapped(text, end, gap[0])):
            break
        at = gap.end()
    if end is None or core == 0 or not (named or sure or (listed and core > 1)):
        return None
    return end


_PARTICLED = re.compile(
    r"(?i)(?:(?:de|del|san|santa|da|dos|van|von|el)[ ](?:(?:la|las|los|der)[ ])?)(?=[^\W\d_]{3})"
)


def _is_wrapped(text: str, end: int, gap: str) -> bool:
    """Whether a line was broken inside a name: the line is long, or the break has its hyphen."""
    if gap.startswith("-"):
        return True
    begin = text.rfind("\n", max(0, end - 200), end) + 1
    return end - begin >= 40


def _compound(value: str, folded: str, case: Case) -> bool:
    """Whether a plain word behind "del" or "de la" ends a surname: "Núñez del Arco"."""
    if folded in never_names() or folded in role_words():
        return False
    return folded in _COMPOUND or (case == "capitals" and value.isupper() and len(value) > 2)


def accepts(value: str, folded: str, case: Case, *, first: bool, sure: bool) -> bool:
    """Whether a word of two letters or more can be part of a name that stands here."""
    if folded in never_names() or folded in ABBREVIATIONS:
        return False
    known = may_be_name(folded)
    if folded in role_words() and not (
        known and (value[0].isupper() or (not first and folded in ("cruz", "domingo")))
    ):
        return False
    if case == "lower":
        if known:
            return is_strong(folded) or (
                folded not in LOOSE_IN_SPEECH and (sure or not first or not is_common(folded))
            )
        return not is_ordinary(folded) and not is_inflected(folded) and len(folded) > 2
    if not value[0].isupper():
        return False
    if case == "capitals":
        return known or not is_ordinary(folded)
    if value.isupper() and len(value) < 5 and not known:
        return False
    if first and folded in OPENS_PLACE and not is_given(folded):
        return sure and known
    return known or sure or not is_ordinary(folded) or not first
