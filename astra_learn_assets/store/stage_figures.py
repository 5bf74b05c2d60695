"""Figures of the learning's stages, kept where every process can add to them and one can be asked for them.

A stage runs in a process that ends with it, on a machine that nobody scrapes. So it adds to a row of
``stage_tallies`` when it ends, and the API exports the rows as Prometheus histograms, together with what
waits. Labels are the stage and how it ended, of the lists below: no municipality, no document.

A worker that is killed adds nothing; its training is closed by the next look, and counted in its row.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.store.learning_tables import StageTally

_ENDS = ("failed", "interrupted")
_GATE = ("passed", "refused", "held", *_ENDS)
RESULTS: Final[dict[str, tuple[str, ...]]] = {
    "document_diffs": ("compared", "quarantined", "unreadable", *_ENDS),
    "anonymized_pairs": ("anonymized", "quarantined", "unreadable", *_ENDS),
    "pii_gate": _GATE,
    "training_corpus": ("done", "refused", *_ENDS),
    "corpus_gate": _GATE,
    "lora_adapter": ("done", "reused", "refused", *_ENDS),
    "adapter_gate": _GATE,
    "evaluation_report": ("done", "reused", "refused", *_ENDS),
    "wer_gate": _GATE,
    "promoted_adapter": ("done", "unchanged", "refused", *_ENDS),
    "swap": ("done",),
}
"""The stages, by the names they have in Dagster and in traces, and how each can end."""
WAITING: Final = (
    "document_diffs", "anonymized_pairs", "pii_gate", "review", "training_corpus", "lora_adapter", "event",
    "notice",
)  # fmt: skip
"""What something can wait for: a stage, a person's ``review``, Redis (``event``), a receiver (``notice``)."""
BOUNDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, math.inf)


@dataclass(frozen=True)
class Tally:
    """How often ``stage`` ended as ``result``: by :data:`BOUNDS`, each with all below it; seconds in all."""

    stage: str
    result: str
    cumulative: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Waiting:
    """How much waits for ``stage``, and for how long the oldest of it."""

    stage: str
    count: int
    oldest_seconds: float


def note(session: orm.Session, stage: str, result: str, seconds: float) -> None:
    """Add one end of a stage.

    Raises:
        KeyError, ValueError: a stage or result that is none of :data:`RESULTS`.
    """
    if result not in RESULTS[stage]:
        raise ValueError(f"{stage} does not end as {result!r}")
    seconds = max(seconds, 0.0)
    row = {"stage": stage, "result": result, "le": BOUNDS[bisect.bisect_left(BOUNDS, seconds)]}
    session.execute(
        insert(StageTally)
        .values(**row, count=1, seconds=seconds)
        .on_conflict_do_update(
            index_elements=["stage", "result", "le"],
            set_={"count": StageTally.count + 1, "seconds": StageTally.seconds + seconds},
        )
    )


def tallies(session: orm.Session) -> list[Tally]:
    """Every stage and result that there was, in the order of :data:`RESULTS`."""
    counts: dict[tuple[str, str], list[int]] = {}
    seconds: dict[tuple[str, str], float] = {}
    for stage, result, le, count, spent in session.execute(sa.text("SELECT * FROM astra_stage_figures()")):
        key = (str(stage), str(result))
        if le in BOUNDS:  # another version's bounds cannot be added to ours
            counts.setdefault(key, [0] * len(BOUNDS))[BOUNDS.index(le)] += int(count)
            seconds[key] = seconds.get(key, 0.0) + float(spent)
    return [
        Tally(stage, result, _running_sum(counts[stage, result]), seconds[stage, result])
        for stage, results in RESULTS.items()
        for result in results
        if (stage, result) in counts
    ]


def _running_sum(counts: Sequence[int]) -> tuple[int, ...]:
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(total)
    return tuple(sums)


def waiting(session: orm.Session) -> list[Waiting]:
    """What waits now, in the order of :data:`WAITING`."""
    rows = session.execute(sa.text("SELECT * FROM astra_stages_waiting()"))
    found = {str(stage): Waiting(str(stage), int(count), float(oldest)) for stage, count, oldest in rows}
    return [found[stage] for stage in WAITING]
