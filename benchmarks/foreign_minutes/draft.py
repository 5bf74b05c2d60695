"""A page of minutes being written: templates become text, and the marks are kept as they are written.

Template language: ``{slot}`` a word of the country or a figure; ``{~a|b|c}`` one of several; ``{c1:el|la}``
by the gender of a person; ``{c1:hon}`` an honorific or other pair of the country; ``<c1.form>`` a mention;
``[[word]]`` a word that must stay. A label's letter says who it is: o official, s staff, c citizen, d a woman
and e a man among them, f foreign, i indigenous, v Basque, Catalan or Galician, w an official and x a woman
named by common words.
"""

import random
import re
from dataclasses import dataclass

from .countries import Country
from .minutes import Mention, Minutes
from .people import PARTICLES, Person, draw, written
from .vocabulary import Vocabulary

_SLOT = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"<([a-z]\d+)\.(\w+)>")
_CONTRACTED = re.compile(r"\b(de|a) el\b")
_ONE_SURNAME = {"ar": 0.6, "uy": 0.7, "py": 0.45, "pa": 0.35, "do": 0.3, "ve": 0.3, "bo": 0.15, "ec": 0.15}
_WITH_ARTICLE = frozenset({"señor", "doctor", "ciudadano", "hermano", "compañero", "licenciado", "honorable"})
_MARRIED = frozenset({"ar", "do", "gt", "hn", "ni", "pa", "py", "sv"})
_WHO = {  # letter: role, table of given names, table of surnames, female
    "o": ("official", "", "", None),
    "s": ("staff", "", "", None),
    "c": ("citizen", "", "", None),
    "d": ("citizen", "", "", True),
    "e": ("citizen", "", "", False),
    "f": ("citizen", "modern", "foreign", None),
    "i": ("citizen", "indigenous", "", None),
    "v": ("citizen", "peninsular", "", None),
    "w": ("official", "words", "words", None),
    "x": ("citizen", "words", "words", True),
}
_INDIGENOUS = {
    **dict.fromkeys(("mx", "gt", "hn", "sv", "ni"), "maya_nahua"),
    **dict.fromkeys(("pe", "bo", "ec"), "andean"),
    **dict.fromkeys(("cl", "ar", "py", "co", "pa"), "southern"),
}
_ANY_INDIGENOUS = ("andean", "maya_nahua", "southern")


@dataclass(frozen=True)
class _Piece:
    text: str
    person: Person | None = None
    kind: str = ""


class Draft:
    """Text with marks, and the people of one session."""

    def __init__(self, rng: random.Random, country: Country, layout: str) -> None:
        self.rng, self.country, self.layout = rng, country, layout
        self.words = Vocabulary(rng, country)
        self.town = self.words.town
        self.council_name = self.words.council
        self._used = set(self.town.lower().split())
        self._parties: dict[str, str] = {}
        self._titles: dict[str, tuple[str, str]] = {}
        self._pieces: list[str] = []
        self._length = 0
        self._mentions: list[Mention] = []
        self._names: list[str] = []
        self._protected: list[tuple[int, int]] = []
        self._people = 0
        self.capital_surnames = country.code in ("ar", "uy", "es") and rng.random() < 0.25
        self.mayor = self.person("o")
        self.secretary = self.person("s")
        self.council = [self.person("o") for _ in range(rng.randint(5, 13))]
        self.staff = [self.person("s") for _ in range(3)]

    # People

    def person(self, letter: str = "c", surnames_from: str = "") -> Person:
        """A new person, no word of whose name is part of another's name or of the town's."""
        role, given, family, female = _WHO[letter]
        if letter == "i":
            family = _INDIGENOUS.get(self.country.code, self.rng.choice(_ANY_INDIGENOUS))
        if letter == "v":
            family = self.rng.choice(("basque", "catalan", "galician"))
        self._people += 1
        for _ in range(200):
            found = draw(
                self.rng,
                f"p{self._people}",
                role,
                given or self._weighted(self.country.given),
                surnames_from or family or self._weighted(self.country.surnames),
                female,
                1 if self.rng.random() < _ONE_SURNAME.get(self.country.code, 0.05) else 2,
            )
            if not found.words & self._used:
                break
        else:
            raise ValueError(
                f"no name is left for person {self._people} of {self.layout}: add names to the tables"
            )
        if (
            found.female
            and self.country.code in _MARRIED
            and len(found.surnames) == 2
            and self.rng.random() < 0.2
        ):
            husband = found.surnames[1]
            if husband.split()[0].lower() not in PARTICLES:
                found = Person(
                    found.key, role, found.given, (found.surnames[0], f"de {husband}"), True, found.nickname
                )
        self._used |= found.words
        return found

    def people(self, count: int, letter: str = "c") -> list[Person]:
        """Several new people."""
        return [self.person(letter) for _ in range(count)]

    def sibling(self, other: Person) -> Person:
        """Another person with the same surnames."""
        new = self.person("c")
        return Person(new.key, new.role, new.given, other.surnames, new.female, new.nickname, other.link)

    def _weighted(self, weights: dict[str, int]) -> str:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    # Words

    def _slot(self, name: str, cast: dict[str, Person]) -> str:
        if name.startswith("~"):
            return self.rng.choice(name[1:].split("|"))
        label, colon, rest = name.partition(":")
        if colon:
            who = self._cast(label, cast)
            if rest == "party":
                return self._parties.setdefault(who.key, self.words.word("party"))
            pair = self._pair(who, rest) if "|" not in rest else tuple(rest.split("|"))
            return pair[1 if who.female else 0]
        return self.words.word(name)

    def _pair(self, who: Person, name: str) -> tuple[str, str]:
        if name == "hon":
            masculine, feminine = self.rng.choice(self.country.honorifics)
            if masculine.lower() in _WITH_ARTICLE:
                return f"el {masculine}", f"la {feminine}"
            return masculine, feminine
        if name == "title":
            return self._titles.setdefault(who.key, self.rng.choice(self.country.titles))
        return self.country.pairs[name]

    # Writing

    def _cast(self, label: str, cast: dict[str, Person]) -> Person:
        if label not in cast:
            pool = {"o": self.council, "s": self.staff}.get(label[0], [])
            free = [person for person in pool if person not in cast.values()]
            cast[label] = self.rng.choice(free) if free else self.person(label[0])
        return cast[label]

    def expand(self, template: str, **cast: Person) -> list[_Piece]:
        """The template's pieces: plain text with ``[[`` and ``]]`` still in it, and mentions."""
        text = template
        while _SLOT.search(text):
            text = _SLOT.sub(lambda match: self._slot(match[1], cast), text)
        text = _CONTRACTED.sub(r"\1l", text)
        pieces, last = [], 0
        for match in _NAME.finditer(text):
            pieces.append(_Piece(text[last : match.start()]))
            form = "capsur" if match[2] == "full" and self.capital_surnames else match[2]
            person = self._cast(match[1], cast)
            name, kind = written(person, form, self.rng, self.country.code)
            pieces.append(_Piece(name, person, kind))
            last = match.end()
        pieces.append(_Piece(text[last:]))
        return pieces

    def say(self, template: str, end: str = "\n", /, **cast: Person) -> None:
        """Write a template, then ``end``."""
        opened: list[int] = []
        for piece in self.expand(template, **cast):
            if piece.person is not None:
                self._mention(piece, piece.person)
                continue
            for part in re.split(r"(\[\[|\]\])", piece.text):
                if part == "[[":
                    opened.append(self._length)
                elif part == "]]":
                    start = opened.pop()
                    if not opened:
                        self._protected.append((start, self._length))
                else:
                    self._put(part)
        if opened:
            raise ValueError(f"a [[ is not closed in template {template!r}")
        self._put(end)

    def _put(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._length += len(text)

    def _mention(self, piece: _Piece, person: Person) -> None:
        before = "".join(self._pieces[-2:])[-2:]
        name = piece.text
        if not before or before[-1] == "\n" or before == ". ":
            name = name[0].upper() + name[1:]
        start = self._length
        self._put(name)
        self._names.append(name)
        self._mentions.append(Mention(start, self._length, piece.kind, person.key, person.role))

    def heading(self, text: str) -> None:
        """A heading, protected as a whole, with an empty line before it."""
        self._put("" if self._length == 0 else "\n")
        self.say(f"[[{text}]]")

    def finish(self, width: int = 0) -> Minutes:
        """The minutes; with a width, spaces become line breaks so that lines stay under it.

        Raises ValueError where a mark does not hold the name that was written.
        """
        text = "".join(self._pieces)
        mentions = self._mentions
        if width:
            text = _wrapped(text, width)
            mentions = [
                Mention(m.start, m.end, "split", m.person, m.role)
                if "\n" in text[m.start : m.end] and m.kind in ("full", "surname", "given")
                else m
                for m in mentions
            ]
        for mention, name in zip(mentions, self._names, strict=True):
            if text[mention.start : mention.end].replace("\n", " ") != name.replace("\n", " "):
                raise ValueError(f"{self.layout}: the mark at {mention.start} does not hold {name!r}")
        return Minutes(text, self.country.code, self.layout, tuple(mentions), tuple(self._protected))


def _wrapped(text: str, width: int) -> str:
    chars, line_start, last_space = list(text), 0, -1
    for position, char in enumerate(chars):
        if char == "\n":
            line_start, last_space = position + 1, -1
        elif char == " ":
            last_space = position
        if position - line_start >= width and last_space > line_start:
            chars[last_space] = "\n"
            line_start, last_space = last_space + 1, -1
    return "".join(chars)
