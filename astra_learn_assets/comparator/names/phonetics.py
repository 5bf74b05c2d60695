"""How alike two spellings sound in Spanish, for telling a misheard name from another name."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from astra_learn_assets.spanish.fold import letters
from astra_learn_assets.spanish.lexicon import LETTERS

_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"ph", "f"), (r"oo", "u"), (r"t[xsz](?=[aeiou])|sh", "ch"), (r"ch(?=[rl])", "k"), (r"ch", "4"),
        (r"(?<!4)h", ""), (r"qu(?=[ei])|[kq]", "k"),
        (r"gü", "gu"), (r"g(?=[ei])", "j"), (r"gu(?=[ei])", "g"), (r"c(?=[eiy])|[zçx]", "s"), (r"c", "k"),
        (r"(?<=[bdfjklmnprst4])y", "i"),
        (r"ll", "y"), (r"[vw]", "b"), (r"y(?![aeiou])", "i"), (r"n(?=[bp])", "m"), (r"m$", "n"), (r"ñ", "ni"),
        (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_LONGEST = 200  # characters of a name; what is longer is none


@lru_cache(maxsize=20_000)
def sound(text: str) -> str:
    """A key that is equal for spellings that sound alike: Jhon/John, Kispe/Quispe, Bolibar/Bolívar."""
    key = letters(text)
    for pattern, replacement in _RULES:
        key = pattern.sub(replacement, key)
    return key


def one_name(left: str, right: str) -> bool:
    """Whether two names are spellings of one: some reading of the one sounds like some of the other, or they
    have little in common but their sound (Maicol, Michael)."""
    if not _readings(left).isdisjoint(_readings(right)):
        return True
    if likeness(left, right) < _WRITTEN_ALIKE:
        return heard(left, right) >= _SAME_SOUND
    # of a long name one vowel more open or less: Etxebarria, Etxeberria
    return (
        min(len(left), len(right)) >= _LONG_NAME and _nearness(sound(left), sound(right)) >= _NEARLY_THE_SAME
    )


# How the letters of a borrowed name may be read, one after the other, each beside the Spanish way: Ximena
# with a J, Jeison with a Y, Estella with one L, Steven with an E before, Michael, George, Nicole, James,
# Huamán with a G.
_BORROWED = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"ll", "l"), (r"^x", "j"), (r"^s(?=[bcdfgklmnpqt])", "es"), (r"ge$", "ch"),
        (r"g(?=[ei])", "gu"), (r"gi(?=[aou])|j|g(?=[eiy])", "y"), (r"eo(?=[^aeiou])", "o"),
        (r"ch(?=[aeior])", "k"),
        (r"(?<=[^aeiou])i(?=[^aeiou].*[^a]$|ae|an$)", "ai"), (r"(?<=[^aeiou])e(?=[^aeiou]en?$)", "i"),
        (r"(?<=[^aeiou])a(?=[^aeiou](?:[ey]|on$|$|[^aeiou]+e?s?$))|ay(?!a)|ai|ey", "ei"),
        (r"ae|ee|ea(?=[^aeiou])", "e"), (r"ee|ea|ie$|(?<=[^aeiou])ey$", "i"), (r"ou", "u"), (r"ow", "au"),
        (r"w|(?<![cp])hu(?=[ao])", "gu"),
        (r"(?<=[^aeiou])es$", "s"), (r"(?<=[^aeiou])e$", ""), (r"ny", "ñ"), (r"ig$", "ch"),
    )
)  # fmt: skip
_READINGS, _LONGEST_NAME = 48, 30


@lru_cache(maxsize=20_000)
def _readings(name: str) -> frozenset[str]:
    """What a name may sound like, as :func:`sound` writes it; a reading that no rule gives is not tried."""
    written = {letters(name)}
    if len(name) <= _LONGEST_NAME:
        for pattern, replacement in _BORROWED:
            if len(written) <= _READINGS // 2:
                written |= {pattern.sub(replacement, one) for one in written}
    return frozenset(map(sound, written))


def spelled(words: tuple[str, ...]) -> str:
    """What a row of letters or of their names spells ("pe pe" and "p p" are "pp"), or ""."""
    found = [LETTERS.get(word, word if len(word) == 1 else "") for word in map(letters, words)]
    return "".join(found) if all(found) else ""


@lru_cache(maxsize=2_000)
def said_aloud(acronym: str) -> str:
    """An acronym as its letters are called: "ugt" is "ugete"."""
    first = {letter: name for name, letter in reversed(LETTERS.items())}
    return "".join(first.get(letter, letter) for letter in letters(acronym))


def likeness(wrong: str, right: str) -> float:
    """0..1: the better of the likeness of letters and of sounds (normalized Levenshtein;
    of letters with swapped neighbours as one edit); of a text longer than any name whether it is the same."""
    if max(len(wrong), len(right)) > _LONGEST:
        return float(wrong == right)
    if letters(wrong) == letters(right):
        return 1.0
    spelling = OSA.normalized_similarity(letters(wrong), letters(right))
    sounds = Levenshtein.normalized_similarity(sound(wrong), sound(right))
    if ("x" in wrong.casefold()) != ("x" in right.casefold()):  # Ximena and Jimena, México: read as j too
        old = [sound(text.replace("x", "j").replace("X", "J")) for text in (wrong, right)]
        sounds = max(sounds, Levenshtein.normalized_similarity(*old))
    return max(float(spelling), float(sounds))


_NEAR: dict[frozenset[str], float] = {
    frozenset(pair): cost
    for cost, pairs in (
        (0.2, "yi"),
        (0.3, "mn"),
        (0.4, "ei ou bu jg"),
        (0.5, "bg bp dt kg s4 y4 yj rl fj ly"),
        (0.6, "ae fp fb jk dr"),
        (0.7, "ao nl st"),
    )
    for pair in pairs.split()
}
"""What the ear takes one sound for another at; anything else costs 1, two vowels .8."""
_LOST_AT_THE_END, _LOST_GLIDE = 0.5, 0.6
_HEARD, _SAME_SOUND, _WRITTEN_ALIKE = 0.7, 0.85, 0.6
_LONG_NAME, _NEARLY_THE_SAME = 9, 0.92


def heard(wrong: str, right: str) -> float:
    """:func:`likeness`, or how near two names sound when that is .7 at least: a Levenshtein distance whose
    edits cost what the ear makes of them, of the nearest two readings, as a share of the longer one."""
    value = likeness(wrong, right)
    if value >= _HEARD or max(len(wrong), len(right)) > _LONGEST_NAME:
        return value
    near = max(_nearness(a, b) for a in _readings(wrong) for b in _readings(right))
    return max(value, near) if near >= _HEARD else value


def nearness(wrong: str, right: str) -> float:
    """0..1: how near two spellings sound, read the Spanish way."""
    return _nearness(sound(wrong), sound(right))


@lru_cache(maxsize=20_000)
def _nearness(left: str, right: str) -> float:
    longest = max(len(left), len(right), 1)
    if abs(len(left) - len(right)) > longest / 2:
        return 0.0
    row = [0.0]
    for sign in right:
        row.append(row[-1] + _lost(right, sign, len(row) - 1))
    for i, a in enumerate(left):
        above, row = row, [row[0] + _lost(left, a, i)]
        for j, b in enumerate(right):
            row.append(
                min(
                    above[j] + (0.0 if a == b else _changed(a, b)),
                    above[j + 1] + _lost(left, a, i),
                    row[j] + _lost(right, b, j),
                )
            )
    return 1 - row[-1] / longest


def _changed(a: str, b: str) -> float:
    return _NEAR.get(frozenset((a, b)), 0.8 if a in "aeiou" and b in "aeiou" else 1.0)


def _lost(name: str, sign: str, at: int) -> float:
    """A sound that is not heard: consonants at the end, glides."""
    if at == len(name) - 1 and sign not in "aeiou":
        return _LOST_AT_THE_END
    return _LOST_GLIDE if sign in "iuy" else 1.0
