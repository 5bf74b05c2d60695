"""A recognizer's text of real speech, for pretraining: what :class:`Noise` does, and what speech adds.

Figures come as words, speakers say fillers, begin a word or a phrase twice; endings are heard in another
number or tense; stops, question marks and capitals go missing or stand where none belong. As with
:class:`Noise`, each text draws its own profile, so that a model learns to look at the text it has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from trainer.making.noise import Noise
from trainer.making.spoken_numbers import said

_TOKEN = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_ENDINGS: Sequence[tuple[str, str]] = (
    ("s", ""), ("", "s"), ("es", ""), ("", "es"), ("n", ""), ("", "n"), ("o", "a"), ("a", "o"), ("os", "as"),
    ("as", "os"), ("a", "e"), ("e", "a"), ("ó", "o"), ("o", "ó"), ("é", "e"), ("á", "a"), ("ará", "ara"),
    ("aron", "aran"), ("ieron", "ieran"), ("aba", "a"), ("ía", "ió"), ("ió", "ía"), ("ado", "ando"),
    ("ando", "ado"), ("ar", "a"), ("er", "e"), ("ir", "í"), ("amos", "emos"), ("emos", "amos"),
    ("ría", "rá"), ("rá", "ría"), ("rán", "rían"), ("se", ""), ("le", "les"), ("lo", "los"),
)  # fmt: skip


def _fillers() -> tuple[str, ...]:
    lines = (Path(__file__).parent / "spoken_fillers.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class Hearing(Noise):
    """``words``: real words, which alone another ending may make."""

    def __init__(
        self,
        seed: int,
        confusions: Mapping[str, Sequence[str]] | None = None,
        words: Collection[str] = frozenset(),
    ) -> None:
        super().__init__(seed, confusions)
        self.words = words
        self.fillers = _fillers()
        self._endings: dict[str, list[str]] = {}

    def transcribe(self, text: str, strength: float) -> str:
        """A transcript of ``text``; ``strength`` as in :meth:`corrupt`, of which half is the older noise."""
        draw = self.random.random
        if draw() < 0.8:
            text = self._numbers(text)
        if draw() < 0.85:
            text = self._speech(text, strength)
        if draw() < 0.85:
            text = self.corrupt(text, strength * draw())
        if draw() < 0.75:
            text = self._marks(text, strength)
        return text

    def _numbers(self, text: str) -> str:
        r = self.random
        rate = r.choice((1.0, 1.0, 0.85, 0.5))
        out = []
        for token in text.split(" "):
            new = None
            if any(c.isdigit() for c in token) and "<" not in token and r.random() < rate:
                new = said(token, r)
            elif token in ("%", "%.", "%,"):
                new = "por ciento" + token[1:] if r.random() < rate else None
            out.append(token if new is None else new)
        return " ".join(out)

    def _other_ending(self, word: str) -> str | None:
        known = self._endings.get(word)
        if known is None:
            known = [
                other
                for old, new in _ENDINGS
                if word.endswith(old)
                and len(word) > len(old) + 2
                and (other := word[: len(word) - len(old)] + new) in self.words
                and other != word
            ]
            if len(self._endings) < 200_000:
                self._endings[word] = known
        return self.random.choice(known) if known else None

    def _speech(self, text: str, strength: float) -> str:
        """Other endings, fillers, words and phrases begun twice, words broken off."""
        r = self.random
        draw = r.random

        def rate(share: float, most: float) -> float:
            return most * strength * draw() if draw() < share else 0.0

        ending, filler, twice, broken = rate(0.7, 0.07), rate(0.5, 0.06), rate(0.4, 0.03), rate(0.15, 0.02)
        own = r.sample(self.fillers, 4)  # a speaker has favourites
        commas = draw() < 0.4
        out: list[str] = []
        for token in text.split(" "):
            parts = _TOKEN.match(token)
            if parts is None or not parts[2] or "<" in token:
                out.append(token)
                continue
            left, word, right = parts.groups()
            if draw() < filler:
                said_now = r.choice(own)
                if commas and out and out[-1][-1:].isalnum():
                    out[-1] += ","
                    said_now += ","
                elif not out and draw() < 0.5:
                    said_now = said_now[:1].upper() + said_now[1:]
                out.append(said_now)
            if draw() < twice:
                back = r.randint(1, 3)
                again = [_TOKEN.sub(r"\2", t) for t in (*out[-back + 1 :] * (back > 1), token)]
                out += [t for t in again if t and "<" not in t]
            elif len(word) > 4 and draw() < broken:
                out.append(left + word[: r.randint(2, len(word) - 2)] + r.choice(("", "-", "...")))
            if word.isalpha() and word.islower() and draw() < ending and (new := self._other_ending(word)):
                token = left + new + right
            out.append(token)
        return " ".join(out)

    def _marks(self, text: str, strength: float) -> str:
        """Stops and capitals lost one by one or put in the wrong place; names in lower case."""
        r = self.random
        draw = r.random

        def rate(share: float, most: float) -> float:
            return min(1.0, most * strength) * draw() if draw() < share else 0.0

        stop, comma, start, name = rate(0.6, 0.6), rate(0.6, 0.7), rate(0.6, 0.6), rate(0.4, 0.3)
        false_comma, false_stop, opening = rate(0.25, 0.04), rate(0.25, 0.02), rate(0.5, 1.0)
        out: list[str] = []
        first = True
        for token in text.split(" "):
            if "<" in token or not token:
                out.append(token)
                first = False
                continue
            ends = token[-1] in ".?!…"
            low = token[:1].lower() + token[1:]
            if (first and draw() < start) or (not first and not token.isupper() and draw() < name):
                token = low
            if token[0] in "¿¡«(" and len(token) > 1 and draw() < opening:
                token = token[1:]
                if draw() < start:
                    token = token[:1].lower() + token[1:]
            if len(token) > 1 and (
                (token[-1] in ",;:»)" and draw() < comma) or (token[-1] in ".?!…" and draw() < stop)
            ):
                token = token[:-1] if draw() < 0.9 else token[:-1] + ","
            elif token[-1].isalnum() and draw() < false_comma:
                token += ","
            elif token[-1].isalnum() and draw() < false_stop:
                token += "."
                ends = draw() < 0.7
                out.append(token)
                first = False
                continue
            if out and out[-1][-1:] == "." and not first and draw() < 0.7:
                token = token[:1].upper() + token[1:]
            out.append(token)
            first = ends
        return " ".join(out)
