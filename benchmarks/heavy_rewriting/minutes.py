"""A session of a council, paragraph by paragraph: agenda, turns, formulae that come back, votes, closing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from benchmarks.heavy_rewriting.lexicon import Template, rows, templates
from benchmarks.heavy_rewriting.paraphrase import heard
from benchmarks.heavy_rewriting.speech import Sentence, Speaker, Token, Value, draw_value, join

ROLES = ("heading", "label", "turn", "formula", "ballot", "preamble")


@dataclass(frozen=True)
class Unit:
    """A paragraph of the draft before it is text: its role, section, speaker (or None) and sentences."""

    role: str
    section: int
    sentences: tuple[Sentence, ...]
    topic: str = "general"
    who: Value | None = None
    label: tuple[Token, ...] = ()
    number: int = 0
    index: int = -1

    @property
    def values(self) -> tuple[Value, ...]:
        """Every slot value of the paragraph."""
        return tuple(value for sentence in self.sentences for value in sentence.values)


def text_of(unit: Unit) -> str:
    """The paragraph as the draft shows it."""
    label = [token.heard for token in unit.label]
    return join([*(label if unit.role != "heading" else [numbered(unit)]), *map(heard, unit.sentences)])


def numbered(unit: Unit) -> str:
    """The number before a heading of the agenda."""
    return f"{unit.number}."


class Session:
    """Builds the units of one session; ``fresh`` gives sentences that no unit of it uses."""

    def __init__(self, rng: Random, speaker: Speaker, real: list[str] | None = None) -> None:
        self.rng, self.speaker = rng, speaker
        self._style = rng.choice(("none", "own", "prefix", "prefix", "named", "dash"))
        self._ballot_cells = rng.random() < 0.4
        self._members = [draw_value("person", rng) for _ in range(rng.randrange(5, 13))]
        pool = list(templates())
        rng.shuffle(pool)
        cut = len(pool) // 5
        self._fresh, self._pool = pool[:cut], pool[cut:]
        self._real = real
        if real is not None and len(real) < 200:
            raise ValueError(f"{len(real)} real sentences are too few: give at least 200")
        self._real_at = self._fresh_at = rng.randrange(len(real)) if real else 0
        self._used: list[Template] = []

    def units(self, size: int) -> list[Unit]:
        """``size`` units, in the draft's order, each with its index."""
        result = self._preamble()[: max(1, size // 4)]
        section = 0
        while len(result) < size:
            section += 1
            result += self._section(section, min(self.rng.randrange(4, 26), size))
        return [replace(unit, index=index) for index, unit in enumerate(result[:size])]

    def sentence(self, topic: str) -> Sentence:
        """A sentence of the topic, or a real one; a template comes back only when all have been used."""
        if self._real is not None:
            self._real_at = (self._real_at + 1) % len(self._real)
            return self.speaker.read(self._real[self._real_at])
        if not self._pool:
            self._pool, self._used = self._used, []
        fitting = [template for template in self._pool if template.topic in (topic, "general")]
        chosen = self.rng.choice(fitting or self._pool)
        self._pool.remove(chosen)
        self._used.append(chosen)
        return self.speaker.say(chosen)

    def fresh(self, other_than: str) -> Sentence:
        """A sentence of another topic whose template no unit uses, or a real one that no unit has read."""
        if self._real is not None:
            self._fresh_at = (self._fresh_at - 1) % len(self._real)
            return self.speaker.read(self._real[self._fresh_at])
        fitting = [template for template in self._fresh if template.topic != other_than]
        return self.speaker.say(self.rng.choice(fitting))

    def _preamble(self) -> list[Unit]:
        opening = (
            Template("general", "Acta de la sesión celebrada el {date} de {year}."),
            Template("general", "Preside la sesión {person}."),
            Template("general", "Se abre la sesión en {place} con {n} asistentes."),
        )
        units = [Unit("preamble", 0, (self.speaker.say(template),)) for template in opening]
        for member in self._members:
            present = Token("Presente", self.rng.choice(("Presente", "presente", "Presente.")))
            tokens = (self.speaker.name(member, ":"), present)
            units.append(Unit("ballot", 0, (Sentence(tokens, values=(member,)),)))
        return units

    def _section(self, section: int, size: int) -> list[Unit]:
        rng = self.rng
        agenda = [Template(topic, text) for topic, text in rows("agenda.tsv", 2)]
        heading = rng.choice(agenda)
        units = [Unit("heading", section, (self.speaker.say(heading),), heading.topic, number=section)]
        while len(units) < size - 3:
            units += self._turn(section, heading.topic)
            if rng.random() < 0.35:
                units.append(self._formula("turn", section))
        if rng.random() < 0.5:
            units.append(self._formula("vote", section))
        if rng.random() < 0.3:
            units += self._ballot(section)
        return units

    def _formula(self, kind: str, section: int) -> Unit:
        texts = [text for group, text in rows("formulae.tsv", 2) if group == kind]
        return Unit("formula", section, (self.speaker.read(self.rng.choice(texts)),))

    def _ballot(self, section: int) -> list[Unit]:
        units = [Unit("formula", section, (self.speaker.read("Votación nominal."),))]
        for member in self._members:
            vote = self.rng.choice(("a favor", "a favor", "en contra", "abstención"))
            name, cast = self.speaker.name(member, "" if self._ballot_cells else ":"), Token(vote, vote)
            if self._ballot_cells:
                units.append(Unit("ballot", section, (Sentence((name,), values=(member,)),)))
                units.append(Unit("ballot", section, (Sentence((cast,)),)))
            else:
                units.append(Unit("ballot", section, (Sentence((name, cast), values=(member,)),)))
        return units

    def _turn(self, section: int, topic: str) -> list[Unit]:
        who = self.rng.choice(self._members)
        count = self.rng.choice((1, 1, 2, 2, 3, 3, 4, 6))
        said = tuple(self.sentence(topic) for _ in range(count))
        turn = Unit("turn", section, said, topic if self._real is None else "general", who)
        match self._style:
            case "own":
                label = Sentence((self.speaker.name(who, ":"),), values=(who,))
                return [Unit("label", section, (label,), who=who), turn]
            case "prefix":
                return [replace(turn, label=(self.speaker.name(who, ":"),))]
            case "named":
                return [replace(turn, label=(Token("Habla", "habla"), self.speaker.name(who, ".")))]
            case "dash":
                return [replace(turn, label=(Token("—", "-"),), who=None)]
            case _:
                return [replace(turn, who=None)]
