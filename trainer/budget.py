"""Memory as a budget: how large a pack, and how much of its layers is kept, on a card of so many bytes.

    plan = best_plan(measured, limit=13 * 2**30, sizes=[8192, 4096, 2048])

What a plan costs is known, not guessed: a trial (:mod:`trainer.trial`) has measured two packs with everything
computed again (:mod:`trainer.again`), and what keeping one gated unit or one attention adds for each token.
Both grow in a straight line, memory with the tokens and time with the arithmetic, so every plan in between
follows from that one trial. Large packs share what a pack costs whatever its size (four-bit weights are
decoded for each); small ones leave room to keep more. Which is faster depends on the card: both are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.again import NOTHING, Again

GIB = 1 << 30


@dataclass(frozen=True)
class Trial:
    """One pack, forward and backward, with everything computed again: bytes at most, and seconds."""

    tokens: int
    peak: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """What a trial has found; ``trials``: one or two, of different sizes.

    ``unit``, ``attention``: bytes for each token that keeping one more of the layers' halves takes.
    ``unit_share``, ``attention_share``: what computing one again is of the arithmetic of a whole step in
    which all are. ``walked``: the layers have halves; else ``unit`` is a whole layer, ``attention`` nothing.
    """

    trials: Sequence[Trial]
    layers: int
    unit: float
    attention: float
    unit_share: float
    attention_share: float
    walked: bool = True

    def peak(self, tokens: int) -> float:
        """Bytes at most of a pack of so many tokens with everything computed again."""
        fixed, each = _line([(t.tokens, t.peak) for t in self.trials])
        return fixed + each * tokens

    def pace(self) -> tuple[float, float]:
        """Seconds of a pack whatever its size, and of each of its tokens, everything computed again."""
        fixed, each = _line([(t.tokens, t.seconds) for t in self.trials])
        return max(0.0, fixed), each


@dataclass(frozen=True)
class Plan:
    """``expected``: bytes at most, as predicted, then as tried out; ``limit``: of the card, for all of it."""

    pack_tokens: int
    again: Again = NOTHING
    layers: int = 0
    expected: int = 0
    limit: int = 0

    def __str__(self) -> str:
        if self.again == NOTHING:
            again = "nothing is computed again"
        elif not self.again.cheap:
            again = f"{self.again.units} of {self.layers} layers are computed again"
        else:
            again = (
                f"norms, {self.again.units} of {self.layers} gated units and {self.again.attentions} "
                "attentions are computed again"
            )
        memory = (
            f"; expected peak {self.expected / GIB:.1f} of {self.limit / GIB:.1f} GiB" if self.limit else ""
        )
        return f"packs of {self.pack_tokens:,} tokens, {again}{memory}"


def best_plan(measured: Measured, *, limit: int, sizes: Sequence[int], error: float = 0.0) -> Plan | None:
    """The fastest plan whose peak stays below ``limit``; None where no pack does.

    After a single trial nothing is known of another size than its own: ``sizes`` has that one then.
    ``error``: how many bytes more than predicted a plan was found to take.
    """
    plans = [plan for size in sizes if (plan := _filled(measured, size, limit, error)) is not None]
    return min(plans, key=lambda plan: seconds_per_token(measured, plan), default=None)


def seconds_per_token(measured: Measured, plan: Plan) -> float:
    """What one token of a step takes under ``plan``."""
    kept = (plan.layers - plan.again.units) * measured.unit_share
    if measured.walked:
        kept += (plan.layers - plan.again.attentions) * measured.attention_share
    fixed, each = measured.pace()
    return fixed / plan.pack_tokens + each * (1 - kept)


def _filled(measured: Measured, tokens: int, limit: int, error: float) -> Plan | None:
    """The plan of packs of this size that keeps what it can, first what saves most time for its bytes."""
    room = limit - error - measured.peak(tokens)
    if room < 0:
        return None
    kept = {"unit": 0, "attention": 0}
    worth = {
        "unit": (measured.unit_share, measured.unit * tokens),
        "attention": (measured.attention_share, measured.attention * tokens),
    }
    halves = ["unit", "attention"] if measured.walked else ["unit"]
    for half in sorted(halves, key=lambda name: -worth[name][0] / max(1.0, worth[name][1])):
        each = max(1.0, worth[half][1])
        kept[half] = min(measured.layers, int(room // each))
        room -= kept[half] * each
    attentions = measured.layers - kept["attention"] if measured.walked else 0
    again = Again(measured.walked, measured.layers - kept["unit"], attentions)
    return Plan(tokens, again, measured.layers, int(limit - room), limit)


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """(value at 0, growth) of the line through one or two points; through one, it is a plain share."""
    (x, y), *rest = sorted(points)
    if not rest or rest[-1][0] == x:
        return 0.0, y / x
    growth = (rest[-1][1] - y) / (rest[-1][0] - x)
    return y - growth * x, growth
