"""Nicaragua: cédula."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, S, grouped, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CompactForm,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits
from astra_learn_assets.privacy.identifiers.validators import is_date


def cedula(number: str) -> bool:
    """Nicaraguan cédula, 13 digits and a letter: municipality, DDMMYY, serial; letter (CSE)."""
    if len(number) != 14 or not number[:13].isdigit() or not number[13].isalpha():
        return False
    day, month, year = int(number[3:5]), int(number[5:7]), int(number[7:9])
    return is_date(1900 + year, month, day) or is_date(2000 + year, month, day)


def _cedula(rng: random.Random) -> str:
    place = f"{rng.randint(1, 616):03d}"
    born = f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(50, 99)}"
    return f"{place}-{born}-{digits(rng, 4)}{rng.choice('ABCDEFGHJKLMN')}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula"),
    rules=(rule("CEDULA", rf"{B}{grouped(3, 6, 4)}{S}[A-Za-z](?!\w)", cedula, strong=True, rank=62),),
    abroad=(),
    compact=(CompactForm("CEDULA", re.compile(r"\d{13}[A-Z]"), cedula, hyphen=False),),
    phone=PhonePlan("NI", bare=None),
    samples=(Sample("CEDULA", "cédula", Alone.ALWAYS, _cedula),),
    examples=(),
)
