"""A page of minutes being written: templates become text, and the marks are kept as they are written.

Template language: ``{slot}`` a word of the country or a figure; ``{~a|b|c}`` one of several; ``{c1:el|la}`` by the
gender of a person; ``{c1:hon}`` an honorific or other pair of the country; ``<c1.form>`` a mention; ``[[word]]`` a
word that must stay. A label's letter says who it is: o official, s staff, c citizen, d a woman and e a man among
them, f foreign, i indigenous, v Basque, Catalan or Galician, w an official and x a woman named by common words.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from .countries import Country, lines
from .minutes import Mention, Minutes
from .people import PARTICLES, Person, draw, written

MONTHS = lines("months")
_SLOT = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"<([a-z]\d+)\.(\w+)>")
_CONTRACTED = re.compile(r"\b(de|a) el\b")
_ONE_SURNAME = {"ar": 0.6, "uy": 0.7, "py": 0.45, "pa": 0.35, "do": 0.3, "ve": 0.3, "bo": 0.15, "ec": 0.15}
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
    "mx": "maya_nahua",
    "gt": "maya_nahua",
    "hn": "maya_nahua",
    "sv": "maya_nahua",
    "ni": "maya_nahua",
}
_INDIGENOUS |= {"pe": "andean", "bo": "andean", "ec": "andean", "cl": "southern", "ar": "southern"}


@dataclass(frozen=True)
class _Piece:
    text: str
    person: Person | None = None
    kind: str = ""


class Draft:
    """Text with marks, and the people of one session."""

    def __init__(self, rng: random.Random, country: Country, layout: str) -> None:
        self.rng, self.country, self.layout = rng, country, layout
        self.town = country.pick(rng, "towns")
        self.council_name = country.pick(rng, "council")
        self.body_name = country.pick(rng, "body")
        self._used = set(self.town.lower().split())
        self._titles: dict[str, tuple[str, str]] = {}
        self._pieces: list[str] = []
        self._length = 0
        self._mentions: list[Mention] = []
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
            family = _INDIGENOUS.get(self.country.code, self.rng.choice(("andean", "maya_nahua", "southern")))
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
            pair = self._pair(who, rest) if "|" not in rest else tuple(rest.split("|"))
            return pair[1 if who.female else 0]
        return self._word(name)

    def _pair(self, who: Person, name: str) -> tuple[str, str]:
        if name == "hon":
            return self.rng.choice(self.country.honorifics)
        if name == "title":
            return self._titles.setdefault(who.key, self.rng.choice(self.country.titles))
        return self.country.pairs[name]

    def _word(self, name: str) -> str:
        rng, country = self.rng, self.country
        if name in country.words:
            return country.words[name]
        if name in ("place", "hall"):
            return country.pick(rng, name)
        if name in ("street", "office", "company", "commission", "saint"):
            files = {"street": "streets", "office": "offices", "company": "companies"}
            word = rng.choice(lines(files.get(name, "commissions" if name == "commission" else "saint_days")))
            if name == "saint" and word.startswith(("Virgen", "Inmaculada")):
                return f"la {word}"
            return f"[[{word}]]" if name == "office" else word
        makers: dict[str, Callable[[], str]] = {
            "n": lambda: str(rng.choice((rng.randint(2, 12), rng.randint(12, 60)))),
            "age": lambda: str(rng.randint(4, 17)),
            "percent": lambda: f"{rng.randint(2, 97)}{rng.choice(('', ',5', ',25'))}",
            "amount": lambda: f"{rng.randint(2, 980)}{rng.choice(('.', ','))}{rng.randint(0, 999):03d}",
            "article": lambda: str(rng.randint(3, 140)),
            "year": lambda: str(rng.randint(1988, 2024)),
            "hour": self._hour,
            "date": self._date,
            "DATE": lambda: self._date().upper(),
            "month": lambda: f"[[{rng.choice(MONTHS)}]]",
            "ref": lambda: rng.choice((f"{rng.randint(1, 4999)}/{rng.randint(2005, 2024)}", self._code())),
            "id": self._id,
            "idlabel": lambda: country.pick(rng, "id"),
            "phone": lambda: f"{rng.randint(200, 999)} {rng.randint(100, 999)} {rng.randint(100, 999)}",
            "mail": lambda: (
                f"{rng.choice(('contacto', 'avisos', 'junta'))}{rng.randint(1, 99)}@correo.example"
            ),
            "party": lambda: country.pick(rng, "parties"),
            "council": lambda: f"[[{self.council_name}]]",
            "the_council": lambda: self._with_article("el", "la", self.council_name),
            "The_council": lambda: self._with_article("El", "La", self.council_name),
            "the_body": lambda: self._with_article("el", "la", self.body_name),
            "The_body": lambda: self._with_article("El", "La", self.body_name),
            "office_the": self._office_the,
            "the_place": self._the_place,
            "of_place": lambda: f"de {self._the_place()}",
            "town": lambda: f"[[{self.town}]]",
            "Town": lambda: f"[[{self.town}]]",
            "TOWN": lambda: f"[[{self.town.upper()}]]",
        }
        if name not in makers:
            raise ValueError(f"template slot {{{name}}} is unknown")
        return makers[name]()

    def _with_article(self, masculine: str, feminine: str, name: str) -> str:
        return f"{feminine if _is_feminine(name) else masculine} [[{name}]]"

    def _the_place(self) -> str:
        name = self.country.pick(self.rng, "place")
        return f"{'la' if _is_feminine(name) else 'el'} {name}"

    def _office_the(self) -> str:
        name = self.rng.choice(lines("offices"))
        head = name.split()[0]
        masculine = head.endswith(("o", "l")) and head not in ("Policía",)
        return f"{'el' if masculine else 'la'} [[{name}]]"

    def _hour(self) -> str:
        hour, minute = self.rng.randint(7, 22), self.rng.choice((0, 10, 15, 30, 45, self.rng.randint(1, 59)))
        return self.rng.choice((f"{hour}:{minute:02d}", f"{hour}.{minute:02d} horas", f"{hour}h{minute:02d}"))

    def _date(self) -> str:
        day, month = self.rng.randint(1, 28), self.rng.randint(1, 12)
        if self.rng.random() < 0.4:
            return f"{day:02d}/{month:02d}/{self.rng.randint(2005, 2024)}"
        return f"{day} de [[{MONTHS[month - 1]}]]"

    def _code(self) -> str:
        return f"{self.rng.choice('ABDEHMOPRST')}-{self.rng.randint(10, 9999)}"

    def _id(self) -> str:
        label, rng = self.country.pick(self.rng, "id"), self.rng
        number = f"{rng.randint(1, 79)}.{rng.randint(100, 999)}.{rng.randint(100, 999)}"
        shapes = (
            number,
            number.replace(".", ""),
            f"{number}-{rng.randint(0, 9)}",
            f"{number[:-4]}-{rng.choice('KX7')}",
        )
        gap = "" if label.endswith("-") else " "
        return f"[[{label}]]{gap}{rng.choice(shapes)}"

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
        self._mentions.append(Mention(start, self._length, piece.kind, person.key, person.role))

    def heading(self, text: str) -> None:
        """A heading, protected as a whole, with an empty line before it."""
        self._put("" if self._length == 0 else "\n")
        self.say(f"[[{text}]]")

    def finish(self, width: int = 0) -> Minutes:
        """The minutes; with a width, spaces become line breaks so that lines stay under it."""
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
        return Minutes(text, self.country.code, self.layout, tuple(mentions), tuple(self._protected))


def _is_feminine(name: str) -> bool:
    head = name.removeprefix("Honorable ").removeprefix("H. ").removeprefix("Ilustre ").split()[0]
    return head.endswith(("a", "ad", "ión"))


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
