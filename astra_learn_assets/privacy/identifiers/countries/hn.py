"""Honduras: DNI, RTN."""

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


def dni(number: str) -> bool:
    """Honduran DNI, 13 digits: department 01-18, municipality, year of birth, serial (RNP)."""
    return (
        len(number) == 13
        and number.isdigit()
        and 1 <= int(number[:2]) <= 18
        and 1 <= int(number[2:4]) <= 28
        and 1900 <= int(number[4:8]) <= 2035
    )


def rtn(number: str) -> bool:
    """Honduran tax number of a person, 14 digits: the DNI and one digit more (SAR)."""
    return len(number) == 14 and number.isdigit() and dni(number[:13])


def _dni(rng: random.Random) -> str:
    return f"{rng.randint(1, 18):02d}{rng.randint(1, 20):02d}-{rng.randint(1940, 2005)}-{digits(rng, 5)}"


PACK = CountryPack(
    kind="DNI",
    identity_words=words("dni|identidad"),
    rules=(
        rule("DNI", rf"{B}{grouped(4, 4, 5)}{E}", dni, strong=True, rank=62),
        rule(
            "RTN",
            rf"{B}{grouped(4, 4, 6)}{E}|{B}{grouped(4, 4, 5, 1)}{E}",
            rtn,
            strong=True,
            context=words("rtn"),
            rank=63,
        ),
    ),
    abroad=(),
    compact=(CompactForm("DNI", re.compile(r"\d{13}"), dni, hyphen=False),),
    phone=PhonePlan("HN", bare=None),
    samples=(Sample("DNI", "DNI", Alone.ALWAYS, _dni),),
    examples=("RTN 0801-1990-123456",),
)
