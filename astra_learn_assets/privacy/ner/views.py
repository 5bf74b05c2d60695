"""What of a text the entity model reads: sentences, the parts of them that could hold a name, as printed.

The model takes a quarter of the time, so it is shown no more than what can change its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from astra_learn_assets.privacy.people import persons
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import role_words
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

AROUND = 7
_SEGMENT_LIMIT = 3000
_BREAK = re.compile(r"[.!?…](?P<gap>[ ]+)(?=[^\W\d_¿¡])|\n+")
_LONG_WORD = re.compile(
    r"[^\W\d_]{4}"
)  # "núm. 4", "Sr. Ruiz": after less than that a full stop ends no sentence
_COURTESY = frozenset(["se", "do"])  # señor, señora, don, doña: a name follows, however common the word
_ABBREVIATED = re.compile(
    r"(?i)(?:señor|avda|dña|sres|sras|excm[oa]|ilm[oa]|prof|econ|mons|crnl|tlg[oa]|mtr[oa]|lic|lcd[oa]|"
    r"hnos|urb|dpto|ctra|psje|art|núm|fdo)\.$"
)


def segments(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and lines of a text with their offsets; none longer than a few thousand characters."""
    start = 0
    for left, right in [*_cuts(text), (len(text), len(text))]:
        while left - start > _SEGMENT_LIMIT:
            space = text.rfind(" ", start + 1, start + _SEGMENT_LIMIT)
            cut = space + 1 if space > start else start + _SEGMENT_LIMIT
            yield start, text[start:cut]
            start = cut
        if text[start:left].strip():
            yield start, text[start:left]
        start = right


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    for match in _BREAK.finditer(text):
        stop = match.start("gap")
        if stop < 0:
            stop = match.start()
        elif not _LONG_WORD.match(text, max(0, stop - 5), stop - 1):
            continue
        if not _ABBREVIATED.search(text, max(0, stop - 8), stop):
            yield stop, match.end()


def views(segment: str) -> Iterator[tuple[int, int, str]]:
    """What the model reads of a sentence: ``(start, end, the whole as it should read)``.

    A text in capitals or lower case is read twice, as it is and as it would be printed.
    """
    windows = name_windows(segment)
    if not windows:
        return
    plain = natural(segment)
    printed = truecase(plain)
    for start, end in windows:
        yield start, end, plain
        if printed is not None:
            yield start, end, printed


@lru_cache(maxsize=20_000)
def may_name(segment: str) -> bool:
    """Whether a sentence holds any word that could be a name, so that the model must see it."""
    return bool(name_windows(segment))


@lru_cache(maxsize=20_000)
def name_windows(segment: str) -> tuple[tuple[int, int], ...]:
    """The parts of a sentence the model must see: :data:`AROUND` words to each side of what could be a name.

    The shipped model sees four words to each side, so more than that changes nothing. A person made
    only of everyday words that no list knows is dropped after the model anyway, except beside a label
    ("Nombre: Iris"); capitals alone ("el Gobierno de la Nación") name nobody, nor does a rare verb form
    in a sentence written with capitals ("vitorear").
    """
    whole = ((0, len(segment)),)
    if ":" in segment and len(segment) < 160:
        return whole
    short = len(segment) < 48
    prose = segment[:1].isupper() or segment[:2].strip("¿¡«-( ").isupper()
    words = persons.tokens(segment)
    windows: list[tuple[int, int]] = []
    after_title = False
    for at, ((start, end), folded) in enumerate(zip(words.spans, words.words, strict=True)):
        titled, after_title = after_title, folded in persons.TITLE_WORDS
        if folded in persons.PARTICLES:
            continue
        upper = segment[start].isupper()
        if persons.is_ordinary(folded):
            if not (upper or titled):
                continue
            if not (
                (upper and (persons.is_name_word(folded) or (short and not persons.is_common(folded))))
                or (
                    titled
                    and folded not in role_words()
                    and (words.words[at - 1][:2] in _COURTESY or not persons.is_common(folded))
                )
            ):
                continue
        elif (
            prose
            and segment[start:end].islower()
            and persons.is_inflected(folded)
            and not (titled and folded not in role_words())
        ):
            continue
        if short:
            return whole
        low = words.spans[at - AROUND][0] if at > AROUND else 0
        high = words.spans[at + AROUND][1] if at + AROUND < len(words.spans) - 1 else len(segment)
        if windows and low <= windows[-1][1]:
            windows[-1] = windows[-1][0], high
        else:
            windows.append((low, high))
    return tuple(windows)


def truecase(segment: str) -> str | None:
    """A segment in capitals or lower case as it would be printed, same length; None for ordinary case.

    The model is far better at printed text. Everyday words become lower case, all others and the
    surnames after them get a capital.
    """
    letters = sum(map(str.isalpha, segment))
    capitals = sum(map(str.isupper, segment)) if segment.isascii() else _capitals(segment)
    if letters < 4 or (capitals > 1 and capitals < 0.7 * letters):
        return None
    out, last, named = [], 0, False
    for match in persons.WORD.finditer(segment):
        word = match[0]
        folded = fold_chars(word)
        ordinary = persons.is_ordinary(folded) and not (named and persons.is_name_word(folded))
        if folded not in persons.PARTICLES:
            named = not ordinary
        printed = (
            word.lower() if ordinary or folded in persons.PARTICLES else word[:1].upper() + word[1:].lower()
        )
        out += [segment[last : match.start()], printed if len(printed) == len(word) else word]
        last = match.end()
    text = "".join([*out, segment[last:]])
    return text[:1].upper() + text[1:] if len(text[:1].upper()) == 1 else text


def _capitals(segment: str) -> int:
    return sum(c.isalpha() for c in filter(str.isupper, segment))  # a circled A is upper case, but no letter


def natural(segment: str) -> str:
    """The segment with placeholders replaced, length kept, by what the model expects in their place."""
    if "<" not in segment:
        return segment
    return PLACEHOLDER.sub(_stand_in, segment)


def _stand_in(match: re.Match[str]) -> str:
    size, kind = len(match[0]), match[1]
    if kind == "PERSONA":
        return ("Lucía Pérez" + "z" * size)[:size]
    if kind == "DIRECCION":
        return ("Calle Mayor" + " " * size)[: size - 2] + "12"
    return "6" * size
