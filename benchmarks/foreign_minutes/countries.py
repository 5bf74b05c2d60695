"""The municipal words of each country, read from ``text/countries.ini``."""

import configparser
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEXT = Path(__file__).with_name("text")
_PAIRS = ("member", "mayor", "secretary", "neighbour")
_LISTS = ("council", "body", "parties", "place", "hall", "id", "towns")


@cache
def lines(name: str) -> tuple[str, ...]:
    """The non-empty lines of ``text/<name>.txt``."""
    return tuple(line for line in (TEXT / f"{name}.txt").read_text(encoding="utf-8").split("\n") if line)


def templates(group: str) -> tuple[str, ...]:
    """The sentences of a group of ``text/named.txt``. Raises ValueError for a group without any."""
    found = tuple(line.partition(": ")[2] for line in lines("named") if line.startswith(f"{group}: "))
    if not found:
        raise ValueError(f"text/named.txt has no sentence of the group {group!r}")
    return found


@dataclass(frozen=True)
class Country:
    """Words of one country: single ones, masculine and feminine pairs, lists, and weights of name tables."""

    code: str
    words: dict[str, str]
    pairs: dict[str, tuple[str, str]]
    lists: dict[str, tuple[str, ...]]
    honorifics: tuple[tuple[str, str], ...]
    titles: tuple[tuple[str, str], ...]
    surnames: dict[str, int]
    given: dict[str, int]

    def pick(self, rng: random.Random, what: str) -> str:
        """One of a list of words."""
        return rng.choice(self.lists[what])


@cache
def countries() -> dict[str, Country]:
    """All countries by code."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string((TEXT / "countries.ini").read_text(encoding="utf-8"))
    return {code: _country(code, parser[code]) for code in parser.sections()}


def _country(code: str, section: configparser.SectionProxy) -> Country:
    return Country(
        code=code,
        words={key: section[key] for key in ("members", "money", "bylaw")},
        pairs={key: _pair(section[key]) for key in _PAIRS},
        lists={key: tuple(section[key].split(";")) for key in _LISTS},
        honorifics=tuple(_pair(pair) for pair in section["honorific"].split(";") if pair),
        titles=tuple(_pair(pair) for pair in section["titles"].split(";") if pair),
        surnames=_weights(section["surnames"]),
        given=_weights(section["given"]),
    )


def _pair(text: str) -> tuple[str, str]:
    masculine, feminine = text.split("|")
    return masculine, feminine


def _weights(text: str) -> dict[str, int]:
    return {name: int(weight) for name, weight in (entry.split(":") for entry in text.split())}
