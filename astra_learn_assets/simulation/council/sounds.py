"""How Spanish words sound, and which sounds a recognizer takes for which.

Consonants have a place, a manner and a voice, vowels a height and a place; two sounds are confused the
more easily the fewer of these they differ in, and each recognizer leans its own way (:class:`Ear`). What is
heard is written as a word that sounds so, where there is one, else as it is spelled.
"""

from __future__ import annotations

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from astra_learn_assets.simulation.council.letters import without_accents

# sound: (place, manner, voice) of a consonant, (height, backness, 2) of a vowel
_FEATURES: Mapping[str, tuple[int, int, int]] = {
    "p": (0, 0, 0), "b": (0, 0, 1), "t": (2, 0, 0), "d": (2, 0, 1), "k": (5, 0, 0), "g": (5, 0, 1),
    "f": (1, 1, 0), "z": (2, 1, 0), "s": (3, 1, 0), "x": (5, 1, 0), "C": (4, 1, 0), "y": (4, 2, 1),
    "m": (0, 3, 1), "n": (3, 3, 1), "N": (4, 3, 1), "l": (3, 4, 1), "r": (3, 5, 1), "R": (3, 6, 1),
    "i": (2, 0, 2), "e": (1, 0, 2), "a": (0, 1, 2), "o": (1, 2, 2), "u": (2, 2, 2),
}  # fmt: skip
_VOWELS = "aeiou"
_WEAK = {"s": 1.0, "d": 0.7, "n": 0.5, "r": 0.5, "l": 0.3, "b": 0.2, "g": 0.2}
"""Consonants that speakers swallow, and how readily."""
_SPELLED = (
    # in order: sound pattern -> letters
    (r"k(?=[ei])", "qu"), (r"k", "c"), (r"g(?=[ei])", "gu"), (r"z(?=[ei])", "c"), (r"C", "ch"),
    (r"N", "ñ"), (r"(?<!^)R", "rr"), (r"R", "r"), (r"x(?=[ei])", "g"), (r"x", "j"),
)  # fmt: skip


@lru_cache(maxsize=20_000)
def sounds(word: str, *, lisping: bool) -> str:
    """The phonemes of a lower-case word, one letter each; ``lisping``: z and s are two sounds (Spain)."""
    w = without_accents(word).replace("ch", "C").replace("h", "").replace("ñ", "N")
    w = re.sub(r"qu(?=[ei])", "k", w)
    w = re.sub(r"g(?=[ei])|j", "x", w)
    w = re.sub(r"gu(?=[ei])", "g", w)
    w = re.sub(r"c(?=[ei])|z", "z" if lisping else "s", w)
    w = re.sub(r"[cq]", "k", w).replace("ll", "y").replace("v", "b").replace("w", "gu")
    w = w.replace("rr", "R")
    w = re.sub(r"^r|(?<=[nls])r", "R", w)
    w = re.sub(r"y$|^y$", "i", w)
    return w.replace("ks", "x_").replace("x_", "ks")


def spelled(heard: str, rng: random.Random) -> str:
    """Letters for phonemes, as somebody writes who does not know the word."""
    for pattern, letters in _SPELLED:
        heard = re.sub(pattern, letters, heard)
    choices = {"b": "bv", "y": ("y", "ll"), "z": "z", "s": "sssc"}
    out = []
    for place, letter in enumerate(heard):
        options = choices.get(letter, letter)
        chosen = rng.choice(options)
        if letter == "s" and heard[place + 1 : place + 2] not in ("e", "i"):
            chosen = "s"
        if letter == "y" and place + 1 == len(heard):
            chosen = "y"
        out.append(chosen)
    return "".join(out)


class Ear:
    """One recognizer's leaning: what it takes for what. The same ``key`` hears alike."""

    def __init__(self, key: str, *, lisping: bool, words: Iterable[str]) -> None:
        rng = random.Random(f"{key}|ear")
        self._key, self._lisping = key, lisping
        self._swaps: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for one, features in sorted(_FEATURES.items()):
            for other, others in sorted(_FEATURES.items()):
                if one != other and (one in _VOWELS) == (other in _VOWELS):
                    distance = sum(abs(a - b) for a, b in zip(features, others, strict=True))
                    self._swaps[one].append((other, math.exp(-distance + rng.gauss(0, 1))))
            if one in _WEAK:
                self._swaps[one].append(("", _WEAK[one] * math.exp(rng.gauss(0, 0.7))))
        self._alike: dict[str, list[str]] = defaultdict(list)
        for word in sorted(set(words)):
            self._alike[self._sounds(word)].append(word)

    def _sounds(self, word: str) -> str:
        return sounds(word, lisping=self._lisping)

    def takes_for(self, word: str, count: int = 3) -> tuple[str, ...]:
        """Up to ``count`` things that ``word`` is heard as, real words before others."""
        rng = random.Random(f"{self._key}|{word}")
        said = self._sounds(word)
        real, unreal = [], []
        for _ in range(40):
            heard = self._slip(said, rng)
            # a slip that changes nothing is a word that sounds the same
            words = [other for other in self._alike.get(heard, ()) if other != word]
            real += words
            if not words and len(said) > 3:
                unreal.append(spelled(heard, rng))
        found = dict.fromkeys([*real, *unreal])
        return tuple(w for w in found if w not in ("", word) and without_accents(w) != word)[:count]

    def _slip(self, said: str, rng: random.Random) -> str:
        if rng.random() < 0.15:
            return said
        at = rng.randrange(len(said))
        options = self._swaps.get(said[at])
        if not options:
            return said
        new = rng.choices([sound for sound, _ in options], [weight for _, weight in options])[0]
        return said[:at] + new + said[at + 1 :]
