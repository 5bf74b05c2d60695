"""Venezuela: cédula, RIF."""

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


def cedula(number: str) -> bool:
    """Venezuelan cédula: V or E and 5 to 8 digits (SAIME; no check digit)."""
    return number[:1] in "VE" and number[1:].isdigit() and 5 <= len(number) - 1 <= 8


def _cedula(rng: random.Random) -> str:
    number = digits(rng, 8, "1234")
    return f"V-{number[:2]}.{number[2:5]}.{number[5:]}"


def _rif(rng: random.Random) -> str:
    number = with_check("ve.rif", rng.choice("VEJG") + digits(rng, 8))
    return f"{number[0]}-{number[1:9]}-{number[9]}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|c i|ci|c.i|rif"),
    rules=(
        rule(
            "CEDULA",
            rf"{B}[VEve][ ]?[.\-–][ ]?\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}{E}",
            strong=True,
            rank=62,
        ),
        rule(
            "RIF",
            rf"{B}[VEJPGvejpg][ \-–]?\d{{2}}[. ]?\d{{3}}[. ]?\d{{3}}[ \-–]?\d{E}",
            stdnum("ve.rif"),
            strong=True,
            rank=63,
        ),
    ),
    abroad=(
        rule(
            "RIF",
            rf"{B}[VEJPGvejpg][ \-–]?\d{{8,9}}[ \-–]?\d?{E}",
            stdnum("ve.rif"),
            context=words("rif"),
            rank=60,
        ),
        rule("CEDULA", rf"{B}[VEve][ .\-–]{{1,2}}\d{{1,2}}[. ]?\d{{3}}[. ]?\d{{3}}{E}", rank=56),
    ),
    compact=(
        CompactForm("CEDULA", re.compile(r"[VE]\d{7,8}"), cedula, hyphen=False),
        CompactForm("RIF", re.compile(r"[VEJPG]\d{9}"), stdnum("ve.rif"), hyphen=False),
    ),
    phone=PhonePlan("VE", bare=re.compile(r"04(?:12|14|16|24|26)\d{7}")),
    samples=(
        Sample("CEDULA", "cédula", Alone.HYPHEN, _cedula),
        Sample("RIF", "RIF", Alone.ALWAYS, _rif),
    ),
    examples=(),
)
