"""The lists of ``words/``: one entry a line, what they are for in the lines with ``#`` above."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("words")


@cache
def read(name: str) -> tuple[str, ...]:
    """The entries of ``words/{name}.txt`` in their order."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


@cache
def read_pairs(name: str) -> tuple[tuple[str, str], ...]:
    """The entries ``one | other``, the second side empty where nothing stands for the first."""
    found = []
    for line in read(name):
        one, _, other = line.partition("|")
        found.append((one.strip(), other.strip()))
    return tuple(found)
