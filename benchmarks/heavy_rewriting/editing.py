"""How a clerk goes through a whole draft: sections put elsewhere, paragraphs joined, cut and typed over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.heavy_rewriting.lexicon import Template, rows, terms
from benchmarks.heavy_rewriting.minutes import Session, Unit, text_of
from benchmarks.heavy_rewriting.model import FinalParagraph
from benchmarks.heavy_rewriting.speech import finished, join
from benchmarks.heavy_rewriting.telling import Manner, Told, condensed, part, settled, tell

SPOKEN_ROLES = ("turn", "formula", "label")


@dataclass(frozen=True)
class Habits:
    """What a clerk does to a draft as a whole; chances are of a paragraph, but for the counts."""

    manner: Manner
    structure: float
    deletion: float
    insertion: float
    replacement: float
    kept_id: float
    swapped_sections: int
    lifted: int
    sorted_ballots: float
    new_headings: int
    renumbered: bool


class Clerk:
    """Edits one draft; ``final`` and ``deleted`` are the result."""

    def __init__(self, rng: Random, session: Session, habits: Habits, units: Sequence[Unit]) -> None:
        self.rng, self.session, self.habits, self.units = rng, session, habits, list(units)
        self.final: list[FinalParagraph] = []
        self.deleted: set[str] = set()
        self._draft_texts = {text_of(unit) for unit in units}

    def edit(self) -> None:
        """Goes through the draft once, in the order of the final."""
        order = self._reordered()
        at, number = 0, 0
        headings = [at for at, unit in enumerate(order) if unit.role == "heading"]
        new_at = set(self.rng.sample(headings, min(self.habits.new_headings, len(headings))))
        while at < len(order):
            unit = order[at]
            number += at in new_at and self._new_heading(number + 1)
            number += unit.role == "heading"
            at += self._step(order, at, number if self.habits.renumbered else unit.number)
        self.final = _with_moves(self.final)

    def _step(self, order: Sequence[Unit], at: int, number: int) -> int:
        """Does one operation and answers how many paragraphs of the draft it took."""
        rng, unit, habits = self.rng, order[at], self.habits
        run = _run(order, at)
        if rng.random() < habits.insertion:
            self._insert()
        weight = (
            2.0 if unit.role in ("formula", "label") else 0.3 if unit.role in ("heading", "preamble") else 1.0
        )
        if rng.random() < habits.deletion * weight:
            self.deleted.add(_id(unit))
            return 1
        if unit.role == "turn" and rng.random() < habits.replacement:
            self._type_over(unit)
            return 1
        if rng.random() < habits.structure:
            return self._restructure(run or [unit], number)
        self._put(tell(unit, habits.manner, rng, number), [unit])
        return 1

    def _restructure(self, run: Sequence[Unit], number: int) -> int:
        rng = self.rng
        ways = ["split"] if len(run[0].sentences) >= 2 and run[0].role == "turn" else []
        ways += ["merge", "condense"] * (len(run) >= 2) + ["bridge", "bridge"] * (len(run) >= 3)
        way = rng.choice(ways) if ways else "single"
        if way == "split" and self._split(run[0]):
            return 1
        if way == "merge":
            return self._merge(run[: rng.choice((2, 2, 3))], ("joined",))
        if way == "bridge":
            gone = run[1]
            self.deleted.add(_id(gone))
            self._merge((run[0], run[2]), ("joined across a deleted paragraph",))
            return 3
        if way == "condense":
            units = run[: rng.randrange(2, 6)]
            told, said = condensed(units, self.habits.manner, rng)
            told = replace(told, kind="merged") if len(said) > 1 else settled(told, text_of(said[0]))
            self._put(told, said)
            self.deleted.update(_id(unit) for unit in units if unit not in said)
            return len(units)
        self._put(tell(run[0], self.habits.manner, rng, number), run[:1])
        return 1

    def _merge(self, units: Sequence[Unit], operations: tuple[str, ...]) -> int:
        told = [tell(unit, self.habits.manner, self.rng) for unit in units]
        self._put(_joined(told, operations), units, any(one.teaches for one in told))
        return len(units)

    def _split(self, unit: Unit) -> bool:
        """Cuts a paragraph into two or three, sometimes without a part; False when it cannot be cut."""
        rng, count = self.rng, len(unit.sentences)
        cuts = sorted(rng.sample(range(1, count), min(rng.choice((1, 1, 2)), count - 1)))
        pieces = [list(unit.sentences[a:b]) for a, b in zip((0, *cuts), (*cuts, count), strict=True)]
        lossy = rng.random() < 0.3
        if lossy and len(pieces) == 3:
            pieces.pop(rng.randrange(3))
        elif lossy:
            longest = max(pieces, key=len)
            lossy = len(longest) > 1
            if lossy:
                longest.pop(rng.randrange(len(longest)))
        told = [part(unit, piece, self.habits.manner, rng, at == 0) for at, piece in enumerate(pieces)]
        texts = [one.text for one in told]
        if len(set(texts)) < len(texts):
            return False
        change = any(one.content_change for one in told)
        teaches = any(one.teaches for one in told) and not lossy and not change
        for at, one in enumerate(told):
            operations = ("cut", *("a part left out",) * lossy, *one.operations)
            chance = self.habits.kept_id * (1.0 if at == 0 else 0.15)
            self.final.append(
                FinalParagraph(
                    one.text,
                    (_id(unit),),
                    rng.random() < chance,
                    "split",
                    False,
                    teaches,
                    one.content_change,
                    operations=operations,
                )
            )
        return True

    def _put(self, told: Told, units: Sequence[Unit], corrected: bool = False) -> None:
        teaches = told.teaches or (corrected and told.whole and not told.content_change)
        self.final.append(
            FinalParagraph(
                told.text,
                tuple(_id(unit) for unit in units),
                self.rng.random() < self.habits.kept_id,
                told.kind,
                False,
                teaches,
                told.content_change,
                operations=told.operations,
            )
        )

    def _insert(self) -> None:
        rng = self.rng
        if rng.random() < 0.6:
            text = written_anew(self.session, rng.choice(terms("insertions.tsv")), self)
        else:
            text = self._fresh_text("general", rng.randrange(1, 4), [])
        self._append_new(text, "inserted", False, None)

    def _type_over(self, unit: Unit) -> None:
        label = [token.right for token in unit.label] if self.rng.random() < 0.5 else []
        text = self._fresh_text(unit.topic, max(1, len(unit.sentences) + self.rng.randrange(-1, 2)), label)
        if self._append_new(text, "replaced", self.rng.random() < self.habits.kept_id, _id(unit)):
            self.deleted.add(_id(unit))
        else:
            self._put(Told(text_of(unit), "equal"), [unit])

    def _append_new(self, text: str, kind: str, kept_id: bool, replaces: str | None) -> bool:
        if text in self._draft_texts:
            return False
        self.final.append(FinalParagraph(text, (), kept_id, kind, replaces=replaces))
        return True

    def _fresh_text(self, other_than: str, count: int, label: Sequence[str]) -> str:
        sentences = [self.session.fresh(other_than) for _ in range(count)]
        texts = [s.formal or join([token.right for token in s.tokens]) for s in sentences]
        return join([*label, *dict.fromkeys(texts)])

    def _new_heading(self, number: int) -> bool:
        topics = {unit.topic for unit in self.units if unit.role == "heading"}
        free = [text for topic, text in rows("agenda.tsv", 2) if topic not in topics]
        if not free:
            return False
        text = f"{number}. {written_anew(self.session, self.rng.choice(free), self)}"
        return self._append_new(text, "inserted", False, None)

    def _reordered(self) -> list[Unit]:
        rng, habits = self.rng, self.habits
        sections: dict[int, list[Unit]] = {}
        for unit in self.units:
            sections.setdefault(unit.section, []).append(unit)
        blocks = [sections[key] for key in sorted(sections)]
        for _ in range(habits.swapped_sections if len(blocks) > 2 else 0):
            a, b = rng.sample(range(1, len(blocks)), 2)
            blocks[a], blocks[b] = blocks[b], blocks[a]
        blocks = [
            _ballots_sorted(block, rng) if rng.random() < habits.sorted_ballots else block for block in blocks
        ]
        order = [unit for block in blocks for unit in block]
        for _ in range(min(habits.lifted, len(order) // 6)):
            order.insert(rng.randrange(len(order)), order.pop(rng.randrange(len(order))))
        return order


def written_anew(session: Session, template: str, clerk: Clerk) -> str:
    """A template's text as a clerk types it, with values that the clerk thinks of."""
    sentence = session.speaker.say(Template("general", template))
    text = finished(join([token.right for token in sentence.tokens if token.right]))
    return text if clerk.rng.random() < 0.9 else text.rstrip(".")


def _joined(told: Sequence[Told], operations: tuple[str, ...]) -> Told:
    return Told(
        join([one.text for one in told]),
        "merged",
        all(one.whole for one in told),
        any(one.content_change for one in told),
        (*operations, *(operation for one in told for operation in one.operations)),
    )


def _id(unit: Unit) -> str:
    return f"p{unit.index + 1:04d}"


def _run(order: Sequence[Unit], at: int) -> list[Unit]:
    """The spoken paragraphs from ``at`` on that follow one another in the draft as well."""
    run: list[Unit] = []
    for unit in order[at : at + 6]:
        if unit.role not in SPOKEN_ROLES or (run and unit.index != run[-1].index + 1):
            break
        run.append(unit)
    return run


def _ballots_sorted(block: list[Unit], rng: Random) -> list[Unit]:
    """The block with the rows of its votes in another order; a row of two cells stays together."""
    rows_: list[list[Unit]] = []
    start = next((at for at, unit in enumerate(block) if unit.role == "ballot"), len(block))
    tail = start
    while tail < len(block) and block[tail].role == "ballot":
        if block[tail].values or not rows_:
            rows_.append([])
        rows_[-1].append(block[tail])
        tail += 1
    rng.shuffle(rows_)
    return [*block[:start], *(unit for row in rows_ for unit in row), *block[tail:]]


def _with_moves(final: Sequence[FinalParagraph]) -> list[FinalParagraph]:
    """Marks as moved the smallest set without which the first sources stand in the draft's order."""
    sourced = [at for at, paragraph in enumerate(final) if paragraph.sources]
    keys = [final[at].sources[0] for at in sourced]
    tails: list[str] = []
    ends: list[int] = []
    before: list[int] = []
    for position, key in enumerate(keys):
        length = bisect_right(tails, key)
        tails[length : length + 1] = [key]
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [position]
    staying, position = set(), ends[-1] if ends else -1
    while position >= 0:
        staying.add(sourced[position])
        position = before[position]
    return [
        replace(paragraph, moved=bool(paragraph.sources) and at not in staying)
        for at, paragraph in enumerate(final)
    ]
