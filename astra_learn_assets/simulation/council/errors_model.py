"""What one council's recognizer gets wrong, and what its clerk writes otherwise than it was said.

===========  ====================================================================================
``style``    said one way, written another by this clerk (``style.py``); no error of the recognizer
``entity``   a proper noun it never learned, always misheard alike: the dictionary learns it
``context``  a word or two that sound like others: only the sentence tells (a ver, haber)
``sound``    a word misheard by its sounds (``sounds.py``), some words often, most hardly ever
``ending``   the same word in another number, gender or tense
``accent``   an accent lost
``figure``   figures as they are said
``filler``   what a speaker says while thinking, or a word said twice
``lost``     a small word not heard
``boundary`` two words heard as one, or one as two
``mark``     commas, stops and capitals that are not heard
===========  ====================================================================================

Rates, leanings and habits are drawn once for each council; how hard a word is to hear and what it is taken
for hangs on the council and the word alone, so a session is the same whatever was asked for before it.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from astra_learn_assets.contracts import EntityKind
from astra_learn_assets.simulation.council.figures_said import said
from astra_learn_assets.simulation.council.letters import without_accents
from astra_learn_assets.simulation.council.sounds import Ear
from astra_learn_assets.simulation.council.vocabulary import other_endings, vocabulary
from astra_learn_assets.simulation.council.word_lists import read, read_pairs
from astra_learn_assets.simulation.council.writing import Style

Cause = Literal[
    "style", "entity", "context", "sound", "ending", "accent", "figure", "filler", "lost", "boundary", "mark",
]  # fmt: skip
_PART = re.compile(r"\S*@\S*|\w*\d[\w.,:/-]*(?<=\w)|[^\W\d_]+|.", re.DOTALL)
_STOPS = ".?!"
_SLIPPERY = ("sound", "context", "ending")


@dataclass(frozen=True)
class EntityError:
    """A proper noun (one or more words) and how it is always misheard."""

    right: str
    wrong: str
    kind: EntityKind


@dataclass(frozen=True)
class Piece:
    """A stretch of text: what belongs in the minutes and what was heard; no ``cause`` where they agree.

    ``kind`` says what sort of proper noun an ``entity`` is; ``slip`` is what a careless clerk takes it for.
    """

    clean: str
    heard: str
    cause: Cause | None = None
    kind: EntityKind | None = None
    slip: str | None = None


@dataclass(frozen=True)
class Rates:
    """Chances: per word, per comma, per sentence start, per figure."""

    context: float = 0.2
    sound: float = 0.03
    ending: float = 0.035
    accent: float = 0.05
    figure: float = 0.6
    filler: float = 0.012
    lost: float = 0.01
    boundary: float = 0.004
    comma: float = 0.14
    stop: float = 0.14
    entity: float = 0.85

    def louder(self, factor: float) -> Rates:
        """The same leaning in a noisier or calmer moment; names and figures do not hang on it."""
        scaled = {name: min(0.9, rate * factor) for name, rate in self.__dict__.items()}
        return replace(Rates(**scaled), figure=self.figure, entity=self.entity)


NOTHING = replace(Rates().louder(0.0), figure=0.0, entity=1.0)
"""Only proper nouns are misheard."""


def draw_rates(rng: random.Random) -> Rates:
    """Around the usual ones, by up to half."""
    drawn = {name: rate * rng.uniform(0.6, 1.5) for name, rate in Rates().__dict__.items()}
    return replace(Rates(**drawn), entity=Rates.entity)


@dataclass(frozen=True)
class ErrorModel:
    """``key`` names the council's recognizer: two of the same key hear alike."""

    key: str
    lisping: bool
    rates: Rates
    entities: tuple[EntityError, ...] = ()
    style: Style = field(default_factory=lambda: Style(()))

    def entity_hits(self, text: str) -> int:
        """How many misheard proper nouns ``text`` names."""
        return len(self._names.findall(text)) if self.entities else 0

    def transcribe(self, text: str, rng: random.Random, rates: Rates | None = None) -> tuple[Piece, ...]:
        """``text`` as said, in pieces that join to what was heard and to what the clerk would write."""
        return tuple(_Pass(self, rng, rates or self.rates).run(text))

    def names_only(self, text: str, rng: random.Random) -> tuple[Piece, ...]:
        """As a calm speaker is heard whose names alone are misheard, and whose words the clerk leaves."""
        return replace(self, style=Style(())).transcribe(text, rng, NOTHING)

    @cached_property
    def _names(self) -> re.Pattern[str]:
        names = sorted((error.right for error in self.entities), key=lambda name: (-len(name), name))
        return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)")

    @cached_property
    def ear(self) -> Ear:
        """What it takes words for."""
        return Ear(self.key, lisping=self.lisping, words=vocabulary())

    @cached_property
    def confused(self) -> Mapping[str, tuple[tuple[str, float], ...]]:
        """What sounds alike to it: words in lower case -> (heard, how readily)."""
        rng = random.Random(f"{self.key}|context")
        found: dict[str, list[tuple[str, float]]] = {}
        for one, other in read_pairs("sounds_alike"):
            leaning = rng.uniform(0, 2.2) if rng.random() < 0.7 else 0.0
            for right, heard in ((one, other), (other, one)):
                # short words are everywhere: their share of the errors stays theirs
                weight = leaning * rng.uniform(0.4, 1.6) * (0.12 if len(right) < 4 else 1.0)
                if weight and right in vocabulary() | _PHRASES:
                    found.setdefault(right, []).append((heard, weight))
        return {right: tuple(heard) for right, heard in found.items()}

    @cached_property
    def phrases(self) -> re.Pattern[str]:
        """Phrases that are confused as a whole, then words, figures and single characters."""
        several = sorted((words for words in self.confused if " " in words), key=lambda p: (-len(p), p))
        phrases = "|".join(re.escape(words) for words in several) or "(?!)"
        return re.compile(rf"(?<!\w)(?:{phrases})(?!\w)|{_PART.pattern}", re.DOTALL | re.IGNORECASE)

    def hardness(self, word: str) -> float:
        """How much more often than others ``word`` is misheard: a few words ten times, most a third."""
        return math.exp(random.Random(f"{self.key}|hard|{word}").gauss(-0.8, 1.3))

    def stretches(self, text: str) -> Iterator[tuple[int, int, EntityError | None]]:
        """``text`` cut at its misheard names."""
        error_of = {error.right: error for error in self.entities}
        position = 0
        for match in self._names.finditer(text) if self.entities else ():
            yield position, match.start(), None
            yield match.start(), match.end(), error_of[match.group()]
            position = match.end()
        yield position, len(text), None


def _same(text: str) -> Piece:
    return Piece(text, text)


_PHRASES = frozenset(side for pair in read_pairs("sounds_alike") for side in pair if " " in side)


class _Pass:
    """One reading of one text.

    ``starts``: the next word opens a sentence; ``lower``: it lost its capital with the stop before it;
    ``capital``: it opens one in the minutes alone, for the clerk dropped the word before it;
    ``swallowed``: the word that was not heard, until its space comes.
    """

    def __init__(self, model: ErrorModel, rng: random.Random, rates: Rates) -> None:
        self.model, self.rng, self.rates = model, rng, rates
        self.starts, self.lower, self.capital, self.swallowed = True, False, False, ""

    def run(self, text: str) -> Iterator[Piece]:
        for begin, end, error in self.model.stretches(text):
            if error is None:
                at = begin
                for clean, heard in self.model.style.written(text, begin, end, self.rng):
                    same = clean == heard
                    yield from self._plain(text, at, at + len(heard)) if same else self._styled(clean, heard)
                    at += len(heard)
            else:
                wrong = self.rng.random() < self.rates.entity
                yield Piece(error.right, error.wrong, "entity", error.kind) if wrong else _same(error.right)
                self.starts = self.lower = self.capital = False

    def _styled(self, clean: str, heard: str) -> Iterator[Piece]:
        """What the clerk writes otherwise; where nothing is written, the next word opens the sentence."""
        self.capital = not clean and self.starts
        self.starts = self.starts and not clean
        yield Piece(clean, heard, "style")

    def _plain(self, text: str, begin: int, end: int) -> Iterator[Piece]:
        """Words, figures, marks and spaces of a stretch without names."""
        for match in self.model.phrases.finditer(text, begin, end):
            part = match.group()
            if part[0].isalpha() and "@" not in part and not any(c.isdigit() for c in part):
                if self._swallows(part, text[match.end() : match.end() + 1]):
                    self.swallowed = part
                else:
                    yield self._word(part)
                self.starts = self.lower = self.capital = False
            elif part[0].isdigit():
                spoken = said(part) if self.rng.random() < self.rates.figure else None
                yield Piece(part, spoken, "figure") if spoken else _same(part)
                self.starts = False
            elif part == " ":
                yield self._space(text, match.start())
            elif part in (",", *_STOPS) and self._unheard(part, text, match.end()):
                yield Piece(part, "", "mark")
                self.lower = self.starts = part in _STOPS
            else:
                yield _same(part)
                self.starts = part in _STOPS or (self.starts and part in "¿¡")

    def _space(self, text: str, at: int) -> Piece:
        """A space, or what a speaker says there."""
        if self.swallowed:
            word, self.swallowed = self.swallowed, ""
            return Piece(f"{word} ", "", "lost")
        if self.starts or self.rng.random() >= self.rates.filler:
            return _same(" ")
        word = text[:at].rpartition(" ")[2]
        if self.rng.random() < 0.3 and word.isalpha() and word.islower():
            return Piece(" ", f" {word} ", "filler")
        between = self.rng.choice(read("fillers"))
        apart = self.rng.random() < 0.4 and word[-1:].isalpha()
        return Piece(" ", f", {between}, " if apart else f" {between} ", "filler")

    def _unheard(self, part: str, text: str, end: int) -> bool:
        if part == ",":
            return self.rng.random() < self.rates.comma
        # the last stop stays: a paragraph ends where the recognizer hears silence
        return end < len(text) - 1 and self.rng.random() < self.rates.stop

    def _swallows(self, word: str, behind: str) -> bool:
        """A small word inside a sentence is not heard; with it goes the space behind it."""
        small = len(word) < 4 and word.islower() and behind == " " and not self.starts
        return small and self.rng.random() < self.rates.lost

    def _word(self, word: str) -> Piece:
        """Capitalised words inside a sentence are spared: "Servicio de Salud" is a name, and a name put
        right belongs to the dictionary."""
        rng, low = self.rng, word[0].lower() + word[1:]
        if not low.islower() or (word != low and not self.starts):
            return _same(word)
        if self.capital:
            return Piece(low[0].upper() + low[1:], word, "style")
        cause, heard = self._misheard(low)
        others = [w for w in self.model.ear.takes_for(low) if w != heard] if cause in _SLIPPERY else []
        slip = rng.choice(others) if others else None
        if word != low and self.lower:
            cause = cause or "mark"
        elif word != low:
            heard = heard[0].upper() + heard[1:]
            slip = slip and slip[0].upper() + slip[1:]
        return Piece(word, heard, cause, None, slip)

    def _misheard(self, low: str) -> tuple[Cause | None, str]:
        """Why and how ``low`` is heard; no reason, and itself, when it is heard right."""
        rng, rates, model = self.rng, self.rates, self.model
        for heard, weight in model.confused.get(low, ()):
            if rng.random() < rates.context * weight:
                return "context", heard
        if " " in low:
            return None, low
        chance = rng.random()
        if len(low) > 3 and chance < min(0.7, rates.sound * model.hardness(low)):
            heard_as = model.ear.takes_for(low)
            if heard_as:
                return "sound", heard_as[min(len(heard_as) - 1, int(rng.expovariate(1.6)))]
        if len(low) > 3 and rng.random() < rates.ending and (others := other_endings(low)):
            leaning = random.Random(f"{model.key}|end|{low}").choice(others)
            return "ending", leaning if rng.random() < 0.6 else rng.choice(others)
        if (bare := without_accents(low)) != low and rng.random() < rates.accent:
            return "accent", bare
        if len(low) > 6 and rng.random() < rates.boundary:
            cut = rng.randint(2, len(low) - 3)
            return "boundary", f"{low[:cut]} {low[cut:]}"
        return None, low
