"""Invented people: councillors, and citizens with the personal data a clerk types into minutes.

Identity numbers are well formed (their check digits hold) because a detector that validates them
must find them; e-mail domains are reserved for examples (RFC 2606).
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from astra_learn_assets.simulation.council.name_lists import FEMALE, MALE, ORIGINS, SURNAMES

Gender = Literal["f", "m"]

# initials the Mexican registry replaces (Instructivo Normativo para la Asignación de la CURP, anexo 2)
_INCONVENIENT = frozenset(
    """
BACA BAKA BUEI BUEY CACA CACO CAGA CAGO CAKA CAKO COGE COGI COJA COJE COJI COJO COLA CULO FALO FETO
GETA GUEI GUEY JETA JOTO KACA KACO KAGA KAGO KAKA KAKO KOGE KOGI KOJA KOJE KOJI KOJO KOLA KULO LILO
LOCA LOCO LOKA LOKO MAME MAMO MEAR MEAS MEON MIAR MION MOCO MOKO MULA MULO NACA NACO PEDA PEDO PENE
PIPI PITO POPO PUTA PUTO QULO RATA ROBA ROBE ROBO RUIN SENO TETA VACA VAGA VAGO VAKA VUEI VUEY WUEI
WUEY
""".strip().split()
)


@dataclass(frozen=True)
class Person:
    """``given`` may be two names; Spanish custom: two surnames."""

    given: str
    surname: str
    second_surname: str
    gender: Gender

    @property
    def full_name(self) -> str:
        return f"{self.given} {self.surname} {self.second_surname}"

    @property
    def surnames(self) -> str:
        return f"{self.surname} {self.second_surname}"


@dataclass(frozen=True)
class Citizen:
    """A member of the public named in the minutes; ``identity`` is the number alone."""

    person: Person
    identity_label: str
    identity: str
    address: str
    phone: str
    email: str


def draw_person(rng: random.Random, country: str, *, avoid: Collection[str] = ()) -> Person:
    """A person of ``country`` none of whose surnames is in ``avoid``."""
    gender: Gender = "f" if rng.random() < 0.5 else "m"
    pool = FEMALE if gender == "f" else MALE
    given = rng.choice(pool[_origin(rng, country, pool)])
    if rng.random() < 0.15:
        second = rng.choice(pool["common"])
        given = given if second == given else f"{given} {second}"
    first = _surname(rng, country, avoid)
    return Person(given, first, _surname(rng, country, {*avoid, first}), gender)


def draw_citizen(
    rng: random.Random, country: str, streets: Collection[str], *, avoid: Collection[str] = ()
) -> Citizen:
    """A citizen living in one of ``streets``, none of whose surnames is in ``avoid``."""
    person = draw_person(rng, country, avoid=avoid)
    label, identity = draw_identity(rng, country, person)
    door = rng.choice(
        ("", f", {rng.randint(1, 6)}.º {rng.choice('ABCD')}", ", bajo", f", piso {rng.randint(1, 9)}")
    )
    address = f"{rng.choice(sorted(streets))}, {rng.randint(1, 180)}{door}"
    mailbox = ascii_letters(f"{person.given.split()[0]}.{person.surname}").lower()
    mailbox += rng.choice(("", "", str(rng.randint(1, 99))))
    email = f"{mailbox}@{rng.choice(('correo', 'buzon', 'mail'))}.example"
    return Citizen(person, label, identity, address, _phone(rng, country), email)


def draw_identity(rng: random.Random, country: str, person: Person) -> tuple[str, str]:
    """What the number is called in the text, and a number whose check digit holds."""
    number = rng.randint(10_000_000, 89_999_999)
    dotted = f"{number:,}".replace(",", ".")
    if country == "es":
        if rng.random() < 0.15:
            return "NIE", f"X{number % 10_000_000:07d}{_dni_letter(number % 10_000_000)}"
        letter = _dni_letter(number)
        return "DNI", rng.choice((f"{number}{letter}", f"{number}-{letter}", f"{dotted}-{letter}"))
    if country == "ec":
        return "cédula", _ecuador(rng)
    if country == "co":
        return "cédula de ciudadanía", rng.choice(
            (f"1.0{rng.randint(10, 99)}.{rng.randint(100, 999)}.{rng.randint(100, 999)}", dotted)
        )
    if country == "mx":
        return "CURP", _curp(rng, person)
    if country == "cl":
        return "RUT", f"{dotted}-{_rut_digit(number)}"
    if country == "ar":
        return "DNI", dotted
    return "DNI", str(number)


def ascii_letters(text: str) -> str:
    """``text`` without accents and without anything but letters, digits and dots."""
    plain = unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()
    return "".join(character for character in plain if character.isalnum() or character == ".")


def _origin(rng: random.Random, country: str, pool: dict[str, tuple[str, ...]]) -> str:
    origin = rng.choice(ORIGINS[country])
    return origin if origin in pool else "common"


def _surname(rng: random.Random, country: str, avoid: Collection[str]) -> str:
    while True:
        surname = rng.choice(SURNAMES[rng.choice(ORIGINS[country])])
        if surname not in avoid:
            return surname


def _dni_letter(number: int) -> str:
    """Control letter of the Spanish DNI: remainder by 23 (Real Decreto 1553/2005, art. 11)."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]


def _ecuador(rng: random.Random) -> str:
    """Cédula: province, third digit below 6, modulus 10 with weights 2,1,2,1..."""
    digits = [int(c) for c in f"{rng.randint(1, 24):02d}{rng.randint(0, 5)}{rng.randint(0, 999_999):06d}"]
    total = sum(
        product - 9 if (product := digit * (2 if place % 2 == 0 else 1)) > 9 else product
        for place, digit in enumerate(digits)
    )
    return "".join(map(str, digits)) + str(-total % 10)


def _rut_digit(number: int) -> str:
    """Chilean check digit: modulus 11 with weights 2..7 from the right."""
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(str(number))))
    return {11: "0", 10: "K"}.get(11 - total % 11, str(11 - total % 11))


def _curp(rng: random.Random, person: Person) -> str:
    """Mexican CURP: letters of the name, date of birth, sex, state, consonants, check digit."""
    first, second, given = (
        "".join(c for c in ascii_letters(part).upper() if c.isalpha()).replace("Ñ", "X")
        for part in (person.surname, person.second_surname, person.given.split()[0])
    )
    vowel = next((c for c in first[1:] if c in "AEIOU"), "X")
    inner = "".join(next((c for c in part[1:] if c not in "AEIOU"), "X") for part in (first, second, given))
    initials = f"{first[0]}{vowel}{second[0]}{given[0]}"
    if initials in _INCONVENIENT:
        initials = f"{initials[0]}X{initials[2:]}"
    birth = f"{rng.randint(40, 99):02d}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    state = rng.choice(("DF", "JC", "PL", "OC", "VZ", "GT", "MN", "NL"))
    body = f"{initials}{birth}{'M' if person.gender == 'f' else 'H'}{state}{inner}0"
    total = sum("0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ".index(c) * (18 - i) for i, c in enumerate(body))
    return f"{body}{-total % 10}"


def _phone(rng: random.Random, country: str) -> str:
    def block(digits: int) -> str:
        return "".join(str(rng.randint(0, 9)) for _ in range(digits))

    if country == "es":
        start = rng.choice("679")
        return rng.choice((f"{start}{block(2)} {block(3)} {block(3)}", f"{start}{block(8)}"))
    return {
        "ec": f"09{block(1)} {block(3)} {block(4)}",
        "co": f"3{block(2)} {block(3)} {block(4)}",
        "mx": f"{rng.choice(('55', '33', '81'))} {block(4)} {block(4)}",
        "pe": f"9{block(2)} {block(3)} {block(3)}",
        "cl": f"+56 9 {block(4)} {block(4)}",
        "ar": f"+54 9 {rng.choice(('11', '341', '351'))} {block(4)}-{block(4)}",
    }[country]
