"""What the sentences are made of, one a line. Order and repetition decide what is drawn how often."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def terms(name: str) -> tuple[str, ...]:
    """The lines of ``name.txt``; a written ``\\n`` is a line's end, ``\\t`` a tab."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.replace("\\n", "\n").replace("\\t", "\t") for line in lines)
