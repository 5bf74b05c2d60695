# ruff: noqa: E501  (tables: one form, one line)
"""Valid identifiers of every country pack in several spellings, for tests and benchmarks."""

from __future__ import annotations

import importlib
import random
import re
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


def _es_nss(rng: random.Random) -> str:
    number = f"{rng.randint(1, 52):02d}{digits(rng, 8, '123456789')}"
    return f"{number[:2]}/{number[2:]}/{int(number) % 97:02d}"


def _es_cif(rng: random.Random) -> str:
    from stdnum.es.cif import calc_check_digits

    number = rng.choice("ABEFGHJ") + digits(rng, 7)
    return f"{number[0]}-{number[1:]}{calc_check_digits(number)[0]}"


def _mx_rfc(rng: random.Random) -> str:
    from stdnum.mx.rfc import calc_check_digit, is_valid

    while True:  # words that offend are never issued
        head = "".join(rng.choice("GHLMPRST") + rng.choice("AEO") for _ in range(2))
        born = f"{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
        number = f"{head}{born}{rng.choice('ABC')}{digits(rng, 1)}"
        number += calc_check_digit(number)
        if is_valid(number):
            return f"{number[:4]}-{number[4:10]}-{number[10:]}"


def _mx_elector(rng: random.Random) -> str:
    letters = "".join(rng.choice("BCDGLMNPRSTV") for _ in range(6))
    born = f"{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    return f"{letters}{born}{rng.randint(1, 32):02d}{rng.choice('HM')}{digits(rng, 3)}"


def _checked(module: str, number: str) -> str:
    """``number`` with the check digit of a python-stdnum module."""
    return f"{number}{importlib.import_module(f'stdnum.{module}').calc_check_digit(number)}"


def _co_nit(rng: random.Random) -> str:
    number = _checked("co.nit", digits(rng, 9, "89"))
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9]}"


def _pe_ruc(rng: random.Random) -> str:
    return _checked("pe.ruc", rng.choice(("10", "20")) + digits(rng, 8))


def _uy_rut(rng: random.Random) -> str:
    while True:
        number = f"{rng.randint(1, 21):02d}{digits(rng, 6, '123456789')}001"
        check = importlib.import_module("stdnum.uy.rut").calc_check_digit(number)
        if len(str(check)) == 1:
            return f"{number}{check}"


def _py_ruc(rng: random.Random) -> str:
    number = _checked("py.ruc", digits(rng, 8, "8"))
    return f"{number[:-1]}-{number[-1]}"


def _ve_rif(rng: random.Random) -> str:
    number = _checked("ve.rif", rng.choice("VEJG") + digits(rng, 8))
    return f"{number[0]}-{number[1:9]}-{number[9]}"


def _do_rnc(rng: random.Random) -> str:
    number = _checked("do.rnc", digits(rng, 8, "14"))
    return f"{number[0]}-{number[1:3]}-{number[3:8]}-{number[8]}"


def _sv_nit(rng: random.Random) -> str:
    born = f"{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(50, 99)}"
    return f"{rng.randint(101, 1420):04d}-{born}-{digits(rng, 3)}-{digits(rng, 1)}"


def _gt_nit(rng: random.Random) -> str:
    number = _checked("gt.nit", digits(rng, 7, "123456789"))
    return f"{number[:-1]}-{number[-1]}"


def _mx_nss(rng: random.Random) -> str:
    number = digits(rng, 10, "0123456789")
    return f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:]} {_luhn_digit(number)}"


HYPHEN = "hyphen"  # may fire alone only where a hyphen tells it from a sum of money


def makers(country: str) -> list[tuple[str, str, bool | str, Make]]:
    """``(kind, context word, whether it may fire alone, generator)`` of a country; the printed form."""
    table: dict[str, list[tuple[str, str, bool | str, Make]]] = {
        "es": [
            ("DNI", "DNI", True, _es_dni),
            ("NIE", "NIE", True, _es_nie),
            ("NIF", "CIF", True, _es_cif),
            ("SALUD", "afiliación", True, _es_nss),
        ],
        "ec": [
            ("CEDULA", "cédula", True, _ec_ci),
            ("RUC", "RUC", True, lambda r: f"{_ec_ci(r).replace('-', '')}001"),
        ],
        "co": [("CEDULA", "cédula de ciudadanía", False, _co_cc), ("NIT", "NIT", HYPHEN, _co_nit)],
        "mx": [
            ("CURP", "CURP", True, _mx_curp),
            ("RFC", "RFC", True, _mx_rfc),
            ("ELECTOR", "clave de elector", True, _mx_elector),
            ("SALUD", "IMSS", False, _mx_nss),
        ],
        "cl": [("RUT", "RUT", HYPHEN, _cl_rut)],
        "ar": [("CUIT", "CUIT", True, _ar_cuit), ("DNI", "DNI", False, _dotted8)],
        "pe": [("DNI", "DNI", False, lambda r: digits(r, 8, "04")), ("RUC", "RUC", True, _pe_ruc)],
        "uy": [("CEDULA", "C.I.", HYPHEN, _uy_ci), ("RUT", "RUT", True, _uy_rut)],
        "py": [
            ("CEDULA", "cédula", False, lambda r: f"{digits(r, 1, '12345')}.{digits(r, 3)}.{digits(r, 3)}"),
            ("RUC", "RUC", False, _py_ruc),
        ],
        "ve": [("CEDULA", "cédula", HYPHEN, lambda r: f"V-{_dotted8(r)}"), ("RIF", "RIF", True, _ve_rif)],
        "bo": [
            ("CEDULA", "carnet", True, lambda r: f"{digits(r, 7, '3456789')} {r.choice(('LP', 'CB', 'SC'))}")
        ],
        "do": [("CEDULA", "cédula", HYPHEN, _do_cedula), ("RNC", "RNC", False, _do_rnc)],
        "cr": [
            (
                "CEDULA",
                "cédula",
                HYPHEN,
                lambda r: f"{digits(r, 1, '123456789')}-{digits(r, 4)}-{digits(r, 4)}",
            )
        ],
        "gt": [("DPI", "DPI", True, _gt_dpi), ("NIT", "NIT", False, _gt_nit)],
        "sv": [("DUI", "DUI", HYPHEN, _sv_dui), ("NIT", "NIT", HYPHEN, _sv_nit)],
        "pa": [
            (
                "CEDULA",
                "cédula",
                HYPHEN,
                lambda r: f"{r.randint(1, 12)}-{digits(r, 3, '1234567')}-{digits(r, 4)}",
            )
        ],
        "hn": [("DNI", "DNI", True, _hn_dni)],
        "ni": [("CEDULA", "cédula", True, _ni)],
    }
    return table[country]


def _hn_dni(rng: random.Random) -> str:
    return f"{rng.randint(1, 18):02d}{rng.randint(1, 20):02d}-{rng.randint(1940, 2005)}-{digits(rng, 5)}"


def spellings(printed: str) -> list[str]:
    """Five spellings: as printed, without separators, with spaces, with hyphens, and as typed in haste.

    What is printed in one piece is parted where letters and digits meet, else after each third digit.
    In haste means lower case and a spaced long dash where the last hyphen stands.
    """
    groups = re.split(r"[.\-/ ]", printed)
    if len(groups) == 1:
        groups = re.findall(r"[A-Za-z]+|\d+", printed)
    if len(groups) == 1:
        groups = re.findall(r"\d{3}(?=\d{2})|\d+", printed)
    haste = printed.lower()
    if "-" in haste:
        head, _, tail = haste.rpartition("-")
        haste = f"{head} – {tail}"
    elif len(groups) > 1:
        haste = ".".join(groups).lower()
    return [printed, "".join(groups), " ".join(groups), "-".join(groups), haste]


def may_stand_alone(strong: bool | str, spelling: str) -> bool:
    """Whether a rule promises to find this spelling without any word around it."""
    return strong is True or (strong == HYPHEN and re.search(r"[-–]", spelling) is not None)
