"""Mexico: CURP, RFC, clave de elector, Social Security."""

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
from astra_learn_assets.privacy.identifiers.samples import digits, luhn_digit
from astra_learn_assets.privacy.identifiers.validators import luhn, stdnum

_CURP = r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d"
_RFC = rf"{B}[A-Za-zÑñ&]{{3,4}}[ \-]?\d{{6}}[ \-]?[A-Za-z0-9]{{3}}(?!\w)"


def elector(number: str) -> bool:
    """Mexican clave de elector: 6 letters, YYMMDD, state 01-32 or 87/88, sex, 3 digits (INE)."""
    if len(number) != 18:
        return False
    month, day, state = int(number[8:10]), int(number[10:12]), int(number[12:14])
    return 1 <= month <= 12 and 1 <= day <= 31 and (1 <= state <= 33 or state in (87, 88))


def _curp(rng: random.Random) -> str:
    from stdnum.mx.curp import calc_check_digit

    vowels, letters = "AEIOU", "BCDFGHJKLMNPRSTVWXYZ"
    pick = rng.choice
    head = f"{pick(letters)}{pick(vowels)}{pick(letters)}{pick(letters)}"
    head += _born(rng)
    number = f"{head}{pick('HM')}{pick(('DF', 'JC', 'OC', 'PL', 'NL'))}"
    number += f"{pick(letters)}{pick(letters)}{pick(letters)}0"
    return f"{number}{calc_check_digit(number)}"


def _rfc(rng: random.Random) -> str:
    from stdnum.mx.rfc import calc_check_digit, is_valid

    while True:  # words that offend are never issued
        head = "".join(rng.choice("GHLMPRST") + rng.choice("AEO") for _ in range(2))
        number = f"{head}{_born(rng)}{rng.choice('ABC')}{digits(rng, 1)}"
        number += calc_check_digit(number)
        if is_valid(number):
            return f"{number[:4]}-{number[4:10]}-{number[10:]}"


def _elector(rng: random.Random) -> str:
    letters = "".join(rng.choice("BCDGLMNPRSTV") for _ in range(6))
    return f"{letters}{_born(rng)}{rng.randint(1, 32):02d}{rng.choice('HM')}{digits(rng, 3)}"


def _nss(rng: random.Random) -> str:
    number = digits(rng, 10)
    return f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:]} {luhn_digit(number)}"


def _born(rng: random.Random) -> str:
    return f"{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"


PACK = CountryPack(
    kind="CURP",
    identity_words=words("curp|rfc|clave de elector|credencial"),
    rules=(rule("RFC", _RFC, stdnum("mx.rfc"), strong=True, rank=61),),
    abroad=(
        rule(
            "SALUD",
            rf"{B}{grouped(2, 2, 2, 4, 1)}{E}",
            luhn,
            context=words("nss|imss|issste|seguridad social|seguro social"),
            rank=60,
        ),
        rule(
            "CURP",
            rf"{B}[A-Za-z]{{4}}[ \-]?\d{{6}}[ \-]?[HMXhmx][A-Za-z]{{5}}[ \-]?[A-Za-z0-9]\d(?!\w)",
            strong=True,
            rank=66,
        ),
        rule(
            "RFC",
            _RFC,
            stdnum("mx.rfc"),
            context=words("rfc|registro federal|contribuyente|contribuyentes"),
            rank=60,
        ),
        rule("CLAVE_ELECTOR", rf"{B}[A-Za-z]{{6}}\d{{8}}[HMhm]\d{{3}}(?!\w)", elector, strong=True, rank=66),
    ),
    compact=(
        CompactForm("CURP", re.compile(_CURP), None, hyphen=False),
        CompactForm("RFC", re.compile(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}"), stdnum("mx.rfc"), hyphen=False),
        CompactForm("CLAVE_ELECTOR", re.compile(r"[A-Z]{6}\d{8}[HM]\d{3}"), elector, hyphen=False),
    ),
    phone=PhonePlan("MX", bare=None),
    samples=(
        Sample("CURP", "CURP", Alone.ALWAYS, _curp),
        Sample("RFC", "RFC", Alone.ALWAYS, _rfc),
        Sample("ELECTOR", "clave de elector", Alone.ALWAYS, _elector),
        Sample("SALUD", "IMSS", Alone.NEVER, _nss),
    ),
    examples=(),
)
