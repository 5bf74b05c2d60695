"""What a person span found by any detector should be: whole words, no title, no tail."""

from __future__ import annotations

import re

from astra_learn_assets.privacy.people.listed_names import PREPOSITION
from astra_learn_assets.privacy.people.runs import LOOSE_IN_SPEECH, is_given, may_be_name
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import STRONG_TITLE, TITLE, WEAK_TITLE
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, ordinary_words, place_words, role_words, surnames
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    TITLE_HEADS,
    WORD,
    in_prose,
    is_capital,
    is_common,
    is_inflected,
    is_name_word,
    is_ordinary,
)

_CITIZEN = re.compile(r"(?i)(?<!\w)(?:el|la|los|las|al|del)[ ]+c[.]")
_LABEL = re.compile(
    r"(?i)(?:nombres?(?: y apellidos)?|apellidos?|m[ée]dic[oa]|facultativ[oa]|responsable(?: clínico)?|"
    r"paciente|firmado|fdo|solicitante|"
    r"interesad[oa]|titular|remitido por|autor[ae]?s?|asistentes|ausentes?|presentes|concejal[ea]s|"
    r"secretari[oa]|alcald(?:e|esa)|a favor|"
    r"en contra|votan|abstenci[óo]n(?:es)?)\s*[.:]\s*$"
)
_TAIL = frozenset(["y", "e", "gracias", "que", "señor", "señora", "don", "doña", "sr", "sra"])
_HEAD = frozenset(
    ["el", "la", "los", "las", "y", "e", "a", "al", "con", "que", "gracias", "señor", "señora", "señores"]
)
_LINE_START = re.compile(r"(?:^|\n)[\s\-–•*\d.)]*$")
_STARTS = re.compile(r"(?:^|[.!?\n¿¡…]\s*)$")


def is_citizen(text: str, start: int) -> bool:
    """Whether ``C.`` at ``start`` is the Mexican title ("la C. Xóchitl") and no initial."""
    return (
        _CITIZEN.search(text[max(0, start - 5) : start + 2]) is not None
        and text[start : start + 2].upper() == "C."
    )


def mend(text: str, start: int, end: int) -> tuple[int, int] | None:
    """What a model's person span should be: whole words, no title, no tail; None when it is no person.

    A span of nothing but ordinary words needs a title, a label or a known surname to stay.
    """
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    lead = TITLE.match(text, start, end)
    while lead and lead.end() < end and (lead[0][-1].isspace() or lead[0].rstrip()[-1] in ".ªº:"):
        start = lead.end()
        lead = TITLE.match(text, start, end)
    if is_citizen(text, start):
        start = text.index(".", start) + 1
    titled_before = bool(STRONG_TITLE.search(text[max(0, start - 14) : start]))
    placed = titled_before or bool(_LABEL.search(text[max(0, start - 28) : start]))
    words = _trimmed(text, list(WORD.finditer(text, start, end)), titled_before, placed)
    if not words:
        return None
    start, end = words[0].start(), words[-1].end()
    if end < len(text) and text[end] == "." and len(words[-1][0]) == 1 and len(words) > 1:
        end += 1
    folded = [fold_chars(w[0]) for w in words if fold_chars(w[0]) not in PARTICLES]
    if not folded or all(len(w) == 1 for w in folded) or all(w in role_words() for w in folded):
        return None
    if placed:
        return start, end
    if _initial(text, words[0]) and len(words) > 1 and not is_common(folded[-1]):
        return start, end
    if WEAK_TITLE.search(text[max(0, start - 16) : start]) and not is_common(folded[0]):
        return start, end
    if (
        len(words) == 1
        and folded[0] in place_words()
        and PREPOSITION.search(text[max(0, start - 40) : start])
    ):
        return None
    if not any(is_capital(w[0]) for w in words) and not any(_name_like(w[0]) for w in words):
        return None
    if len(words) == 1 and words[0][0].islower() and is_inflected(folded[0]) and in_prose(text, start, end):
        return None
    if all(map(is_ordinary, folded)):
        lone_start = len(folded) == 1 and _STARTS.search(text[max(0, start - 4) : start]) is not None
        known = is_capital(words[0][0]) and (
            any(map(is_name_word, folded))
            or (not text[start:end].isupper() and not any(map(is_common, folded)))
        )
        speaks = re.match(r"[ ]?:\s", text[end : end + 3]) is not None and not any(
            w in role_words() or (text[start:end].isupper() and is_common(w)) for w in folded
        )
        if not (
            (known and not (lone_start and folded[0] not in given_names())) or (speaks and len(folded) > 1)
        ):
            return None
    return start, end


def _trimmed(text: str, words: list[re.Match[str]], titled_before: bool, placed: bool) -> list[re.Match[str]]:
    """A person's words without what does not belong at the head and the tail."""

    def folded(index: int) -> str:
        return fold_chars(words[index][0])

    lower = not any(is_capital(w[0]) for w in words)
    while words and (folded(-1) in PARTICLES or folded(-1) in _TAIL):
        words.pop()
    while words and folded(0) in _HEAD:
        if titled_before and len(words) > 1 and folded(0) in PARTICLES:
            break
        words.pop(0)
    while (
        len(words) > 1
        and not placed
        and not _name_like(words[0][0])
        and (folded(0) in role_words() or not _whole_line(text, words))
        and (is_common(folded(0)) or not lower)
        and not _initial(text, words[0])
        and any(_name_like(w[0]) for w in words[1:])
    ):
        opens = _STARTS.search(text[max(0, words[0].start() - 4) : words[0].start()]) is not None
        if is_capital(words[0][0]) and not opens and folded(0) not in role_words():
            break
        words.pop(0)
    while (
        len(words) > 1
        and not is_capital(words[-1][0])
        and not _name_like(words[-1][0])
        and not (lower and not is_common(folded(-1)))
    ):
        words.pop()
    while len(words) > 1 and folded(-1) in role_words() and not is_name_word(folded(-1)):
        words.pop()
    for position in range(2, len(words)):
        if (
            folded(position) in role_words()
            and not is_name_word(folded(position))
            and folded(position - 1) in PARTICLES
        ):
            words = words[:position]
            break
    while words and folded(-1) in PARTICLES:
        words.pop()
    return words


def _whole_line(text: str, words: list[re.Match[str]]) -> bool:
    """Whether a span fills its line or begins one up to a comma, as a name in a list of members does."""
    start, end = words[0].start(), words[-1].end()
    return (
        text[end : end + 1] in ("", "\n", ",", ";")
        and _LINE_START.search(text[max(0, start - 8) : start]) is not None
    )


def _initial(text: str, word: re.Match[str]) -> bool:
    return len(word[0]) == 1 and text[word.end() : word.end() + 1] == "."


def _name_like(word: str) -> bool:
    folded = fold_chars(word)
    return folded not in PARTICLES and (is_name_word(folded) or not is_ordinary(folded))


_NEXT = re.compile(r"[ -](?=([^\W\d_]+))")
_LINKED = re.compile(r"[ ](?i:y de la|y del|y de|y|del|de (?:la|las|los)|de|san|santa) (?=([^\W\d_]{3,}))")


_COMPOUND = table("compound_surnames")


def _linked(text: str, start: int, end: int) -> re.Match[str] | None:
    """The "del Olmo" or "y aros" behind a person's name; None for what may be anything else."""
    match = _LINKED.match(text, end)
    if match is None:
        return None
    value, word = text[start:end], match[1]
    folded = fold_chars(word)
    words = fold_chars(value).split()
    same = word.isupper() if value.isupper() else word.islower() if value.islower() else word.istitle()
    link = match[0].strip().lower()
    if not same or (folded in role_words() and folded != "cruz"):
        return None
    if word.istitle() and link[-3:] in (" la", "las", "los") and len(words) > 1 and not is_ordinary(folded):
        return match
    if link == "y" and is_given(folded):
        return None
    if folded not in _COMPOUND and (folded not in surnames() or folded in place_words()):
        return None
    if link in ("de", "y") and (len(words) < 2 or (link == "y" and value.istitle())):
        return None
    fits = (words[0] in given_names() or (folded in _COMPOUND and not is_ordinary(words[0]))) and not (
        value.isupper() and is_common(folded) and folded not in _COMPOUND
    )
    return match if fits else None


def more_surnames(text: str, start: int, end: int) -> int:
    """New end of a person found by any detector: surnames that are everyday words too stand right behind.

    "Roso Zaragoza [Plaza]", "ARIELA RUIZ [CALLE]", "pasqual li gomis [vela]": in printed text a capital is
    enough for what no office is, elsewhere the word must be a listed name.
    """
    capitals = text[start:end].isupper()
    while match := _linked(text, start, end) or _NEXT.match(text, end):
        word = match[1]
        folded = fold_chars(word)
        stop = match.end(1)
        if match.re is _LINKED or (match[0] == "-" and (is_name_word(folded) or not is_ordinary(folded))):
            end = stop
            continue
        if len(word) < 3 or folded in PARTICLES or folded in role_words() or folded in TITLE_HEADS:
            return end
        full = (  # what follows is a surname, whatever it says
            is_given(fold_chars(text[start:end]).split()[0])
            or STRONG_TITLE.search(text[max(0, start - 14) : start]) is not None
        )
        if capitals:
            fits = word.isupper() and is_name_word(folded)
        elif text[start].isupper():
            fits = word.istitle() and (full or is_name_word(folded) or not is_common(folded))
        else:
            fits = word.islower() and (
                (folded in surnames() and (full or not is_common(folded)))
                or (
                    full
                    and (folded in place_words() or (may_be_name(folded) and folded not in LOOSE_IN_SPEECH))
                )
            )
        if not fits:
            return end
        end = stop
    return end


def extend(text: str, start: int, end: int) -> int:
    """New end of a person's span: the surname the model cut off ("Bel [Accensi]") belongs to it."""
    at = end
    while True:
        join = re.compile(r"(?:[ ]{1,2}|-)(?:(?:de la|de los|de las|del|de|i|San|Santa|d['’])[ ])?").match(
            text, at
        )
        match = join and WORD.match(text, join.end())
        if not match:
            return end
        folded = fold_chars(match[0])
        link = join[0].strip().removeprefix("San").removeprefix("ta") if join else ""
        upper = match[0].isupper() and len(match[0]) > 1
        if not is_capital(match[0]) or folded in role_words() or folded in PARTICLES:
            return end
        if upper and not text[start:end].isupper():
            return end
        known = folded in surnames() or (folded in given_names() and not link)
        if link and not (known and not is_ordinary(folded)):
            return end
        if not known and is_ordinary(folded):
            return end
        if known and upper and folded in ordinary_words():
            return end
        at = end = match.end()
