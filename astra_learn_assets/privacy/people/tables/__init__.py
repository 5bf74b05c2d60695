"""Tables of the rules for persons, one term a line; each says in its head what it is for.

What other rooms ask too stands in :mod:`~astra_learn_assets.spanish.lexicon`.
"""

from __future__ import annotations

import re
from pathlib import Path

from astra_learn_assets.spanish.word_tables import read_table

FOLDER = Path(__file__).resolve().parent


def words(name: str) -> frozenset[str]:
    """The terms of a table."""
    return frozenset(read_table(FOLDER / f"{name}.txt"))


def any_of(name: str, *, longest_first: bool = False) -> str:
    """A regex for any term of a table, tried in the table's order or the longest first."""
    terms = read_table(FOLDER / f"{name}.txt")
    return "|".join(map(re.escape, sorted(terms, key=len, reverse=True) if longest_first else terms))
