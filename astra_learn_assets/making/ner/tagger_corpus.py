"""What the tagger is trained on, as numbers: real sentences, invented ones, minutes that were invented by two
hands and written piece by piece by seven more.

    data = corpus(real_of(Path("data"), 7), 7, made=20_000, layouts=150_000, written=20_000, workers=8)

Real minutes name few people and use everyday words at their own rate: they keep the invented ones honest.
Half of their people are swapped for others, a part for people whose surnames are everyday words. Invented
pieces are made in chunks, each with a seed of its own: any number of workers makes the same numbers.
"""

from __future__ import annotations

import json
import lzma
import random
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from astra_learn_assets.making.ner import (
    corpora,
    grammar,
    invented_layouts,
    invented_minutes,
    written_minutes,
)
from astra_learn_assets.making.ner.grammar import Sentence
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.privacy.ner import tagger
from astra_learn_assets.spanish.fold import fold_chars

IGNORED = -100
CHUNK = 2_500  # pieces a worker makes at once
ALIKE_MOST = 140  # sentences for each everyday word that is a surname too
_LABELS = {"PER": 1, "LOC": 3, "ORG": 5}

Tokens = np.ndarray[Any, Any]


def encode(sentences: Iterable[Sentence]) -> Tokens:
    """``(tokens, 7)``: word, prefix, suffix, ending, bits, shape, tag; a line of zeros between two pieces."""
    rows: list[tuple[int, ...]] = []
    for text, spans in sentences:
        found = tagger.tokens(text)
        tags = [0] * len(found)
        at = 0
        for start, end, label in sorted(spans):
            while at < len(found) and found[at][0] < start:
                at += 1
            first = True
            while at < len(found) and found[at][0] < end:
                tags[at] = _LABELS[label] + (not first) if label in _LABELS else IGNORED
                first = False
                at += 1
        for (start, end), tag in zip(found, tags, strict=True):
            token = text[start:end]
            rows.append((*tagger.features(fold_chars(token)), tagger.shape(token), tag))
        rows.append((0, 0, 0, 0, 0, 0, IGNORED))
    return np.array(rows, dtype=np.int16).reshape(-1, 7)


def plain_sentences(found: Sequence[Sentence]) -> list[str]:
    """Sentences with no capital but the first: they name nobody."""
    return [t for t, _ in found if 20 < len(t) < 220 and sum(map(str.isupper, t)) == t[0].isupper()]


@dataclass(frozen=True)
class Real:
    """Real sentences with their spans, by where they come from."""

    distant: list[Sentence]
    clinical: list[Sentence]
    silver: list[Sentence]
    alike: list[Sentence]

    def save(self, path: Path) -> None:
        """Write as ``.json.xz``; it holds licensed text and is never part of the repository."""
        path.write_bytes(lzma.compress(json.dumps(asdict(self), ensure_ascii=False).encode()))

    @classmethod
    def load(cls, path: Path) -> Real:
        """Read what :meth:`save` wrote."""
        stored = json.loads(lzma.decompress(path.read_bytes()))
        return cls(**{name: [(text, [tuple(span) for span in spans]) for text, spans in found]
                      for name, found in stored.items()})  # fmt: skip


def real_of(data: Path, seed: int) -> Real:
    """The real sentences of the folder ``data`` (``ner/`` and ``actas_congreso/``)."""
    rng = random.Random(seed)
    words = frozenset(fold_chars(word) for word in terms("everyday_surnames") if " " not in word)
    return Real(
        corpora.distant(data / "actas_congreso", 60_000, rng),
        corpora.clinical(data / "ner" / "meddocan_train.jsonl.xz"),
        corpora.silver(data / "ner" / "parlamint_silver.jsonl.xz"),
        corpora.alike(data / "actas_congreso", words, ALIKE_MOST, rng),
    )


_prose: list[str] = []
_named: list[Sentence] = []


def _give(prose: list[str], named: list[Sentence]) -> None:
    """What every chunk is made of, once a process."""
    _prose[:] = prose
    _named[:] = named


def _chunk(task: tuple[str, int, int]) -> Tokens:
    kind, seed, count = task
    if kind == "layouts":
        return encode(islice(invented_layouts.documents(seed, _prose, _named), count))
    if kind == "minutes":
        return encode(islice(invented_minutes.documents(seed, _prose), count))
    if kind == "written":
        return encode(islice(written_minutes.documents(seed), count))
    return encode(islice(grammar.sentences(seed), count))


def corpus(
    real: Real,
    seed: int,
    *,
    made: int,
    layouts: int,
    written: int = 0,
    grammars: int = 60_000,
    workers: int = 1,
    log: Any = sys.stderr,
) -> Tokens:
    """All training tokens: ``made`` pieces of :mod:`invented_minutes`, ``layouts`` of the other hand,
    ``written`` of :mod:`written_minutes`."""
    rng = random.Random(seed)
    names = NameFactory(rng)
    distant, clinical, silver = real.distant, real.clinical, real.silver
    known = [*distant, *clinical, *clinical, *silver, *silver, *real.alike, *real.alike]
    swapped = [
        corpora.swap_names(s, names) for s in [*rng.sample(distant, len(distant) // 2), *clinical, *silver]
    ]
    named = [s for s in [*distant, *silver] if any(label == "PER" for _, _, label in s[1])]
    prose = plain_sentences([*distant, *real.alike])
    alike = invented_layouts.with_other_people(rng.sample(named, min(len(named), 30_000)), seed + 3)
    log.write(f"{len(known)} real sentences, {len(prose)} of prose, {len(named)} that name somebody\n")
    parts = [encode(known), encode(swapped), encode(alike)]
    tasks: list[tuple[str, int, int]] = [
        (kind, seed + 1_000 * at + base, min(CHUNK, total - at * CHUNK))
        for kind, base, total in (
            ("grammar", 1, grammars),
            ("minutes", 2, made),
            ("layouts", 3, layouts),
            ("written", 4, written),
        )
        for at in range((total + CHUNK - 1) // CHUNK)
    ]
    if workers > 1:
        # Not forks: threads do not come along, and a lock that one of them held would stay shut for ever.
        with ProcessPoolExecutor(workers, get_context("spawn"), _give, (prose, named)) as pool:
            parts += pool.map(_chunk, tasks)
    else:
        _give(prose, named)
        parts += map(_chunk, tasks)
    log.write(f"tokens: {sum(map(len, parts)):,}, real ones {sum(map(len, parts[:3])):,}\n")
    return np.concatenate(parts)
