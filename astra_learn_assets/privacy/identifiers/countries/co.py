"""Colombia: cédula de ciudadanía, cédula de extranjería, NIT."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, E, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CompactForm,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits, with_check
from astra_learn_assets.privacy.identifiers.validators import stdnum


def _cc(rng: random.Random) -> str:
    number = digits(rng, 10, "1")
    return f"{number[0]}.{number[1:4]}.{number[4:7]}.{number[7:]}"


def _nit(rng: random.Random) -> str:
    number = with_check("co.nit", digits(rng, 9, "89"))
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9]}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words(
        "cedula|cédula de ciudadanía|ciudadanía|c c|cc|c.c|tarjeta de identidad|t i|nit|nuip"
    ),
    rules=(
        rule(
            "NIT",
            rf"{B}\d{{3}}\.\d{{3}}\.\d{{3}}[ ]?[\-–][ ]?\d{E}",
            stdnum("co.nit"),
            strong=True,
            rank=60,
        ),
        rule(
            "CEDULA",
            rf"{B}\d{{6,7}}{E}|{B}\d{{1,3}}[.]\d{{3}}(?:[.]\d{{3}})?{E}",
            context=words("c e|c.e|ce|extranjería"),
            rank=56,
        ),
    ),
    abroad=(
        rule(
            "NIT",
            rf"{B}\d{{1,3}}(?:[. ]?\d{{3}}){{1,3}}[ ]?[\-–]?[ ]?[\dkK]?{E}",
            context=words("nit|identificación tributaria"),
            rank=54,
        ),
    ),
    compact=(CompactForm("NIT", re.compile(r"\d{10}"), stdnum("co.nit"), hyphen=True),),
    phone=PhonePlan("CO", bare=re.compile(r"3[0-5]\d{8}|60\d{8}")),
    samples=(
        Sample("CEDULA", "cédula de ciudadanía", Alone.NEVER, _cc),
        Sample("NIT", "NIT", Alone.HYPHEN, _nit),
    ),
    examples=("cédula de extranjería 345678",),
)
