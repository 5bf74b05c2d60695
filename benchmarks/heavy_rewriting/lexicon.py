"""The word lists of ``data/``, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Template:
    """A sentence with slots: as it is said, as it is written (empty: by rule), and its summary (or empty)."""

    topic: str
    spoken: str
    formal: str = ""
    summary: str = ""


def rows(name: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of a tab-separated file of ``data/``; ValueError names a row with more or fewer."""
    result = []
    for number, line in enumerate((DATA / name).read_text(encoding="utf-8").splitlines(), 1):
        cells = tuple(line.split("\t"))
        if len(cells) != columns:
            raise ValueError(f"{name}:{number}: {len(cells)} columns, not {columns}; separate them with tabs")
        result.append(cells)
    return result


def mapping(name: str) -> dict[str, str]:
    """A file of two columns as a mapping; errors as for ``rows``."""
    return {row[0]: row[1] for row in rows(name, 2)}


def terms(name: str) -> list[str]:
    """The lines of a list of ``data/``."""
    return (DATA / name).read_text(encoding="utf-8").splitlines()


def _with_articles(text: str) -> str:
    text = re.sub(r"(?<!el )\{date\}", "el {date}", text)
    return re.sub(r"(?<!calle )\{street\}", "la calle {street}", text)


@cache
def templates() -> tuple[Template, ...]:
    """Every sentence template: those written by hand in both registers, and those that rules rewrite."""
    pairs = [Template(row[0], *map(_with_articles, row[1:])) for row in rows("utterance_pairs.tsv", 4)]
    plain = [Template(topic, _with_articles(text)) for topic, text in rows("sentences.tsv", 2)]
    return (*pairs, *plain)


@cache
def names() -> dict[str, tuple[tuple[str, str], ...]]:
    """By kind of name, each name with the way in which it is misheard (or empty)."""
    result: dict[str, list[tuple[str, str]]] = {}
    for kind, right, misheard in rows("names.tsv", 3):
        result.setdefault(kind, []).append((right, misheard))
    return {kind: tuple(values) for kind, values in result.items()}


@cache
def phrase_rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Spoken phrase and written phrase, the longest first, so that a phrase wins over a word in it."""
    ordered = sorted(rows("phrase_rules.tsv", 2), key=lambda row: (-len(row[0]), row[0]))
    return tuple((re.compile(rf"\b{re.escape(said)}\b", re.IGNORECASE), written) for said, written in ordered)


@cache
def negations() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Phrase and its contrary, the longest first."""
    ordered = sorted(rows("negations.tsv", 2), key=lambda row: (-len(row[0]), row[0]))
    return tuple((re.compile(rf"\b{re.escape(said)}\b"), contrary) for said, contrary in ordered)
