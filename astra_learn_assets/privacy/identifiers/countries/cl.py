"""Chile: RUN of persons and RUT of companies, one form."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import MILLIONS, B, rule
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


def _rut(rng: random.Random) -> str:
    number = with_check("cl.rut", digits(rng, 8, "12"))
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}-{number[8]}"


PACK = CountryPack(
    kind="RUT",
    identity_words=words("rut|run"),
    rules=(
        rule(
            "RUT",
            rf"{B}\d{{1,2}}(?:\.\d{{3}}\.\d{{3}}|\d{{6}})[ ]?[\-–][ ]?[\dkK](?!\w)",
            stdnum("cl.rut"),
            strong=True,
            rank=62,
        ),
    ),
    abroad=(
        rule(
            "RUT",
            rf"{B}{MILLIONS}[ ]?[\-–]?[ ]?[\dkK](?!\w)",
            stdnum("cl.rut"),
            context=words("rut|run|rol único tributario|rol único nacional|rol único"),
            rank=58,
        ),
    ),
    compact=(CompactForm("RUT", re.compile(r"\d{7,8}[\dK]"), stdnum("cl.rut"), hyphen=True),),
    phone=PhonePlan("CL", bare=re.compile(r"9\d{8}")),
    samples=(Sample("RUT", "RUT", Alone.HYPHEN, _rut),),
    examples=(),
)
