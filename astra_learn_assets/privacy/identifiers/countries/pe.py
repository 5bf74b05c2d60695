"""Peru: DNI, RUC."""

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
from astra_learn_assets.privacy.identifiers.samples import digits, with_check
from astra_learn_assets.privacy.identifiers.validators import weighted

_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def ruc(number: str) -> bool:
    """Peruvian RUC, 11 digits: weights 5 4 3 2 7 6 5 4 3 2, modulo 11 (SUNAT).

    It begins with 10, 15, 16 or 17 for persons, 20 for companies;
    python-stdnum leaves out 16, which SUNAT gave to persons too.
    """
    if len(number) != 11 or not number.isdigit() or number[:2] not in ("10", "15", "16", "17", "20"):
        return False
    return (11 - weighted(number[:10], _WEIGHTS) % 11) % 10 == int(number[10])


def _dni(rng: random.Random) -> str:
    return digits(rng, 8, "04")


def _ruc(rng: random.Random) -> str:
    return with_check("pe.ruc", rng.choice(("10", "20")) + digits(rng, 8))


PACK = CountryPack(
    kind="DNI",
    identity_words=words("dni|ruc"),
    rules=(rule("RUC", rf"{B}(?:10|15|16|17|20){S}\d{{8}}{S}\d{E}", ruc, strong=True, rank=62),),
    abroad=(),  # Ecuador's rule takes a RUC of eleven digits too
    compact=(CompactForm("RUC", re.compile(r"(?:10|15|16|17|20)\d{9}"), ruc, hyphen=False),),
    phone=PhonePlan("PE", bare=re.compile(r"9\d{8}")),
    samples=(
        Sample("DNI", "DNI", Alone.NEVER, _dni),
        Sample("RUC", "RUC", Alone.ALWAYS, _ruc),
    ),
    examples=(),
)
