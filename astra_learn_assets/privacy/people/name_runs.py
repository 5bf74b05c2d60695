"""Runs of words that one person's name fills, from a place where a name is known to begin."""

from __future__ import annotations

import re

from astra_learn_assets.privacy.people.tables import words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import role_words
from astra_learn_assets.spanish.name_words import (
    CONNECTIVES,
    PARTICLES,
    WORD,
    is_capital,
    is_name_word,
    is_ordinary,
)

RANK = 30
AS_IT_STANDS = RANK + 50
"""Rank of a person of whom nothing is trimmed, added or doubted."""
_BOTH = frozenset(["cruz", "julio", "domingo"])  # in "Cruz Roja" and "en julio" too, yet first of all a name
_PREFIX = frozenset(["mª", "ma", "m", "fco", "fca", "jose", "juan", "maria"])
_ABBREVIATED = words("abbreviated_titles")


def name_run(
    text: str, start: int, *, lower: bool, limit: int = 7, titled: bool = False, known: bool = False
) -> int | None:
    """End of the run of name words that begins at ``start``, or None.

    ``lower`` accepts lower case, ``titled`` everyday words with a capital; ``known`` takes capitals only,
    two words or more, one of them a listed name and nothing else ("SR. D. CALLE PEDRO").
    """
    if known:
        match = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){1,2}(?!\w)").match(text, start)
        if (
            match is None
            or not has_listed_name(match[0])
            or any(fold_chars(w) in role_words() for w in match[0].split())
        ):
            return None
        return match.end()
    at, end, count = start, None, 0
    while count < limit:
        match = WORD.match(text, at)
        if match is None:
            break
        value = match[0]
        folded = fold_chars(value)
        if folded in PARTICLES and (
            not is_capital(value) or value.isupper() or folded not in ("san", "santa")
        ):
            if end is None and not titled:
                break
            count += 1
        elif _is_link(text, match) or not _accept(
            value, folded, first=end is None, lower=lower, titled=titled
        ):
            break
        else:
            end = match.end()
            count += 1
        join = re.compile(r"[ ]{1,3}|-|[.](?=[ ]?[A-ZÁÉÍÓÚÑ])[ ]?").match(text, match.end())
        if join is None or (join[0].startswith(".") and len(value) > 2 and folded not in _PREFIX):
            break
        at = join.end()
    return end


def _is_link(text: str, word: re.Match[str]) -> bool:
    """Whether a word is "Y" or "E" between names in capitals and no initial."""
    return fold_chars(word[0]) in CONNECTIVES and text[word.end() : word.end() + 1] != "."


def _accept(value: str, folded: str, *, first: bool, lower: bool, titled: bool) -> bool:
    known = is_name_word(folded)
    if folded in _ABBREVIATED or (
        folded in role_words() and not (known and is_capital(value) and (not first or folded in _BOTH))
    ):
        return False
    if is_capital(value):
        if len(value) == 1:
            return True
        if value.isupper() and len(value) > 1:
            return known or not is_ordinary(folded)
        return known or titled or not is_ordinary(folded)
    return lower and len(value) > 2 and not is_ordinary(folded) and (first or known)


def has_name(value: str) -> bool:
    """Whether at least one word is in the name lists or no Spanish word at all (and not an acronym)."""
    for word in WORD.findall(value):
        folded = fold_chars(word)
        if folded in PARTICLES or len(folded) < 3:
            continue
        if is_name_word(folded) or not is_ordinary(folded):
            return True
    return False


def has_listed_name(value: str) -> bool:
    """Whether a word of ``value`` is a listed name and nothing else."""
    words = [fold_chars(w) for w in WORD.findall(value)]
    return any(is_name_word(w) and not is_ordinary(w) for w in words)
