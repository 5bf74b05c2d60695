"""Guatemala: DPI, whose number is the CUI, and NIT."""

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
from astra_learn_assets.privacy.identifiers.samples import digits, with_check
from astra_learn_assets.privacy.identifiers.validators import weighted

_DPI = rf"{B}{grouped(4, 5, 4)}{E}"


def dpi(number: str) -> bool:
    """Guatemalan CUI/DPI, 13 digits: 8 + check, department, municipality (RENAP).

    Check = sum of digits times 2..9, modulo 11; departments 01 to 22.
    """
    if len(number) != 13 or not number.isdigit():
        return False
    check = weighted(number[:8], range(2, 10)) % 11
    return check == int(number[8]) and 1 <= int(number[9:11]) <= 22 and 1 <= int(number[11:]) <= 33


def _dpi(rng: random.Random) -> str:
    while True:
        number = digits(rng, 8, "123")
        check = weighted(number, range(2, 10)) % 11
        if check < 10:
            return f"{number[:4]} {number[4:]}{check} {rng.randint(1, 22):02d}{rng.randint(1, 9):02d}"


def _nit(rng: random.Random) -> str:
    number = with_check("gt.nit", digits(rng, 7, "123456789"))
    return f"{number[:-1]}-{number[-1]}"


PACK = CountryPack(
    kind="DPI",
    identity_words=words("cui|dpi|nit"),
    rules=(rule("DPI", _DPI, dpi, strong=True, rank=62),),
    abroad=(rule("DPI", _DPI, dpi, context=words("dpi|cui|documento personal de identificación"), rank=58),),
    compact=(CompactForm("DPI", re.compile(r"\d{13}"), dpi, hyphen=False),),
    phone=PhonePlan("GT", bare=None),
    samples=(
        Sample("DPI", "DPI", Alone.ALWAYS, _dpi),
        Sample("NIT", "NIT", Alone.NEVER, _nit),
    ),
    examples=(),
)
