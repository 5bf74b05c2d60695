"""Ecuador: cédula and RUC."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, E, S, grouped, rule
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


def _ci(rng: random.Random) -> str:
    number = f"{rng.randint(1, 24):02d}{rng.randint(0, 5)}{digits(rng, 6)}"
    total = sum(
        (int(d) * (2 if i % 2 == 0 else 1) - 1) % 9 + 1 if int(d) else 0 for i, d in enumerate(number)
    )
    return f"{number}-{-total % 10}"


def _ruc(rng: random.Random) -> str:
    return f"{_ci(rng).replace('-', '')}001"


PACK = CountryPack(
    kind="CEDULA",
    identity_words=words("cedula|c i|ci|c.i|ruc|nui"),
    rules=(
        rule("RUC", rf"{B}\d{{9}}{S}\d{S}\d{{3}}{E}", stdnum("ec.ruc"), strong=True, rank=62),
        rule(
            "CEDULA",
            rf"{B}(?:{grouped(9, 1)}|{grouped(2, 4, 4)}|{grouped(3, 3, 3, 1)}|{grouped(2, 4, 3, 1)}"
            rf"|{grouped(1, 3, 3, 3)}|{grouped(4, 3, 3)}){E}",
            stdnum("ec.ci"),
            strong=True,
            rank=61,
        ),
    ),
    abroad=(
        rule(  # eleven digits: Peru's
            "RUC",
            rf"{B}\d{{10,13}}{E}|{B}{grouped(10, 3)}{E}",
            context=words("ruc|registro único de contribuyentes"),
            rank=58,
        ),
    ),
    compact=(
        CompactForm("CEDULA", re.compile(r"\d{10}"), stdnum("ec.ci"), hyphen=False),
        CompactForm("RUC", re.compile(r"\d{13}"), stdnum("ec.ruc"), hyphen=False),
    ),
    phone=PhonePlan("EC", bare=re.compile(r"09\d{8}")),
    samples=(
        Sample("CEDULA", "cédula", Alone.ALWAYS, _ci),
        Sample("RUC", "RUC", Alone.ALWAYS, _ruc),
    ),
    examples=(),
)
