"""Whole numbers as they are said in Spanish, and as they are written with figures."""

from __future__ import annotations

_SMALL = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
]
_TENS = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]
_HUNDREDS = [
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
]


def in_words(number: int) -> str:
    """The number, 0 to 999,999,999, in words; ValueError outside."""
    if not 0 <= number < 10**9:
        raise ValueError(f"{number} is out of range: give a number from 0 to 999999999")
    if number < 30:
        return _SMALL[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return _TENS[tens - 3] + (f" y {_SMALL[rest]}" if rest else "")
    if number == 100:
        return "cien"
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return _HUNDREDS[hundreds - 1] + (f" {in_words(rest)}" if rest else "")
    if number < 10**6:
        thousands, rest = divmod(number, 1000)
        head = "mil" if thousands == 1 else f"{_before_noun(thousands)} mil"
        return head + (f" {in_words(rest)}" if rest else "")
    millions, rest = divmod(number, 10**6)
    head = "un millón" if millions == 1 else f"{_before_noun(millions)} millones"
    return head + (f" {in_words(rest)}" if rest else "")


def in_figures(number: int) -> str:
    """The number with a point between thousands, as Spanish minutes write it."""
    return f"{number:,}".replace(",", ".")


def _before_noun(number: int) -> str:
    words = in_words(number)
    if words.endswith("veintiuno"):
        return words[: -len("veintiuno")] + "veintiún"
    return words[:-1] if words.endswith("uno") else words
