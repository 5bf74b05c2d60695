"""El Salvador: DUI, NIT."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, E, grouped, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CompactForm,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits
from astra_learn_assets.privacy.identifiers.validators import is_date, weighted


def dui(number: str) -> bool:
    """Salvadoran DUI, 9 digits: weights 9..2 on the first eight, check = (10 - sum mod 10) mod 10 (RNPN)."""
    if len(number) != 9 or not number.isdigit():
        return False
    return -weighted(number[:8], range(9, 1, -1)) % 10 == int(number[8])


def nit(number: str) -> bool:
    """Salvadoran NIT, 14 digits: place, DDMMYY, serial, check (Hacienda).

    The place is a department 01-14 and its municipality, or 9 and the country of who was born abroad.
    """
    if len(number) != 14 or not number.isdigit() or not (number[0] == "9" or 1 <= int(number[:2]) <= 14):
        return False
    day, month, year = int(number[4:6]), int(number[6:8]), int(number[8:10])
    return is_date(1900 + year, month, day) or is_date(2000 + year, month, day)


def _dui(rng: random.Random) -> str:
    number = digits(rng, 8, "0")
    return f"{number}-{-weighted(number, range(9, 1, -1)) % 10}"


def _nit(rng: random.Random) -> str:
    born = f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(50, 99)}"
    return f"{rng.randint(101, 1420):04d}-{born}-{digits(rng, 3)}-{digits(rng, 1)}"


PACK = CountryPack(
    kind="DUI",
    identity_words=words("dui|nit|documento único"),
    rules=(
        rule("DUI", rf"{B}\d{{8}}[ ]?[\-–][ ]?\d{E}", dui, strong=True, rank=62),
        rule(
            "NIT",
            rf"{B}\d{{4}} ?[\-–] ?\d{{6}} ?[\-–] ?\d{{3}} ?[\-–] ?\d{E}",
            strong=True,
            rank=62,
        ),
    ),
    abroad=(
        rule("NIT", rf"{B}{grouped(4, 6, 3, 1)}{E}", context=words("nit"), rank=56),
        rule("DUI", rf"{B}\d{{8}}[ \-–]?\d{E}", dui, context=words("dui|documento único"), rank=58),
    ),
    compact=(
        CompactForm("DUI", re.compile(r"\d{9}"), dui, hyphen=True),
        CompactForm("NIT", re.compile(r"(?:0\d|1[0-4]|9\d)\d{12}"), nit, hyphen=True),
    ),
    phone=PhonePlan("SV", bare=None),
    samples=(
        Sample("DUI", "DUI", Alone.HYPHEN, _dui),
        Sample("NIT", "NIT", Alone.HYPHEN, _nit),
    ),
    examples=(),
)
