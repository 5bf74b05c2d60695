"""Persons, places and organisations for synthetic minutes, seeded.

Names come from Faker's lists of a dozen locales (MIT), from the hand-written lists of the package and,
for nearly a third, from syllables: a model that only knows real names leaks the ones it never saw.
A tenth of all names (by hash, :func:`is_held_out`) is kept for evaluation and never trained on.
"""

from __future__ import annotations

import importlib
import random
import zlib
from collections.abc import Mapping, Sequence

from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.spanish.fold import fold
from astra_learn_assets.spanish.lexicon import given_names_by_origin, surnames_by_origin

_FAKER_LOCALES = (
    "es_ES",
    "es_MX",
    "es_CO",
    "es_AR",
    "es_CL",
    "es",
    "pt_PT",
    "fr_FR",
    "it_IT",
    "ro_RO",
    "en_US",
)
_SPANISH = _FAKER_LOCALES[:6]
_PARTICLES = (
    "de",
    "de la",
    "del",
    "de los",
    "de las",
    "De la",
    "Del",
    "De",
    "De los",
    "de la",
    "San",
    "Santa",
)
_LINKS = ("y", "i", "e", "de", "-", "y de")
_SYLLABLES = {
    origin: (terms(f"syllables_{origin}_first"), terms(f"syllables_{origin}_last"))
    for origin in ("romance", "basque", "andean", "foreign")
}
_SHORT_FORMS = terms("short_forms")
_BEFORE_SURNAMES = ("O’", "O'", "D’", "Mac", "Mc", "El ", "Ben ", "Van der ")
TOWNS, _TOWN_HEADS, _THINGS = terms("towns"), terms("town_heads"), terms("things")


def is_held_out(name: str) -> bool:
    """Whether a name is kept for evaluation: a tenth of all, by a hash of its accent-blind form."""
    return zlib.crc32(fold(name).encode()) % 10 == 0


def _faker_lists(locales: tuple[str, ...]) -> tuple[list[str], list[str]]:
    from faker.generator import Generator

    given: set[str] = set()
    surnames: set[str] = set()
    for locale in locales:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider(Generator())
        for attribute, target in (
            ("first_names", given),
            ("first_names_male", given),
            ("first_names_female", given),
            ("last_names", surnames),
        ):
            target.update(str(name) for name in getattr(provider, attribute, ()))
    return sorted(given), sorted(surnames)


def _hand_lists(by_origin: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """All names written by hand, and those among them of a minority."""
    hand = [name for names in by_origin.values() for name in names]
    few = [n for origin, names in by_origin.items() if origin not in ("es", "foreign") for n in names]
    return hand, few


class NameFactory:
    """Draws persons, places and organisations. ``held_out`` draws only the tenth never trained on."""

    def __init__(self, rng: random.Random, *, held_out: bool = False, invented: float = 0.3) -> None:
        self.rng = rng
        self.invented = 1.0 if held_out and invented >= 1 else invented
        self._held_out = held_out
        spanish_given, spanish_surnames = _faker_lists(_SPANISH)
        foreign_given, foreign_surnames = _faker_lists(_FAKER_LOCALES[6:])
        hand_given, minority = _hand_lists(given_names_by_origin())
        hand_surnames, minority_surnames = _hand_lists(surnames_by_origin())
        keep = self._keep
        self._given = [keep(spanish_given), keep(hand_given), keep(minority), keep(foreign_given)]
        self._surnames = [
            keep(spanish_surnames), keep(hand_surnames), keep(minority_surnames), keep(foreign_surnames)
        ]  # fmt: skip

    def _keep(self, names: list[str]) -> list[str]:
        return [name for name in names if is_held_out(name) == self._held_out]

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def invent(self) -> str:
        """A name nobody has, of two to four syllables; capitalised."""
        while True:
            heads, tails = self.rng.choice(list(_SYLLABLES.values()))
            count = self.rng.choice((1, 1, 2, 2, 2, 3))
            word = "".join(self.rng.choice(heads) for _ in range(count)) + self.rng.choice(tails)
            if 3 <= len(word) <= 14 and is_held_out(word) == self._held_out:
                return word.capitalize()

    def _pick(self, pools: list[list[str]]) -> str:
        if self.chance(self.invented):
            return self.invent()
        return self.rng.choice(self.rng.choices(pools, (40, 30, 17, 13))[0])

    def given(self) -> str:
        name = self._pick(self._given)
        roll = self.rng.random()
        if roll < 0.16:
            return f"{name} {self._pick(self._given)}"
        if roll < 0.20:
            return f"{self.rng.choice(_SHORT_FORMS)} {name}"
        if roll < 0.23:
            return f"{name} {self.rng.choice(('de la', 'del', 'de los', 'de'))} {self._pick(self._given)}"
        return name

    def surname(self) -> str:
        name = self._pick(self._surnames)
        roll = self.rng.random()
        if roll < 0.09:
            return f"{self.rng.choice(_PARTICLES)} {name}"
        if roll < 0.12:
            return f"{name}-{self._pick(self._surnames)}"
        if roll < 0.13:
            return f"{self.rng.choice(_BEFORE_SURNAMES)}{name}"
        return name

    def surnames(self) -> str:
        roll = self.rng.random()
        if roll < 0.3:
            return self.surname()
        if roll < 0.9:
            return f"{self.surname()} {self.surname()}"
        link = self.rng.choice(_LINKS)
        joiner = "-" if link == "-" else f" {link} "
        return f"{self.surname()}{joiner}{self.surname()}"

    def full(self) -> str:
        roll = self.rng.random()
        if roll < 0.05:
            return f"{self.given()[0].upper()}. {self.surnames()}"
        if roll < 0.07:
            return f"{self.given()} {self.surname()} {self.surname()[0].upper()}."
        return f"{self.given()} {self.surnames()}"

    def reversed(self) -> str:
        return f"{self.surname()} {self.surname()}, {self.given()}"

    def place(self) -> str:
        roll = self.rng.random()
        if roll < 0.5:
            return self.rng.choice(TOWNS)
        if roll < 0.7:
            head, link = self.rng.choice(_TOWN_HEADS), self.rng.choice(("de ", "del ", "de la ", ""))
            return f"{head} {link}{self.invent()}"
        if roll < 0.85:
            return self.invent()
        return self.rng.choice(
            [
                "España",
                "Ecuador",
                "Colombia",
                "México",
                "Chile",
                "Argentina",
                "Perú",
                "Bolivia",
                "Uruguay",
                "Paraguay",
                "Venezuela",
                "Cataluña",
                "Galicia",
                "Andalucía",
                "Aragón",
                "Navarra",
                "Extremadura",
                "Madrid",
                "Barcelona",
                "Sevilla",
                "Europa",
                "Francia",
                "Pichincha",
                "Antioquia",
            ]
        )

    def street(self) -> str:
        kind = self.rng.choice(
            [
                "calle",
                "calle",
                "calle",
                "Calle",
                "C/",
                "C/.",
                "c/",
                "avenida",
                "Avda.",
                "Av.",
                "Avenida",
                "plaza",
                "Plaza",
                "Pza.",
                "paseo",
                "Pº",
                "camino",
                "Camino",
                "carretera",
                "travesía",
                "pasaje",
                "parque",
                "barrio",
                "Barrio",
                "ronda",
                "glorieta",
                "urbanización",
                "callejón",
                "jirón",
                "Jr.",
                "carrera",
                "polígono",
                "glorieta",
                "puente",
            ]
        )
        link = self.rng.choice((" ", " ", " de ", " de la ", " del ", " de los "))
        roll = self.rng.random()
        title = self.rng.choice(
            ("", "", "", "", "Doctor ", "Dr. ", "Alcalde ", "Maestro ", "Padre ", "General ", "San ")
        )
        name = (
            self.rng.choice(_THINGS)
            if roll < 0.45
            else title + (self.full() if roll < 0.85 else self.surname())
        )
        number = self.rng.choice(
            (
                "",
                "",
                "",
                f", {self.rng.randint(1, 160)}",
                f" nº {self.rng.randint(1, 99)}",
                f" {self.rng.randint(1, 90)}",
            )
        )
        return f"{kind}{link}{name}{number}"

    def organisation(self) -> str:
        pick = self.rng.choice
        topic = pick(terms("topics"))
        party = pick(terms("parties"))
        who = self.full() if self.chance(0.7) else self.surname()
        forms = (
            f"Concejalía de {topic}",
            f"Comisión de {topic}",
            f"Comisión Informativa de {topic}",
            f"Área de {topic}",
            f"Dirección de {topic}",
            f"Secretaría de {topic}",
            "Junta de Gobierno Local",
            f"Ayuntamiento de {self.place()}",
            f"Diputación Provincial de {self.place()}",
            f"GAD Municipal de {self.place()}",
            f"Alcaldía de {self.place()}",
            f"Grupo Municipal {party}",
            f"Grupo {party}",
            f"Partido {party}",
            f"grupo municipal {party}",
            party,
            f"Asociación de Vecinos {self.invent()}",
            f"Asociación Cultural {self.place()}",
            f"AMPA {self.invent()}",
            f"{self.invent()} S.L.",
            f"{self.invent()}, S.A.",
            f"{self.invent()} {self.invent()} S.A.U.",
            f"UTE {self.invent()}",
            f"Construcciones {self.surname()} S.L.",
            f"Hermanos {self.surname()} C.B.",
            f"Transportes {self.surname()}, S.L.",
            f"CEIP {who}",
            f"IES {who}",
            f"Hospital {who}",
            f"Fundación {who}",
            f"Colegio {who}",
            f"Biblioteca {who}",
            f"Teatro {who}",
            f"Centro Cultural {who}",
            f"Residencia {who}",
            f"Pabellón {who}",
            f"Unidad Educativa {who}",
            f"Escuela {who}",
            f"Centro de Salud {who}",
            f"Estadio {who}",
            f"Premio {who}",
            f"Instituto {who}",
            "Policía Local",
            "Guardia Civil",
            "Cruz Roja",
            "Cáritas",
            "Junta de Andalucía",
            "Generalitat",
            "Gobierno",
            "Tribunal de Cuentas",
            "Consejo de Ministros",
            "Contraloría General del Estado",
            "EMAPA",
            "FEMP",
            "SERCOP",
            "Registro de la Propiedad",
            "Banco de España",
            "Unión Europea",
            "Universidad de " + self.place(),
            "Mancomunidad " + self.invent(),
            "Consejo Nacional Electoral",
            "Junta Parroquial de " + self.place(),
        )
        return str(pick(forms))
