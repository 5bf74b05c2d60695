"""Whole invented minutes with spans: rosters, votes, turns, tables, signatures, prose that names nobody.

A layout is not a list of cases but a draw: a row is a number, a courtesy, a form of the name, a case and a
tail, each drawn for a block and kept in it, so that far more layouts come up than anybody would write down.
Sentences are in ``lists/minutes_named.txt`` and ``minutes_plain.txt``, in the language of :mod:`grammar`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from astra_learn_assets.making.ner.grammar import Sentence, Span, _bare
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.invented_words import COURTESIES, PARTIES, Person, Words
from astra_learn_assets.making.ner.lists import terms

WIDTHS = (48, 60, 70, 80, 92)


class Writer(Words):
    """Endless labelled minutes; the same seed gives the same ones."""

    def _said(self) -> list[tuple[str, str]]:
        roll = self.rng.random()
        if roll < 0.08:
            return [(self.rng.choice(terms("minutes_answers")), "")]
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
        own = rng.choice(COURTESIES)
        label = rng.choice(
            (
                "",
                "",
                "Asistentes:",
                "PRESENTES",
                "Ausentes:",
                "Votos a favor:",
                "Nómina de beneficiarios",
                "Concejales",
                "Lista de asistencia:",
                "Miembros presentes:",
                "Deudores:",
                "Firmas:",
            )
        )
        out: list[tuple[str, str]] = [(f"{label}\n", "")] if label else []
        for at in range(1, rng.randint(3, 12)):
            p = self._person(again=0.15)
            out.append((number.format(at), ""))
            if courtesy:
                out.append((own if courtesy == "own" else rng.choice(COURTESIES), ""))
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
        office, party = rng.choice(self.offices), rng.choice(PARTIES)
        state = rng.choice(("PRESENTE", "AUSENTE", "presente", "ausente con aviso", "licencia", "excusado"))
        return {
            "": "",
            "office": rng.choice(
                (f", {office}", f" – {office}", f" - {office.capitalize()}", f" ({office})")
            ),
            "party": f" ({party})",
            "state": rng.choice((f" {state}", f": {state}", f" ({state})")),
            "id": rng.choice(
                (f", {self._plain_slot('ID')}", f" {self._number()}", f"; {self._plain_slot('ID')}")
            ),
            "money": f" {self._plain_slot('MONEY')}",
            "dots": f" {'.' * rng.randint(4, 12)} {state}",
            "bar": f" | {office} | {rng.choice((state, party, self._number()))} |",
            "tab": f"\t{rng.choice((office, party, self._number()))}",
            "vote": rng.choice(
                (": Sí", ": No", ": a favor", " — en contra", " - se abstiene", " sí", " VOTO A FAVOR")
            ),
            "semicolon": f"; {office}; {party}",
            "text": rng.choice(
                (
                    f" - {self._plain_slot('IDN')} - rebaja de tasa - {self._street()}",
                    f" | conexión de agua | {self._street()}",
                    f", {rng.choice(('barrio', 'vereda', 'comuna'))}",
                    f", de {rng.randint(3, 90)} años",
                    f" – {self._plain_slot('IDN')}/20 – kiosco – ruta {rng.randint(1, 30)}",
                    ", que firma",
                )
            ),
        }[kind]

    def _turns(self) -> list[tuple[str, str]]:
        rng = self.rng
        form = rng.choice(terms("minutes_turns")).removesuffix("|")
        capitals = rng.random() < 0.4
        out: list[tuple[str, str]] = []
        for _ in range(rng.randint(2, 7)):
            if rng.random() < 0.18:
                out.append(
                    (
                        rng.choice(
                            (
                                "SR. ALCALDE: ",
                                "PRESIDENTA: ",
                                "LA SECRETARIA.- ",
                                "El señor alcalde: ",
                                "Sr. Presidente: ",
                                "SECRETARIO: ",
                                "Alcaldesa: ",
                                "UNA VECINA: ",
                            )
                        ),
                        "",
                    )
                )
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
                        value = {"o": rng.choice(self.offices), "p": rng.choice(PARTIES)}.get(key)
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
        makers = (
            self._paragraph,
            self._paragraph,
            self._paragraph,
            self._rows,
            self._turns,
            self._signatures,
            self._heading,
            self._paragraph,
        )
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
