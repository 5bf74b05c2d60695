"""Invented people: drawn from the name tables, and written in the ways in which minutes write names."""

import random
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLES = Path(__file__).with_name("names")
PARTICLES = frozenset(
    {"de", "del", "la", "las", "los", "el", "y", "i", "san", "santa", "da", "dos", "di", "van"}
)


@cache
def table(name: str) -> tuple[str, ...]:
    """The terms of ``names/<name>.txt``. Raises FileNotFoundError for a table that there is not."""
    return tuple((TABLES / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1])


@dataclass(frozen=True)
class Person:
    """An invented person. ``link`` stands between the two surnames (Catalan ``i``), empty for most."""

    key: str
    role: str
    given: tuple[str, ...]
    surnames: tuple[str, ...]
    female: bool
    nickname: str
    link: str = ""

    @property
    def words(self) -> frozenset[str]:
        """The words of the name by which two people could be taken for each other."""
        parts = " ".join((*self.given, *self.surnames)).replace("-", " ").lower().split()
        return frozenset(part for part in parts if part not in PARTICLES)


def draw(
    rng: random.Random,
    key: str,
    role: str,
    given_from: str,
    surnames_from: str,
    female: bool | None,
    surnames: int,
) -> Person:
    """A person whose first given name and surname come from the tables named, the rest from plain ones."""
    is_female = rng.random() < 0.5 if female is None else female
    gender = "female" if is_female else "male"
    prefix = "given" if given_from == "plain" else f"given_{given_from}"
    given = [rng.choice(table(f"{prefix}_{gender}"))]
    if rng.random() < 0.45 and " " not in given[0]:
        kind = "given" if rng.random() < 0.75 else "given_words"
        given.append(rng.choice([name for name in table(f"{kind}_{gender}") if name != given[0]]))
    if given[0] == "María" and rng.random() < 0.4:
        given = [
            "María",
            rng.choice(("del Carmen", "de los Ángeles", "del Pilar", "de Jesús", "del Rosario")),
        ]
    family = [rng.choice(table(f"surnames_{surnames_from}"))]
    while len(family) < surnames:
        other = surnames_from if rng.random() < 0.35 else "common"
        family.append(rng.choice(table(f"surnames_{other}")))
    link = ""
    if len(family) == 2 and surnames_from == "catalan" and " " not in family[0] and rng.random() < 0.25:
        link = "i"
    elif len(family) == 2 and rng.random() < 0.02:
        link = "y"
    nickname = rng.choice(table("nicknames_female" if is_female else "nicknames"))
    return Person(key, role, tuple(given), tuple(family), is_female, nickname, link)


def _all_surnames(person: Person) -> str:
    return f" {person.link} ".join(person.surnames) if person.link else " ".join(person.surnames)


def _letter(word: str) -> str:
    first = next(c for c in word if c.isalpha()).upper()
    return first if first == "Ñ" else unicodedata.normalize("NFD", first)[0]


def _initials(person: Person, gap: str) -> str:
    words = [w for part in (*person.given, *person.surnames) for w in part.split()]
    letters = [_letter(w) for w in words if w.lower() not in PARTICLES]
    return gap.join(f"{letter}." for letter in letters[:4])


def _middle(person: Person) -> str:
    if len(person.given) < 2:
        return f"{person.given[0]} {person.surnames[0]}"
    main = next((w for w in person.given[1].split() if w.lower() not in PARTICLES), person.given[1])
    return f"{person.given[0]} {_letter(main)}. {person.surnames[0]}"


def _misspelt(word: str, rng: random.Random) -> str:
    swaps = (("z", "s"), ("v", "b"), ("b", "v"), ("s", "z"), ("ll", "y"), ("g", "j"), ("í", "i"), ("h", ""))
    good = [word.replace(a, b, 1) for a, b in swaps if a in word[1:] and word.replace(a, b, 1)[0] == word[0]]
    good = [other for other in good if other != word]
    return rng.choice(good) if good else word + ("s" if not word.endswith("s") else "es")


def _abbreviated(person: Person, country: str) -> str:
    given = list(person.given)
    short = {"es": ("Mª", "M.ª"), "mx": ("Ma.",), "ec": ("Ma.",), "pe": ("Ma.",)}.get(country, ("M.",))
    if given[0] == "María" and len(given) > 1:
        given[0] = short[len(person.surnames[0]) % len(short)]
    elif len(given) > 1:
        given[1] = f"{_letter(given[1].split()[-1])}."
    else:
        given[0] = f"{_letter(given[0])}."
    return f"{' '.join(given)} {_all_surnames(person)}"


def written(person: Person, form: str, rng: random.Random, country: str) -> tuple[str, str]:
    """The name in a form, and the kind of mention it is. Raises KeyError for a form that there is not."""
    given, family = " ".join(person.given), _all_surnames(person)
    first, surname = person.given[0], person.surnames[0]
    if form.startswith("split"):
        return _split(
            f"{given} {family}" if form != "split_last" else f"{family} {given}", form, rng
        ), "split"
    if form == "full" and rng.random() < 0.25:
        form = rng.choice(("short", "middle", "full_abbr", "short"))
    husband = person.surnames[-1].removeprefix("de ")
    forms = {
        "full": (f"{given} {family}", "full"),
        "whole": (f"{given} {family}", "full"),
        "short": (f"{first} {surname}", "full"),
        "full_abbr": (_abbreviated(person, country), "full"),
        "full_caps": (f"{given} {family}".upper(), "full"),
        "caps_short": (f"{first} {surname}".upper(), "full"),
        "full_married": (f"{first} {surname} de {husband}", "full"),
        "capsur": (f"{given} {family.upper()}", "full"),
        "comma": (f"{family}, {given}", "full"),
        "comma_caps": (f"{family}, {given}".upper(), "full"),
        "comma_mixed": (f"{family.upper()}, {given}", "full"),
        "comma_initial": (f"{surname}, {first} {_letter(person.given[-1])}.".upper(), "full"),
        "last_first": (f"{family} {given}", "full"),
        "last_first_caps": (f"{family} {given}".upper(), "full"),
        "last_caps_first": (f"{family.upper()} {given}", "full"),
        "middle": (_middle(person), "full"),
        "initial_sur": (f"{_letter(first)}. {surname}", "full"),
        "initial_sur_caps": (f"{_letter(first)}. {surname}".upper(), "full"),
        "worn": (_worn(f"{given} {family}"), "full"),
        "worn_caps": (_worn(f"{given} {family}".upper()), "full"),
        "sur": (surname, "surname"),
        "sur_caps": (surname.upper(), "surname"),
        "sur2": (family, "surname"),
        "sur2_caps": (family.upper(), "surname"),
        "sur_wrong": (_misspelt(surname, rng), "surname"),
        "short_wrong": (f"{first} {_misspelt(surname, rng)}", "full"),
        "caps_wrong": (f"{first} {_misspelt(surname, rng)}".upper(), "full"),
        "given": (first, "given"),
        "givens": (given, "given"),
        "given_caps": (first.upper(), "given"),
        "nick": (person.nickname, "nickname"),
        "nick_caps": (person.nickname.upper(), "nickname"),
        "initials": (_initials(person, ""), "initials"),
        "initials_sp": (_initials(person, " "), "initials"),
    }
    return forms[form]


def _worn(name: str) -> str:
    """As a scanner without Spanish letters reads it: no accents, ñ as n."""
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))


def _split(name: str, form: str, rng: random.Random) -> str:
    if form == "split_hyphen":
        head, _, last = name.rpartition(" ")
        if len(last) > 5 and last.isalpha():
            middle = len(last) // 2
            return f"{head} {last[:middle]}-\n{last[middle:]}"
    gaps = [position for position, char in enumerate(name) if char == " "]
    place = rng.choice(gaps)
    return f"{name[:place]}\n{' ' * (8 if form == 'split_indent' else 0)}{name[place + 1 :]}"
