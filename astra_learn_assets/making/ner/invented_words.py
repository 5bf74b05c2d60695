"""People, places and sentences of invented minutes: what the slots of a template are filled with.

Names are often everyday words (a fourth of the surnames, a fifth of the given names), and the same words
stand as words beside them, in towns, streets, feasts, firms and at the start of sentences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from astra_learn_assets.making.ner.invented_names import TOWNS, NameFactory
from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([A-Za-z]+)\}")
COURTESIES = ("", "", "", "", *(f"{term} " for term in terms("minutes_courtesies")))
_MONTHS = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_PAPERS, PARTIES = terms("minutes_papers"), terms("minutes_parties")
_FIRM_HEADS, _FIRM_TAILS = terms("minutes_firm_heads"), terms("minutes_firm_tails")
_COINED_HEADS, _COINED_TAILS = terms("firm_parts_first"), terms("firm_parts_last")
_BRANDS, _REAL_TOWNS = terms("brands"), terms("towns_geonames")
_TOWN_FORMS = terms("minutes_town_forms")
_LINKS_BACK = ("de la", "del", "de los", "de", "de las")


@cache
def _everyday() -> tuple[list[str], list[str], list[str]]:
    """Given names and surnames that are words too, and words that are hardly ever names; with a capital."""
    words = lexicon.ordinary_words() | lexicon.place_words() | lexicon.names_as_words()
    given = sorted(w.capitalize() for w in lexicon.given_names() & words if len(w) > 1)
    surnames = sorted(w.capitalize() for w in lexicon.surnames() & words if len(w) > 2)
    plain = sorted(
        w.capitalize() for w in lexicon.frequent_words() - lexicon.role_words() if 4 <= len(w) <= 9
    )
    return given, [*surnames, *sorted(w.capitalize() for w in lexicon.names_as_words())], plain


@cache
def _ordinary() -> list[str]:
    """Words that nobody is called, rare ones too, with a capital: a label, a heading, a sentence's first."""
    names = lexicon.given_names() | lexicon.surnames() | lexicon.names_as_words()
    names |= {
        fold(n)
        for kind in ("everyday_surnames", "names_rare_surnames", "names_rare_given")
        for n in terms(kind)
    }
    return sorted(w.capitalize() for w in lexicon.ordinary_words() - names if len(w) > 3)


@cache
def _towns_like_surnames() -> list[str]:
    """Real towns of one word: many a rare surname is one, so the word alone says nothing."""
    return [town for town in _REAL_TOWNS if town.isalpha()]


@dataclass(frozen=True)
class Person:
    """Somebody in one piece of minutes."""

    given: str
    first: str
    second: str


class Words:
    """Draws names and fills templates; one piece of minutes has one cast and one town."""

    def __init__(self, rng: random.Random, names: NameFactory, prose: Sequence[str]) -> None:
        self.rng = rng
        self.names = names
        self.prose = prose
        self.named, self.plain = terms("minutes_named"), terms("minutes_plain")
        self.offices, self.nicknames = terms("minutes_offices"), terms("minutes_nicknames")
        self.bodies, self.topics = terms("minutes_bodies"), terms("topics")
        self.cast: list[Person] = []
        self.town = ""

    # -- names ---------------------------------------------------------------------------------------------

    def _given(self) -> str:
        roll, rng = self.rng.random(), self.rng
        everyday = _everyday()[0]
        if roll < 0.16:
            return rng.choice(everyday)
        if roll < 0.21:
            given, link = self.names.given(), rng.choice(("de la ", "del ", "de los ", "de ", ""))
            return f"{given} {link}{rng.choice(everyday)}"
        return self.names.given()

    def _surname(self) -> str:
        roll, rng = self.rng.random(), self.rng
        if roll < 0.2:
            return rng.choice(_everyday()[1])
        if roll < 0.24:
            return rng.choice(_everyday()[2])
        if roll < 0.29:
            return (
                f"{rng.choice(_LINKS_BACK)} {'la ' if rng.random() < 0.1 else ''}{rng.choice(_everyday()[1])}"
            )
        if roll < 0.33:
            return rng.choice(_towns_like_surnames())
        return self.names.surname()

    def _person(self, again: float = 0.55) -> Person:
        if self.cast and self.rng.random() < again:
            return self.rng.choice(self.cast)
        second = self._surname() if self.rng.random() < 0.72 else ""
        person = Person(self._given(), self._surname(), second)
        if len(self.cast) < 14:
            self.cast.append(person)
        return person

    def _full(self, p: Person) -> str:
        roll = self.rng.random()
        back = f"{p.first} {p.second}".strip()
        if roll < 0.05:
            return f"{p.given[0]}. {back}"
        if roll < 0.09:
            return f"{p.given} {p.given[-1].upper()}. {back}"
        if roll < 0.13:
            return f"{p.given} {p.first}"
        if roll < 0.16 and p.second:
            return f"{p.given} {p.first} {self.rng.choice(('y', 'de', 'i', 'e'))} {p.second}"
        if roll < 0.19 and p.second:
            return f"{p.given} {p.first} {p.second.split()[-1][0].upper()}."
        if roll < 0.24:
            return f"{p.given} {p.first.upper()}{' ' + p.second.upper() if p.second else ''}"
        if roll < 0.28:
            return f"{p.given} {p.first}{' ' + p.second if p.second else ''}".upper()
        return f"{p.given} {back}"

    def _reversed(self, p: Person) -> str:
        link = self.rng.choice((", ", ", ", ", ", " "))
        return f"{p.first}{' ' + p.second if p.second else ''}{link}{p.given}"

    def _initials(self, p: Person) -> str:
        gap = self.rng.choice((".", ". "))
        letters = [p.given[0], p.first.split()[-1][0], (p.second or p.given).split()[-1][0]]
        return gap.join(letter.upper() for letter in letters) + "."

    def town_name(self) -> str:
        """A town, often named like somebody; half of them are real ones."""
        roll = self.rng.random()
        if roll < 0.45:
            return self.rng.choice(_REAL_TOWNS)
        if roll < 0.55:
            return self.rng.choice(TOWNS)
        if roll < 0.65:
            return self.names.place()
        return self.rng.choice(_TOWN_FORMS).format(
            g=self._given(), s=self._surname(), a=self.rng.choice(_everyday()[1]), i=self.names.invent()
        )

    # -- slots ---------------------------------------------------------------------------------------------

    def _fill(self, slot: str) -> list[tuple[str, str]]:
        """Pieces of text, each with its label or ``""``."""
        rng = self.rng
        person = ("F", "S", "G", "R", "N", "I", "K")
        if slot in person:
            return [(self._name(slot), "PER")]
        if slot == "LIST":
            return self._list()
        if slot == "LOC":
            own = self.town and rng.random() < 0.4
            return [(self.town if own else self.town_name(), "LOC")]
        if slot == "STREET" and rng.random() < 0.35:
            return [(self._street(), "LOC")]
        if slot in ("STREET", "ORG"):
            return [
                (
                    self.names.street() if slot == "STREET" else self.names.organisation(),
                    slot.replace("STREET", "LOC"),
                )
            ]
        if slot == "FIRM":
            return [(self._firm(), "ORG")]
        if slot == "BRAND":
            return [(rng.choice(_BRANDS) if rng.random() < 0.5 else self._coined(), "ORG")]
        if slot == "PNAME":
            value = rng.choice(
                (
                    f"{self._given()} {self._surname()}",
                    self._surname(),
                    f"San {self._given()}",
                    rng.choice(_everyday()[1]),
                    f"Doctor {self._surname()}",
                    f"{self._given()} {self._surname()} {self._surname()}",
                )
            )
            return [(value, "LOC")]
        if slot == "GN":
            return [(self._given(), "LOC")]
        return [(self._plain_slot(slot), "")]

    def _coined(self) -> str:
        """A firm's made-up name: "Inversur", "AGROMEX"."""
        name = self.rng.choice(_COINED_HEADS) + self.rng.choice(_COINED_TAILS)
        return name.upper() if self.rng.random() < 0.2 else name

    def _firm(self) -> str:
        rng = self.rng
        roll, tail = rng.random(), rng.choice(_FIRM_TAILS)
        if roll < 0.2:
            return rng.choice((self._coined(), rng.choice(_BRANDS)))
        if roll < 0.4:
            return f"{self._coined()}{rng.choice((' ', ', '))}{tail}"
        middle = rng.choice(
            (
                self._surname(),
                self.names.invent(),
                rng.choice(_everyday()[1]),
                self.town_name(),
                self._coined(),
            )
        )
        if roll < 0.5:
            return f"{middle} {tail}"
        head = rng.choice(_FIRM_HEADS)
        return f"{head} {middle}" if roll < 0.65 else f"{head} {middle}{rng.choice((' ', ', '))}{tail}"

    def _street(self) -> str:
        head = self.rng.choice(
            ("calle", "Calle", "avenida", "pasaje", "jirón", "carrera", "camino", "plaza", "av.")
        )
        link = self.rng.choice(("", "", "de la ", "del ", "de las ", "Los ", "de los "))
        return f"{head} {link}{self.rng.choice(self.rng.choice(_everyday()))}"

    def _name(self, slot: str) -> str:
        p = self._person()
        if slot == "N":
            slot = self.rng.choice("FSSG")
            if slot == "F":
                return f"{p.given} {p.first}"
        if slot == "K":
            return self.rng.choice(self.nicknames)
        if slot == "S":
            return f"{p.first} {p.second}" if p.second and self.rng.random() < 0.25 else p.first
        if slot == "G":
            return p.given
        if slot == "I":
            return self._initials(p)
        return self._reversed(p) if slot == "R" else self._full(p)

    def _list(self) -> list[tuple[str, str]]:
        rng = self.rng
        form = rng.choice(("F", "F", "S", "G", "R"))
        links = ("; ",) if form == "R" else (", ", ", ", "; ", " | ", " – ", "  ")
        link, courtesy = rng.choice(links), rng.choice(COURTESIES) if form != "G" else ""
        last = rng.choice((" y ", link))
        count = rng.randint(2, 7)
        out: list[tuple[str, str]] = []
        for at in range(count):
            if at:
                out.append((last if at == count - 1 else link, ""))
            out += [(courtesy, ""), (self._name(form), "PER")]
            if rng.random() < 0.08:
                out.append(
                    (rng.choice((" (*)", f" ({rng.choice(PARTIES)})", f", {rng.choice(self.offices)}")), "")
                )
        return out

    def _plain_slot(self, slot: str) -> str:
        rng = self.rng
        number = "".join(rng.choice("0123456789") for _ in range(9))
        if slot in ("W", "w"):
            value = rng.choice(_everyday()[2])
            return value if slot == "W" else value.lower()
        if slot in ("V", "v"):
            value = rng.choice(_ordinary())
            return value if slot == "V" else value.lower()
        if slot in ("AMB", "amb"):
            value = rng.choice(rng.choice(_everyday()[:2]))
            return value if slot == "AMB" else value.lower()
        if slot == "ID":
            return f"{rng.choice(_PAPERS)}{rng.choice((' ', ' ', ' n.º ', ' N° ', ': '))}{self._number()}"
        made: dict[str, Callable[[], str]] = {
            "O": lambda: rng.choice(self.offices),
            "T": lambda: rng.choice(COURTESIES),
            "IDN": self._number,
            "NUM": lambda: str(rng.randint(1, 60)),
            "TIME": lambda: f"{rng.randint(7, 22)}:{rng.randint(0, 59):02d}",
            "DATE": lambda: f"{rng.randint(1, 31)} de {rng.choice(_MONTHS)} de {rng.randint(1990, 2026)}",
            "MONTH": lambda: rng.choice(_MONTHS),
            "MONEY": lambda: rng.choice(
                ("$ {}.{}", "{}.{} euros", "{},{} pesos", "S/ {}.{}", "Q{},{}", "{}.{}")
            ).format(number[:2], number[2:5]),
            "PARTY": lambda: rng.choice(PARTIES),
            "TOPIC": lambda: rng.choice(self.topics),
            "BODY": lambda: rng.choice(self.bodies),
            "BAR": lambda: "|",
        }
        return made[slot]()

    def _number(self) -> str:
        digits = "".join(self.rng.choice("0123456789") for _ in range(9))
        return self.rng.choice(
            (
                digits[:8] + "K",
                f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}-{digits[8]}",
                digits,
                f"{digits[:4]}/20{digits[:2]}",
                f"{digits[:2]}-{digits[2:8]}-{digits[8]}",
                f"A-{digits[:4]}",
                digits[:6],
            )
        )

    def sentence(self, template: str) -> list[tuple[str, str]]:
        """One filled template."""
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: self.rng.choice(m[1].split("|")), template)
        out, last = [], 0
        for match in _SLOT.finditer(template):
            out += [(template[last : match.start()], ""), *self._fill(match[1])]
            last = match.end()
        return [*out, (template[last:], "")]
