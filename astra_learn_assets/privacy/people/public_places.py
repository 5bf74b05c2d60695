"""Places and companies named after people.

A street, school or hospital without a house number is a public place: the person it is named after is
not masked there, unless the tenant's blocklist or roster says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.addresses import (
    STREET,
    UP,
    WITHIN,
    at_heads,
    first_words,
    heads_in,
    windows,
)
from astra_learn_assets.privacy.people.tables import any_of, words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import tokens

_PLACE_HEAD = rf"(?:{STREET}|{any_of('public_heads')})"
# These name a place only when the name follows at once: "la casa de Pedro García" is a citizen's.
_PLACE_HEAD_DIRECT = rf"(?:{any_of('public_heads_direct', longest_first=True)})"
_TITLE = rf"(?:(?:{any_of('public_honours')})\s+)?"
_AFTER_HEAD = rf"(?:(?i:{any_of('public_kinds')})\s+){{0,3}}"
_NAMED = (
    rf"(?:[\"“'«][ ]?)?(?!(?i:don|doña|d|dña|señora?|sra?)(?!\w))(?P<name>{_TITLE}"
    rf"(?:(?:{UP}\.[ ]?){{1,3}}(?:de[ ])?)?{UP}[\w’'´\-]+"
    rf"(?:[ ]+(?:(?:de|del|la|las|los|y|e|i)[ ]+){{0,2}}{UP}[\w’'´\-]+){{0,4}})"
)
_GAP = r"(?:[ ]+|(?<=[a-záéíóúñ])(?P<broken>\n))"  # a line's end: see _is_wrapped
_PLACE = re.compile(
    rf"(?<![\w’'])(?i:{_PLACE_HEAD}){_GAP}{_AFTER_HEAD}(?i:(?:de|del|de la|de los|de las|d['’])[ ]+)?{_NAMED}"
)
_PLACE_DIRECT = re.compile(rf"(?<![\w’'])(?i:{_PLACE_HEAD_DIRECT}){_GAP}{_AFTER_HEAD}{_NAMED}")
_COMPANY = re.compile(
    rf"(?P<name>{UP}[\w’'´\-]+(?:[ ]+(?:(?:y|e|de|del|la|"
    rf"e hijos)[ ]+)?{UP}[\w’'´\-]+){{0,4}}(?:[ ]+e hijos)?),?\s?(?<![^\W_])(?:S\.? ?L\.?(?: ?U\.?)?|"
    rf"S\.? ?A\.?(?: ?U\.?)?|S\.? ?C\.?|C\.? ?B\.?|S\.? ?A\.? ?S\.?|Ltda\.?|Cía\.?|S\. ?Coop\.?|"
    rf"E\.?I\.?R\.?L\.?|S\. de R\.L\.?)(?!\w)"
)
_COMPANY_ENDS = re.compile(
    r"S\.? ?[LAC]|C\.? ?B|Ltda|Cía|S\. ?Coop|E\.?I\.?R\.?L|S\. de R"
)  # what _COMPANY ends on
_TITLED = re.compile(
    r"(?i)(?<!\w)(?:señor|señora|don|doña|sra?\.?|d\.|dª\.?|dña\.?)\s*$"
)  # "la señora Calle Ruiz"
_PROSE = 36  # characters of a line that goes on in the next
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_PLACE_WORDS = frozenset().union(
    *first_words(STREET),
    (
        fold_chars(first[0])
        for head in words("public_heads") | words("public_heads_direct")
        if (first := _FIRST_WORD.match(head))
    ),
)


@lru_cache(maxsize=65_536)
def _opens_place(word: str) -> bool:
    return any(part in _PLACE_WORDS for part in WITHIN.split(word))


def public_places(text: str, near: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Spans of streets, bodies and companies around the offsets ``near`` whose names are no citizens'."""
    heads = heads_in(text, map(_opens_place, tokens(text).words)) if near else []
    for low, high in windows(text, near):
        base = max(0, low - 12)
        inside = tuple(at - low for at in heads if low <= at < high)
        if inside or _COMPANY_ENDS.search(text, low, high):
            for start, end in _places_in(text[base:high], low - base, inside):
                yield base + start, base + end


@lru_cache(maxsize=4096)
def _places_in(piece: str, low: int, heads: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    companies = _COMPANY.finditer(piece, low) if _COMPANY_ENDS.search(piece, low) else ()
    return tuple(
        match.span()
        for found in (
            at_heads(_PLACE, piece, low, heads),
            at_heads(_PLACE_DIRECT, piece, low, heads),
            companies,
        )
        for match in found
        if not _TITLED.search(piece[max(0, match.start() - 10) : match.start()]) and _is_wrapped(piece, match)
    )


def _is_wrapped(piece: str, match: re.Match[str]) -> bool:
    """Whether a line's end between head and name, if one is there, only breaks prose ("la calle / Duarte").

    Behind a short line a name stands for itself: "Sala / Juan Pérez", in a list.
    """
    if "broken" not in match.re.groupindex or match["broken"] is None:
        return True
    end = match.start("broken")
    head = piece[match.start() : end]
    return head[0].islower() and end - piece.rfind("\n", 0, end) > _PROSE
