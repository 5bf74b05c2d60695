"""Check digits and structures of national identifiers that python-stdnum does not cover.

Each function takes the identifier without separators, upper-cased, and says whether it can be one.
Sources are the issuing authority's rule as published; formats without a public check digit are
checked by structure (department, date) only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=64)
def stdnum(module: str) -> Callable[[str], bool]:
    """``is_valid`` of a python-stdnum module, for example ``stdnum("ec.ci")``."""
    found = importlib.import_module(f"stdnum.{module}").is_valid

    def check(number: str) -> bool:
        return bool(found(number))

    return check


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def es_dni(number: str) -> bool:
    """Spanish DNI, leading zeros optional: letter = number mod 23 (Orden INT/2058/2008)."""
    return number[:-1].isdigit() and stdnum("es.dni")(number.zfill(9))


def es_nss(number: str) -> bool:
    """Spanish social security number, 12 digits: province 01-53/66, then first 10 digits mod 97.

    TGSS rule: with a serial below 10,000,000 the province is multiplied by 10^7, else by 10^8.
    """
    if len(number) != 12 or not number.isdigit() or not (1 <= int(number[:2]) <= 53 or number[:2] == "66"):
        return False
    province, serial, control = int(number[:2]), int(number[2:10]), int(number[10:])
    base = serial + province * 10_000_000 if serial < 10_000_000 else int(number[:10])
    return base % 97 == control


def pe_ruc(number: str) -> bool:
    """Peruvian RUC, 11 digits: weights 5 4 3 2 7 6 5 4 3 2, modulo 11 (SUNAT).

    It begins with 10, 15, 16 or 17 for persons, 20 for companies;
    python-stdnum leaves out 16, which SUNAT gave to persons too.
    """
    if len(number) != 11 or not number.isdigit() or number[:2] not in ("10", "15", "16", "17", "20"):
        return False
    total = sum(int(d) * w for d, w in zip(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False))
    return (11 - total % 11) % 10 == int(number[10])


def uy_ci(number: str) -> bool:
    """Uruguayan cédula, 7 or 8 digits, last one the check digit: weights 2 9 8 7 6 3 4 (DNIC; modulo 10)."""
    if not number.isdigit() or not 7 <= len(number) <= 8:
        return False
    digits = [int(d) for d in number.zfill(8)]
    total = sum(w * d for w, d in zip((2, 9, 8, 7, 6, 3, 4), digits[:7], strict=True))
    return -total % 10 == digits[7]


def gt_dpi(number: str) -> bool:
    """Guatemalan CUI/DPI, 13 digits: 8 + check, department, municipality (RENAP).

    Check = sum of digits times 2..9, modulo 11; departments 01 to 22.
    """
    if len(number) != 13 or not number.isdigit():
        return False
    total = sum(int(d) * w for d, w in zip(number[:8], range(2, 10), strict=True))
    return total % 11 == int(number[8]) and 1 <= int(number[9:11]) <= 22 and 1 <= int(number[11:]) <= 33


def sv_dui(number: str) -> bool:
    """Salvadoran DUI, 9 digits: weights 9..2 on the first eight, check = (10 - sum mod 10) mod 10 (RNPN)."""
    if len(number) != 9 or not number.isdigit():
        return False
    total = sum(int(d) * w for d, w in zip(number[:8], range(9, 1, -1), strict=True))
    return -total % 10 == int(number[8])


def sv_nit(number: str) -> bool:
    """Salvadoran NIT, 14 digits: place, DDMMYY, serial, check (Hacienda).

    The place is a department 01-14 and its municipality, or 9 and the country of who was born abroad.
    """
    if len(number) != 14 or not number.isdigit() or not (number[0] == "9" or 1 <= int(number[:2]) <= 14):
        return False
    day, month, year = int(number[4:6]), int(number[6:8]), int(number[8:10])
    return _is_date(1900 + year, month, day) or _is_date(2000 + year, month, day)


def hn_dni(number: str) -> bool:
    """Honduran DNI, 13 digits: department 01-18, municipality, year of birth, serial (RNP)."""
    return (
        len(number) == 13
        and number.isdigit()
        and 1 <= int(number[:2]) <= 18
        and 1 <= int(number[2:4]) <= 28
        and 1900 <= int(number[4:8]) <= 2035
    )


def hn_rtn(number: str) -> bool:
    """Honduran tax number of a person, 14 digits: the DNI and one digit more (SAR)."""
    return len(number) == 14 and number.isdigit() and hn_dni(number[:13])


def ni_cedula(number: str) -> bool:
    """Nicaraguan cédula, 13 digits and a letter: municipality, DDMMYY, serial; letter (CSE)."""
    if len(number) != 14 or not number[:13].isdigit() or not number[13].isalpha():
        return False
    day, month, year = int(number[3:5]), int(number[5:7]), int(number[7:9])
    return _is_date(1900 + year, month, day) or _is_date(2000 + year, month, day)


def pa_cedula(number: str) -> bool:
    """Panamanian cédula with hyphens kept: province 1-13 or PE/E/N (AV/PI), book, entry (T. Electoral).

    NT stands for AV or PI where the tax office numbers somebody without a cédula.
    """
    parts = number.replace(" ", "").replace("–", "-").upper().split("-")
    if len(parts) == 4 and parts[1] in ("AV", "PI", "NT"):
        parts = [parts[0], *parts[2:]]
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return False
    province = parts[0] in ("PE", "E", "N") or (parts[0].isdigit() and 1 <= int(parts[0]) <= 13)
    return province and 1 <= len(parts[1]) <= 4 and 1 <= len(parts[2]) <= 6


def pa_cedula_alone(number: str) -> bool:
    """Whether a Panamanian cédula needs no word beside it: a book of two digits or more and no date.

    5-49-8713 says what it is, 5-11-1987 and 5-3-12 do not; a letter in front says it with any book.
    """
    if not pa_cedula(number):
        return False
    parts = number.replace(" ", "").replace("–", "-").split("-")
    book, entry = parts[-2], parts[-1]
    if not number[0].isdigit() or len(parts) == 4:
        return len(entry) > 2
    dated = int(book) <= 31 and (len(entry) == 2 or (len(entry) == 4 and entry[:2] in ("19", "20")))
    return len(book) > 2 or (len(book) == 2 and len(entry) > 1 and not dated)


def cr_cedula(number: str) -> bool:
    """Costa Rican cédula física, 9 digits: province 1-9, book, entry (TSE; no check digit)."""
    return len(number) == 9 and number.isdigit() and number[0] != "0"


def ve_cedula(number: str) -> bool:
    """Venezuelan cédula: V or E and 5 to 8 digits (SAIME; no check digit)."""
    return number[:1] in "VE" and number[1:].isdigit() and 5 <= len(number) - 1 <= 8


def bo_ci(number: str) -> bool:
    """Bolivian CI: 5 to 8 digits, optional complement, department (SEGIP; no check digit)."""
    for department in ("LP", "CB", "CBBA", "SC", "OR", "PT", "CH", "TJ", "BE", "PD", "BN", "PA", "QR"):
        if number.endswith(department) and number[: -len(department)][:5].isdigit():
            return True
    return False


def mx_elector(number: str) -> bool:
    """Mexican clave de elector: 6 letters, YYMMDD, state 01-32 or 87/88, sex, 3 digits (INE)."""
    if len(number) != 18:
        return False
    month, day, state = int(number[8:10]), int(number[10:12]), int(number[12:14])
    return 1 <= month <= 12 and 1 <= day <= 31 and (1 <= state <= 33 or state in (87, 88))


def luhn(number: str) -> bool:
    """Luhn check of cards, Mexican NSS and Dominican cédula (ISO/IEC 7812)."""
    return number.isdigit() and stdnum("luhn")(number)


def card(number: str) -> bool:
    """Payment card: 13 to 19 digits, issuer range of a known scheme, Luhn (ISO/IEC 7812)."""
    if not number.isdigit() or not 13 <= len(number) <= 19 or len(set(number)) == 1:
        return False
    issuer = (
        number[0] in "456"
        or number[:2] in ("34", "37", "36", "38", "30", "35")
        or 2221 <= int(number[:4]) <= 2720
    )
    return issuer and luhn(number)
