"""Whole invented minutes with spans: rosters, votes, turns, tables, files, signatures, prose that names nobody.

A layout is not a list of cases but a draw: a row is a number, a courtesy, a form of the name, a case and a
tail, each drawn for a block and kept in it, so that far more layouts come up than anybody would write down.
Names are often everyday words (a fourth of the surnames, a fifth of the given names), and the same words
stand as words beside them, in towns, streets, feasts, firms and at the start of sentences. Sentences are in
``lists/minutes_named.txt`` and ``minutes_plain.txt``; the template language is that of :mod:`grammar`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from astra_learn_assets.making.ner.grammar import Sentence, Span, _bare
from astra_learn_assets.making.ner.invented_names import TOWNS, NameFactory
from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.spanish import lexicon

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([A-Za-z]+)\}")
_COURTESIES = (
    "", "", "", "", "don ", "doña ", "el señor ", "la señora ", "el Sr. ", "la Sra. ", "Sr. ", "Sra. ", "D. ", "Dña. ",
    "D.ª ", "Don ", "Doña ", "el C. ", "la C. ", "el Lic. ", "la Licda. ", "Ing. ", "el Ing. ", "Arq. ", "la Dra. ",
    "Dr. ", "Prof. ", "Profa. ", "Abg. ", "Mtro. ", "Cra. ", "Tlga. ", "Econ. ", "Lcdo. ", "la Prof. ", "ciudadano ",
    "el ciudadano ", "la vecina ", "el vecino ", "H.R. ", "Hble. ", "Reg. ", "Bach. ", "Téc. ", "Sor ", "P.A. ",
    "Cdor. ", "Méd. Vet. ", "Abog. ", "Ing. Agr. ", "Lcda. ", "Licdo. ", "Psic. ", "Enf. ", "Cnel. ", "Sgto. ", "Arqa. ",
    "Esc. ", "Dip. ", "Conc. ", "Cjal. ", "Hno. ", "Hna. ", "Pbro. ", "el lonko ", "la machi ", "el taita ", "el apu ",
    "la hermana ", "el compañero ", "la compañera ", "D' ", "D~ ", "S r. ", "Dona ", "Sra, ", "MSc. ", "Gral. ", "Adm. ",
    "el menor ", "la niña ", "el maestro ", "la maestra ", "el cabo ", "la agente ", "el inspector ", "la doctora ",
)  # fmt: skip
_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_PAPERS = (
    "DNI", "D.N.I.", "CI", "C.I.", "cédula", "cédula de ciudadanía", "cédula de identidad", "RUT", "R.U.T.", "CURP",
    "RFC", "CUIT", "DPI", "DUI", "Documento Único de Identidad", "CC", "C.C.", "pasaporte", "NIF", "carné", "RNC",
)  # fmt: skip
_PARTIES = ("PSOE", "PP", "PNV", "MAS", "PRI", "PAN", "ARENA", "FMLN", "UCR", "PLRA", "ANR", "IU", "UxC", "PSUV", "PRM",
            "Frente Amplio", "Partido Nacional", "Vecinos", "Compromís", "Morena", "PLN", "FA", "Unidad")  # fmt: skip
_FIRM_HEADS = ("Construcciones", "Transportes", "Jardinería", "Talleres", "Hermanos", "Ferretería", "Panadería",
               "Excavaciones", "Suministros", "Alumbrados", "Servicios", "Grupo", "Comercial", "Viveros")  # fmt: skip
_FIRM_TAILS = ("S.L.", "S.A.", "S.A. de C.V.", "S.L.U.", "S.R.L.", "Ltda.", "S.A.S.", "C.A.", "SpA", "e Hijos S.A.",
               "Hnos.", "y Cía.", "E.I.R.L.")  # fmt: skip
_TOWN_FORMS = ("San {g}", "Santa {g}", "San {g} {i}", "Santa {g} del {i}", "Puebla de Doña {g}", "Villa {s}", "El {a}",
               "Puerto {s}", "{a} Bajo", "{a} Alto", "{s} de la Sierra", "Boca de {i}", "Los {a}", "La {a}", "{i}",
               "{i} Viejo", "Las {a} de {i}", "San {g} {i}", "Santa {g} {i}", "Santo {g} {i} Viejo", "San {g} del {i}", "El {a} {i}",
               "San {g} de {i}", "Santa {g} de {i}", "{i} del Valle", "{i} Grande", "El {i} de {i}", "San {g} de las {a}",
               "Villa {i} del {a}", "Bajo {a}", "{i} {i}", "Rincón de la {a}", "La {i} de {a}", "Las {a} de {i} Viejo", "General {s}", "Doctor {s}", "{g} {s}", "Pozo {a}", "Ciudad {s}")  # fmt: skip
_SHORT = ("Apruebo.", "A favor.", "Presente.", "Sí.", "No.", "Gracias.", "En contra.", "Me abstengo.", "Conforme.",
          "Rechazo.", "Secundo.", "De acuerdo.", "Sí, presente.", "Voto a favor.", "Con la venia.", "Adelante.")  # fmt: skip
_LINKS_BACK = ("de la", "del", "de los", "de", "de las")
WIDTHS = (48, 60, 70, 80, 92)


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


@dataclass(frozen=True)
class Person:
    """Somebody in one piece of minutes."""

    given: str
    first: str
    second: str


class Writer:
    """Endless labelled minutes; the same seed gives the same ones."""

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
            return f"{self.names.given()} {rng.choice(('de la ', 'del ', 'de los ', 'de ', ''))}{rng.choice(everyday)}"
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
        """A town, often named like somebody."""
        roll = self.rng.random()
        if roll < 0.3:
            return self.rng.choice(TOWNS)
        if roll < 0.5:
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
            middle = rng.choice((self._surname(), self.names.invent(), rng.choice(_everyday()[1])))
            return [(f"{rng.choice(_FIRM_HEADS)} {middle} {rng.choice(_FIRM_TAILS)}", "ORG")]
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

    def _street(self) -> str:
        head = self.rng.choice(("calle", "Calle", "avenida", "pasaje", "jirón", "carrera", "camino", "plaza", "av."))
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
        link, courtesy = rng.choice(links), rng.choice(_COURTESIES) if form != "G" else ""
        last = rng.choice((" y ", link))
        count = rng.randint(2, 7)
        out: list[tuple[str, str]] = []
        for at in range(count):
            if at:
                out.append((last if at == count - 1 else link, ""))
            out += [(courtesy, ""), (self._name(form), "PER")]
            if rng.random() < 0.08:
                out.append(
                    (rng.choice((" (*)", f" ({rng.choice(_PARTIES)})", f", {rng.choice(self.offices)}")), "")
                )
        return out

    def _plain_slot(self, slot: str) -> str:
        rng = self.rng
        number = "".join(rng.choice("0123456789") for _ in range(9))
        if slot in ("W", "w"):
            value = rng.choice(_everyday()[2])
            return value if slot == "W" else value.lower()
        if slot in ("AMB", "amb"):
            value = rng.choice(rng.choice(_everyday()[:2]))
            return value if slot == "AMB" else value.lower()
        if slot == "ID":
            return f"{rng.choice(_PAPERS)}{rng.choice((' ', ' ', ' n.º ', ' N° ', ': '))}{self._number()}"
        return {
            "O": lambda: rng.choice(self.offices),
            "T": lambda: rng.choice(_COURTESIES),
            "IDN": self._number,
            "NUM": lambda: str(rng.randint(1, 60)),
            "TIME": lambda: f"{rng.randint(7, 22)}:{rng.randint(0, 59):02d}",
            "DATE": lambda: f"{rng.randint(1, 31)} de {rng.choice(_MONTHS)} de {rng.randint(1990, 2026)}",
            "MONTH": lambda: rng.choice(_MONTHS),
            "MONEY": lambda: rng.choice(("$ {}.{}", "{}.{} euros", "{},{} pesos", "S/ {}.{}", "Q{},{}", "{}.{}")).format(
                number[:2], number[2:5]
            ),
            "PARTY": lambda: rng.choice(_PARTIES),
            "TOPIC": lambda: rng.choice(self.topics),
            "BODY": lambda: rng.choice(self.bodies),
            "BAR": lambda: "|",
        }[slot]()  # fmt: skip

    def _number(self) -> str:
        digits = "".join(self.rng.choice("0123456789") for _ in range(9))
        return self.rng.choice(
            (digits[:8] + "K", f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}-{digits[8]}", digits, f"{digits[:4]}/20{digits[:2]}",
             f"{digits[:2]}-{digits[2:8]}-{digits[8]}", f"A-{digits[:4]}", digits[:6])
        )  # fmt: skip

    # -- pieces --------------------------------------------------------------------------------------------

    def sentence(self, template: str) -> list[tuple[str, str]]:
        """One filled template."""
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: self.rng.choice(m[1].split("|")), template)
        out, last = [], 0
        for match in _SLOT.finditer(template):
            out += [(template[last : match.start()], ""), *self._fill(match[1])]
            last = match.end()
        return [*out, (template[last:], "")]

    def _said(self) -> list[tuple[str, str]]:
        roll = self.rng.random()
        if roll < 0.08:
            return [(self.rng.choice(_SHORT), "")]
        if roll < 0.45 and self.prose:
            return [(self.rng.choice(self.prose), "")]
        return self.sentence(self.rng.choice(self.plain if roll < 0.75 else self.named))

    def _paragraph(self) -> list[tuple[str, str]]:
        out: list[tuple[str, str]] = []
        for _ in range(self.rng.randint(1, 4)):
            roll = self.rng.random()
            some = self.sentence(self.rng.choice(self.named)) if roll < 0.6 else self._said()
            out += [*some, (" ", "")]
        return [*out, ("\n", "")]

    def _rows(self) -> list[tuple[str, str]]:
        rng = self.rng
        number = rng.choice(
            (
                "",
                "",
                "{}. ",
                "{}) ",
                "{}-",
                "{}.- ",
                "- ",
                "• ",
                "{} ",
                "{}.º ",
                "Nº {} ",
                "* ",
                "{}\t",
                "| {} | ",
            )
        )
        courtesy = rng.choice(("", "", "own", "mixed"))
        form = rng.choice(
            ("full", "full", "reversed", "comma", "surname", "given", "initial", "full", "comma")
        )
        case = rng.choice(("printed", "printed", "upper", "bare", "surnames"))
        tail = rng.choice(
            (
                "",
                "",
                "office",
                "party",
                "state",
                "id",
                "money",
                "dots",
                "bar",
                "tab",
                "vote",
                "semicolon",
                "text",
            )
        )
        end = rng.choice(("\n", "\n", "\n", "\n", ";\n", ".\n", "; ", "\n\n", ", "))
        own = rng.choice(_COURTESIES)
        label = rng.choice(("", "", "Asistentes:", "PRESENTES", "Ausentes:", "Votos a favor:", "Nómina de beneficiarios",
                            "Concejales", "Lista de asistencia:", "Miembros presentes:", "Deudores:", "Firmas:"))  # fmt: skip
        out: list[tuple[str, str]] = [(f"{label}\n", "")] if label else []
        for at in range(1, rng.randint(3, 12)):
            p = self._person(again=0.15)
            out.append((number.format(at), ""))
            if courtesy:
                out.append((own if courtesy == "own" else rng.choice(_COURTESIES), ""))
            out += [(self._row_name(p, form, case), "PER"), (self._tail(tail), ""), (end, "")]
        return [*out, ("\n", "")]

    def _row_name(self, p: Person, form: str, case: str) -> str:
        back = f"{p.first}{' ' + p.second if p.second else ''}"
        given = p.given
        if case == "surnames":
            back = back.upper()
        value = {
            "full": f"{given} {back}",
            "reversed": f"{back} {given}",
            "comma": f"{back}, {given}",
            "surname": back,
            "given": given,
            "initial": self.rng.choice(
                (
                    f"{given[0]}. {back}",
                    f"{back}, {given[0]}.",
                    f"{given} {p.first.split()[-1][0]}. {p.second}",
                )
            ),
        }[form].strip()
        return value.upper() if case == "upper" else _bare(value).upper() if case == "bare" else value

    def _tail(self, kind: str) -> str:
        rng = self.rng
        office, party = rng.choice(self.offices), rng.choice(_PARTIES)
        state = rng.choice(("PRESENTE", "AUSENTE", "presente", "ausente con aviso", "licencia", "excusado"))
        return {
            "": "",
            "office": rng.choice((f", {office}", f" – {office}", f" - {office.capitalize()}", f" ({office})")),
            "party": f" ({party})",
            "state": rng.choice((f" {state}", f": {state}", f" ({state})")),
            "id": rng.choice((f", {self._plain_slot('ID')}", f" {self._number()}", f"; {self._plain_slot('ID')}")),
            "money": f" {self._plain_slot('MONEY')}",
            "dots": f" {'.' * rng.randint(4, 12)} {state}",
            "bar": f" | {office} | {rng.choice((state, party, self._number()))} |",
            "tab": f"\t{rng.choice((office, party, self._number()))}",
            "vote": rng.choice((": Sí", ": No", ": a favor", " — en contra", " - se abstiene", " sí", " VOTO A FAVOR")),
            "semicolon": f"; {office}; {party}",
            "text": rng.choice((f" - {self._plain_slot('IDN')} - rebaja de tasa - {self._street()}",
                                f" | conexión de agua | {self._street()}", f", {rng.choice(('barrio', 'vereda', 'comuna'))}", ", de {} años".format(rng.randint(3, 90)),
                                f" – {self._plain_slot('IDN')}/20 – kiosco – ruta {rng.randint(1, 30)}", ", que firma")),
        }[kind]  # fmt: skip

    def _turns(self) -> list[tuple[str, str]]:
        rng = self.rng
        form = rng.choice(("SR. {s}: ", "Sr. {s}.- ", "{f}: ", "{s}: ", "{o} {f}. – ", "El Sr. {s} ({p}): ", "[{t}] {f} >> ",
                           "{g}: ", "—{s}. ", "{o} {s}: ", "Sra. {f}:\n", "{t} {f}\n", "Concejal {s}.- ", "La Sra. {s}: ",
                           "- {f}, {o}: ", "{s} ({o}): ", "{f} -- ", "Don {f}: ", "{i}: ", "DOÑA {f}. "))  # fmt: skip
        capitals = rng.random() < 0.4
        out: list[tuple[str, str]] = []
        for _ in range(rng.randint(2, 7)):
            if rng.random() < 0.18:
                out.append((rng.choice(("SR. ALCALDE: ", "PRESIDENTA: ", "LA SECRETARIA.- ", "El señor alcalde: ",
                                        "Sr. Presidente: ", "SECRETARIO: ", "Alcaldesa: ", "UNA VECINA: ")), ""))  # fmt: skip
            else:
                p = self._person()
                forms = {
                    "s": p.first if rng.random() < 0.7 else f"{p.first} {p.second}".strip(),
                    "f": f"{p.given} {p.first} {p.second}".strip()
                    if rng.random() < 0.6
                    else f"{p.given} {p.first}",
                    "g": p.given,
                    "i": self._initials(p),
                }
                for part in re.split(r"(\{\w\})", form):
                    key = part[1:-1]
                    if part.startswith("{") and key in forms:
                        out.append((forms[key].upper() if capitals else forms[key], "PER"))
                    elif part.startswith("{"):
                        value = {"o": rng.choice(self.offices), "p": rng.choice(_PARTIES)}.get(key)
                        value = value or self._plain_slot("TIME")
                        out.append((value.upper() if capitals else value, ""))
                    else:
                        out.append((part.upper() if capitals else part, ""))
            out += [*self._said(), ("\n", "")]
        return out

    def _signatures(self) -> list[tuple[str, str]]:
        rng = self.rng
        left, right = self._person(), self._person()
        style, case = rng.randint(0, 5), rng.choice(("printed", "upper", "printed"))
        one, two = self._row_name(left, "full", case), self._row_name(right, "full", case)
        first, second = rng.choice(self.offices), rng.choice(self.offices)
        if rng.random() < 0.5:
            first, second = first.upper(), second.upper()
        lead = rng.choice(("", "", "Fdo.: ", "Fdo. ", "(f) ", "Firmado: ", "D. ", "Sr. ", "Lic. "))
        gap = rng.choice(("\t", "    ", "          ", "\t\t"))
        if style == 0:
            return [
                (lead, ""),
                (one, "PER"),
                (f"{gap}{lead}", ""),
                (two, "PER"),
                (f"\n{first}{gap}{second}\n", ""),
            ]
        if style == 1:
            return [
                ("__________\n", ""),
                (one, "PER"),
                (f"\n{first}\n\n__________\n", ""),
                (two, "PER"),
                (f"\n{second}\n", ""),
            ]
        if style == 2:
            made: list[tuple[str, str]] = []
            for _ in range(rng.randint(2, 6)):
                made += [
                    (lead, ""),
                    (self._row_name(self._person(), rng.choice(("full", "full", "comma")), case), "PER"),
                    ("\n", ""),
                ]
            return made
        if style == 3:
            return [
                ("Firmado digitalmente por ", ""),
                (one, "PER"),
                (f" - {self._number()}\nFecha: 2024.03.{rng.randint(1, 28)}\n", ""),
            ]
        if style == 4:
            return [
                (f"{first.capitalize()}, ", ""),
                (one, "PER"),
                (f"; {second}, ", ""),
                (two, "PER"),
                (".\n", ""),
            ]
        return [(f"{first.upper()}\n", ""), (one, "PER"), (f"\n{self._plain_slot('ID')}\n", "")]

    def _heading(self) -> list[tuple[str, str]]:
        some = self.sentence(self.rng.choice(self.plain))
        if self.rng.random() < 0.4:
            some = [(text.upper(), label) for text, label in some]
        return [*some, ("\n", "")]

    def minutes(self) -> Sentence:
        """One piece of minutes, or a part of one."""
        rng = self.rng
        self.cast = []
        self.town = self.town_name()
        parts: list[tuple[str, str]] = []
        if rng.random() < 0.6:
            parts = [(f"{rng.choice(self.bodies)} de ", ""), (self.town, "LOC"), ("\n", "")]
            if rng.random() < 0.4:
                parts = [(text.upper(), label) for text, label in parts]
        makers = (self._paragraph, self._paragraph, self._paragraph, self._rows, self._turns, self._signatures,
                  self._heading, self._paragraph)  # fmt: skip
        for _ in range(rng.randint(2, 8)):
            parts += rng.choice(makers)()
        return joined(parts, wrap=rng.choice(WIDTHS) if rng.random() < 0.2 else 0)


def joined(parts: Sequence[tuple[str, str]], *, wrap: int = 0) -> Sentence:
    """The pieces as one text with spans; ``wrap``: lines end at that width, also inside a name."""
    text, spans = "", []
    for value, label in parts:
        if label and value:
            spans.append((len(text), len(text) + len(value), label))
        text += value
    if wrap:
        chars, column, space = list(text), 0, -1
        for at, char in enumerate(chars):
            column = 0 if char == "\n" else column + 1
            space = at if char == " " else -1 if char == "\n" else space
            if column > wrap and space >= 0:
                chars[space] = "\n"
                column, space = at - space, -1
        text = "".join(chars)
    return text, spans


def documents(
    seed: int, prose: Sequence[str] = (), *, invented: float = 0.25
) -> Iterator[tuple[str, list[Span]]]:
    """Labelled minutes without end; ``prose`` are sentences that name nobody."""
    rng = random.Random(seed)
    writer = Writer(rng, NameFactory(rng, invented=invented), prose)
    while True:
        yield writer.minutes()
