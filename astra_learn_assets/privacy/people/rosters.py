"""People in rows: rosters, tables, lists of beneficiaries, signatures, votes by line.

A line is cut into cells: at tabs, bars, semicolons, wide gaps, dashes, dots in a row, numbers, brackets and
labels. A cell made of capitals that can all be a name, one of them a name and nothing else, is a person. In a
list, where the lines beside it hold people in the same place, less is enough: "PALMA VALDIVIA, Tarsicio".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.runs import (
    ABBREVIATIONS,
    OPENS_PLACE,
    Case,
    is_given,
    is_strong,
    may_be_name,
    never_names,
)
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, place_words, role_words
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    TITLE_WORDS,
    WORD,
    is_common,
    is_inflected,
    is_ordinary,
)

_NOUNS = table("person_nouns")
_CUT = re.compile(
    r"[\t|;:/]|[ ]{2,}|[ ][-–—_][ ]|[.…·_]{2,}|[()\[\]\"«»“”]|(?<![^\s,;|])[^\s,;|]{0,30}\d[^\s;|]*|[✓×*•=]|"
    r"^[ ]*[-–—•*+)][ ]?|[.](?=\s|$)(?<!\b\w[.])"
)
_LINE = re.compile(r"[^\n]+")
_ARTICLES = frozenset(["el", "la", "los", "las", "al", "un", "una"])
_LONGEST = 240
_MOST_WORDS = 8


@dataclass(frozen=True)
class _Cell:
    """A candidate: its span, how sure the words make it, and whether its line is a row."""

    start: int
    end: int
    score: int
    row: bool
    line: int


_INVERTED = re.compile(
    r"(?:(?<=[\n|;:\t])|(?<=\d[.)\-])|(?<=\d[.]-)|^)[ ]{0,4}"
    r"((?:[^\W\d_]['’]?[^\W\d_]+[ \n-]){0,4}[^\W\d_]['’]?[^\W\d_]+),[ ]"
    r"([^\W\d_]{2,}(?:[ ][^\W\d_]{2,}|[ ][^\W\d_][.]){0,3})[ ]?(?=[.,;|\t\n(—–-]|$)"
)


def _inverted(text: str) -> Iterator[Finding]:
    """ "medio solís, sixto fernando|regidor": given names alone behind the comma, marks of a list around.

    Nothing but a person is written so, whatever the surnames mean as words.
    """
    for match in _INVERTED.finditer(text):
        given = [fold_chars(w) for w in WORD.findall(match[2]) if len(w) > 1]
        family = [fold_chars(w) for w in WORD.findall(match[1])]
        core = [w for w in family if w not in PARTICLES]
        if not given or not all(w in given_names() for w in given) or all(map(is_ordinary, given)):
            continue
        if not core or len(core) > 3 or any(w in never_names() or w in _NOUNS for w in core):
            continue
        if any(w in TITLE_WORDS or (w in role_words() and not may_be_name(w)) for w in core):
            continue
        if not any(may_be_name(w) or not is_ordinary(w) for w in core):
            continue
        if match[2][0].isupper() != match[1].strip()[0].isupper() and core == family:
            continue
        yield Finding(match.start(1), match.end(2), "PERSONA", RANK + 50, "title")  # as it stands


def rostered(text: str) -> Iterator[Finding]:
    """Persons in rows and cells."""
    yield from _inverted(text)
    cells: list[_Cell] = []
    for number, line in enumerate(_LINE.finditer(text)):
        cells += _cells(text, line.start(), line.end(), number)
    lines = {cell.line for cell in cells if cell.score >= 2}
    for cell in cells:
        around = sum(n in lines for n in (cell.line - 2, cell.line - 1, cell.line + 1, cell.line + 2))
        comma = "," in text[cell.start : cell.end]
        if (
            cell.score >= 3
            or (cell.score == 2 and comma)
            or (cell.score == 2 and (cell.row or around))
            or (cell.score == 1 and cell.row and around > 1)
        ):
            yield Finding(cell.start, cell.end, "PERSONA", RANK, "title")


def _cells(text: str, start: int, end: int, number: int) -> Iterator[_Cell]:
    upper = sum(map(str.isupper, text[start:end]))
    lower = sum(map(str.islower, text[start:end]))
    case: Case = "lower" if not upper else "capitals" if upper > 4 * lower else "printed"
    pieces: list[tuple[int, int]] = []
    at = start
    for cut in _CUT.finditer(text, start, end):
        pieces.append((at, cut.start()))
        at = cut.end()
    pieces.append((at, end))
    row = len(pieces) > 1 and end - start <= _LONGEST
    for low, high in pieces:
        yield from _candidates(text, low, high, case, row, number)


def _candidates(text: str, low: int, high: int, case: Case, row: bool, line: int) -> Iterator[_Cell]:
    """Runs of the cell between labels that could be one person."""
    if high - low > 120 or (case != "lower" and not any(map(str.isupper, text[low:high]))):
        return
    run: list[re.Match[str]] = []
    stray = 0  # words of the cell that are no name's
    found: list[list[re.Match[str]]] = []
    for word in WORD.finditer(text, low, high):
        folded = fold_chars(word[0])
        single = len(word[0]) == 1
        if (
            folded in PARTICLES
            or (folded in ("y", "e", "i") and run)
            or (single and word[0].isupper())
            or (not single and _fits(word[0], folded, case))
        ):
            run.append(word)
            continue
        if folded in ABBREVIATIONS or folded in TITLE_WORDS or folded in _NOUNS or folded in never_names():
            pass
        else:
            stray += 1
        found.append(run)
        run = []
    found.append(run)
    for words in found:
        score = _score(text, words, case)
        if score and stray and not (score > 2 and row):
            continue
        if score:
            words = _bare(words)
            yield _Cell(words[0].start(), words[-1].end(), score, row, line)


def _fits(value: str, folded: str, case: Case) -> bool:
    if folded in never_names() or folded in ABBREVIATIONS:
        return False
    known = may_be_name(folded)
    if (folded in role_words() or folded in TITLE_WORDS) and (not known or case == "lower"):
        return False
    if case == "lower":
        return known or (not is_ordinary(folded) and not is_inflected(folded) and len(folded) > 2)
    if not value[0].isupper():
        return False
    return known or (case == "printed" and not value.isupper()) or not is_common(folded)


def _bare(words: list[re.Match[str]]) -> list[re.Match[str]]:
    loose = PARTICLES | {"y", "e", "i"}
    while words and fold_chars(words[-1][0]) in loose:
        words = words[:-1]
    while words and (
        fold_chars(words[0][0]) in _ARTICLES or fold_chars(words[0][0]) in ("c", "d", "h", "y", "e")
    ):
        words = words[1:]
    return words


def names_or_unknown(core: list[str]) -> list[str]:
    """The words that are names, or words of no list."""
    return [w for w in core if may_be_name(w) or not is_ordinary(w)]


def _score(text: str, words: list[re.Match[str]], case: Case) -> int:
    """0: nobody. 1: could be one. 2: somebody in a list. 3: somebody anywhere."""
    words = _bare(words)
    core = [fold_chars(w[0]) for w in words if fold_chars(w[0]) not in PARTICLES and len(w[0]) > 1]
    if not 2 <= len(core) <= _MOST_WORDS:
        return 0
    for left, right in pairwise(words):
        gap = text[left.end() : right.start()]
        if gap.strip(" .,-") or len(gap.strip(" ")) > 1:
            return 0
    commas = text[words[0].start() : words[-1].end()].count(",")
    first = fold_chars(words[0][0])
    given = [w for w in core if w in given_names()]
    strong_given = [w for w in given if not is_ordinary(w) and w not in place_words()]
    strong = [w for w in core if is_strong(w)]
    if first in OPENS_PLACE and not is_given(first) and not (commas == 1 and strong_given):
        return 0
    if core[0] not in names_or_unknown(core) and len(words) > 1 and fold_chars(words[1][0]) in PARTICLES:
        return 0  # "Recibido de M. Vega"
    if commas > 1 or (core[0] in _NOUNS and not may_be_name(core[0])):
        return 0
    ordinary = [w for w in core if not may_be_name(w) and is_ordinary(w)]
    names = len([w for w in core if may_be_name(w)])
    if case == "lower":
        if ordinary or not strong:
            return 0
        return 3 if strong_given and names > 1 else 2 if names > 1 else 1
    if strong_given and not ordinary:
        return 3
    if len(strong) > 1 and not ordinary:
        return 3 if any(is_given(w) for w in core) else 2
    if commas == 1 and (strong_given or (names > 1 and not ordinary)):
        return 2
    if strong and not ordinary:
        return 2
    if strong_given or (names == len(core) and any(map(is_given, core))):
        return 2
    return 1 if names > 1 or not ordinary else 0
