"""The place the minutes are of: what stands behind its council, in its date line and its opening.

A town may bear a saint's or a founder's name ("Carmen Bajo", "Puerto Suárez Viejo"). Where minutes say of
which town they are, that name stays in the whole text; behind a title it is a person's all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    WORD,
    Tokens,
    is_common,
    is_name_word,
    is_ordinary,
    tokens,
)

_BODIES = table("places_before")
_DATED = re.compile(
    r"(?m)(?:^|[.][ ])[ ]*((?:[^\W\d_]+[ ]){0,5}[^\W\d_]+),[ ](?:a[ ])?(?:los[ ])?\d{1,2}[ ](?:de|días)[ ]"
)
_OPENED = re.compile(
    r"(?<!\w)[Ee]n ((?:[^\W\d_]+[ ]){0,5}[^\W\d_]+),? "
    r"(?:siendo|a las|a los|a \d|el día|en (?:el|la) (?:salón|sala|casa|recinto|sede))"
)
_TIMED = re.compile(  # "Sesión del 6 de octubre, 17h00. Achachicala Grande."
    r"(?im)^.{0,80}\b(?:sesi[oó]n|reuni[oó]n)\b[^\n]{0,60}\d[ ]?[.:h][ ]?\d{2}(?:[ ]horas)?[.][ ]"
    r"((?:[^\W\d_]+[ ]){0,5}[^\W\d_]+)[.][ ]*$"
)
_TAILS = table("town_tails")
_MOST = 6


def own_places(text: str) -> list[tuple[int, int]]:
    """Spans of the towns that the text says are its own, wherever they stand."""
    found = tokens(text)
    names = dict.fromkeys(_named(text, found))
    if not names:
        return []
    heads: dict[str, list[tuple[str, ...]]] = {}
    for name in sorted(names, key=len, reverse=True):
        heads.setdefault(name[0], []).append(name)
    spans = []
    last = 0
    for i, word in enumerate(found.words):
        if found.spans[i][0] < last:
            continue
        for name in heads.get(word, ()):
            if tuple(found.words[i : i + len(name)]) == name and _together(text, found, i, i + len(name)):
                last = found.spans[i + len(name) - 1][1]
                spans.append((found.spans[i][0], last))
                break
    return spans


def _together(text: str, found: Tokens, first: int, stop: int) -> bool:
    return all(text[found.spans[i][1] : found.spans[i + 1][0]].isspace() for i in range(first, stop - 1))


def _named(text: str, found: Tokens) -> Iterator[tuple[str, ...]]:
    """The names of places, as folded words."""
    for i, word in enumerate(found.words[:-2]):
        if word in _BODIES and found.words[i + 1] in ("de", "del"):
            yield from _run(text, found, i + 2)
    for pattern in (_DATED, _OPENED, _TIMED):
        for match in pattern.finditer(text):
            words = tuple(fold_chars(w) for w in WORD.findall(match[1]))
            printed = WORD.match(match[1])[0][0].isupper()  # type: ignore[index]
            if (printed or pattern is _TIMED) and words[0] not in _BODIES:
                yield words


def _run(text: str, found: Tokens, at: int) -> Iterator[tuple[str, ...]]:
    """The capitals from word ``at`` on."""
    start, end = found.spans[at]
    if text[found.spans[at - 1][1] : start].strip() or "\n\n" in text[found.spans[at - 1][1] : start]:
        return
    words: list[str] = []
    last = 0
    upper = any(map(str.isupper, text[max(0, start - 80) : end + 80]))
    for i in range(at, min(at + _MOST, len(found.words))):
        begin = found.spans[i][0]
        gap = text[found.spans[i - 1][1] : begin]
        if i > at and (gap.strip() or ("\n" in gap and not _wraps(text, begin))):
            break
        folded = found.words[i]
        if folded in PARTICLES or folded in ("el", "la", "los", "las", "doña", "don"):
            words.append(folded)
            if (text[begin].isupper() or not upper) and folded not in ("de", "del", "y"):
                last = len(words)
            continue
        tail = folded in _TAILS and last > 0
        first = not any(w not in PARTICLES and w not in ("el", "la", "los", "las") for w in words)
        if not text[begin].isupper() and (upper or (is_common(folded) and not tail and not first)):
            break
        words.append(folded)
        last = len(words)
    name = tuple(words[:last])
    core = [w for w in name if w not in PARTICLES]
    if core and not (len(core) == 1 and is_ordinary(core[0]) and not is_name_word(core[0])):
        yield name


def _wraps(text: str, begin: int) -> bool:
    line = text.rfind("\n", 0, begin)
    return line - text.rfind("\n", 0, max(0, line)) > 40


def touches_own(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a span shares a character with one of the town's names."""
    at = bisect_right(spans, (end - 1, len(spans) and spans[-1][1])) - 1
    return at >= 0 and start < spans[at][1]


def is_own(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a span, the particles at its head left out, lies in one of the town's names."""
    for word in WORD.finditer(text, start, end):
        start = word.start()
        if fold_chars(word[0]) not in ("de", "del", "el", "la", "los", "las"):
            break
    at = bisect_right(spans, (start, len(text))) - 1  # in order of place, without overlap
    return at >= 0 and end <= spans[at][1] and not is_titled(text, spans[at][0])
