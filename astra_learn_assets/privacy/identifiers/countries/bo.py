"""Bolivia: carnet de identidad with its department."""

from __future__ import annotations

import random

from astra_learn_assets.privacy.identifiers.forms import B, rule
from astra_learn_assets.privacy.identifiers.pack import (
    Alone,
    CountryPack,
    PhonePlan,
    Sample,
)
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits


def ci(number: str) -> bool:
    """Bolivian CI: 5 to 8 digits, optional complement, department (SEGIP; no check digit)."""
    for department in ("LP", "CB", "CBBA", "SC", "OR", "PT", "CH", "TJ", "BE", "PD", "BN", "PA", "QR"):
        if number.endswith(department) and number[: -len(department)][:5].isdigit():
            return True
    return False


def _ci(rng: random.Random) -> str:
    return f"{digits(rng, 7, '3456789')} {rng.choice(('LP', 'CB', 'SC'))}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("carnet|carné|c i|ci|c.i|nit"),
    rules=(
        rule(
            "CEDULA",
            rf"{B}\d{{5,8}}(?: ?[\-–]? ?\d[A-Za-z])?[ \-–.]{{0,3}}(?:LP|CB|CBBA|SC|OR|PT|CH|TJ|BE|PD|BN"
            rf"|lp|cb|cbba|sc|or|pt|ch|tj|be|pd|bn)(?!\w)",
            ci,
            strong=True,
            rank=60,
        ),
    ),
    abroad=(),
    compact=(),  # no check digit
    phone=PhonePlan("BO", bare=None),
    samples=(Sample("CEDULA", "carnet", Alone.ALWAYS, _ci),),
    examples=(),
)
