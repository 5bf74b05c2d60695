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
        (r"ph", "f"), (r"oo", "u"), (r"t[xsz](?=[aeiou])|sh", "ch"), (r"ch", "4"),
        (r"(?<!4)h", ""), (r"qu(?=[ei])|[kq]", "k"),
        (r"gü", "gu"), (r"g(?=[ei])", "j"), (r"gu(?=[ei])", "g"), (r"c(?=[ei])|[zçx]", "s"), (r"c", "k"),
        (r"(?<=[bdfjklmnprst4])y", "i"),
        (r"ll", "y"), (r"[vw]", "b"), (r"y(?![aeiou])", "i"), (r"n(?=[bp])", "m"), (r"ñ", "ni"),
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
    """Whether two given names are spellings of one: they sound alike, where an X may be read as J (Ximena),
    the J of a borrowed name as Y (Jeison) and a double l as one (Estella)."""
    return not _readings(left).isdisjoint(_readings(right))


def _readings(name: str) -> frozenset[str]:
    written = letters(name).replace("ll", "l")
    other = {"x": "j", "j": "y"}.get(written[:1], written[:1])
    return frozenset((sound(written), sound(other + written[1:])))


def spelled(words: tuple[str, ...]) -> str:
    """What a row of letter names spells ("pe pe" is "pp"), or ""."""
    found = [LETTERS.get(letters(word), "") for word in words]
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
