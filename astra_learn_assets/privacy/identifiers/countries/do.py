"""Dominican Republic: cédula, RNC."""

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
from astra_learn_assets.privacy.identifiers.samples import digits, luhn_digit, with_check
from astra_learn_assets.privacy.identifiers.validators import luhn, stdnum


def _cedula(rng: random.Random) -> str:
    number = f"{rng.randint(1, 110):03d}{digits(rng, 7)}"
    return f"{number[:3]}-{number[3:]}-{luhn_digit(number)}"


def _rnc(rng: random.Random) -> str:
    number = with_check("do.rnc", digits(rng, 8, "14"))
    return f"{number[0]}-{number[1:3]}-{number[3:8]}-{number[8]}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|rnc"),
    rules=(
        rule(
            "CEDULA",
            rf"{B}\d{{3}}[ ]?[\-–][ ]?\d{{7}}[ ]?[\-–][ ]?\d{E}",
            luhn,
            strong=True,
            rank=62,
        ),
        rule("CEDULA", rf"{B}{grouped(3, 7, 1)}{E}", luhn, rank=58),
        rule("RNC", rf"{B}{grouped(3, 5, 1)}{E}", stdnum("do.rnc"), context=words("rnc"), rank=58),
    ),
    abroad=(),
    compact=(CompactForm("CEDULA", re.compile(r"\d{11}"), luhn, hyphen=True),),
    phone=PhonePlan("DO", bare=re.compile(r"8[024]9\d{7}")),
    samples=(
        Sample("CEDULA", "cédula", Alone.HYPHEN, _cedula),
        Sample("RNC", "RNC", Alone.NEVER, _rnc),
    ),
    examples=(),
)
