"""From the phrases and a council's facts to sentences nobody has written before.

A rule is a tuple of alternatives; :class:`Grammar` expands ``{slot}`` by another rule or by a fact
of the council (a councillor, a street, an amount). The same :class:`random.Random` state always
gives the same sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from astra_learn_assets.simulation.council import clauses
from astra_learn_assets.simulation.council.people import Citizen, Person, draw_citizen
from astra_learn_assets.simulation.council.phrases import TOPICS
from astra_learn_assets.simulation.council.speech import SPEECH
from astra_learn_assets.simulation.council.towns import Country, Town
from astra_learn_assets.simulation.council.word_lists import read

# half of what is claimed, asked for and argued is composed anew; the other half is what all councils say
_COMPOSED: dict[str, tuple[str, ...]] = {
    "afirmacion": tuple(f"{{caso:{tense}}}" for tense in ("pres", "pret", "imp", "fut", "perf")),
    "peticion": ("{caso:subj}", "se {vse:subj} {np}", "se {vse:subj} {np} {adv}", "se {vse:subj} {nps}"),
    "hecho": ("{caso:subj}",),
    "motivo": (
        "porque {caso:pret}", "porque {caso:pres}", "ya que {caso:perf}", "ya que {caso:imp}",
        "aunque {caso:subj}", "si {caso:pres}", "pues {caso:fut}", "puesto que {caso:pret}",
    ),
    "debate": read("sentences"),
    "dice": ("dice", "afirma", "señala", "recuerda", "explica", "añade", "insiste", "advierte"),
}  # fmt: skip


def _rules() -> dict[str, tuple[str, ...]]:
    rules = {**TOPICS, **SPEECH}
    for name, composed in _COMPOSED.items():
        before = rules.get(name, ())
        rules[name] = before + composed * max(1, round(len(before) / len(composed)))
    return rules


RULES: dict[str, tuple[str, ...]] = _rules()
MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SMALL = ("uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce")
_PERIODS = ("quince días", "un mes", "dos meses", "tres meses", "seis meses", "un año", "treinta días")
_FEMININE = ("calle", "avenida", "plaza", "travesía")
_DEPTH = 12


@dataclass(frozen=True)
class Councillor:
    """A member of the council; ``group`` carries its article."""

    person: Person
    group: str


@dataclass(frozen=True)
class Facts:
    """All a sentence may name: the town, its council, its officers (name of the post with article)."""

    country: Country
    town: Town
    municipality: str
    mayor: Person
    councillors: tuple[Councillor, ...]
    officers: tuple[str, ...]
    avoid_surnames: frozenset[str]

    @property
    def mayor_title(self) -> str:
        female = self.mayor.gender == "f"
        return f"{'la' if female else 'el'} {self.country.mayor[female]}"


@dataclass(frozen=True)
class Sentence:
    """Clean text and the citizens it names."""

    text: str
    citizens: tuple[Citizen, ...] = ()


@dataclass
class Grammar:
    """Writes the sentences of one session. ``known_citizens`` may be named again later on."""

    facts: Facts
    rng: random.Random
    session_date: date
    known_citizens: list[Citizen] = field(default_factory=list)

    def sentence(self, rule: str) -> Sentence:
        """One sentence of ``rule``, capitalised, with contractions in place."""
        self._citizen: Citizen | None = None
        text = tidy(self._expand(self._pick(RULES[rule]), 0))
        return Sentence(text, () if self._citizen is None else (self._citizen,))

    def best(self, rule: str, score: Callable[[str], float], tries: int, words: tuple[int, int]) -> Sentence:
        """The best of ``tries`` sentences by ``score``; those outside ``words`` (min, max) come last."""
        candidates = [self.sentence(rule) for _ in range(tries)]

        def rank(sentence: Sentence) -> tuple[bool, float]:
            return words[0] <= len(sentence.text.split()) <= words[1], score(sentence.text)

        return max(candidates, key=rank)

    def phrase(self, rule: str) -> str:
        """A fragment of ``rule`` without capital or full stop."""
        self._citizen = None
        return contract(self._expand(self._pick(RULES[rule]), 0))

    def _pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.random() * len(options))]

    def _expand(self, template: str, depth: int) -> str:
        return _SLOT.sub(lambda match: self._slot(match.group(1), match.group(2) or "", depth), template)

    def _slot(self, name: str, tense: str, depth: int) -> str:
        clause = clauses.fill(name, tense, self.rng)
        if clause is not None:
            return self._expand(clause, depth + 1)
        rule = RULES.get(name)
        if rule is not None:
            # deep nesting makes endless sentences: below the limit take the shortest alternative
            chosen = self._pick(rule) if depth < _DEPTH else min(rule, key=lambda option: option.count("{"))
            return self._expand(chosen, depth + 1)
        if name[0].isupper():
            value = self._fact(name.lower())
            return value[0].upper() + value[1:]
        return self._fact(name)

    def _fact(self, name: str) -> str:
        rng, facts, town = self.rng, self.facts, self.facts.town
        match name:
            case "organo":
                return facts.country.organ
            case "ente":
                return facts.country.entity
            case "municipio":
                return facts.municipality
            case "alcalde":
                return facts.mayor_title
            case "edil":
                return self._councillor()
            case "corto":
                person = rng.choice(facts.councillors).person
                return f"{'la señora' if person.gender == 'f' else 'el señor'} {self._surnames(person)}"
            case "grupo":
                return rng.choice(town.groups)
            case "tecnico":
                return rng.choice(facts.officers)
            case "fedatario":
                return facts.officers[0]
            case "cargo_fe":
                return facts.officers[0].split(" ", 1)[1]
            case "calle":
                street = rng.choice(town.streets)
                return f"{'la' if street.startswith(_FEMININE) else 'el'} {street}"
            case "barrio":
                return rng.choice(town.quarters)
            case "institucion":
                return rng.choice(town.institutions)
            case "sigla":
                return rng.choice(town.bodies)
            case "plan":
                return rng.choice(town.plans)
            case "importe":
                return self.amount()
            case "porcentaje":
                return str(rng.randint(2, 38))
            case "numero":
                return rng.choice(_SMALL[1:])
            case "hora":
                return f"{rng.randint(9, 21)}:{rng.randrange(0, 60, 5):02d}"
            case "plazo":
                return rng.choice(_PERIODS)
            case "plazo_corto":
                return f"{rng.choice(('cinco', 'diez', 'quince', 'veinte'))} minutos"
            case "fecha":
                return spell_date(self.session_date - timedelta(days=rng.randint(3, 200)))
            case "fecha_sesion":
                return spell_date(self.session_date)
            case "expediente":
                return f"{rng.randint(1, 2400)}/{self.session_date.year - rng.randint(0, 2)}"
            case _:
                return self._citizen_fact(name)

    def amount(self) -> str:
        """An amount of money in the country's currency and size."""
        low, high = self.facts.country.amounts
        value = int(low * (high / low) ** self.rng.random())
        whole = f"{value:,}".replace(",", ".")
        cents = f",{self.rng.randint(1, 99):02d}" if value < 100_000 and self.rng.random() < 0.5 else ""
        return f"{whole}{cents} {self.facts.country.currency}"

    def _councillor(self) -> str:
        member = self.rng.choice(self.facts.councillors)
        person, female = member.person, member.person.gender == "f"
        roll = self.rng.random()
        if roll < 0.15:
            return f"{'doña' if female else 'don'} {person.full_name}"
        post = f"{'la' if female else 'el'} {self.facts.country.councillor[female]}"
        if roll < 0.35:
            return f"{post} {person.given} {person.surname}"
        if roll < 0.45:
            return f"{post} {person.surnames}"
        return f"{post} {person.full_name}"

    def _surnames(self, person: Person) -> str:
        return person.surnames if self.rng.random() < 0.5 else person.surname

    def _citizen_fact(self, name: str) -> str:
        citizen = self._citizen
        if citizen is None:
            if self.known_citizens and self.rng.random() < 0.25:
                citizen = self.rng.choice(self.known_citizens)
            else:
                citizen = draw_citizen(
                    self.rng,
                    self.facts.country.code,
                    self.facts.town.streets,
                    avoid=self.facts.avoid_surnames,
                )
            self._citizen = citizen
        female = citizen.person.gender == "f"
        return {
            "ciudadano": citizen.person.full_name,
            "ciudadano_articulo": "la vecina" if female else "el vecino",
            "identidad": f"{citizen.identity_label} {citizen.identity}",
            "domicilio": citizen.address,
            "telefono": citizen.phone,
            "correo": citizen.email,
        }[name]


def contract(text: str) -> str:
    """``de el`` -> ``del``, ``a el`` -> ``al`` (not before *El Ejido*), ``y i`` -> ``e i``, single spaces."""
    text = re.sub(r"\b([Dd]e) el\b", r"\1l", text)
    text = re.sub(r"\b([Aa]) el\b", r"\1l", text)
    text = re.sub(r"\by (?=i|hi(?!e))", "e ", text)
    return re.sub(r"\s+", " ", text).replace(" ,", ",").strip()


def tidy(text: str) -> str:
    """``contract`` plus a capital at the start and one full stop at the end."""
    text = contract(text)
    return text[0].upper() + text[1:].rstrip(". ") + "."


def spell_date(day: date) -> str:
    """``14 de marzo de 2026``"""
    return f"{day.day} de {MONTHS[day.month - 1]} de {day.year}"
