"""Costa Rica: cédula física."""

from __future__ import annotations

import random

from astra_learn_assets.privacy.identifiers.forms import B, E, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits


def _cedula(rng: random.Random) -> str:
    return f"{digits(rng, 1, '123456789')}-{digits(rng, 4)}-{digits(rng, 4)}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|dimex"),
    rules=(
        rule(
            "CEDULA",
            rf"{B}0?[1-9] ?[\-–] ?\d{{4}} ?[\-–] ?\d{{4}}{E}|{B}[1-9] \d{{4}} \d{{4}}{E}",
            strong=True,
            rank=58,
        ),
    ),
    abroad=(),
    compact=(),  # no check digit
    phone=PhonePlan("CR", bare=None),
    samples=(Sample("CEDULA", "cédula", Alone.HYPHEN, _cedula),),
    examples=(),
)
