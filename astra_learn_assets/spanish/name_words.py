"""The words of a text and what each is: listed name, everyday Spanish, particle, inflected form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import (
    frequent_words,
    further_titles,
    given_names,
    ordinary_words,
    particles,
    place_words,
    role_words,
    surnames,
    title_heads,
    title_words,
)

WORD = re.compile(r"[^\W\d_]+(?:['’·][^\W\d_]+)*[ªº]?")
PARTICLES = particles()
TITLE_WORDS = title_words() | further_titles()
TITLE_HEADS = title_heads()  # the first words of TITLE: only there is it tried
CONNECTIVES = frozenset(["a", "e", "o", "u", "y"])


@lru_cache(maxsize=65536)
def is_name_word(word: str) -> bool:
    """Whether a folded word is in the lists of given names or surnames."""
    return word in given_names() or word in surnames()


class Tokens(NamedTuple):
    """The words of a text, folded, with their spans; which of them open a title or are listed names."""

    spans: list[tuple[int, int]]
    words: list[str]
    titles: list[int]
    names: list[int]


def tokens(text: str) -> Tokens:
    """The words of a text; remembered for short texts, because many rules ask."""
    if len(text) < 3000:
        return _short_tokens(text)
    return _piece_tokens(text) if len(text) < 40_000 else _read_tokens(text)


def _read_tokens(text: str) -> Tokens:
    folded = fold_chars(text)
    spans = [m.span() for m in WORD.finditer(text)]
    words = [folded[start:end] for start, end in spans]
    known = _name_words()
    return Tokens(
        spans,
        words,
        [i for i, word in enumerate(words) if word in TITLE_HEADS],
        [i for i, word in enumerate(words) if word in known],
    )


_short_tokens = lru_cache(maxsize=1024)(_read_tokens)
_piece_tokens = lru_cache(maxsize=8)(_read_tokens)  # pieces of a long text


@lru_cache(maxsize=1)
def _name_words() -> frozenset[str]:
    return given_names() | surnames()


@lru_cache(maxsize=65536)
def is_ordinary(word: str) -> bool:
    """Whether a folded word is everyday Spanish, a place or an institution rather than a name."""
    return word in CONNECTIVES or word in ordinary_words() or word in role_words() or word in place_words()


@lru_cache(maxsize=65536)
def is_common(word: str) -> bool:
    """Whether a folded word is so common, or so plainly an office or a place, that no span should end on it.

    "corona" and "pala" are everyday words too, but rare ones: where the model calls them a person they
    are one.
    """
    return (
        word in CONNECTIVES
        or word in frequent_words()
        or word in role_words()
        or word in place_words()
        or word in PARTICLES
    )


_CLITIC = r"(?:se|me|te|nos|l[aeo]s?)"
_INFLECTED = re.compile(
    rf"(?:(?:[aei]r|[aie]ndo|[aei]mo|[ae]d|en){_CLITIC}{{1,2}}|[aei]rs?|ando|[iy]endo|[ae]d|[ai]d[oa]s?|"
    r"[ai]n|e[ns]|[aoe]s|[aei]ron|[aei]r(?:e|emos|an|as)|dor(?:a|es|as)?|"
    r"[aei]mos|[ai]ste|a[bs]a[ns]?|ción|ciones|mente|[ae]ra[ns]?|it[oa]s?)$"
)


@lru_cache(maxsize=65536)
def is_inflected(word: str) -> bool:
    """Whether a folded word that no list knows looks like a form of an everyday one ("vitorear")."""
    ending = _INFLECTED.search(word)
    if ending is None or ending.start() < 4 or word in given_names():
        return False
    stem = word[: ending.start()]
    return any(
        stem + tail in ordinary_words()
        for tail in ("", "a", "o", "e", "ar", "er", "ir", "ado", "as", "os", "es")
    )


def in_prose(text: str, start: int, end: int) -> bool:
    """Whether the text around a span is written with capitals, so that a lower-case word is no name."""
    return any(c.isupper() for c in text[max(0, start - 150) : start] + text[end : end + 60])


def is_capital(word: str) -> bool:
    return word[:1].isupper()
