"""How a clerk types one paragraph anew, and what that makes of it: the smallest step of a rewriting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.heavy_rewriting.lexicon import mapping
from benchmarks.heavy_rewriting.minutes import Unit, text_of
from benchmarks.heavy_rewriting.paraphrase import contradicted, corrected, heard, reported, written
from benchmarks.heavy_rewriting.speech import Sentence, join


@dataclass(frozen=True)
class Manner:
    """How much a clerk changes (all chances, 0 to 1)."""

    equal: float
    formal: float
    summary: float
    boldness: float
    contradiction: float
    care: float


@dataclass(frozen=True)
class Told:
    """A text and what was done to reach it; ``whole`` is False when something said was left out."""

    text: str
    kind: str
    whole: bool = True
    content_change: bool = False
    operations: tuple[str, ...] = ()

    @property
    def teaches(self) -> bool:
        """The human corrected what was said, and no more."""
        return self.kind in ("corrected", "rewritten") and self.whole and not self.content_change


def tell(unit: Unit, manner: Manner, rng: Random, number: int | None = None) -> Told:
    """The paragraph as the clerk leaves it; ``number`` is a heading's number in the final."""
    if unit.role == "heading":
        return _heading(unit, manner, rng, unit.number if number is None else number)
    draft = text_of(unit)
    if rng.random() < manner.equal:
        return Told(draft, "equal")
    if unit.role != "turn" or rng.random() >= manner.formal:
        told = _corrected(unit, unit.sentences, manner, rng)
    elif rng.random() < manner.summary:
        told = _summary(unit, manner, rng)
    else:
        told = Told(formal(unit, unit.sentences, manner, rng), "rewritten", operations=("formal",))
    return settled(_perhaps_contradicted(told, unit, manner, rng), draft)


def part(unit: Unit, sentences: Sequence[Sentence], manner: Manner, rng: Random, label: bool) -> Told:
    """Some sentences of a paragraph, with its label or without, as a paragraph of their own."""
    cut = replace(unit, sentences=tuple(sentences), label=unit.label if label else (), who=unit.who)
    draft = text_of(cut)
    if rng.random() < manner.equal:
        return Told(draft, "equal")
    if rng.random() < manner.formal:
        told = Told(formal(cut, sentences, manner, rng), "rewritten", operations=("formal",))
    else:
        told = _corrected(cut, sentences, manner, rng)
    return settled(_perhaps_contradicted(told, cut, manner, rng), draft)


def formal(unit: Unit, sentences: Sequence[Sentence], manner: Manner, rng: Random) -> str:
    """The sentences in the formal register; a speaker's label may become reported speech."""
    texts = [written(sentence, rng, manner.boldness) for sentence in sentences]
    if unit.label and unit.who is not None and rng.random() < 0.3 + manner.boldness / 2:
        return reported(unit.who.formal, texts, rng)
    return join([*(token.right for token in unit.label), *texts])


def condensed(units: Sequence[Unit], manner: Manner, rng: Random) -> tuple[Told, list[Unit]]:
    """One text for several paragraphs, and the paragraphs of which it says something.

    What was most telling of each turn, some of them passed over; or that the matter was discussed.
    """
    turns = [unit for unit in units if unit.role == "turn"] or list(units)
    if rng.random() < 0.15:
        return Told(_matter(turns[0], rng), "rewritten", False, False, ("condensed", "matter")), turns
    said = [unit for unit in turns if rng.random() < 0.8] or turns[:1]
    told = [_summary(unit, manner, rng) for unit in said]
    operations = dict.fromkeys(["condensed", *(operation for one in told for operation in one.operations)])
    return Told(join([one.text for one in told]), "rewritten", False, False, tuple(operations)), said


def _heading(unit: Unit, manner: Manner, rng: Random, number: int) -> Told:
    exact = rng.random() < manner.equal
    body = [heard(s) if exact else corrected(s, rng, manner.care) for s in unit.sentences]
    text, renumbered = join([f"{number}.", *body]), number != unit.number
    told = Told(text, "corrected", True, renumbered, ("renumbered",) if renumbered else ())
    return settled(told, text_of(unit))


def _corrected(unit: Unit, sentences: Sequence[Sentence], manner: Manner, rng: Random) -> Told:
    label = [token.right for token in unit.label]
    texts = [corrected(sentence, rng, manner.care) for sentence in sentences]
    return Told(join([*label, *texts]), "corrected")


def _summary(unit: Unit, manner: Manner, rng: Random) -> Told:
    short = [sentence.summary for sentence in unit.sentences if sentence.summary]
    if short and rng.random() < 0.4:
        return Told(
            join([*(token.right for token in unit.label), *short]), "rewritten", False, False, ("short",)
        )
    if len(unit.sentences) == 1:
        if len(unit.sentences[0].tokens) < 30:
            return Told(formal(unit, unit.sentences, manner, rng), "rewritten", operations=("formal",))
        return Told(_matter(unit, rng), "rewritten", False, False, ("matter",))
    if rng.random() < 0.15:
        return Told(_matter(unit, rng), "rewritten", False, False, ("matter",))
    keep = sorted(rng.sample(range(len(unit.sentences)), rng.randrange(1, len(unit.sentences))))
    kept = [unit.sentences[position] for position in keep]
    return Told(formal(unit, kept, manner, rng), "rewritten", False, False, ("sentences dropped",))


def _matter(unit: Unit, rng: Random) -> str:
    matter = mapping("topics.tsv")[unit.topic]
    if unit.who is not None:
        return f"{unit.who.formal} interviene sobre {matter}."
    return f"{rng.choice(('Se debate sobre', 'Se delibera acerca de', 'Hay intervenciones sobre'))} {matter}."


def _perhaps_contradicted(told: Told, unit: Unit, manner: Manner, rng: Random) -> Told:
    if rng.random() >= manner.contradiction:
        return told
    changed = contradicted(told.text, unit.values, rng)
    if changed is None:
        return told
    return replace(
        told, text=changed[0], content_change=True, operations=(*told.operations, f"other {changed[1]}")
    )


def settled(told: Told, draft: str) -> Told:
    """A text that came out as the draft's is equal, whatever was meant."""
    return Told(draft, "equal") if told.text == draft else told
