"""The simulated council as a source for learning.py: where no real minutes are at hand.

Names, habits and errors are those of ``astra_learn_assets.simulation``: two clerks' finals to learn from,
later sessions to test on, and other councils' recognizers without any clerk's habits as generic text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astra_learn_assets.simulation.council.errors_model import Cause, Piece
from astra_learn_assets.simulation.council.minutes import Block
from astra_learn_assets.simulation.council.simulator import Council as Simulated
from astra_learn_assets.simulation.council.simulator import make_council as simulate
from benchmarks.real_council.council import Council, Pair
from benchmarks.real_council.recognizer import Unit
from benchmarks.real_council.text import Paragraph, unseen

_KINDS: dict[Cause, str] = {
    "style": "style", "entity": "sound", "context": "homophone", "sound": "sound", "ending": "agreement",
    "accent": "accent", "figure": "numeral", "filler": "filler", "lost": "lost word",
    "boundary": "segmentation", "mark": "punctuation",
}  # fmt: skip
_LATER = 1_000  # sessions from here on are tested on


def make_council(seed: int, *, learn: int, test: int, generic: int) -> Council:
    """As :func:`benchmarks.real_council.council.make_council`, of invented sessions."""
    council = simulate(f"banco-{seed}", seed=seed)
    learned: list[Pair] = []
    for index in _clerks(council, 0):
        session = council.session(index)
        learned += [
            Pair(session.session_id, pair.before, pair.after, ())
            for pair in session.truth.pairs
            if pair.route == 1
        ]
        if len(learned) >= learn:
            break
    used = [Paragraph(pair.sitting, pair.after) for pair in learned[:learn]]
    tests = _tested(council, used, test)
    others = [simulate(f"otro-{seed}-{number}", seed=number) for number in range(4)]
    plain = [pair for other in others for pair in _tested(other, used, generic, habits=False)]
    return Council(learned[:learn], tests, plain[:: max(1, len(plain) // max(1, generic))][:generic])


def _clerks(council: Simulated, first: int) -> Iterator[int]:
    """Numbers of sessions that a clerk put right, second versions left out."""
    index = first
    while True:
        if not council.is_hostile(index) and not council.is_clone(index):
            yield index
        index += 1


def _tested(council: Simulated, used: list[Paragraph], wanted: int, *, habits: bool = True) -> list[Pair]:
    pairs: dict[str, Pair] = {}
    for index in _clerks(council, _LATER):
        name = council.session_name(index)[0]
        for block in council.minutes(index).blocks:
            styled = any(piece.cause == "style" for piece in block.pieces)
            if block.hearing in ("learnable", "right") and (habits or not styled):
                pairs.setdefault(block.clean, _pair(name, block))
        kept = unseen((Paragraph(p.sitting, p.right) for p in pairs.values()), used, wanted)
        if len(kept) == wanted:
            return [pairs[paragraph.text] for paragraph in kept]
    raise AssertionError("sessions never end")


def _pair(sitting: str, block: Block) -> Pair:
    units = tuple(units_of(block.pieces))
    return Pair(sitting, block.heard, block.clean, units)


def units_of(pieces: Iterable[Piece]) -> Iterator[Unit]:
    """Pieces of characters as stretches of whole words; a stretch is of the first error in it."""
    right, heard, kind = "", "", None
    for piece in pieces:
        right, heard = right + piece.clean, heard + piece.heard
        kind = kind or (_KINDS[piece.cause] if piece.cause else None)
        if all(not side or side[-1].isspace() for side in (right, heard)):
            if right.strip() or heard.strip():
                yield Unit(tuple(right.split()), tuple(heard.split()), kind)
            right, heard, kind = "", "", None
    if right or heard:
        yield Unit(tuple(right.split()), tuple(heard.split()), kind)
