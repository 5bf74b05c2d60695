"""Spain: DNI, NIE, NIF, Social Security, land register."""

from __future__ import annotations

import random
import re

from astra_learn_assets.privacy.identifiers.forms import MILLIONS, B, E, S, grouped, rule
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

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_NIE = rf"{B}[XYZxyz]{S}\d[. ]?\d{{3}}[. ]?\d{{3}}[ .\-–]{{0,3}}[A-Za-z]"


def dni(number: str) -> bool:
    """Spanish DNI, leading zeros optional: letter = number mod 23 (Orden INT/2058/2008)."""
    return number[:-1].isdigit() and stdnum("es.dni")(number.zfill(9))


def nss(number: str) -> bool:
    """Spanish social security number, 12 digits: province 01-53/66, then first 10 digits mod 97.

    TGSS rule: with a serial below 10,000,000 the province is multiplied by 10^7, else by 10^8.
    """
    if len(number) != 12 or not number.isdigit() or not (1 <= int(number[:2]) <= 53 or number[:2] == "66"):
        return False
    province, serial, control = int(number[:2]), int(number[2:10]), int(number[10:])
    base = serial + province * 10_000_000 if serial < 10_000_000 else int(number[:10])
    return base % 97 == control


def _dni(rng: random.Random) -> str:
    number = digits(rng, 8)
    return f"{number[:2]}.{number[2:5]}.{number[5:]}-{_LETTERS[int(number) % 23]}"


def _nie(rng: random.Random) -> str:
    letter, number = rng.choice("XYZ"), digits(rng, 7)
    return f"{letter}-{number}-{_LETTERS[int(str('XYZ'.index(letter)) + number) % 23]}"


def _cif(rng: random.Random) -> str:
    from stdnum.es.cif import calc_check_digits

    number = rng.choice("ABEFGHJ") + digits(rng, 7)
    return f"{number[0]}-{number[1:]}{calc_check_digits(number)[0]}"


def _nss(rng: random.Random) -> str:
    number = f"{rng.randint(1, 52):02d}{digits(rng, 8, '123456789')}"
    return f"{number[:2]}/{number[2:]}/{int(number) % 97:02d}"


PACK = CountryPack(
    kind="DNI",
    identity_words=words("dni|d n i|nif|n i f|nie|cif"),
    rules=(
        rule("DNI", rf"{B}{MILLIONS}(?:[.\-–]| [\-–] ?)?[A-Z](?!\w)", dni, strong=True, rank=64),
        rule("DNI", rf"{B}{MILLIONS}(?:[.\-–]| [\-–] ?)?[a-z](?!\w)", dni, strong=True, rank=64),
        # "12345678 y" and "o" are the next word, not a letter
        rule("DNI", rf"{B}{MILLIONS} {{1,2}}[A-Zb-df-np-tv-xz](?!\w)", dni, strong=True, rank=64),
        rule("NIE", rf"{_NIE}(?!\w)", stdnum("es.nie"), strong=True, rank=64),
        rule(
            "NIF",
            rf"{B}[ABCDEFGHJKLMNPQRSUVWabcdefghjklmnpqrsuvw][ .\-–]?\d{{2}}[. ]?\d{{3}}[. ]?\d{{2}}[ .\-–]?"
            rf"[0-9A-Ja-j]{E}",
            stdnum("es.nif"),
            strong=True,
            rank=61,
        ),
        rule(
            "NIF",
            rf"{B}[KLMklm][ .\-–]{{0,3}}\d{{7}}(?:[.\-–]| [\-–] ?)?[A-Za-z](?!\w)",
            stdnum("es.nif"),
            strong=True,
            rank=61,
        ),
        rule(
            "SALUD",
            rf"{B}{grouped(2, 8, 2)}{E}|{B}\d{{2}}/\d{{8}}/\d{{2}}(?![\w/])",
            nss,
            strong=True,
            rank=60,
        ),
        rule(
            "CATASTRO",
            rf"{B}[0-9A-Z]{{7}} ?[0-9A-Z]{{7}} ?\d{{4}} ?[A-Z]{{2}}(?!\w)",
            stdnum("es.referenciacatastral"),
            strong=True,
            context=words("referencia catastral|catastral"),
            rank=66,
        ),
    ),
    abroad=(
        rule(
            "DNI",
            rf"{B}{MILLIONS}(?:[.\-–]?[A-Za-z]|[ .\-–]{{1,3}}[A-Zb-df-hj-np-tvwz])(?!\w)",
            dni,
            context=words("dni|d n i|nif|n i f|documento|identidad|identificación"),
            rank=62,
        ),
        rule(
            "NIE",
            rf"{_NIE}(?![\w])",
            stdnum("es.nie"),
            context=words("nie|n i e|extranjero|extranjería|documento|identidad"),
            rank=62,
        ),
    ),
    compact=(
        CompactForm("DNI", re.compile(r"\d{8}[A-Z]"), dni, hyphen=False),
        CompactForm("NIE", re.compile(r"[XYZ]\d{7}[A-Z]"), stdnum("es.nie"), hyphen=False),
        CompactForm("NIF", re.compile(r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]"), stdnum("es.cif"), hyphen=False),
        CompactForm("SALUD", re.compile(r"\d{12}"), nss, hyphen=False),
    ),
    phone=PhonePlan("ES", bare=re.compile(r"[67]\d{8}|[89][1-9]\d{7}")),
    samples=(
        Sample("DNI", "DNI", Alone.ALWAYS, _dni),
        Sample("NIE", "NIE", Alone.ALWAYS, _nie),
        Sample("NIF", "CIF", Alone.ALWAYS, _cif),
        Sample("SALUD", "afiliación", Alone.ALWAYS, _nss),
    ),
    examples=("NIF K-1234567-L", "referencia catastral 9872023 VH5797S 0001 WX"),
)
