"""Real minutes by sitting, cut into short paragraphs, with nothing of one side on the other."""

from __future__ import annotations

import json
import lzma
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_END = re.compile(r"(?<=[.?!…])\s+(?=[A-ZÁÉÍÓÚÑ¿¡«])")
_WORD = re.compile(r"\w+")
_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}\b)")
_SHARED = 0.5


@dataclass(frozen=True)
class Paragraph:
    sitting: str
    text: str


def read(folder: Path, years: Sequence[str]) -> list[Paragraph]:
    """Paragraphs of one to three sentences, 6 to 60 words, of ``<year>.jsonl.xz`` in ``folder``."""
    found = []
    for year in years:
        for line in lzma.decompress((folder / f"{year}.jsonl.xz").read_bytes()).decode("utf-8").splitlines():
            row = json.loads(line)
            text = _THOUSANDS.sub(".", " ".join(row["text"].split()))
            sentences = _END.split(text)
            at = 0
            while at < len(sentences):
                take = 1 + (len(found) * 7919) % 3
                text = " ".join(sentences[at : at + take])
                at += take
                if 6 <= len(text.split()) <= 60 and text[:1].isupper() and text[-1] in ".?!":
                    found.append(Paragraph(row["date"], text))
    return found


def words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFD", text.lower())
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def triples(text: str) -> set[tuple[str, ...]]:
    w = words(text)
    return set(zip(w, w[1:], w[2:], strict=False))


def split(
    paragraphs: Sequence[Paragraph], draw: random.Random, share: float = 0.4
) -> tuple[list[Paragraph], list[Paragraph]]:
    """(to learn from, to test on): whole sittings, in drawn order."""
    sittings = sorted({p.sitting for p in paragraphs})
    draw.shuffle(sittings)
    test = set(sittings[: max(1, round(share * len(sittings)))])
    sides: tuple[list[Paragraph], list[Paragraph]] = ([], [])
    for paragraph in paragraphs:
        sides[paragraph.sitting in test].append(paragraph)
    for side in sides:
        draw.shuffle(side)
    return sides


def unseen(candidates: Iterable[Paragraph], learned: Iterable[Paragraph], wanted: int) -> list[Paragraph]:
    """The first ``wanted`` candidates that no learned paragraph repeats or nearly repeats, nor one another.

    Nearly: half of its word triples stand in one learned paragraph.
    """
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    number = 0
    for number, paragraph in enumerate(learned):
        for triple in triples(paragraph.text):
            holders[triple].append(number)
    kept: list[Paragraph] = []
    for paragraph in candidates:
        own = triples(paragraph.text)
        shared: defaultdict[int, int] = defaultdict(int)
        for triple in own:
            for holder in holders.get(triple, ()):
                shared[holder] += 1
        if not own or max(shared.values(), default=0) >= _SHARED * len(own):
            continue
        number += 1
        for triple in own:
            holders[triple].append(number)
        kept.append(paragraph)
        if len(kept) == wanted:
            break
    return kept
