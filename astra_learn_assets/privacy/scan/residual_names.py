"""A person detector that shares nothing with the first one but the word lists.

It knows no model and no grammar: it scores each run of capitalised words by what the words are (given
name, surname, unknown, everyday), by a title before it and by a street or institution before it. Runs
of :data:`THRESHOLD` points or more are persons. Lower-case text needs two list names in a row, or a
title. Placeholders must have been blanked out before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.persons import after_place_head
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import (
    given_names,
    ordinary_words,
    place_heads,
    place_words,
    role_words,
    surnames,
    title_words,
)

VERSION = "2"
THRESHOLD = 2.0
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PARTICLES = frozenset(
    ["de", "del", "la", "las", "los", "i", "da", "do", "dos", "van", "von", "der", "san", "santa"]
)

_TITLES = title_words()
_HEADS = place_heads()
_STRONG = _TITLES - frozenset(
    [
        "vecino",
        "vecina",
        "diputado",
        "diputada",
        "regidor",
        "regidora",
        "edil",
        "edila",
        "concejal",
        "concejala",
        "fdo",
    ]
)

_FEASTS = frozenset(["inmaculada concepcion", "corpus christi", "santa cruz", "maria auxiliadora"])
_COMPANY = re.compile(r",?\s?(?:S\.? ?[LAC]\.?|C\.? ?B\.?|Ltda|Cía|SAS|EIRL)(?!\w)")
_STARTS = re.compile(r"(?:^|[.!?¿¡:;\n\-–—\"«(]\s*)$")


def find(text: str) -> Iterator[Finding]:
    """Persons in a cleaned text without placeholders."""
    tokens = list(_TOKEN.finditer(text))
    folded = [fold_chars(t[0]) for t in tokens]
    at = 0
    while at < len(tokens):
        end = _run_end(text, tokens, folded, at)
        if end is None:
            at += 1
            continue
        if end > at + 1 and _opens_sentence(text, tokens[at], folded[at]):
            at += 1
            continue
        score = _score(text, tokens, folded, at, end)
        if score >= THRESHOLD:
            yield Finding(tokens[at].start(), tokens[end - 1].end(), "PERSONA", 30, "scored")
        at = max(end, at + 1)
    yield from _lower(text, tokens, folded)


def _opens_sentence(text: str, token: re.Match[str], folded: str) -> bool:
    """Whether an everyday word has its capital only from the sentence it opens ("Habla Pedro Ruiz")."""
    return (
        folded in ordinary_words()
        and folded not in given_names()
        and folded not in surnames()
        and folded not in _HEADS
        and not token[0].isupper()
        and _STARTS.search(text[max(0, token.start() - 3) : token.start()]) is not None
    )


def _run_end(text: str, tokens: list[re.Match[str]], folded: list[str], at: int) -> int | None:
    """Index after the run of capitalised words that begins at ``at``; titles and roles end a run."""
    if not _may_name(tokens[at][0], folded[at]):
        return None
    end = at + 1
    look = end
    while look < len(tokens) and re.fullmatch(
        r"[ ]{1,2}|-|[.] ?|, ", text[tokens[look - 1].end() : tokens[look].start()]
    ):
        gap = text[tokens[look - 1].end() : tokens[look].start()]
        if gap.startswith(".") and len(tokens[look - 1][0]) > 1:
            break
        if gap == ", " and not (
            folded[look] in given_names() and end == look and folded[look - 1] in surnames()
        ):
            break
        if folded[look] in _PARTICLES and look - end < 3:
            look += 1
            continue
        if not _may_name(tokens[look][0], folded[look]):
            break
        look += 1
        end = look
    return end


def _may_name(word: str, folded: str) -> bool:
    if not word[0].isupper() or folded in _TITLES or (folded in role_words() and folded not in given_names()):
        return False
    return folded not in _PARTICLES


def _score(text: str, tokens: list[re.Match[str]], folded: list[str], at: int, end: int) -> float:
    words = [w for w in folded[at:end] if w not in _PARTICLES]
    total = sum(map(_weight, words))
    start = tokens[at].start()
    previous = folded[max(0, at - 4) : at]
    between = text[tokens[max(0, at - 4)].start() : start]
    last = next((w for w in reversed(previous) if w not in _PARTICLES), "")
    adjacent = at > 0 and re.fullmatch(r"[ .,:ªº]{0,4}", text[tokens[at - 1].end() : start]) is not None
    if (
        adjacent
        and folded[at - 1] in _STRONG
        and any(w not in ordinary_words() or w in surnames() for w in words)
    ):
        total += 2.0
    elif adjacent and folded[at - 1] in _TITLES and any(_weight(w) > 0 for w in words):
        total += 1.0
    if (last in _HEADS and "." not in between.rsplit(last, 1)[-1][2:]) or _COMPANY.match(
        text, tokens[end - 1].end()
    ):
        total -= 4.0
    if after_place_head(text, start) or " ".join(words[:2]) in _FEASTS:
        total -= 4.0
    if folded[at] in _HEADS or any(w in _HEADS for w in previous[-2:]):
        total -= 4.0
    if len(words) == 1 and words[0] in place_words():
        total -= 2.0
    if _STARTS.search(text[max(0, start - 3) : start]) and words[0] in ordinary_words():
        total -= 1.0
    if tokens[at][0].isupper() and len(words) == 1 and len(words[0]) < 5:
        total -= 1.0
    return total


def _weight(word: str) -> float:
    if word in role_words() or word in _HEADS:
        return -1.5
    if word in given_names():
        return 0.5 if word in ordinary_words() or word in place_words() else 2.0
    if word in surnames():
        return 0.5 if word in ordinary_words() or word in place_words() else 1.0
    if word in ordinary_words():
        return -1.0
    return 0.0 if word in place_words() or len(word) < 3 else 0.4


def _lower(text: str, tokens: list[re.Match[str]], folded: list[str]) -> Iterator[Finding]:
    for i in range(len(tokens) - 1):
        if tokens[i][0][0].isupper() and tokens[i + 1][0][0].isupper():
            continue
        if not re.fullmatch(r"[ .ªº]{1,3}", text[tokens[i].end() : tokens[i + 1].start()]):
            continue
        first, second = folded[i], folded[i + 1]
        known = (
            second in given_names() | surnames()
            and second not in ordinary_words()
            and second not in place_words()
        )
        if first in _STRONG and known:
            yield Finding(tokens[i + 1].start(), tokens[i + 1].end(), "PERSONA", 30, "scored")
        elif (
            known
            and first in given_names()
            and first not in ordinary_words()
            and first not in place_words()
            and (i == 0 or folded[i - 1] not in _HEADS | _PARTICLES)
        ):
            yield Finding(tokens[i].start(), tokens[i + 1].end(), "PERSONA", 30, "scored")
