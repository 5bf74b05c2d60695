"""What the sample makers of the country files share, and the ways in which people write a number.

The canaries plant samples at run time; tests and benchmarks look for them.
"""

from __future__ import annotations

import importlib
import random
import re


def digits(rng: random.Random, count: int, first: str = "0123456789") -> str:
    """``count`` random digits, the first one of ``first``."""
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def with_check(module: str, number: str) -> str:
    """``number`` and the check digit that a python-stdnum module gives it."""
    return f"{number}{importlib.import_module(f'stdnum.{module}').calc_check_digit(number)}"


def luhn_digit(number: str) -> str:
    """The Luhn digit of ``number`` (ISO/IEC 7812)."""
    return with_check("luhn", number)[-1]


def spellings(printed: str) -> list[str]:
    """Five spellings: as printed, without separators, with spaces, with hyphens, and as typed in haste.

    What is printed in one piece is parted where letters and digits meet, else after each third digit.
    In haste means lower case and a spaced long dash where the last hyphen stands.
    """
    groups = re.split(r"[.\-/ ]", printed)
    if len(groups) == 1:
        groups = re.findall(r"[A-Za-z]+|\d+", printed)
    if len(groups) == 1:
        groups = re.findall(r"\d{3}(?=\d{2})|\d+", printed)
    haste = printed.lower()
    if "-" in haste:
        head, _, tail = haste.rpartition("-")
        haste = f"{head} – {tail}"
    elif len(groups) > 1:
        haste = ".".join(groups).lower()
    return [printed, "".join(groups), " ".join(groups), "-".join(groups), haste]
