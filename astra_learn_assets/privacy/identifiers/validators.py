"""What the checks of identifiers have in common; a check that serves one country stands in its file.

A check takes the identifier without separators, upper-cased, and says whether it can be one. Sources are
python-stdnum and, where it has nothing or less, the issuing authority's rule as published; formats without
a public check digit are checked by structure (department, date) only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=64)
def stdnum(module: str) -> Callable[[str], bool]:
    """``is_valid`` of a python-stdnum module, for example ``stdnum("ec.ci")``."""
    found = importlib.import_module(f"stdnum.{module}").is_valid

    def check(number: str) -> bool:
        return bool(found(number))

    return check


def weighted(number: str, weights: Sequence[int]) -> int:
    """Sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def luhn(number: str) -> bool:
    """Luhn check of cards, Mexican NSS and Dominican cédula (ISO/IEC 7812)."""
    return number.isdigit() and stdnum("luhn")(number)


def card(number: str) -> bool:
    """Payment card: 13 to 19 digits, issuer range of a known scheme, Luhn (ISO/IEC 7812)."""
    if not number.isdigit() or not 13 <= len(number) <= 19 or len(set(number)) == 1:
        return False
    issuer = (
        number[0] in "456"
        or number[:2] in ("34", "37", "36", "38", "30", "35")
        or 2221 <= int(number[:4]) <= 2720
    )
    return issuer and luhn(number)
