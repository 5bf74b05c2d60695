"""Persons by a listed name, and the streets, feasts and towns that only read like one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import RANK, name_run
from astra_learn_assets.privacy.people.tables import any_of, words
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import (
    PLACE_HEADS,
    given_names,
    kept_phrases,
    place_heads,
    place_words,
    surnames,
)
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    WORD,
    in_prose,
    is_inflected,
    is_name_word,
    is_ordinary,
    tokens,
)

PREPOSITION = re.compile(  # "Ayuntamiento de Villaverde", "en Villaverde": towns bear surnames too
    rf"(?i)(?<!\w)(?:(?:en|desde|hasta|hacia)|(?:{any_of('town_heads')})(?: \w+)? del?)\s+$"
)
_TOWN_ARTICLE = re.compile(r"(?<!\w)(?:El|La|Los|Las) $")  # "Las Rozas"
_ARTICLE = re.compile(r"(?<!\w)(?:el|la|las|los|al|del|un|una) $")  # "en el arroyo"
_COMMA = re.compile(r",[ ](?=[^\W\d_])")
_SAINT = re.compile(
    r"(?i)(?:\bsan|\bsanta|\bsanto|\bsto\.?|\bsta\.?|\bvirgen (?:de )?(?:la |los |las |del )?)\s*$"
)


def listed(text: str) -> Iterator[Finding]:
    """Runs that hold a known name: ``Lucía Ortega Prado``, ``ORTEGA PRADO, LUCIA``, a lone ``Lucía``.

    Also in lower case, where a listed word is nothing else in Spanish. Not after a street or school.
    """
    last = 0
    spans, found, _, names = tokens(text)
    for (begin, stop), folded in ((spans[i], found[i]) for i in names):
        if begin < last:
            continue
        given, surname = folded in given_names(), folded in surnames()
        capital = text[begin].isupper()
        if (folded in place_words() and not given) or after_place_head(text, begin):
            continue
        if not capital and (is_ordinary(folded) or len(folded) < (4 if given else 5)):
            continue
        if (
            not capital
            and not given
            and in_prose(text, begin, stop)
            and (is_inflected(folded) or _ARTICLE.search(text[max(0, begin - 5) : begin]))
        ):
            continue
        end = name_run(text, begin, lower=not capital)
        if end is None:
            continue
        words = [fold_chars(w) for w in WORD.findall(text[begin:end])]
        words = [w for w in words if w not in PARTICLES]
        comma = _COMMA.match(text, end)
        if capital and comma and surname and len(words) <= 3:
            after = name_run(text, comma.end(), lower=False, limit=3)
            first = WORD.match(text, comma.end())
            if after and first and fold_chars(first[0]) in given_names():
                last = after
                yield Finding(begin, after, "PERSONA", RANK, "list")
                continue
        if _believable(text, begin, words, given):
            last = end
            yield Finding(begin, end, "PERSONA", RANK, "list")


def is_full_name(text: str, finding: Finding) -> bool:
    """Whether a span is a given name and a surname, so that it is no town ("Dora Montalbán")."""
    words = [fold_chars(w) for w in WORD.findall(text[finding.start : finding.end])]
    return (
        len(words) > 1
        and words[0] in given_names()
        and any(
            (w in surnames() or not is_ordinary(w)) and w not in place_words()
            for w in words[1:]
            if w not in PARTICLES
        )
    )


def _believable(text: str, start: int, words: list[str], given: bool) -> bool:
    if not words or _SAINT.search(text[max(0, start - 16) : start]):
        return False
    if len(words) == 1:
        town = not given or words[0] in place_words()
        if town and _TOWN_ARTICLE.search(text[max(0, start - 4) : start]):
            return False
        placed = town and PREPOSITION.search(text[max(0, start - 40) : start]) is not None
        return not placed and not is_ordinary(words[0]) and len(words[0]) > (3 if given else 4)
    if given:
        return any(is_name_word(w) for w in words[1:]) or not all(is_ordinary(w) for w in words)
    return not all(is_ordinary(w) for w in words) and is_name_word(words[0])


@lru_cache(maxsize=1)
def _kept() -> re.Pattern[str]:
    phrases = "|".join(re.escape(p) for p in kept_phrases())
    own_list = any_of("electoral_lists")
    return re.compile(rf"(?<!\w)(?:{phrases}|(?:{own_list}) (?:por|para|con) [^\W\d_]+)(?!\w)")


def kept_places(text: str) -> list[tuple[int, int]]:
    """Spans of feasts and regions that read like persons ("Castilla y León", "Inmaculada Concepción")."""
    return [m.span() for m in _kept().finditer(fold_chars(text))]


_TOKENS = re.compile(r"\w+|[.,;:!?()\n]")
_PLACE_HEADS = place_heads() - words("unkept_heads")
_HONOURS = words("honours")
_SHORTENED = 4  # letters of a head that is cut short with a full stop
_KINDS = frozenset(word for kind in words("public_kinds") for word in kind.split())  # "sala [de sesiones]"
_BETWEEN_HEAD_AND_NAME = PARTICLES | _HONOURS | _KINDS
_HEAD_BEFORE = re.compile(
    r"(?i)(?<!\w)((?<!de )(?:el|la|los|las|en|al|por)[ ])?([^\W\d_]+)[.]?[ \n](?:del?[ ](?:l[ao]s?[ ])?)?\Z"
)
_STREETS = frozenset(map(fold_chars, PLACE_HEADS)) | {"av", "escuela", "hospital", "malecon", "pje"}


def is_place_head(word: str) -> bool:
    """Whether a folded word opens the name of a street, school or the like."""
    return word in _PLACE_HEADS


def behind_street(text: str, start: int) -> bool:
    """Whether the head of a street or the like stands right before, over a line's end too.

    A head that is a surname as well needs its article: "en la calle Duarte", not "ana del valle soto".
    """
    before = _HEAD_BEFORE.search(text, max(0, start - 40), start)
    if before is None or (head := fold_chars(before[2])) not in _STREETS:
        return False
    return before[1] is not None or head not in surnames()


def after_place_head(text: str, start: int) -> bool:
    """Whether a street, school or the like stands before, with nothing but particles, titles and what kind
    it is between: "la sala de sesiones «Ana Ruiz»"."""
    found = [fold_chars(word) for word in _TOKENS.findall(text[max(0, start - 40) : start])]
    while found:
        word = found.pop()
        if is_place_head(word):
            return True
        if word == "." and found and (found[-1] in _HONOURS or len(found[-1]) <= _SHORTENED):
            continue  # "av. garay", "calle gral. paz"; not "en la plaza. garay"
        if word not in _BETWEEN_HEAD_AND_NAME and not word.isdigit():
            return False
    return False
