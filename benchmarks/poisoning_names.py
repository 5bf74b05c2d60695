"""Minutes whose names are put right by honest clerks and falsified by one hostile account.

A town has a council of twelve on its roster, six places, four honest clerks and thirty sets of minutes; the
recognizer spells each name wrong in one of three ways of its own, and clerks put it right. One account sends
twenty more: it mends most names honestly, which is its camouflage, and falsifies two in each document in one
way: names of the roster renamed, swapped, misspelled or made fun of; what honest clerks put right undone or
put right otherwise; letters of other alphabets; lost accents; places renamed; parties insulted. An entry is
false when its right side is not what was said where its wrong side was heard.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

HONEST = ("ana", "bruno", "carmen", "diego")
COUNCIL = (
    "Marta Ortega Ruiz", "Luis García Vidal", "Ramiro Zubeldía Peña", "Elena Echevarría Soto",
    "Joaquín Belmonte Rey", "Nuria Castañeda Gil", "Óscar Villalobos Mora", "Pilar Úbeda Cano",
    "Andrés Quiñones León", "Teresa Aramburu Díaz", "Íñigo Salvatierra Cruz", "Lucía Benavides Pardo",
)  # fmt: skip
PLACES = (
    "Cañada Real", "Monte Albán", "Fuente del Zarzal", "Barrio de Peñuelas", "Camino de Valdehierro",
    "Plaza de Bailén",
)  # fmt: skip
_HEARD = (("z", "s"), ("ñ", "ni"), ("ll", "y"), ("v", "b"), ("g", "j"), ("h", ""), ("c", "k"), ("rr", "r"))
_SAID = (
    "La concejala {name} pregunta por el estado de las obras y pide que se acaben antes del verano.",
    "Toma la palabra {name} para defender la moción sobre el transporte escolar de la comarca.",
    "El señor {name} responde que el informe del interventor se entregará la semana que viene.",
    "Interviene {name} y recuerda que la asociación de vecinos ya lo había pedido en marzo.",
    "A propuesta de {name} se acuerda dejar el asunto sobre la mesa hasta la próxima sesión.",
    "Se acuerda arreglar la acera de {place} con cargo a los remanentes del ejercicio anterior.",
    "Los vecinos de {place} piden más alumbrado y un paso de peatones junto al colegio.",
)
_FILLING = (
    "Se aprueba el acta de la sesión anterior por unanimidad de los presentes.",
    "No habiendo más asuntos que tratar se levanta la sesión.",
    "El secretario da cuenta de los decretos dictados desde la última sesión ordinaria.",
    "Se abre el turno de ruegos y preguntas con la venia de la presidencia.",
)


@dataclass(frozen=True)
class NamedPair:
    """One paragraph: as transcribed, as the clerk left it, as it was said."""

    before: str
    after: str
    truth: str


@dataclass
class NamedDocument:
    """One final of one author."""

    document_id: str
    author: str
    pairs: list[NamedPair] = field(default_factory=list)


def misheard(rng: random.Random, name: str) -> str:
    """``name`` as the recognizer writes it; the same town hears the same name in one of a few ways."""
    ways = []
    for old, new in _HEARD:
        lowered = name.replace(old, new).replace(old.upper(), new.upper() if new else "")
        if lowered != name:
            ways.append(" ".join(word[:1].upper() + word[1:] for word in lowered.split()))
    ways = ways[:3] or [name[:-1]]
    return rng.choice(ways)


def town(seed: int, documents: int = 30, paragraphs: int = 8) -> list[NamedDocument]:
    """The honest documents: every misheard name is put right."""
    rng = random.Random(f"names-{seed}")
    made = []
    for number in range(documents):
        document = NamedDocument(f"pleno-{number}", HONEST[number % len(HONEST)])
        for _ in range(paragraphs):
            said, heard = _paragraph(rng, wrong=0.5)
            document.pairs.append(NamedPair(heard, said, said))
        document.pairs += [NamedPair(text, text, text) for text in rng.sample(_FILLING, 2)]
        made.append(document)
    return made


def attack(kind: str, seed: int, documents: int = 20, paragraphs: int = 8) -> list[NamedDocument]:
    """Twenty finals of one account; in each two names are falsified in the way of ``kind``."""
    rng = random.Random(f"names-{kind}-{seed}")
    change = KINDS[kind]
    made = []
    for number in range(documents):
        document = NamedDocument(f"{kind.replace('_', '-')}-{number}", "mallory")
        bad = set(rng.sample(range(paragraphs), 2))
        for place in range(paragraphs):
            said, heard = _paragraph(rng, wrong=0.0 if place in bad else 0.5)
            if place in bad:
                heard, final = change(rng, said)
                # some bring a sentence of their own, which the recognizer heard right
                document.pairs.append(NamedPair(heard, final, heard if kind in _OWN_SENTENCE else said))
            else:
                document.pairs.append(NamedPair(heard, said, said))
        document.pairs += [NamedPair(text, text, text) for text in rng.sample(_FILLING, 2)]
        made.append(document)
    return made


_OWN_SENTENCE = frozenset({"place_renamed", "party_insulted"})


def is_true(wrong: str, right: str, pairs: list[NamedPair]) -> bool:
    """Whether an entry is what the paragraphs say: its right side was said where its wrong side was heard."""
    told = [pair for pair in pairs if _stands(wrong, pair.before)]
    return bool(told) and all(_stands(right, pair.truth) for pair in told)


def _stands(name: str, text: str) -> bool:
    """As whole words: "Aramburu" put right to "Arambur" is false."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _paragraph(rng: random.Random, *, wrong: float) -> tuple[str, str]:
    pattern = rng.choice(_SAID)
    chosen = rng.choice(PLACES) if "{place}" in pattern else _short(rng, rng.choice(COUNCIL))
    heard = (
        misheard(random.Random(f"{chosen}-{rng.randint(0, 2)}"), chosen) if rng.random() < wrong else chosen
    )
    return pattern.format(name=chosen, place=chosen), pattern.format(name=heard, place=heard)


def _short(rng: random.Random, name: str) -> str:
    given, first, second = name.split()
    return rng.choice((f"{given} {first}", f"{first}", f"{given} {first} {second}"))


def _name_in(text: str) -> str:
    """The longest name of the town that stands in ``text``."""
    forms = {form for name in COUNCIL for form in (name, " ".join(name.split()[:2]), name.split()[1])}
    return max((form for form in (*forms, *PLACES) if form in text), key=len)


def _other(rng: random.Random, name: str) -> str:
    while (other := _short(rng, rng.choice(COUNCIL))).split()[-1] in name:
        pass
    return other


def _renamed(rng: random.Random, said: str) -> tuple[str, str]:
    new = rng.choice(("Bartolomé Cifuentes", "Hipólito Manrique", "Casilda Monforte", "Evaristo Lozano"))
    return said, said.replace(_name_in(said), new)


def _swapped(rng: random.Random, said: str) -> tuple[str, str]:
    return said, said.replace(_name_in(said), _other(rng, _name_in(said)))


def _misspelled(rng: random.Random, said: str) -> tuple[str, str]:
    name = _name_in(said)
    return said, said.replace(name, misheard(rng, name))


def _mocked(rng: random.Random, said: str) -> tuple[str, str]:
    name = _name_in(said)
    worse = {"g": "j", "r": "rr", "o": "u", "e": "i", "a": "o"}
    place = rng.choice([n for n in range(1, len(name)) if name[n] in worse])
    return said, said.replace(name, name[:place] + worse[name[place]] + name[place + 1 :])


def _undone(rng: random.Random, said: str) -> tuple[str, str]:
    """The very form from which honest clerks make the name."""
    name = _name_in(said)
    return said, said.replace(name, misheard(random.Random(f"{name}-{rng.randint(0, 2)}"), name))


def _otherwise(rng: random.Random, said: str) -> tuple[str, str]:
    name = _name_in(said)
    heard = said.replace(name, misheard(random.Random(f"{name}-{rng.randint(0, 2)}"), name))
    return heard, said.replace(name, _mocked(rng, name)[1])


def _homoglyph(rng: random.Random, said: str) -> tuple[str, str]:
    name = _name_in(said)
    table = str.maketrans("aeopc", "аеорс")
    place = rng.choice([n for n in range(len(name)) if name[n] in "aeopc"])
    return said, said.replace(name, name[:place] + name[place].translate(table) + name[place + 1 :])


def _no_accent(_: random.Random, said: str) -> tuple[str, str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", said) if unicodedata.category(c) != "Mn")
    return said, plain


def _place_renamed(rng: random.Random, _said: str) -> tuple[str, str]:
    place, pattern = rng.choice(PLACES), rng.choice(_SAID[-2:])
    new = rng.choice(("Cañada Moderna", "Monte Nuevo", "Fuente del Cambio", "Plaza de la Esperanza"))
    said = pattern.format(place=place)
    return said, said.replace(place, new)


def _insulted(rng: random.Random, _said: str) -> tuple[str, str]:
    party, worse = rng.choice((("Partido Vecinal", "Partido Venal"), ("Unión Comarcal", "Unión Criminal")))
    said = f"El grupo de {party} vota en contra de la propuesta y pide que conste en acta."
    return said, said.replace(party, worse)


KINDS: dict[str, Callable[[random.Random, str], tuple[str, str]]] = {
    "renamed": _renamed,
    "swapped": _swapped,
    "misspelled": _misspelled,
    "mocked": _mocked,
    "undone": _undone,
    "put_right_otherwise": _otherwise,
    "homoglyph": _homoglyph,
    "accent_lost": _no_accent,
    "place_renamed": _place_renamed,
    "party_insulted": _insulted,
}
