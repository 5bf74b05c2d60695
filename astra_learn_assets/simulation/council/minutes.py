"""The content of one session before it becomes a document: blocks with what was said and heard."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from astra_learn_assets.simulation.council.errors_model import ErrorModel, Piece
from astra_learn_assets.simulation.council.language import Facts, Grammar, Sentence, spell_date
from astra_learn_assets.simulation.council.people import Citizen

Kind = Literal["title", "heading", "plain", "agenda", "paragraph", "item", "table"]
Hearing = Literal["learnable", "names", "right", "pending"]
PENDING_TEXT = "[AUDIO_PENDING]"


@dataclass(frozen=True)
class Sizes:
    """Ranges (both ends included) of what one session holds, in paragraphs with audio."""

    learnable: tuple[int, int] = (12, 20)
    right: tuple[int, int] = (5, 13)
    names: tuple[int, int] = (1, 3)
    pending: tuple[int, int] = (0, 2)
    words: tuple[int, int] = (12, 35)


@dataclass(frozen=True)
class Block:
    """One block. Only blocks with ``hearing`` come from audio and get a chunk id.

    ``pieces`` hold what was said beside what was heard; ``rows`` are a table's cells.
    """

    kind: Kind
    pieces: tuple[Piece, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    hearing: Hearing | None = None
    rule: str = ""
    citizens: tuple[Citizen, ...] = ()

    @property
    def clean(self) -> str:
        return "".join(piece.clean for piece in self.pieces)

    @property
    def heard(self) -> str:
        return PENDING_TEXT if self.hearing == "pending" else "".join(piece.heard for piece in self.pieces)


@dataclass(frozen=True)
class Minutes:
    """The blocks of one session in order, and remarks a clerk may add that nobody said."""

    title: str
    session_date: date
    blocks: tuple[Block, ...]
    remarks: tuple[str, ...]


def write_minutes(
    facts: Facts, errors: ErrorModel, rng: random.Random, day: date, ordinal: int, sizes: Sizes
) -> Minutes:
    """A session's minutes as its recognizer heard them."""
    grammar = Grammar(facts, rng, day)
    writer = _Writer(grammar, errors, rng, sizes)
    title = f"Acta de la sesión ordinaria {ordinal}/{day.year} del {facts.country.organ}"
    plan = _hearings(rng, sizes)
    sections = _sections(rng, len(plan))
    points = [grammar.phrase("objeto") for _ in range(len(sections) - 3)]
    headings = [
        "Lectura y aprobación del acta anterior",
        *(point[0].upper() + point[1:] for point in points),
        "Ruegos y preguntas",
    ]
    blocks = [
        _plain("title", title),
        _plain(
            "plain", f"Lugar: salón de sesiones. Fecha: {spell_date(day)}. Carácter: ordinaria y pública."
        ),
        _plain("heading", "Asistentes"),
        _attendance(facts, rng),
        _plain("heading", "Orden del día"),
        *(_plain("agenda", f"{heading}.") for heading in headings),
        _plain("heading", "Desarrollo de la sesión"),
    ]
    hearings = iter(plan)
    for place, rules in enumerate(sections):
        if place < len(headings):
            blocks.append(_plain("heading", f"{place + 1}. {headings[place]}"))
        blocks += [writer.block(rule, next(hearings)) for rule in rules]
        if "votacion" in rules and rng.random() < 0.5:
            blocks.append(_votes(facts, rng))
    blocks += [
        _plain("plain", f"Vº Bº {facts.mayor_title}: {facts.mayor.full_name}"),
        _plain("plain", f"Fdo.: {facts.officers[0]}"),
    ]
    remarks = tuple(grammar.sentence("anadido").text for _ in range(3))
    return Minutes(title, day, tuple(blocks), remarks)


def retranscribe(
    minutes: Minutes, facts: Facts, errors: ErrorModel, rng: random.Random, sizes: Sizes
) -> Minutes:
    """The second version of a session: half of its paragraphs recorded anew, all of them heard anew."""
    writer = _Writer(Grammar(facts, rng, minutes.session_date), errors, rng, sizes)
    blocks: list[Block] = []
    for block in minutes.blocks:
        if block.hearing is None or block.rule == "":
            blocks.append(block)
        elif rng.random() < 0.5:
            blocks.append(writer.block(block.rule, block.hearing))
        elif rng.random() < 0.9:
            heard = writer.hear(block.clean, block.hearing, private=bool(block.citizens))
            blocks.append(replace(block, pieces=heard))
    return replace(minutes, blocks=tuple(blocks))


class _Writer:
    def __init__(self, grammar: Grammar, errors: ErrorModel, rng: random.Random, sizes: Sizes) -> None:
        self._grammar, self._errors, self._rng, self._sizes = grammar, errors, rng, sizes

    def block(self, rule: str, hearing: Hearing) -> Block:
        sentence = self._sentence(rule, hearing)
        if rule in ("debate", "exposicion") and self._rng.random() < 0.2:
            second = self._sentence("debate", hearing)
            sentence = Sentence(f"{sentence.text} {second.text}", sentence.citizens + second.citizens)
        self._grammar.known_citizens.extend(
            c for c in sentence.citizens if c not in self._grammar.known_citizens
        )
        kind: Kind = "item" if rule == "acuerdo" else "paragraph"
        pieces = self.hear(sentence.text, hearing, private=bool(sentence.citizens))
        return Block(kind, pieces, (), hearing, rule, sentence.citizens)

    def hear(self, text: str, hearing: Hearing, *, private: bool) -> tuple[Piece, ...]:
        """``text`` as the recognizer has it; ``private``: a citizen's numbers in it stay figures."""
        errors, rng = self._errors, self._rng
        if hearing in ("right", "pending"):
            written = errors.style.write(text, rng)
            return (Piece(written, written),)
        if hearing == "names" and errors.entity_hits(text):
            return errors.names_only(errors.style.write(text, rng), rng)
        # one speaks clearly into the microphone, another away from it
        rates = errors.rates.louder(math.exp(rng.gauss(0, 0.45)))
        if private:
            rates = replace(rates, figure=0.0)
        for _ in range(6):
            pieces = errors.transcribe(text, rng, rates)
            if any(piece.cause not in (None, "entity", "mark") for piece in pieces):
                break
        return pieces

    def _sentence(self, rule: str, hearing: Hearing) -> Sentence:
        errors = self._errors

        def named(text: str) -> float:
            return errors.entity_hits(text) - len(text) / 1000

        if hearing == "names":
            return self._grammar.best(rule, named, 20, self._sizes.words)
        tries = 1 if hearing == "pending" else 4
        return self._grammar.best(rule, lambda _: 0.0, tries, self._sizes.words)


def _hearings(rng: random.Random, sizes: Sizes) -> list[Hearing]:
    """How each paragraph with audio is heard, in order; the opening and the closing are never pending."""
    plan: list[Hearing] = ["learnable"] * rng.randint(*sizes.learnable)
    plan += ["right"] * rng.randint(*sizes.right)
    plan += ["names"] * rng.randint(*sizes.names)
    rng.shuffle(plan)
    for _ in range(rng.randint(*sizes.pending)):
        plan.insert(rng.randint(1, max(1, len(plan) - 1)), "pending")
    return plan


def _sections(rng: random.Random, total: int) -> list[list[str]]:
    """Rules per section: opening with the former minutes, three to five points, questions, closing."""
    points = rng.randint(3, 5)
    opening = ["apertura", "acta_anterior"][: max(1, total - 2)]
    closing = ["cierre"] if total > len(opening) else []
    left = total - len(opening) - len(closing)
    questions = min(left, max(2, left // 4))
    left -= questions
    sizes = [left // points + (place < left % points) for place in range(points)]
    bodies = [_point(rng, size) for size in sizes]
    asked = [rng.choice(("ruego", "ruego", "vecino", "vecino", "debate")) for _ in range(questions)]
    return [opening, *bodies, asked, closing]


def _point(rng: random.Random, size: int) -> list[str]:
    if size <= 1:
        return ["exposicion"][:size]
    middle = [rng.choice(("debate", "debate", "debate", "exposicion", "aviso")) for _ in range(size - 2)]
    agreements = min(len(middle), rng.choice((0, 0, 1, 2)))
    tail = ["votacion", *["acuerdo"] * agreements]
    return ["exposicion", *middle[agreements:], *tail]


def _plain(kind: Kind, text: str) -> Block:
    return Block(kind, (Piece(text, text),))


def _attendance(facts: Facts, rng: random.Random) -> Block:
    rows: list[tuple[str, ...]] = [("Nombre", "Cargo", "Asistencia")]
    rows.append((facts.mayor.full_name, facts.mayor_title.split(" ", 1)[1], "Presente"))
    for member in facts.councillors:
        post = facts.country.councillor[member.person.gender == "f"]
        rows.append((member.person.full_name, post, "Presente" if rng.random() < 0.9 else "Excusa"))
    return Block("table", rows=tuple(rows))


def _votes(facts: Facts, rng: random.Random) -> Block:
    rows: list[tuple[str, ...]] = [("Grupo", "A favor", "En contra", "Abstención")]
    for group in facts.town.groups:
        vote, members = rng.randrange(3), str(rng.randint(1, 6))
        rows.append((group.split(" ", 1)[1], *(members if place == vote else "0" for place in range(3))))
    return Block("table", rows=tuple(rows))
