"""What one council's recognizer gets wrong, every time in the same way.

Three causes, kept apart because they are learned apart: *systematic* confusions of common words
(an adapter learns them), *entities* (proper nouns always misheard alike: the dictionary learns
them) and generic *noise* (lost accents and commas, at a low rate: nobody can learn that).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from astra_learn_assets.contracts import EntityKind
from astra_learn_assets.simulation.council.confusions import POOL

Cause = Literal["systematic", "entity", "noise"]
_STUTTER = re.compile(r"aa|ee|ii|oo|uu|(.)\1\1")
_PART = re.compile(r"[^\W\d_]+|.", re.DOTALL)


@dataclass(frozen=True)
class EntityError:
    """A proper noun (one or more words) and how it is always misheard."""

    right: str
    wrong: str
    kind: EntityKind


@dataclass(frozen=True)
class Piece:
    """A stretch of text: what was said and what was heard; ``cause`` is None where they agree.

    ``kind`` says what sort of proper noun an ``entity`` is.
    """

    clean: str
    heard: str
    cause: Cause | None = None
    kind: EntityKind | None = None


@dataclass(frozen=True)
class ErrorModel:
    """``systematic`` maps right to wrong, lower case; the rates are probabilities per occurrence."""

    systematic: Mapping[str, str]
    entities: tuple[EntityError, ...]
    systematic_rate: float = 0.85
    entity_rate: float = 0.85
    accent_rate: float = 0.012
    comma_rate: float = 0.03

    def hits(self, text: str) -> int:
        """How many words of ``text`` the council tends to mishear (entities not counted)."""
        return sum(word in self.systematic for word in words(text))

    def entity_hits(self, text: str) -> int:
        """How many misheard proper nouns ``text`` names."""
        return len(self._entity_pattern().findall(text)) if self.entities else 0

    def transcribe(self, text: str, rng: random.Random) -> tuple[Piece, ...]:
        """``text`` as heard, in pieces that join to the whole on either side."""
        pieces: list[Piece] = []
        error_of = {error.right: error for error in self.entities}
        position = 0
        for match in self._entity_pattern().finditer(text) if self.entities else ():
            pieces += self._plain(text, position, match.start(), rng)
            error = error_of[match.group()]
            if rng.random() < self.entity_rate:
                pieces.append(Piece(error.right, error.wrong, "entity", error.kind))
            else:
                pieces.append(Piece(error.right, error.right))
            position = match.end()
        return tuple(pieces + self._plain(text, position, len(text), rng))

    def _entity_pattern(self) -> re.Pattern[str]:
        names = sorted((error.right for error in self.entities), key=lambda name: (-len(name), name))
        return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)")

    def _plain(self, text: str, begin: int, end: int, rng: random.Random) -> list[Piece]:
        """The stretch of ``text`` between two misheard names.

        Capitalised words inside a sentence are spared: "Servicio de Salud" is a name, and a name put
        right belongs to the dictionary, not to the systematic confusions.
        """
        pieces = []
        for match in _PART.finditer(text, begin, end):
            part = match.group()
            wrong = self.systematic.get(part.lower())
            starts = match.start() == 0 or text[: match.start()].endswith(". ")
            if wrong is not None and (part.islower() or starts) and rng.random() < self.systematic_rate:
                heard = wrong[0].upper() + wrong[1:] if part[0].isupper() else wrong
                pieces.append(Piece(part, heard, "systematic"))
            elif part == "," and rng.random() < self.comma_rate:
                pieces.append(Piece(part, "", "noise"))
            elif (
                (bare := without_accents(part)) != part and part.islower() and rng.random() < self.accent_rate
            ):
                pieces.append(Piece(part, bare, "noise"))
            else:
                pieces.append(Piece(part, part))
        return pieces


def words(text: str) -> list[str]:
    """The lower-cased words of ``text``, without digits and punctuation."""
    return re.findall(r"[^\W\d_]+", text.lower())


def without_accents(text: str) -> str:
    """``text`` without acute accents and dieresis; ``ñ`` stays."""
    return unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", text) if c not in "\u0301\u0308")
    )


def draw_systematic(rng: random.Random, sample: Iterable[str]) -> dict[str, str]:
    """14 to 20 confusions: three quarters of words frequent in ``sample``, the rest of rarer ones.

    Without the frequent ones a paragraph would hold an error now and then only; without the rare
    ones there would be nothing to learn from the tenth session on.
    """
    counts = Counter(word for text in sample for word in words(text))
    ranked = sorted(
        (group for group in POOL if any(counts[right] for right in group)),
        key=lambda group: (-sum(counts[right] for right in group), next(iter(group))),
    )
    number = rng.randint(14, 20)
    frequent = number * 3 // 4
    chosen = rng.sample(ranked[:28], frequent) + rng.sample(ranked[28:], number - frequent)
    return {right: wrong for group in chosen for right, wrong in group.items()}


# (sound as a pattern, what is heard instead): spelling rules of Spanish and of the languages beside it
_SOUNDS = (
    ("ch", "tx"), ("v", "b"), ("b", "v"), ("z", "s"), ("ll", "y"), ("rr", "r"), ("gu(?=[aei])", "w"),
    ("ñ", "ni"),
    ("j", "g"), ("que", "ke"), ("qui", "ki"), ("ce", "se"), ("ci", "si"), ("ía", "ilia"), ("mp", "np"),
    ("al", "ar"), ("ar", "al"), ("er", "el"), ("or", "ur"), ("en", "in"), ("in", "en"), ("e", "i"),
    ("o", "u"), ("u", "o"), ("a", "e"), ("d", "t"), ("t", "d"), ("m", "n"), ("c", "k"), ("p", "b"),
    ("g", "c"), ("s", "z"), ("i", "e"), ("f", "p"), ("r", "l"), ("l", "r"), ("n", "m"), ("h", ""),
)  # fmt: skip


def mishear(name: str, rng: random.Random, *, avoid: Collection[str]) -> str:
    """``name`` with two sounds heard wrong; never only an accent or a capital away, never in ``avoid``."""
    taken = {without_accents(other).lower() for other in avoid} | {without_accents(name).lower()}
    for _ in range(1000):
        heard = name.lower()
        for sound, instead in rng.sample(_SOUNDS, len(_SOUNDS)):
            places = [match.span() for match in re.finditer(sound, heard)]
            if places:
                begin, end = rng.choice(places)
                heard = heard[:begin] + instead + heard[end:]
                if sum(a != b for a, b in zip(heard, name.lower(), strict=False)) >= 2:
                    break
        stuttered = _STUTTER.search(heard) is not None
        if without_accents(heard).lower() not in taken and abs(len(heard) - len(name)) <= 2 and not stuttered:
            return heard[0].upper() + heard[1:]
    raise ValueError(f"nothing sounds like {name!r}")


def mishear_acronym(acronym: str, rng: random.Random, *, avoid: Collection[str]) -> str:
    """An acronym as it is spelled out: a vowel too many, a letter lost, doubled or confused."""
    for _ in range(1000):
        place = rng.randrange(1, len(acronym))
        heard = rng.choice(
            (
                acronym[:place] + rng.choice("EA") + acronym[place:],
                acronym[: place - 1] + rng.choice("BDEMNPST") + acronym[place:],
                acronym[:place] + acronym[place - 1] + acronym[place:],
            )
        )
        if heard not in avoid and heard != acronym:
            return heard
    raise ValueError(f"nothing sounds like {acronym!r}")
