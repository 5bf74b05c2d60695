# ruff: noqa: E501  (tables: one rule and its source, one line)
"""Valid national identifiers from the published rules alone, to hold the product against.

    >>> make("es", "DNI", random.Random(1))
    Made(printed='25.801.743-K', check=11, alone=True)

Nothing here comes from what the product checks with (its validators, python-stdnum): a rule that both
had wrong in the same way would otherwise never show. Each generator names the authority whose rule it
is and draws what that authority issues: old and new forms, persons and companies, the rare prefixes.
Numbers without a check digit anybody published (most cédulas) are drawn by their structure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import NamedTuple

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"


class Made(NamedTuple):
    """An identifier as it is printed.

    ``check`` is the place of its check character in it, if it has one; ``alone`` is false where the number
    looks like a date or a score (5-11-1987), so that nobody can know it without a word beside it.
    """

    printed: str
    check: int | None
    alone: bool = True


Maker = Callable[[random.Random], Made]


def spoiled(made: Made, rng: random.Random) -> str:
    """``made`` with another check character of the same sort (digit or letter).

    Raises:
        ValueError: the identifier has no check character.
    """
    if made.check is None:
        raise ValueError(f"{made.printed}: no check character")
    now = made.printed[made.check]
    other = rng.choice((DIGITS if now.isdigit() else LETTERS).replace(now, ""))
    return made.printed[: made.check] + other + made.printed[made.check + 1 :]


def digits(rng: random.Random, count: int, first: str = DIGITS) -> str:
    """``count`` digits, the first one of ``first``."""
    return rng.choice(first) + "".join(rng.choices(DIGITS, k=count - 1))


def weighted(number: Iterable[str], weights: Iterable[int]) -> int:
    """Sum of digits times weights, as far as the shorter reaches."""
    return sum(int(d) * w for d, w in zip(number, weights, strict=False))


def luhn(body: str) -> str:
    """Check digit of ISO/IEC 7812: from the right every second digit doubled, digits added, up to ten."""
    total = sum(sum(map(int, str(int(d) * w))) for d, w in zip(reversed(body), cycle((2, 1)), strict=False))
    return str(-total % 10)


def modulo_eleven(body: str, weights: Sequence[int], ten: str | None, eleven: str = "0") -> str | None:
    """``11 - sum mod 11``; what stands for 10 (None: such a body is never issued) and for 11."""
    left = 11 - weighted(body, weights) % 11
    return ten if left == 10 else eleven if left == 11 else str(left)


def _dotted(number: str) -> str:
    return f"{int(number):,}".replace(",", ".")


def _last(printed: str) -> Made:
    return Made(printed, len(printed) - 1)


def _yymmdd(rng: random.Random) -> str:
    return f"{rng.randint(0, 99):02d}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"


def _ddmmyy(rng: random.Random) -> str:
    born = _yymmdd(rng)
    return born[4:] + born[2:4] + born[:2]


# Spain


def dni_letter(number: int) -> str:
    """Letter of DNI, NIE and personal NIF: remainder by 23 (RD 1553/2005; Orden INT/2058/2008)."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]


def cif_digit(body: str) -> int:
    """Control of an entity's NIF, 7 digits: odd places doubled and cast out, even places added (Orden EHA/451/2008)."""
    odd = sum(sum(divmod(2 * int(d), 10)) for d in body[::2])
    return -(odd + sum(map(int, body[1::2]))) % 10


def nss_control(province: str, serial: str) -> int:
    """Spanish affiliation number: rest by 97 of province and serial; a serial below ten million loses its zero (TGSS)."""
    return int(f"{int(province)}{int(serial):07d}") % 97


def es_dni(rng: random.Random) -> Made:
    """DNI: 8 digits and the letter (RD 1553/2005)."""
    number = digits(rng, 8)
    return _last(f"{number[:2]}.{number[2:5]}.{number[5:]}-{dni_letter(int(number))}")


def es_nie(rng: random.Random) -> Made:
    """NIE: X, Y, Z stand for 0, 1, 2 before 7 digits; letter as DNI (Orden INT/2058/2008)."""
    letter, number = rng.choice("XYZ"), digits(rng, 7)
    return _last(f"{letter}-{number}-{dni_letter(int(str('XYZ'.index(letter)) + number))}")


def es_nif(rng: random.Random) -> Made:
    """NIF of entities, and K, L, M of persons without DNI or NIE.

    Orden EHA/451/2008: A, B, E, H end in a digit; N, P, Q, R, S, W in a letter (J A ... I for 0 1 ... 9);
    C, D, F, G, J, U, V in either. RD 1065/2007, arts. 19 and 20: K, L, M, 7 digits, the letter of the DNI.
    """
    letter, body = rng.choice("ABCDEFGHJNPQRSUVWKLM"), digits(rng, 7)
    if letter in "KLM":
        return _last(f"{letter}-{body}{dni_letter(int(body))}")
    control = cif_digit(body)
    by_letter = letter in "NPQRSW" or (letter not in "ABEH" and rng.random() < 0.5)
    return _last(f"{letter}-{body}{'JABCDEFGHI'[control] if by_letter else control}")


def es_nss(rng: random.Random) -> Made:
    """Affiliation number: province 01-52 (53, 66 historic), 8 digits, two of control (TGSS)."""
    province = f"{rng.choice((*range(1, 54), 66)):02d}"
    serial = digits(rng, 8)
    return _last(f"{province}/{serial}/{nss_control(province, serial):02d}")


# Ecuador


def ec_cedula_body(rng: random.Random) -> str:
    """Province 01-24 or 30 (abroad), third digit to 6, six digits, and the check of modulo 10 (Registro Civil)."""
    body = f"{rng.choice((*range(1, 25), 30)):02d}{rng.randint(0, 6)}{digits(rng, 6)}"
    return body + luhn(body)  # coefficients 2 1 2 1 2 1 2 1 2 are those of Luhn on nine digits


def ec_cedula(rng: random.Random) -> Made:
    """Ecuadorian cédula (Registro Civil)."""
    number = ec_cedula_body(rng)
    return _last(f"{number[:9]}-{number[9]}")


def ec_public(body: str) -> str | None:
    """Check of the RUC of a public body, 8 digits: modulo 11, weights 3 2 7 6 5 4 3 2 (SRI)."""
    return modulo_eleven(body, (3, 2, 7, 6, 5, 4, 3, 2), None)


def ec_company(body: str) -> str | None:
    """Check of the RUC of a company, 9 digits: modulo 11, weights 4 3 2 7 6 5 4 3 2 (SRI)."""
    return modulo_eleven(body, (4, 3, 2, 7, 6, 5, 4, 3, 2), None)


def ec_ruc(rng: random.Random) -> Made:
    """RUC (SRI): a person's cédula and 001; third digit 9, a company; third digit 6, a public body and 0001."""
    kind = rng.choice(("person", "company", "public"))
    establishment = rng.randint(1, 20)
    while True:
        province = f"{rng.randint(1, 24):02d}"
        if kind == "person":
            return Made(f"{ec_cedula_body(rng)}{establishment:03d}", 9)
        body = province + ("9" + digits(rng, 6) if kind == "company" else "6" + digits(rng, 5))
        check = ec_company(body) if kind == "company" else ec_public(body)
        if check is not None:
            return Made(f"{body}{check}{establishment:0{12 - len(body)}d}", len(body))


# Colombia, Mexico


def co_cedula(rng: random.Random) -> Made:
    """Cédula de ciudadanía: 6 to 8 digits, or since 2000 the NUIP of 10 beginning with 1 (Registraduría)."""
    body = digits(rng, 10, "1") if rng.random() < 0.6 else digits(rng, rng.randint(6, 8), "123456789")
    return Made(_dotted(body), None)


def co_nit_check(body: str) -> str:
    """Check of the NIT: primes 3 7 13 ... 71 from the right, modulo 11 (DIAN, Orden Administrativa 4 of 1989)."""
    left = weighted(reversed(body), (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)) % 11
    return str(left if left < 2 else 11 - left)


def co_nit(rng: random.Random) -> Made:
    """NIT of companies and public bodies, 9 digits from 800 on; that of a person is its cédula."""
    body = digits(rng, 9, "89")
    return _last(f"{_dotted(body)}-{co_nit_check(body)}")


def curp_check(body: str) -> str:
    """Check of the CURP, 17 characters of 0-9 A-N Ñ O-Z, weights 18 to 2 (RENAPO; instructivo, DOF 18.10.2021)."""
    alphabet = DIGITS + "ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    return str(-sum(alphabet.index(c) * w for c, w in zip(body, range(18, 1, -1), strict=True)) % 10)


def mx_curp(rng: random.Random) -> Made:
    """CURP (RENAPO): initials, date, sex, state, inner consonants, digit before 2000 or letter after, check."""
    states = (
        "AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE"
    )
    born = _yymmdd(rng)
    inner = "".join(rng.choices(CONSONANTS, k=3))
    body = (
        f"{rng.choice(LETTERS)}{rng.choice('AEIOUX')}{rng.choice(LETTERS)}{rng.choice(LETTERS)}{born}"
        f"{rng.choice('HMX')}{rng.choice(states.split())}{inner}{rng.choice(DIGITS if born[0] > '2' else LETTERS)}"
    )
    return _last(body + curp_check(body))


def rfc_check(body: str) -> str:
    """Check of the RFC, 11 or 12 characters, weights 13 to 2; 10 is A (SAT)."""
    alphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"
    left = sum(alphabet.index(c) * w for c, w in zip(body.rjust(12), range(13, 1, -1), strict=True)) % 11
    return "0" if left == 0 else "A" if left == 1 else str(11 - left)


def mx_rfc(rng: random.Random) -> Made:
    """RFC (SAT): 4 letters of a person or 3 of a company, date, two characters of homonymy, check.

    Consonants alone in the third and fourth place keep clear of the words SAT replaces.
    """
    company = rng.random() < 0.3
    head = "".join(rng.choices(CONSONANTS + "&Ñ", k=3)) if company else (
        f"{rng.choice(CONSONANTS + 'Ñ')}{rng.choice('AEIOU')}{rng.choice(CONSONANTS)}{rng.choice(CONSONANTS)}"
    )  # fmt: skip
    born = _yymmdd(rng)
    body = f"{head}{born}{rng.choice('123456789' + LETTERS[:22])}{rng.choice('123456789' + LETTERS)}"
    check = rfc_check(body)
    return _last(f"{head}-{born}-{body[-2:]}{check}")


def mx_elector(rng: random.Random) -> Made:
    """Clave de elector (INE): 6 consonants, date, state 01-32 (87, 88 abroad), sex, 3 digits; its check is not public."""
    state = f"{rng.choice((*range(1, 33), 87, 88)):02d}"
    return Made(
        f"{''.join(rng.choices(CONSONANTS, k=6))}{_yymmdd(rng)}{state}{rng.choice('HM')}{digits(rng, 3)}",
        None,
    )


def mx_nss(rng: random.Random) -> Made:
    """NSS (IMSS): office, year of entry, year of birth, serial, Luhn digit."""
    body = digits(rng, 10)
    return _last(f"{body[:2]} {body[2:4]} {body[4:6]} {body[6:]} {luhn(body)}")


# The south


def rut_check(body: str) -> str:
    """Check of the Chilean RUT: weights 2 to 7 from the right, over again; 10 is K (SII)."""
    found = modulo_eleven(body[::-1], (2, 3, 4, 5, 6, 7, 2, 3), "K")
    assert found is not None
    return found


def cl_rut(rng: random.Random) -> Made:
    """RUN of persons from one million on, RUT of companies from fifty million on (Registro Civil, SII)."""
    body = str(rng.choice((rng.randint(1_000_000, 28_000_000), rng.randint(50_000_000, 99_999_999))))
    return _last(f"{_dotted(body)}-{rut_check(body)}")


def cuit_check(body: str) -> str | None:
    """Check of the CUIT: weights 5 4 3 2 7 6 5 4 3 2, modulo 11; None for 10 (AFIP)."""
    return modulo_eleven(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), None)


def ar_cuit(rng: random.Random) -> Made:
    """CUIT/CUIL (AFIP/ANSES): 20, 27 persons, 30 companies; where the check would be 10, 23, 24, 33, 34 instead."""
    first, body = rng.choice(("20", "27", "30")), digits(rng, 8, "01234569")
    check = cuit_check(first + body)
    while check is None:
        first = rng.choice(("33", "34") if first in ("30", "33", "34") else ("23", "24"))
        check = cuit_check(first + body)
    return _last(f"{first}-{body}-{check}")


def ar_dni(rng: random.Random) -> Made:
    """Argentine DNI: 7 or 8 digits without check (RENAPER)."""
    return Made(_dotted(str(rng.randint(3_000_000, 60_000_000))), None)


def pe_dni(rng: random.Random) -> Made:
    """Peruvian DNI: 8 digits; its check character is printed apart (RENIEC)."""
    return Made(digits(rng, 8, "0478"), None)


def pe_ruc_check(body: str) -> str:
    """Check of the RUC: weights as CUIT; 10 is 0 and 11 is 1 (SUNAT)."""
    found = modulo_eleven(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), "0", "1")
    assert found is not None
    return found


def pe_ruc(rng: random.Random) -> Made:
    """RUC (SUNAT): 10, 15, 16, 17 persons, 20 companies."""
    body = rng.choice(("10", "15", "16", "17", "20")) + digits(rng, 8)
    return _last(body + pe_ruc_check(body))


def uy_ci_check(body: str) -> str:
    """Check of the cédula, 7 digits: 2 9 8 7 6 3 4, up to ten (DNIC)."""
    return str(-weighted(body, (2, 9, 8, 7, 6, 3, 4)) % 10)


def uy_cedula(rng: random.Random) -> Made:
    """Uruguayan cédula: 6 or 7 digits and the check (DNIC)."""
    body = str(rng.randint(500_000, 6_500_000))
    return _last(f"{_dotted(body)}-{uy_ci_check(body.zfill(7))}")


def uy_rut_check(body: str) -> str | None:
    """Check of the RUT, 11 digits: 4 3 2 9 8 7 6 5 4 3 2, modulo 11; a rest of 10 is not issued (DGI)."""
    return modulo_eleven(body, (4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), None)


def uy_rut(rng: random.Random) -> Made:
    """RUT: office 01-22, six digits, 001, check (DGI; AGESIC, modelo de datos)."""
    while True:
        body = f"{rng.randint(1, 22):02d}{digits(rng, 6, '123456789')}001"
        check = uy_rut_check(body)
        if check is not None:
            return _last(body + check)


def py_cedula(rng: random.Random) -> Made:
    """Paraguayan cédula: 6 or 7 digits without check (Policía Nacional)."""
    return Made(_dotted(str(rng.randint(300_000, 9_000_000))), None)


def py_ruc_check(body: str) -> str:
    """Check of the RUC: weights 2 to 11 from the right, modulo 11; rests 0 and 1 give 0 (SET, digito-verificador.pdf)."""
    rest = weighted(reversed(body), range(2, 12)) % 11
    return str(11 - rest if rest > 1 else 0)


def py_ruc(rng: random.Random) -> Made:
    """RUC: a person's cédula or a number from 80,000,000 on for companies (SET)."""
    body = str(rng.choice((rng.randint(300_000, 9_000_000), rng.randint(80_000_000, 80_200_000))))
    return _last(f"{body}-{py_ruc_check(body)}")


def ve_cedula(rng: random.Random) -> Made:
    """Venezuelan cédula: V or E and 7 or 8 digits without check (SAIME)."""
    letter = rng.choice("VVVE")
    number = rng.randint(80_000_000, 84_999_999) if letter == "E" else rng.randint(1_000_000, 36_000_000)
    return Made(f"{letter}-{_dotted(str(number))}", None)


def rif_check(letter: str, body: str) -> str:
    """Check of the RIF: V 1, E 2, J 3, P 4, G 5 times 4, then 3 2 7 6 5 4 3 2, modulo 11; 10 and 11 are 0 (SENIAT)."""
    found = modulo_eleven(str("VEJPG".index(letter) + 1) + body, (4, 3, 2, 7, 6, 5, 4, 3, 2), "0")
    assert found is not None
    return found


def ve_rif(rng: random.Random) -> Made:
    """RIF (SENIAT): letter, 8 digits, check."""
    letter, body = rng.choice("VEJPG"), digits(rng, 8)
    return _last(f"{letter}-{body}-{rif_check(letter, body)}")


def bo_cedula(rng: random.Random) -> Made:
    """Bolivian CI: 6 to 8 digits, complement of a doubled number, department (SEGIP; no check)."""
    complement = f"-{rng.randint(1, 9)}{rng.choice(LETTERS)}" if rng.random() < 0.15 else ""
    department = rng.choice(("LP", "CB", "SC", "OR", "PT", "CH", "TJ", "BE", "PD"))
    return Made(f"{digits(rng, rng.randint(6, 8), '123456789')}{complement} {department}", None)


# Central America and the Caribbean


def do_cedula(rng: random.Random) -> Made:
    """Dominican cédula: municipality or 402, seven digits, Luhn digit (JCE)."""
    body = f"{rng.choice((*range(1, 122), 402)):03d}{digits(rng, 7)}"
    return _last(f"{body[:3]}-{body[3:]}-{luhn(body)}")


def rnc_check(body: str) -> str:
    """Check of the RNC: 7 9 8 6 5 4 3 2, modulo 11; rest 0 gives 2, rest 1 gives 1 (DGII)."""
    rest = weighted(body, (7, 9, 8, 6, 5, 4, 3, 2)) % 11
    return str({0: 2, 1: 1}.get(rest, 11 - rest))


def do_rnc(rng: random.Random) -> Made:
    """RNC of companies and public bodies: 8 digits from 1, 4 or 5 on, check (DGII)."""
    body = digits(rng, 8, "145")
    return _last(f"{body[0]}-{body[1:3]}-{body[3:]}-{rnc_check(body)}")


def cr_cedula(rng: random.Random) -> Made:
    """Costa Rican cédula: province 1-7, 8 naturalized, 9 late entries; book, entry (TSE; no check)."""
    return Made(f"{rng.randint(1, 9)}-{digits(rng, 4, '01')}-{digits(rng, 4)}", None)


_GT_MUNICIPALITIES = (17, 8, 16, 16, 14, 14, 19, 8, 24, 21, 9, 30, 33, 21, 8, 17, 14, 5, 11, 11, 7, 17)


def dpi_check(body: str) -> int:
    """Check of the CUI, 8 digits times 2 to 9, modulo 11; 10 is not issued (RENAP)."""
    return weighted(body, range(2, 10)) % 11


def gt_dpi(rng: random.Random) -> Made:
    """CUI of the DPI: 8 digits, check, department, its municipality (RENAP)."""
    while True:
        body = digits(rng, 8, "123456789")
        department = rng.randint(1, 22)
        town = rng.randint(1, _GT_MUNICIPALITIES[department - 1])
        if dpi_check(body) < 10:
            return Made(f"{body[:4]} {body[4:]}{dpi_check(body)} {department:02d}{town:02d}", 9)


def gt_nit_check(body: str) -> str:
    """Check of the NIT: weights 2, 3, 4 ... from the right, modulo 11; 10 is K (SAT, FEL, reglas y validaciones)."""
    found = modulo_eleven(body[::-1], range(2, 14), "K")
    assert found is not None
    return found


def gt_nit(rng: random.Random) -> Made:
    """Guatemalan NIT: 5 to 8 digits and the check (SAT)."""
    body = digits(rng, rng.randint(5, 8), "123456789")
    return _last(f"{body}-{gt_nit_check(body)}")


def dui_check(body: str) -> str:
    """Check of the DUI, 8 digits times 9 to 2, up to ten (RNPN)."""
    return str(-weighted(body, range(9, 1, -1)) % 10)


def sv_dui(rng: random.Random) -> Made:
    """Salvadoran DUI: 8 digits and the check (RNPN)."""
    body = digits(rng, 8, "0")
    return _last(f"{body}-{dui_check(body)}")


def sv_nit_check(body: str) -> str:
    """Check of the NIT, 13 digits (Hacienda): serial to 100 by weights 14 to 2, rest of 11; later ones 2 7 6 ... 2, less 11."""
    if int(body[10:]) <= 100:
        return str(weighted(body, range(14, 1, -1)) % 11 % 10)
    return str(-weighted(body, (2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11 % 10)


def sv_nit(rng: random.Random) -> Made:
    """NIT: department and municipality, or 9 and the country of who was born abroad; DDMMYY, serial, check."""
    place = (
        f"9{rng.randint(1, 700):03d}"
        if rng.random() < 0.1
        else f"{rng.randint(1, 14):02d}{rng.randint(1, 33):02d}"
    )
    body = f"{place}{_ddmmyy(rng)}{digits(rng, 3)}"
    return _last(f"{place}-{body[4:10]}-{body[10:]}-{sv_nit_check(body)}")


def pa_cedula(rng: random.Random) -> Made:
    """Panamanian cédula: province 1-13 (with AV, PI), PE, E, N; book, entry (Tribunal Electoral; no check)."""
    head = rng.choice((*(str(n) for n in range(1, 14)), "8-AV", "4-PI", "PE", "E-8", "N-19"))
    if head in ("E-8", "N-19"):
        return Made(f"{head}-{digits(rng, rng.randint(3, 6), '123456789')}", None)
    book, entry = rng.randint(1, 1200), str(rng.randint(10, 9999))
    dated = book <= 31 and (len(entry) == 2 or (len(entry) == 4 and entry[:2] in ("19", "20")))
    return Made(f"{head}-{book}-{entry}", None, alone=book > 9 and not dated and len(entry) > 2)


_HN_MUNICIPALITIES = (8, 10, 21, 23, 12, 16, 19, 28, 6, 17, 4, 19, 28, 16, 23, 28, 9, 11)


def hn_dni(rng: random.Random) -> Made:
    """Honduran DNI: department, its municipality, year of inscription, five digits (RNP; no check)."""
    department = rng.randint(1, 18)
    town = rng.randint(1, _HN_MUNICIPALITIES[department - 1])
    return Made(f"{department:02d}{town:02d}-{rng.randint(1930, 2008)}-{digits(rng, 5, '012')}", None)


def ni_letter(number: str) -> str:
    """Letter of the Nicaraguan cédula: 13 digits by 23, of A-Y without I and O (CSE)."""
    return "ABCDEFGHJKLMNPQRSTUVWXY"[int(number) % 23]


def ni_cedula(rng: random.Random) -> Made:
    """Nicaraguan cédula: municipality (888 born abroad, 777 naturalized), DDMMYY, serial, letter (CSE)."""
    place = rng.choice(
        (1, 41, 81, 121, 161, 201, 241, 281, 321, 361, 401, 441, 481, 521, 561, 601, 607, 616, 777, 888)
    )
    number = f"{place:03d}{_ddmmyy(rng)}{digits(rng, 4, '01')}"
    return _last(f"{number[:3]}-{number[3:9]}-{number[9:]}{ni_letter(number)}")


MAKERS: dict[tuple[str, str], Maker] = {
    ("es", "DNI"): es_dni,
    ("es", "NIE"): es_nie,
    ("es", "NIF"): es_nif,
    ("es", "SALUD"): es_nss,
    ("ec", "CEDULA"): ec_cedula,
    ("ec", "RUC"): ec_ruc,
    ("co", "CEDULA"): co_cedula,
    ("co", "NIT"): co_nit,
    ("mx", "CURP"): mx_curp,
    ("mx", "RFC"): mx_rfc,
    ("mx", "ELECTOR"): mx_elector,
    ("mx", "SALUD"): mx_nss,
    ("cl", "RUT"): cl_rut,
    ("ar", "CUIT"): ar_cuit,
    ("ar", "DNI"): ar_dni,
    ("pe", "DNI"): pe_dni,
    ("pe", "RUC"): pe_ruc,
    ("uy", "CEDULA"): uy_cedula,
    ("uy", "RUT"): uy_rut,
    ("py", "CEDULA"): py_cedula,
    ("py", "RUC"): py_ruc,
    ("ve", "CEDULA"): ve_cedula,
    ("ve", "RIF"): ve_rif,
    ("bo", "CEDULA"): bo_cedula,
    ("do", "CEDULA"): do_cedula,
    ("do", "RNC"): do_rnc,
    ("cr", "CEDULA"): cr_cedula,
    ("gt", "DPI"): gt_dpi,
    ("gt", "NIT"): gt_nit,
    ("sv", "DUI"): sv_dui,
    ("sv", "NIT"): sv_nit,
    ("pa", "CEDULA"): pa_cedula,
    ("hn", "DNI"): hn_dni,
    ("ni", "CEDULA"): ni_cedula,
}


def make(country: str, kind: str, rng: random.Random) -> Made:
    """One valid identifier of ``kind`` in ``country``, as printed.

    Raises:
        KeyError: no rule of this kind here.
    """
    return MAKERS[country, kind](rng)
