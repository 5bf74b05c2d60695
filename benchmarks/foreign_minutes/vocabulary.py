"""The words and figures that templates ask for by slot, for one session of one municipality."""

import random
from collections.abc import Callable

from .countries import Country, lines

MONTHS = lines("months")
_FILES = {"street": "streets", "office": "offices", "company": "companies"}
_FILES |= {"commission": "commissions", "saint": "saint_days"}


class Vocabulary:
    """Town, council and body stay the same throughout a session; all else is drawn anew at each call."""

    def __init__(self, rng: random.Random, country: Country) -> None:
        self.rng, self.country = rng, country
        self.town = country.pick(rng, "towns")
        self.council = country.pick(rng, "council")
        self.body = country.pick(rng, "body")

    def word(self, name: str) -> str:
        """A word for a slot, with ``[[`` ``]]`` where it must stay. Raises ValueError for an unknown slot."""
        rng, country = self.rng, self.country
        if name in country.words:
            return country.words[name]
        if name in ("place", "hall"):
            return country.pick(rng, name)
        if name in _FILES:
            word = rng.choice(lines(_FILES[name]))
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
            "time": lambda: f"{rng.randint(7, 22)}:{rng.randint(0, 59):02d}",
            "date": self._date,
            "day": self._day,
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
            "council": lambda: f"[[{self.council}]]",
            "the_council": lambda: self._with_article("el", "la", self.council),
            "The_council": lambda: self._with_article("El", "La", self.council),
            "the_body": lambda: self._with_article("el", "la", self.body),
            "The_body": lambda: self._with_article("El", "La", self.body),
            "office_the": self._office_the,
            "the_place": self._the_place,
            "the_hall": self._the_hall,
            "the_bylaw": self._the_bylaw,
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

    def _the_hall(self) -> str:
        name = self.country.pick(self.rng, "hall")
        return f"{'la' if _is_feminine(name) else 'el'} {name}"

    def _the_bylaw(self) -> str:
        name = self.country.words["bylaw"]
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
        if self.rng.random() < 0.4:
            year = self.rng.randint(2005, 2024)
            return f"{self.rng.randint(1, 28):02d}/{self.rng.randint(1, 12):02d}/{year}"
        return self._day()

    def _day(self) -> str:
        return f"{self.rng.randint(1, 28)} de [[{self.rng.choice(MONTHS)}]]"

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


def _is_feminine(name: str) -> bool:
    head = name.removeprefix("Honorable ").removeprefix("H. ").removeprefix("Ilustre ").split()[0]
    return head.endswith(("a", "ad", "ión", "ley"))
