"""Argentina: CUIT/CUIL, DNI."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, E, S, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CompactForm,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits
from astra_learn_assets.privacy.identifiers.validators import stdnum

_CUIT = rf"{B}(?:20|23|24|27|30|33|34){S}\d{{2}}[. ]?\d{{3}}[. ]?\d{{3}}{S}\d{E}"


def _cuit(rng: random.Random) -> str:
    from stdnum.ar.cuit import calc_check_digit

    while True:
        number = rng.choice(("20", "23", "27")) + digits(rng, 8, "123")
        check = calc_check_digit(number)
        if check.isdigit():
            return f"{number[:2]}-{number[2:]}-{check}"


def _dni(rng: random.Random) -> str:
    number = digits(rng, 8, "1234")
    return f"{number[:2]}.{number[2:5]}.{number[5:]}"


PACK = CountryPack(
    kind="DNI",
    identity_words=words("dni|cuit|cuil|libreta de enrolamiento|libreta cívica|l.e|l.c|documento único"),
    rules=(rule("CUIT", _CUIT, stdnum("ar.cuit"), strong=True, rank=62),),
    abroad=(rule("CUIT", _CUIT, stdnum("ar.cuit"), context=words("cuit|cuil|cdi"), rank=60),),
    compact=(
        CompactForm("CUIT", re.compile(r"(?:20|23|24|27|30|33|34)\d{9}"), stdnum("ar.cuit"), hyphen=False),
    ),
    phone=PhonePlan("AR", bare=re.compile(r"(?:11|15)\d{8}")),
    samples=(
        Sample("CUIT", "CUIT", Alone.ALWAYS, _cuit),
        Sample("DNI", "DNI", Alone.NEVER, _dni),
    ),
    examples=(),
)
