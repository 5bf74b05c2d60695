"""Figures as a recognizer writes what was said: 1.250,5 as «mil doscientos cincuenta coma cinco»."""

from __future__ import annotations

import random
import re

_UNITS = [
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
_ORDINALS = [
    "primero",
    "segundo",
    "tercero",
    "cuarto",
    "quinto",
    "sexto",
    "séptimo",
    "octavo",
    "noveno",
    "décimo",
]
_NUMBER = re.compile(r"^(\(?)(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:([,.])(\d{1,3}))?(%|€|\.?[ºª])?([).,;:?!]*)$")
_YEARS = re.compile(r"^(\(?)(\d{1,5})([/-])(\d{1,5})([).,;:?!]*)$")
_TIME = re.compile(r"^(\d{1,2}):(\d{2})([).,;:?!]*)$")


def spoken(number: int) -> str:
    """A whole number from 0 to 999,999,999 in words."""
    if number < 30:
        return _UNITS[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return _TENS[tens - 3] + (f" y {_UNITS[rest]}" if rest else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        if number == 100:
            return "cien"
        return _HUNDREDS[hundreds - 1] + (f" {spoken(rest)}" if rest else "")
    if number < 1_000_000:
        thousands, rest = divmod(number, 1000)
        head = "mil" if thousands == 1 else f"{_short(spoken(thousands))} mil"
    else:
        thousands, rest = divmod(number, 1_000_000)
        head = "un millón" if thousands == 1 else f"{_short(spoken(thousands))} millones"
    return head + (f" {spoken(rest)}" if rest else "")


def _short(words: str) -> str:
    """«treinta y uno» before a noun: «treinta y un»; «veintiuno»: «veintiún»."""
    if words.endswith("veintiuno"):
        return words[:-3] + "ún"
    return words[:-1] if words.endswith("uno") else words


def said(token: str, draw: random.Random) -> str | None:
    """One token with figures as it may be said, its closing punctuation kept; None when it is no number."""
    if match := _NUMBER.match(token):
        opening, whole, mark, part, sign, closing = match.groups()
        value = int(whole.replace(".", ""))
        if sign and sign[-1] in "ºª":
            if part or not 1 <= value <= 10:
                return None
            word = _ORDINALS[value - 1]
            words = word[:-1] + "a" if sign[-1] == "ª" else word
        else:
            words = spoken(value)
            if draw.random() < 0.3 and value % 10 == 1 and value % 100 != 11:
                words = _short(words)
            if part:
                tail = spoken(int(part)) if part[0] != "0" else f"cero {spoken(int(part))}"
                words += f" {'coma' if mark == ',' or draw.random() < 0.3 else 'punto'} {tail}"
            words += {"%": " por ciento", "€": " euros"}.get(sign or "", "")
        return opening + words + closing
    if match := _YEARS.match(token):
        opening, one, mark, other, closing = match.groups()
        between = draw.choice(("barra", "de", "")) if mark == "/" else draw.choice(("guion", "a", ""))
        return opening + " ".join(f"{spoken(int(one))} {between} {spoken(int(other))}".split()) + closing
    if match := _TIME.match(token):
        hour, minutes, closing = int(match[1]), int(match[2]), match[3]
        tails = {0: draw.choice(("", " en punto")), 15: " y cuarto", 30: " y media"}
        tail = tails.get(minutes, f" y {spoken(minutes)}")
        return spoken(hour) + (tail if draw.random() < 0.6 else f" y {spoken(minutes)}") + closing
    return None
