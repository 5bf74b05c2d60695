"""Panama: cédula, its hyphens part of the number."""

from __future__ import annotations

import random

from astra_learn_assets.privacy.identifiers.forms import B, E, S, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits

_CEDULA = (
    rf"{B}(?:1[0-3]|[1-9]|PE|E|N|pe|e|n) ?[\-–] ?(?:(?:AV|PI|NT|av|pi|nt) ?[\-–] ?)?"
    rf"\d{{1,4}} ?[\-–] ?\d{{1,6}}{E}"
)


def cedula(number: str) -> bool:
    """Panamanian cédula with hyphens kept: province 1-13 or PE/E/N (AV/PI), book, entry (T. Electoral).

    NT stands for AV or PI where the tax office numbers somebody without a cédula.
    """
    parts = number.replace(" ", "").replace("–", "-").upper().split("-")
    if len(parts) == 4 and parts[1] in ("AV", "PI", "NT"):
        parts = [parts[0], *parts[2:]]
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return False
    province = parts[0] in ("PE", "E", "N") or (parts[0].isdigit() and 1 <= int(parts[0]) <= 13)
    return province and 1 <= len(parts[1]) <= 4 and 1 <= len(parts[2]) <= 6


def cedula_alone(number: str) -> bool:
    """Whether a Panamanian cédula needs no word beside it: a book of two digits or more and no date.

    5-49-8713 says what it is, 5-11-1987 and 5-3-12 do not; a letter in front says it with any book.
    """
    if not cedula(number):
        return False
    parts = number.replace(" ", "").replace("–", "-").split("-")
    book, entry = parts[-2], parts[-1]
    if not number[0].isdigit() or len(parts) == 4:
        return len(entry) > 2
    dated = int(book) <= 31 and (len(entry) == 2 or (len(entry) == 4 and entry[:2] in ("19", "20")))
    return len(book) > 2 or (len(book) == 2 and len(entry) > 1 and not dated)


def _cedula(rng: random.Random) -> str:
    return f"{rng.randint(1, 12)}-{digits(rng, 3, '1234567')}-{digits(rng, 4)}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula"),
    rules=(
        rule("CEDULA", _CEDULA, cedula_alone, strong=True, rank=60, keep_separators=True),
        rule("CEDULA", _CEDULA, cedula, rank=58, keep_separators=True),
        rule(
            "CEDULA",
            rf"{B}(?:(?:1[0-3]|[1-9]){S}(?:AV|PI|NT|av|pi|nt)|PE|E|N){S}\d{{1,4}}{S}\d{{1,6}}{E}"
            rf"|{B}(?:1[0-3]|[1-9]) \d{{1,4}} \d{{2,6}}{E}",
            rank=58,
        ),
    ),
    abroad=(),
    compact=(),  # no check digit
    phone=PhonePlan("PA", bare=None),
    samples=(Sample("CEDULA", "cédula", Alone.HYPHEN, _cedula),),
    examples=(),
)
