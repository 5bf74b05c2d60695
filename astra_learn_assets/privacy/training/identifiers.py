# ruff: noqa: E501  (tables: one form, one line)
"""Valid identifiers of every country pack in several spellings, for tests and benchmarks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Make = Callable[[random.Random], str]
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def digits(rng: random.Random, count: int, first: str = "0123456789") -> str:
    """``count`` random digits."""
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def weighted(number: str, weights: Sequence[int]) -> int:
    """Sum of digits times weights."""
    return sum(int(d) * w for d, w in zip(number, weights, strict=True))


def _es_dni(rng: random.Random) -> str:
    number = digits(rng, 8)
    return f"{number[:2]}.{number[2:5]}.{number[5:]}-{_DNI[int(number) % 23]}"


def _es_nie(rng: random.Random) -> str:
    letter, number = rng.choice("XYZ"), digits(rng, 7)
    return f"{letter}-{number}-{_DNI[int(str('XYZ'.index(letter)) + number) % 23]}"


def _luhn_digit(number: str) -> str:
    from stdnum.luhn import calc_check_digit

    return str(calc_check_digit(number))


def _ec_ci(rng: random.Random) -> str:
    number = f"{rng.randint(1, 24):02d}{rng.randint(0, 5)}{digits(rng, 6)}"
    total = sum(
        (int(d) * (2 if i % 2 == 0 else 1) - 1) % 9 + 1 if int(d) else 0 for i, d in enumerate(number)
    )
    return f"{number}-{-total % 10}"


def _cl_rut(rng: random.Random) -> str:
    from stdnum.cl.rut import calc_check_digit

    number = digits(rng, 8, "12")
    return f"{number[:2]}.{number[2:5]}.{number[5:]}-{calc_check_digit(number)}"


def _ar_cuit(rng: random.Random) -> str:
    from stdnum.ar.cuit import calc_check_digit

    while True:
        number = rng.choice(("20", "23", "27")) + digits(rng, 8, "123")
        check = calc_check_digit(number)
        if check.isdigit():
            return f"{number[:2]}-{number[2:]}-{check}"


def _mx_curp(rng: random.Random) -> str:
    from stdnum.mx.curp import calc_check_digit

    vowels, letters = "AEIOU", "BCDFGHJKLMNPRSTVWXYZ"
    pick = rng.choice
    head = f"{pick(letters)}{pick(vowels)}{pick(letters)}{pick(letters)}{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    number = f"{head}{pick('HM')}{pick(('DF', 'JC', 'OC', 'PL', 'NL'))}{pick(letters)}{pick(letters)}{pick(letters)}0"
    return f"{number}{calc_check_digit(number)}"


def _co_cc(rng: random.Random) -> str:
    number = digits(rng, 10, "1")
    return f"{number[0]}.{number[1:4]}.{number[4:7]}.{number[7:]}"


def _dotted8(rng: random.Random) -> str:
    number = digits(rng, 8, "1234")
    return f"{number[:2]}.{number[2:5]}.{number[5:]}"


def _uy_ci(rng: random.Random) -> str:
    number = digits(rng, 7, "12345")
    return f"{number[0]}.{number[1:4]}.{number[4:]}-{-weighted(number, (2, 9, 8, 7, 6, 3, 4)) % 10}"


def _do_cedula(rng: random.Random) -> str:
    number = f"{rng.randint(1, 110):03d}{digits(rng, 7)}"
    return f"{number[:3]}-{number[3:]}-{_luhn_digit(number)}"


def _gt_dpi(rng: random.Random) -> str:
    while True:
        number = digits(rng, 8, "123")
        check = weighted(number, range(2, 10)) % 11
        if check < 10:
            return f"{number[:4]} {number[4:]}{check} {rng.randint(1, 22):02d}{rng.randint(1, 9):02d}"


def _sv_dui(rng: random.Random) -> str:
    number = digits(rng, 8, "0")
    return f"{number}-{-weighted(number, range(9, 1, -1)) % 10}"


def _ni(rng: random.Random) -> str:
    return f"{rng.randint(1, 616):03d}-{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(50, 99)}-{digits(rng, 4)}{rng.choice('ABCDEFGHJKLMN')}"


def makers(country: str) -> list[tuple[str, str, bool, Make]]:
    """``(kind, context word, may fire without context, generator)`` of a country; printed form."""
    table: dict[str, list[tuple[str, str, bool, Make]]] = {
        "es": [("DNI", "DNI", True, _es_dni), ("NIE", "NIE", True, _es_nie)],
        "ec": [
            ("CEDULA", "cédula", True, _ec_ci),
            ("RUC", "RUC", True, lambda r: f"{_ec_ci(r).replace('-', '')}001"),
        ],
        "co": [("CEDULA", "cédula de ciudadanía", False, _co_cc)],
        "mx": [("CURP", "CURP", True, _mx_curp)],
        "cl": [("RUT", "RUT", True, _cl_rut)],
        "ar": [("CUIT", "CUIT", True, _ar_cuit), ("DNI", "DNI", False, _dotted8)],
        "pe": [("DNI", "DNI", False, lambda r: digits(r, 8, "04"))],
        "uy": [("CEDULA", "C.I.", True, _uy_ci)],
        "py": [
            ("CEDULA", "cédula", False, lambda r: f"{digits(r, 1, '12345')}.{digits(r, 3)}.{digits(r, 3)}")
        ],
        "ve": [("CEDULA", "cédula", True, lambda r: f"V-{_dotted8(r)}")],
        "bo": [
            ("CEDULA", "carnet", True, lambda r: f"{digits(r, 7, '3456789')} {r.choice(('LP', 'CB', 'SC'))}")
        ],
        "do": [("CEDULA", "cédula", True, _do_cedula)],
        "cr": [
            ("CEDULA", "cédula", True, lambda r: f"{digits(r, 1, '123456789')}-{digits(r, 4)}-{digits(r, 4)}")
        ],
        "gt": [("DPI", "DPI", True, _gt_dpi)],
        "sv": [("DUI", "DUI", True, _sv_dui)],
        "pa": [
            (
                "CEDULA",
                "cédula",
                True,
                lambda r: f"{r.randint(1, 12)}-{digits(r, 3, '1234567')}-{digits(r, 4)}",
            )
        ],
        "hn": [
            (
                "DNI",
                "DNI",
                True,
                lambda r: (
                    f"{r.randint(1, 18):02d}{r.randint(1, 20):02d}-{r.randint(1940, 2005)}-{digits(r, 5)}"
                ),
            )
        ],
        "ni": [("CEDULA", "cédula", True, _ni)],
    }
    return table[country]


def spellings(printed: str) -> list[str]:
    """The printed form and four others: without separators, with spaces, with hyphens, in lower case.

    A Chilean, Uruguayan, Dominican or Salvadoran number keeps the hyphen that tells it from a sum;
    so do forms that are nothing but their hyphens (Panama, Costa Rica, Venezuela, Bolivia).
    """
    forms = [
        printed,
        printed.lower(),
        printed.replace(".", ""),
        printed.replace("-", " - "),
        printed.replace("-", "–"),
    ]
    return list(dict.fromkeys(forms))
