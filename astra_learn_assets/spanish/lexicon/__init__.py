"""Word lists the rules and the trainer share: names of persons, and words that are not names.

``names.txt`` was written by hand, ``names_faker.txt`` comes from Faker (MIT). ``words.txt.gz`` lists
lower-case words of ParlaMint-ES (CC BY 4.0), ``frequent.txt.gz`` those among them seen 60 times or more;
``rare.txt.gz`` has those seen once or twice, and never more often with a capital.
Must not know any detector.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def name_lists() -> Mapping[str, tuple[str, ...]]:
    """Sections of ``names.txt``: ``"given:es:f" -> names``, an underscore standing for a space."""
    return _read("names.txt")


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, tuple[str, ...]]:
    """Sections of ``vocabulary.txt``: roles, council, places, titles, place heads; folded words."""
    return _read("vocabulary.txt")


def _read(file: str) -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (_FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            current = sections.setdefault(line.strip("[] \n"), [])
        else:
            current += [name.replace("_", " ") for name in line.split()]
    return {section: tuple(dict.fromkeys(names)) for section, names in sections.items()}


def _fold(word: str) -> str:
    from astra_learn_assets.spanish.visible import fold_chars

    return fold_chars(word)


def _section(kind: str) -> frozenset[str]:
    return frozenset(
        _fold(word) for lists in (name_lists(), _read("names_faker.txt"))
        for section, names in lists.items() if section.startswith(kind)
        for name in names for word in name.split() if len(word) > 1
    )  # fmt: skip


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Given names, folded."""
    return _section("given") | frozenset(("mª", "fco"))


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Surnames, folded, one word each."""
    return _section("surname") - {
        "el",
        "de",
        "ba",
        "ek",
        "uc",
        "ye",
        "ma",
        "san",
        "king",
        "hall",
        "green",
        "white",
        "young",
    }


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Words that occur in lower case in the minutes, folded, and the council's own vocabulary."""
    listed = _words("words.txt.gz") | _words("rare.txt.gz")
    return (listed | frozenset(vocabulary()["council"])) - {"iban", "miren"}


@lru_cache(maxsize=1)
def frequent_words() -> frozenset[str]:
    """Everyday words so common that a person's name is the unlikely reading ("calle", not "corona")."""
    return _words("frequent.txt.gz") | frozenset(vocabulary()["council"])


def _words(file: str) -> frozenset[str]:
    return frozenset(gzip.decompress((_FOLDER / file).read_bytes()).decode("utf-8").split())


@lru_cache(maxsize=1)
def kept_phrases() -> tuple[str, ...]:
    """Feasts, regions and institutions of several words that read like persons, folded."""
    return vocabulary()["kept phrases"]


@lru_cache(maxsize=1)
def role_words() -> frozenset[str]:
    """Offices and institutions, folded: never part of a person's name on their own."""
    return frozenset(vocabulary()["roles"])


@lru_cache(maxsize=1)
def place_words() -> frozenset[str]:
    """Countries, regions, well-known towns and organisations, folded, one word each."""
    return frozenset(vocabulary()["places"]) | frozenset(vocabulary()["organisations"])
