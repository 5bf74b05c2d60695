"""Clauses nobody has written before: subject, verb, object and adverbials, with tense and agreement.

    clauses.fill("caso", "pret", rng)       # "la comisión no aprobó este informe anual {en calle}…"

A clause is a template: the council's own facts stay as slots for :class:`language.Grammar`. Who does what
to what is drawn freely, so the sense is loose and the grammar right; a recognizer that errs in number,
tense or a word that sounds alike can only be put right from the words around it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from astra_learn_assets.simulation.council.word_lists import read

TENSES = ("pres", "pret", "imp", "fut", "cond", "subj", "isubj", "perf")
_ENDINGS = {
    # tense: (singular, plural) after the stem of -ar, then of -er and -ir
    "pres": (("a", "an"), ("e", "en")),
    "pret": (("ó", "aron"), ("ió", "ieron")),
    "imp": (("aba", "aban"), ("ía", "ían")),
    "subj": (("e", "en"), ("a", "an")),
    "isubj": (("ara", "aran"), ("iera", "ieran")),
}
_WHOLE = {"fut": ("á", "án"), "cond": ("ía", "ían")}  # after the infinitive
_DETERMINERS = (
    # weight, then masculine and feminine singular, masculine and feminine plural
    (9, ("el", "la", "los", "las")),
    (3, ("un", "una", "unos", "unas")),
    (2, ("este", "esta", "estos", "estas")),
    (1, ("ese", "esa", "esos", "esas")),
    (2, ("su", "su", "sus", "sus")),
    (1, ("otro", "otra", "otros", "otras")),
    (1, ("cada", "cada", "varios", "varias")),
    (1, ("todo el", "toda la", "todos los", "todas las")),
    (1, ("aquel", "aquella", "aquellos", "aquellas")),
)
_BEFORE = ("el mismo", "la misma", "los mismos", "las mismas")


class Noun(NamedTuple):
    """A noun as it stands, and what agrees with it: 0 to 3, the columns of ``_DETERMINERS``."""

    word: str
    form: int


def fill(name: str, tense: str, rng: random.Random) -> str | None:
    """A template for slot ``{name:tense}``; None when the slot is none of a clause.

    A capital in the name asks for one in the text; ``vs1``, ``v1`` and ``inf1`` are shorter forms.
    """
    make = _SLOTS.get(name[0].lower() + name[1:])
    if make is None:
        return None
    text = make(rng, tense)
    if not name[0].isupper():
        return text
    at = 1 if text[0] == "{" else 0  # ``{edil}`` at the head of a sentence is ``{Edil}``
    return text[:at] + text[at].upper() + text[at + 1 :]


def conjugate(infinitive: str, tense: str, *, plural: bool) -> str:
    """The third person of a regular verb (a preposition may follow it).

    Raises:
        KeyError: for a tense that is none of :data:`TENSES`.
    """
    verb, _, rest = infinitive.partition(" ")
    rest = f" {rest}" if rest else ""
    if tense == "perf":
        return f"{'han' if plural else 'ha'} {participle(verb)}{rest}"
    if tense in _WHOLE:
        return verb + _WHOLE[tense][plural] + rest
    stem = verb[:-2]
    other = verb[-2:] != "ar"
    if tense == "subj":
        stem = _softened(stem) if other else _hardened(stem)
    return stem + _ENDINGS[tense][other][plural] + rest


def participle(infinitive: str) -> str:
    """``pagar`` -> ``pagado``, ``ceder`` -> ``cedido``"""
    verb = infinitive.partition(" ")[0]
    return verb[:-2] + ("ado" if verb.endswith("ar") else "ido")


def _hardened(stem: str) -> str:
    """The same sound before e: ``pag`` -> ``pagu``, ``public`` -> ``publiqu``, ``aplaz`` -> ``aplac``."""
    for old, new in (("g", "gu"), ("c", "qu"), ("z", "c")):
        if stem.endswith(old):
            return stem[:-1] + new
    return stem


def _softened(stem: str) -> str:
    """The same sound before a: ``recog`` -> ``recoj``."""
    return stem[:-1] + "j" if stem.endswith("g") else stem


def plural_of(word: str) -> str:
    """``sesión`` -> ``sesiones``, ``ley`` -> ``leyes``, ``cruz`` -> ``cruces``"""
    if word[-1] in "aeiouéá":
        return word + "s"
    if word[-1] == "z":
        return word[:-1] + "ces"
    if word[-2:] in ("ón", "és", "én", "ín", "ún"):
        return word[:-2] + {"ó": "o", "é": "e", "í": "i", "ú": "u"}[word[-2]] + word[-1] + "es"
    return word if word[-1] == "s" else word + "es"


def adjective(rng: random.Random, form: int) -> str:
    """One that agrees with ``form``."""
    word = rng.choice(read("adjectives"))
    if form in (1, 3) and word.endswith("o"):
        word = word[:-1] + "a"
    return plural_of(word) if form > 1 else word


def noun(rng: random.Random, *, plural: bool | None = None, feminine: bool | None = None) -> Noun:
    """A noun, of the number and gender asked for."""
    many = rng.random() < 0.3 if plural is None else plural
    word, female = rng.choice(_nouns()[feminine])
    return Noun(plural_of(word) if many else word, 2 * many + female)


@cache
def _nouns() -> dict[bool | None, tuple[tuple[str, bool], ...]]:
    everything = tuple((word, gender == "f") for word, _, gender in (n.partition(" ") for n in read("nouns")))
    return {
        None: everything,
        True: tuple(entry for entry in everything if entry[1]),
        False: tuple(entry for entry in everything if not entry[1]),
    }


def thing(rng: random.Random, *, plural: bool | None = None, bare: bool = False, depth: int = 0) -> str:
    """A noun phrase: with its determiner, now and then an adjective, what it is of, or which one it is."""
    found = noun(rng, plural=plural)
    words = [found.word]
    if rng.random() < 0.35:
        words.append(adjective(rng, found.form))
    if depth == 0 and (chance := rng.random()) < 0.3:
        words.append(rng.choice(("de", "de", "de", "para", "sobre", "sin")))
        words.append(thing(rng, depth=1))
    elif depth == 0 and chance < 0.4:
        words.append(rng.choice(("de {calle}", "de {barrio}", "de {institucion}", "de {materia}")))
    if bare:
        return " ".join(words)
    weights = [weight for weight, _ in _DETERMINERS]
    determiner = rng.choices(_DETERMINERS, weights)[0][1][found.form]
    if rng.random() < 0.03:
        determiner = _BEFORE[found.form]
    return f"{determiner} {' '.join(words)}"


def subject(rng: random.Random, *, plural: bool | None = None) -> tuple[str, bool]:
    """Who does it, and whether they are several."""
    if rng.random() < 0.2:
        many = rng.random() < 0.35 if plural is None else plural
        return thing(rng, plural=many, depth=1), many
    lists = _subjects()
    number, text = rng.choice(lists[plural])
    return text, number == "p"


@cache
def _subjects() -> dict[bool | None, tuple[tuple[str, str], ...]]:
    everything = tuple((number, text) for number, _, text in (s.partition(" ") for s in read("subjects")))
    return {
        None: everything,
        True: tuple(entry for entry in everything if entry[0] == "p"),
        False: tuple(entry for entry in everything if entry[0] == "s"),
    }


def _verb(rng: random.Random, tense: str, *, plural: bool, bare: bool = False) -> str:
    """A verb with its negation, pronoun or helper, as ``tense`` asks."""
    infinitive = rng.choice(read("verbs"))
    chance = rng.random()
    if not bare and chance < 0.12:
        helper = rng.choice(("deber", "dejar de", "acabar de", "volver a", "lograr", "intentar", "necesitar"))
        if helper == "volver a" and tense in ("pres", "subj", "perf"):
            helper = "intentar"
        return f"{conjugate(helper, tense, plural=plural)} {infinitive}"
    negated = "no " if not bare and chance > 0.8 else ""
    return negated + conjugate(infinitive, tense, plural=plural)


def _complement(rng: random.Random) -> str:
    parts = [thing(rng)]
    if rng.random() < 0.3:
        parts.append(rng.choice(read("adverbials")))
    return " ".join(parts)


def _clause(rng: random.Random, tense: str) -> str:
    who, many = subject(rng)
    verb = _verb(rng, tense, plural=many)
    opening = f"{rng.choice(read('adverbials'))}, " if rng.random() < 0.08 else ""
    return f"{opening}{who} {verb} {_complement(rng)}"


def _verb_first(rng: random.Random, tense: str) -> str:
    who, many = subject(rng)
    return f"{_verb(rng, tense, plural=many)} {who} {_complement(rng)}"


def _impersonal(rng: random.Random, tense: str) -> str:
    return _verb(rng, tense, plural=False, bare=True)


def _infinitive(rng: random.Random, _: str) -> str:
    return f"{rng.choice(read('verbs'))} {_complement(rng)}"


def _indefinite(rng: random.Random, _: str) -> str:
    found = noun(rng, plural=False)
    extra = f" {adjective(rng, found.form)}" if rng.random() < 0.5 else ""
    return f"{('un', 'una')[found.form]} {found.word}{extra}"


def _connector(rng: random.Random, _: str) -> str:
    found = rng.choice(read("connectors"))
    return found if found.endswith(" que") else f"{found},"


def _bare_noun(*, plural: bool, feminine: bool) -> Callable[[random.Random, str], str]:
    return lambda rng, _: noun(rng, plural=plural, feminine=feminine).word


_SLOTS: dict[str, Callable[[random.Random, str], str]] = {
    "caso": _clause,
    "vs": _verb_first,
    "vs1": lambda rng, tense: f"{_verb(rng, tense, plural=False)} {_complement(rng)}",
    "v": lambda rng, tense: _verb(rng, tense, plural=False, bare=True),
    "v1": lambda rng, tense: _verb(rng, tense, plural=False, bare=True),
    "vp": lambda rng, tense: _verb(rng, tense, plural=True),
    "vse": _impersonal,
    "inf": _infinitive,
    "inf1": lambda rng, _: rng.choice(read("verbs")),
    "part": lambda rng, _: participle(rng.choice([v for v in read("verbs") if " " not in v])),
    "np": lambda rng, _: thing(rng, plural=False),
    "nps": lambda rng, _: thing(rng, plural=True),
    "un": _indefinite,
    "cosa": lambda rng, _: thing(rng, plural=False, bare=True, depth=1),
    "nm": _bare_noun(plural=False, feminine=False),
    "nf": _bare_noun(plural=False, feminine=True),
    "nms": _bare_noun(plural=True, feminine=False),
    "nfp": _bare_noun(plural=True, feminine=True),
    "adj": lambda rng, _: adjective(rng, 0),
    "adv": lambda rng, _: rng.choice(read("adverbials")),
    "con": _connector,
    "subj_p": lambda rng, _: subject(rng, plural=True)[0],
    "el_ente": lambda _, __: "el {ente}",
}
