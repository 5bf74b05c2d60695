"""Cases in number: ten intensities of rewriting, with the hidden ids kept, partly lost or all lost."""

from __future__ import annotations

import json
import lzma
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.heavy_rewriting.editing import Clerk, Habits
from benchmarks.heavy_rewriting.minutes import Session, text_of
from benchmarks.heavy_rewriting.model import Paragraph, Rewriting
from benchmarks.heavy_rewriting.speech import Speaker, draw_voice
from benchmarks.heavy_rewriting.telling import Manner

INTENSITIES = 10
SIZES = (12, 400)
_KEPT = (1.0, 0.99, 0.97, 0.94, 0.9, 0.8, 0.65, 0.45, 0.2, 0.0)


def generate(seed: int, count: int, real: Path | None = None) -> list[Rewriting]:
    """``count`` cases; the same seed gives the same cases, and case i has intensity i mod 10.

    ``real``: a folder of ``*.jsonl.xz``, a ``text`` a line; half of the cases are then made of its sentences.
    Raises ValueError when ``count`` is negative or the folder holds fewer than 200 usable sentences.
    """
    if count < 0:
        raise ValueError(f"count is {count}: give 0 or more")
    sentences = None if real is None else real_sentences(real)
    return [
        _case(seed, number, sentences if (number // INTENSITIES + number) % 2 else None)
        for number in range(count)
    ]


def real_sentences(folder: Path, limit: int = 60_000) -> list[str]:
    """About ``limit`` sentences of 4 to 60 words, in the order of the folder's files."""
    found: list[str] = []
    for text in _texts(folder):
        for sentence in re.split(r"(?<=[.?!]) +(?=[A-ZÁÉÍÓÚÑ¿¡])", " ".join(text.split())):
            if 4 <= len(sentence.split()) <= 60:
                found.append(sentence)
        if len(found) >= limit:
            break
    if len(found) < 200:
        raise ValueError(f"{folder}: {len(found)} sentences; give a folder of *.jsonl.xz with at least 200")
    return list(dict.fromkeys(found))


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]


def _case(seed: int, number: int, real: list[str] | None) -> Rewriting:
    rng = Random(f"heavy-rewriting:{seed}:{number}")
    intensity = number % INTENSITIES
    ids = rng.choice(("by intensity", "by intensity", "all", "none"))
    size = round(math.exp(rng.uniform(math.log(SIZES[0]), math.log(SIZES[1]))))
    session = Session(rng, Speaker(rng, draw_voice(rng)), real)
    units = session.units(size)
    clerk = Clerk(rng, session, _habits(intensity, ids, rng), units)
    clerk.edit()
    draft = tuple(Paragraph(f"p{unit.index + 1:04d}", text_of(unit)) for unit in units)
    return Rewriting(
        f"{seed}-{number:05d}",
        intensity,
        ids,
        "grammar" if real is None else "real",
        draft,
        tuple(clerk.final),
        frozenset(clerk.deleted),
        _twins(draft),
    )


def _habits(intensity: int, ids: str, rng: Random) -> Habits:
    strength = intensity / (INTENSITIES - 1)
    swaps = rng.random() < 0.2 + 0.5 * strength
    manner = Manner(
        equal=0.9 * (1 - strength) ** 1.5 + 0.04,
        formal=0.05 + 0.9 * strength,
        summary=0.05 + 0.4 * strength,
        boldness=strength,
        contradiction=0.02 + 0.05 * strength,
        care=rng.choice((0.6, 0.9, 1.0)),
    )
    return Habits(
        manner=manner,
        structure=0.02 + 0.28 * strength,
        deletion=0.01 + 0.1 * strength * rng.random(),
        insertion=0.01 + 0.1 * strength * rng.random(),
        replacement=0.01 + 0.07 * strength,
        kept_id={"all": 1.0, "none": 0.0}.get(ids, _KEPT[intensity]),
        swapped_sections=rng.randrange(1, 3) if swaps else 0,
        lifted=rng.randrange(0, 2 + round(4 * strength)),
        sorted_ballots=0.2 + 0.4 * strength,
        new_headings=rng.choice((0, 0, 1)),
        renumbered=rng.random() < 0.8,
    )


def _twins(draft: tuple[Paragraph, ...]) -> tuple[tuple[str, ...], ...]:
    groups = defaultdict(list)
    for paragraph in draft:
        groups[" ".join(re.findall(r"\w+", paragraph.text.casefold()))].append(paragraph.id)
    return tuple(tuple(ids) for ids in groups.values() if len(ids) > 1)
