"""Paraguay: cédula, RUC."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, E, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits, with_check
from astra_learn_assets.privacy.identifiers.validators import stdnum

_RUC = rf"{B}\d{{5,8}}[\-–]\d{E}"


def _ci(rng: random.Random) -> str:
    return f"{digits(rng, 1, '12345')}.{digits(rng, 3)}.{digits(rng, 3)}"


def _ruc(rng: random.Random) -> str:
    number = with_check("py.ruc", digits(rng, 8, "8"))
    return f"{number[:-1]}-{number[-1]}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|c i|ci|c.i|ruc"),
    rules=(rule("RUC", _RUC, stdnum("py.ruc"), context=words("ruc|contribuyente"), rank=58),),
    abroad=(rule("RUC", _RUC, context=words("ruc|registro único de contribuyentes"), rank=58),),
    compact=(),  # the RUC's check takes one random number in ten, the cédula has none
    phone=PhonePlan("PY", bare=re.compile(r"09\d{8}")),
    samples=(
        Sample("CEDULA", "cédula", Alone.NEVER, _ci),
        Sample("RUC", "RUC", Alone.NEVER, _ruc),
    ),
    examples=(),
)
