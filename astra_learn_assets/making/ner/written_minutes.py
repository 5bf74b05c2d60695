"""Minutes written piece by piece, with each person, place and body marked: what no generator thinks of.

    pieces()                # the pieces of ``written/``, as they stand
    documents(seed)         # endless: with other people, at times with other places and bodies

A file of ``written/`` holds pieces that begin with ``=== CO what it is``; ``{p:…}``, ``{l:…}`` and ``{o:…}``
mark a person, a place, a body. Their writers had not seen the rules, the word lists, the tests or the other
training material; ``written/README.md`` says how it was kept apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from astra_learn_assets.making.ner.grammar import Sentence, Span
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars

FOLDER = Path(__file__).resolve().parent / "written"
_HEAD = re.compile(r"^=== .*\n", re.MULTILINE)
_MARK = re.compile(r"\{([plo]):([^{}]+)\}")
_LABELS = {"p": "PER", "l": "LOC", "o": "ORG"}
_WORD = re.compile(r"[^\W\d_]+")
AS_WRITTEN, ELSEWHERE, EVERYDAY = 0.25, 0.4, 0.3
"""Shares: of pieces that stay as they are, that get other places and bodies, other everyday surnames."""


def read(text: str, where: str = "the text") -> list[Sentence]:
    """The pieces of one file.

    Raises:
        ValueError: a mark is broken; names the piece.
    """
    heads = [*_HEAD.finditer(text)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = []
    for head, end in zip(heads, ends, strict=True):
        found.append(_piece(text[head.end() : end].strip("\n"), f"{where}: {head[0].strip()}"))
    return found


def _piece(body: str, where: str) -> Sentence:
    text, last = "", 0
    spans: list[Span] = []
    for mark in _MARK.finditer(body):
        text += body[last : mark.start()]
        spans.append((len(text), len(text) + len(mark[2]), _LABELS[mark[1]]))
        text += mark[2]
        last = mark.end()
    text += body[last:]
    broken = re.search(r"[{}]", text)
    if broken is not None:
        raise ValueError(f"{where}: a mark is broken near {text[max(0, broken.start() - 20) :][:50]!r}")
    return text, spans


@cache
def pieces() -> tuple[Sentence, ...]:
    """All pieces of ``written/``, in the order of their files."""
    files = sorted(FOLDER.glob("*.txt"))
    return tuple(piece for file in files for piece in read(file.read_text(encoding="utf-8"), file.name))


class Recast:
    """Puts other people, places and bodies into a piece; the same word of a name becomes the same word."""

    def __init__(self, rng: random.Random, names: NameFactory, known: Sequence[Sentence]) -> None:
        self.rng, self.names = rng, names
        self.everyday = [word for word in terms("everyday_surnames") if " " not in word]
        self.others: dict[tuple[str, int], list[str]] = {}
        for text, spans in known:
            for start, end, label in spans:
                value = " ".join(text[start:end].split())
                if label != "PER":
                    self.others.setdefault((label, value.count(" ")), []).append(value)
        self.words: dict[str, str] = {}
        self.alike = False

    def piece(self, piece: Sentence) -> Sentence:
        """The piece with other people; of some also the places and bodies are others."""
        rng = self.rng
        self.words, self.alike = {}, rng.random() < EVERYDAY
        elsewhere = rng.random() < ELSEWHERE
        text, spans = piece
        out, moved, last = "", [], 0
        for start, end, label in spans:
            out += text[last:start]
            value = text[start:end]
            if label == "PER":
                value = _WORD.sub(self._word, value)
            elif elsewhere and "\n" not in value:
                value = _as(value, rng.choice(self.others[label, " ".join(value.split()).count(" ")]))
            moved.append((len(out), len(out) + len(value), label))
            out += value
            last = end
        return out + text[last:], moved

    def _word(self, match: re.Match[str]) -> str:
        word = match[0]
        folded = fold_chars(word)
        if folded in lexicon.CONNECTORS or (word.islower() and len(word) < 4):
            return word
        if folded not in self.words:
            self.words[folded] = self._other(folded)
        return _as(word, self.words[folded])

    def _other(self, folded: str) -> str:
        if len(folded) == 1:
            return self.rng.choice("ABCDEFGHIJLMNOPRSTV")
        if folded in lexicon.given_names():
            return self.names.given()
        return self.rng.choice(self.everyday) if self.alike else self.names.surname()


def _as(model: str, value: str) -> str:
    """``value`` in the case of ``model``."""
    if len(model) > 1 and model.isupper():
        return value.upper()
    return value.lower() if model.islower() else value


def documents(seed: int) -> Iterator[Sentence]:
    """The pieces without end, each time in another order."""
    rng = random.Random(seed)
    known = pieces()
    recast = Recast(rng, NameFactory(rng, invented=0.2), known)
    while True:
        for piece in rng.sample(known, len(known)):
            yield piece if rng.random() < AS_WRITTEN else recast.piece(piece)
