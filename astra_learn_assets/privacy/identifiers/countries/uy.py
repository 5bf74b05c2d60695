"""Uruguay: cédula, RUT."""

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
from astra_learn_assets.privacy.identifiers.samples import digits
from astra_learn_assets.privacy.identifiers.validators import stdnum, weighted

_WEIGHTS = (2, 9, 8, 7, 6, 3, 4)


def ci(number: str) -> bool:
    """Uruguayan cédula, 7 or 8 digits, last one the check digit: weights 2 9 8 7 6 3 4 (DNIC; modulo 10)."""
    if not number.isdigit() or not 7 <= len(number) <= 8:
        return False
    number = number.zfill(8)
    return -weighted(number[:7], _WEIGHTS) % 10 == int(number[7])


def _ci(rng: random.Random) -> str:
    number = digits(rng, 7, "12345")
    return f"{number[0]}.{number[1:4]}.{number[4:]}-{-weighted(number, _WEIGHTS) % 10}"


def _rut(rng: random.Random) -> str:
    from stdnum.uy.rut import calc_check_digit

    while True:
        number = f"{rng.randint(1, 21):02d}{digits(rng, 6, '123456789')}001"
        check = str(calc_check_digit(number))
        if len(check) == 1:
            return f"{number}{check}"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|c i|ci|c.i|rut"),
    rules=(
        rule("CEDULA", rf"{B}\d\.\d{{3}}\.\d{{3}}[ ]?[\-–][ ]?\d{E}", ci, strong=True, rank=62),
        rule("CEDULA", rf"{B}\d{{6,7}}[ ]?[\-–][ ]?\d{E}", ci, strong=True, rank=60),
        rule("RUT", rf"{B}{grouped(2, 6, 3, 1)}{E}", stdnum("uy.rut"), strong=True, rank=60),
    ),
    abroad=(),
    compact=(
        CompactForm("CEDULA", re.compile(r"\d{7,8}"), ci, hyphen=True),
        CompactForm("RUT", re.compile(r"\d{12}"), stdnum("uy.rut"), hyphen=False),
    ),
    phone=PhonePlan("UY", bare=re.compile(r"09\d{7}")),
    samples=(
        Sample("CEDULA", "C.I.", Alone.HYPHEN, _ci),
        Sample("RUT", "RUT", Alone.ALWAYS, _rut),
    ),
    examples=("C.I. 1234567-2",),
)
