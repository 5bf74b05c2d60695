"""Municipal sentences with spans: hand-written templates filled by :class:`NameFactory`.

A template is text with ``[a|b|]`` choices (no nesting) and ``{SLOT}``; :data:`SLOTS` says which slot
carries which label. Titles and articles stay outside the span. Headings, institutions, streets named
after people and capitalised ordinary words are there as negatives.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator

from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.lists import terms

Span = tuple[int, int, str]
Sentence = tuple[str, list[Span]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([A-Z]+)\}")
_LABEL = {
    "F": "PER",
    "G": "PER",
    "S": "PER",
    "R": "PER",
    "Q": "PER",
    "N": "PER",
    "LOC": "LOC",
    "STREET": "LOC",
    "ORG": "ORG",
}

_TITLE, _SPEAKS, _RUEGO = (f"[{'|'.join(terms(name))}]" for name in ("titles", "speaks", "requests"))
TEMPLATES = tuple(line.replace("{TITLE}", _TITLE).replace("{SPEAKS}", _SPEAKS) for line in terms("templates"))
"""One a line in ``lists/templates.txt``; ``{TITLE}`` and ``{SPEAKS}`` are choices, ``\\n`` a line's end."""


class Grammar:
    """Endless labelled sentences; the same seed gives the same ones."""

    def __init__(self, rng: random.Random, names: NameFactory) -> None:
        self.rng = rng
        self.names = names

    def _choose(self, text: str) -> str:
        text = text.replace("{RUEGO}", _RUEGO)
        while _CHOICE.search(text):
            text = _CHOICE.sub(lambda m: self.rng.choice(m[1].split("|")), text)
        return text

    def _fill(self, slot: str) -> str:
        rng, names = self.rng, self.names
        if slot in ("F", "Q", "N"):
            value = names.full() if slot == "F" or rng.random() < 0.5 else names.surnames()
            if slot == "Q" and rng.random() < 0.5:
                value = names.given()
            return value.lower() if slot in ("N", "Q") and rng.random() < 0.5 else value
        if slot == "G":
            return names.given()
        if slot == "S":
            return names.surnames()
        if slot == "R":
            value = names.reversed() if rng.random() < 0.6 else names.full()
            return _bare(value).upper() if rng.random() < 0.5 else value
        if slot == "LOC":
            return names.place()
        if slot == "STREET":
            return names.street()
        if slot == "ORG":
            return names.organisation()
        number = "".join(rng.choice("0123456789") for _ in range(9))
        return {
            "ID": f"{number[:8]}{rng.choice('ABCDEFGHJKLMN')}" if rng.random() < 0.5 else number,
            "PHONE": f"6{number[:2]} {number[2:5]} {number[5:8]}",
            "EMAIL": f"{_bare(names.given().split()[0]).lower()}{number[:2]}@correo.es",
            "MONEY": f"{number[:2]}.{number[2:5]}",
            "NUM": number[:2],
        }[slot]

    def sentence(self) -> Sentence:
        """One sentence with its spans, the case left as printed."""
        template = self._choose(self.rng.choice(TEMPLATES))
        text, spans, last = "", [], 0
        for match in _SLOT.finditer(template):
            text += template[last : match.start()]
            last = match.end()
            value = self._fill(match[1])
            if match[1] in _LABEL:
                spans.append((len(text), len(text) + len(value), _LABEL[match[1]]))
            text += value
        text += template[last:]
        if text[0].islower() and self.rng.random() < 0.7:
            text = text[0].upper() + text[1:]
        return text, spans


def _bare(text: str) -> str:
    """``text`` without accents (``ñ`` kept), same length for precomposed input."""
    decomposed = unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\1"))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("\0", "ñ").replace("\1", "Ñ")


def recase(rng: random.Random, sentence: Sentence) -> Sentence:
    """The sentence as some office types it: mostly as is, else capitals, lower case, without accents."""
    text, spans = sentence
    roll = rng.random()
    if roll < 0.62:
        return sentence
    if roll < 0.72:
        changed = _bare(text).upper()
    elif roll < 0.76:
        changed = text.upper()
    elif roll < 0.86:
        changed = re.sub(r"[.,;:]", " ", text.lower()) if rng.random() < 0.5 else text.lower()
    elif roll < 0.90:
        changed = _bare(text)
    elif roll < 0.95:
        changed = _each_name(
            text, spans, lambda name: _bare(name).upper() if rng.random() < 0.6 else name.upper()
        )
    else:
        changed = _each_name(text, spans, str.lower)
    return (changed, spans) if len(changed) == len(text) else sentence


def _each_name(text: str, spans: list[Span], change: object) -> str:
    out = list(text)
    for start, end, label in spans:
        if label == "PER" and callable(change):
            new = change(text[start:end])
            if len(new) == end - start:
                out[start:end] = new
    return "".join(out)


def sentences(seed: int, *, held_out: bool = False, invented: float = 0.3) -> Iterator[Sentence]:
    """Labelled municipal sentences without end; ``held_out`` uses names that training never draws."""
    rng = random.Random(seed)
    grammar = Grammar(rng, NameFactory(rng, held_out=held_out, invented=invented))
    while True:
        yield recase(rng, grammar.sentence())
