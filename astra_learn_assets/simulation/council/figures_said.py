"""Figures as they are said: whole numbers below a million."""

from __future__ import annotations

import re

from astra_learn_assets.simulation.council.word_lists import read

_NUMBERS = "numbers"
_WHOLE = re.compile(r"\d{1,6}|\d{1,3}\.\d{3}")


def said(figure: str) -> str | None:
    """``62.993`` -> ``sesenta y dos mil novecientos noventa y tres``; None for what is no whole number.

    Numbers with cents, times and file numbers are left to the recognizer's own figures.
    """
    if not _WHOLE.fullmatch(figure) or (figure[0] == "0" and figure != "0"):
        return None
    return in_words(int(figure.replace(".", "")))


def in_words(number: int) -> str:
    """A number from 0 to 999,999 in words, masculine."""
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        head = "mil" if thousands == 1 else f"{_short(in_words(thousands))} mil"
        return f"{head} {in_words(rest)}" if rest else head
    if number < 30:
        return read(_NUMBERS)[number]
    if number < 100:
        ten, unit = divmod(number, 10)
        return read(_NUMBERS)[27 + ten] + (f" y {read(_NUMBERS)[unit]}" if unit else "")
    if number == 100:
        return "cien"
    hundred, rest = divmod(number, 100)
    return read(_NUMBERS)[36 + hundred] + (f" {in_words(rest)}" if rest else "")


def _short(words: str) -> str:
    """``veintiuno mil`` is ``veintiún mil``."""
    return re.sub(r"veintiuno$", "veintiún", re.sub(r"(?<!veinti)uno$", "un", words))
