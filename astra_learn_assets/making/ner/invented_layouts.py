"""More minutes than :mod:`invented_minutes` draws, each layout and sentence a line of ``lists/``.

    documents(seed, prose, real)     # endless (text, spans)

A network that reads the same few layouts again and again learns them by heart. Here a layout is a line that
can be added by whoever knows the genre: ``layouts_*.txt`` (rosters, turns, forms, acts, and layouts that
name nobody), ``shapes_*.txt`` (sentences). The language is that of :mod:`grammar` with

=====================  ==============================================================================
written                means
=====================  ==============================================================================
``<row>``              two to seven times, each drawn anew; ``{#}`` is the number of the row
``[=a|b]``             one choice for the whole line; ``[a|b]`` one for each row
``{S1}``, ``{G1}``     the same somebody all over the line
``{S^}``, ``{S_}``     in capitals, in lower case
=====================  ==============================================================================

Surnames that are everyday words are drawn in many pieces nearly always, and ``alike_words.txt`` has a
sentence for each in which it is only the word. In one of eight places of a sentence where a person would
stand stands somebody who is nobody ("la comisión", "el prado"), so that a place alone makes no person either.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

from astra_learn_assets.making.ner.grammar import Sentence, _bare
from astra_learn_assets.making.ner.invented_minutes import WIDTHS, joined
from astra_learn_assets.making.ner.invented_names import NameFactory, is_held_out
from astra_learn_assets.making.ner.invented_words import Person, Words, _everyday, _towns_like_surnames
from astra_learn_assets.making.ner.lists import terms

Pieces = list[tuple[str, str]]

KINDS = ("rosters", "turns", "forms", "acts", "nobody")
ALIKE_SHARES = (0.12, 0.3, 0.6, 0.9)
"""How many surnames of a piece are everyday words."""
NOBODY_INSTEAD = 0.12
_ONCE, _CHOICE = re.compile(r"\[=([^\[\]]*)\]"), re.compile(r"\[([^\[\]]*)\]")
_ROW = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\{([A-Za-z]+)(\d?)([\^_]?)\}")
_GOES_ON = frozenset([" ", " de "])  # between a given name and its surname
_SURNAMES = frozenset(["S", "P", "ONE"])


class Layouts(Words):
    """Endless labelled minutes from the lines of ``lists/``; the same seed gives the same ones."""

    def __init__(
        self, rng: random.Random, names: NameFactory, prose: Sequence[str], real: Sequence[Sentence]
    ) -> None:
        super().__init__(rng, names, prose)
        self.real = real
        self.layouts = {kind: terms(f"layouts_{kind}") for kind in KINDS}
        self.shapes_named = (*terms("shapes_named"), *self.named)
        self.shapes_plain = (*terms("shapes_plain"), *self.plain)
        self.nobody, self.clauses = terms("nobody"), terms("clauses")
        self.alike_words = [line.split("|", 1)[1] for line in terms("alike_words")]
        self.everyday_surnames = terms("everyday_surnames")
        self.rare_given = [n for n in terms("names_rare_given") if not is_held_out(n)]
        self.rare_surnames = [n for n in terms("names_rare_surnames") if not is_held_out(n)]
        self.alike = ALIKE_SHARES[0]
        self.numbered: dict[str, Person] = {}

    # -- people --------------------------------------------------------------------------------------------

    def _given(self) -> str:
        if self.rng.random() < 0.15:
            name = self.rng.choice(self.rare_given)
            return f"{name} {self.rng.choice(self.rare_given)}" if self.rng.random() < 0.15 else name
        return super()._given()

    def _surname(self) -> str:
        rng = self.rng
        if rng.random() < self.alike:
            return rng.choice(self.everyday_surnames if rng.random() < 0.65 else _everyday()[1])
        roll = rng.random()
        if roll < 0.18:
            return rng.choice(self.rare_surnames)
        if roll < 0.22:
            return rng.choice(_towns_like_surnames())
        return rng.choice(_everyday()[2]) if roll < 0.23 else self.names.surname()

    def _somebody(self, number: str) -> Person:
        if not number:
            return self._person(again=0.25)
        if number not in self.numbered:
            self.numbered[number] = self._person(again=0.2)
        return self.numbered[number]

    def _form(self, slot: str, p: Person) -> str:
        """One person as the slot says: full, surname, given name, turned round, shortened, glued."""
        made: dict[str, Callable[[], str]] = {
            "F": lambda: self._full(p),
            "R": lambda: self._reversed(p),
            "G": lambda: p.given,
            "I": lambda: self._initials(p),
            "P": lambda: f"{p.first} {p.second}".strip(),
            "ONE": lambda: p.first,
            "L": lambda: f"{p.given.split()[0]} {p.first}",
            "U": lambda: f"{p.first} {p.second} {p.given}".replace("  ", " "),
            "X": lambda: f"{'.'.join(g[0] for g in p.given.split()[:2] if g[0].isupper())}. {p.first}",
            "J": lambda: re.sub(r"[^\w]", "", _bare(f"{p.given}{p.first}".title())),
            "D": lambda: f"{' '.join(p.given)} {p.first}",
            "B": lambda: self._broken(f"{p.given} {p.first} {p.second}".strip()),
            "K": lambda: self.rng.choice(self.nicknames),
        }
        if slot == "S":
            return f"{p.first} {p.second}".strip() if self.rng.random() < 0.15 else p.first
        if slot == "N":
            return self._form(self.rng.choice("SSSGLF"), p)
        return made[slot]()

    def _broken(self, name: str) -> str:
        """The name over two lines: between two words, now and then inside one."""
        spaces = [at for at, char in enumerate(name) if char == " "]
        if self.rng.random() < 0.2 and len(name) > 8:
            at = self.rng.randint(3, len(name) - 3)
            if name[at].isalpha() and name[at - 1].isalpha():
                return f"{name[:at]}-\n{name[at:]}"
        at = self.rng.choice(spaces)
        return f"{name[:at]}\n{name[at + 1 :]}"

    # -- lines ---------------------------------------------------------------------------------------------

    def _drawn(self, template: str) -> str:
        """The line with its choices made and its rows written out."""
        rng = self.rng
        while _ONCE.search(template):
            template = _ONCE.sub(lambda m: rng.choice(m[1].split("|")), template)
        template = _ROW.sub(
            lambda m: "".join(m[1].replace("{#}", str(at)) for at in range(1, rng.randint(3, 8))), template
        ).replace("{#}", "1")
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), template)
        return template

    def filled(self, template: str, *, doubtful: bool = False) -> Pieces:
        """One line filled; ``doubtful``: now and then nobody stands where a person would."""
        out: Pieces = []
        last, before = 0, ""
        drawn = self._drawn(template)
        for match in _SLOT.finditer(drawn):
            between = drawn[last : match.start()]
            slot, number, case = match.groups()
            if doubtful and not number and slot in "FSNLP" and self.rng.random() < NOBODY_INSTEAD:
                slot = "NOBODY"
            pieces = self._pieces(slot, number)
            if case:
                pieces = [(_cased(text, case, self.rng), label) for text, label in pieces]
            if slot in _SURNAMES and before in ("G", "K") and between in _GOES_ON and out:
                out[-1] = (out[-1][0] + between + pieces[0][0], "PER")
            else:
                out += [(between, ""), *pieces]
            last, before = match.end(), slot
        return [*out, (drawn[last:], "")]

    def _pieces(self, slot: str, number: str) -> Pieces:
        rng = self.rng
        if slot in ("F", "R", "G", "I", "P", "ONE", "L", "U", "X", "J", "D", "B", "K", "S", "N"):
            return [(self._form(slot, self._somebody(number)), "PER")]
        lines: dict[str, Sequence[str]] = {
            "NOBODY": self.nobody,
            "REST": self.clauses,
            "ALIKE": self.alike_words,
            "PLAIN": self.shapes_plain,
        }
        if slot in lines:
            return self.filled(rng.choice(lines[slot]))
        if slot == "PROSE":
            return [(rng.choice(self.prose), "")] if self.prose else self.filled(rng.choice(self.alike_words))
        if slot == "REAL":
            return self._real() if self.real else self._said()
        if slot == "SAY":
            return self._said()
        return self._fill(slot)

    def _said(self) -> Pieces:
        roll = self.rng.random()
        if roll < 0.1:
            return [(self.rng.choice(terms("minutes_answers")), "")]
        if roll < 0.3 and self.real:
            return self._real()
        if roll < 0.6:
            return self.filled(self.rng.choice(self.shapes_plain))
        return self.filled(self.rng.choice(self.shapes_named), doubtful=True)

    def _real(self) -> Pieces:
        return self.renamed(self.rng.choice(self.real))

    def renamed(self, sentence: Sentence) -> Pieces:
        """A sentence of real minutes with other people in it."""
        text, spans = sentence
        out: Pieces = []
        last = 0
        for start, end, label in spans:
            value = text[start:end]
            if label == "PER":
                words = len(value.split())
                form = "S" if words == 1 else self.rng.choice("PL") if words == 2 else "F"
                value = self._form(form, self._person())
            out += [(text[last:start], ""), (value, label)]
            last = end
        return [*out, (text[last:], "")]

    def _paragraph(self) -> Pieces:
        rng, out = self.rng, []
        gap = rng.choice((" ", " ", "\n"))
        for _ in range(rng.randint(1, 5)):
            named = rng.random() < 0.55
            line = rng.choice(self.shapes_named if named else self.shapes_plain)
            self.numbered = {}
            out += [*self.filled(line, doubtful=True), (gap, "")]
        return [*out, ("\n", "")]

    def _block(self) -> Pieces:
        kind = self.rng.choices((*KINDS, "paragraph"), (22, 14, 16, 16, 20, 34))[0]
        if kind == "paragraph":
            return self._paragraph()
        self.numbered = {}
        pieces = self.filled(self.rng.choice(self.layouts[kind]))
        if self.rng.random() < 0.12:
            return [(text.upper(), label) for text, label in pieces]
        return pieces

    def document(self) -> Sentence:
        """One piece of minutes, or a part of one."""
        rng = self.rng
        self.cast, self.town = [], self.town_name()
        self.alike = rng.choice(ALIKE_SHARES)
        parts: Pieces = []
        if rng.random() < 0.4:
            parts = [(f"{rng.choice(self.bodies)} de ", ""), (self.town, "LOC"), ("\n", "")]
        for _ in range(rng.randint(1, 6)):
            parts += self._block()
        return joined(parts, wrap=rng.choice(WIDTHS) if rng.random() < 0.2 else 0)


def _cased(text: str, case: str, rng: random.Random) -> str:
    if case == "_":
        return text.lower()
    return (_bare(text) if rng.random() < 0.4 else text).upper()


def documents(
    seed: int, prose: Sequence[str] = (), real: Sequence[Sentence] = (), *, invented: float = 0.2
) -> Iterator[Sentence]:
    """Labelled minutes without end. ``prose`` names nobody, of ``real`` the people are replaced."""
    rng = random.Random(seed)
    layouts = Layouts(rng, NameFactory(rng, invented=invented), prose, real)
    while True:
        yield layouts.document()


def with_other_people(sentences: Sequence[Sentence], seed: int) -> Iterator[Sentence]:
    """Real sentences, their people replaced by others, of whom most have everyday words for surnames."""
    rng = random.Random(seed)
    layouts = Layouts(rng, NameFactory(rng, invented=0.2), (), ())
    layouts.alike = 0.6
    for sentence in sentences:
        layouts.cast = []
        yield joined(layouts.renamed(sentence))
