"""A second reader of names: a small tagger that sees lines around a word, its lists and its case apart.

    tagger = shipped_tagger()
    tagger.people(["ausente: luz ribera"])     # [[Tagged(start=9, end=19, score=.98)]]

The entity model reads one sentence and knows a word by its letters. This one reads across lines (some fifteen
words to each side), so that a row is known by the rows beside it, and is told of each word what the lexicon
knows of it: listed name, everyday word, office, title. Case is one feature among these, so that lower case
and capitals lose little. It was trained by ``making/ner/train_tagger.py`` on invented minutes, clinical
records and minutes of the Congress; :class:`Tagger` is the same network in NumPy, its first layer computed
once a word.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_learn_assets.privacy.people.runs import never_names
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish import lexicon, name_words
from astra_learn_assets.spanish.fold import fold_chars

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SHIPPED = Path(__file__).resolve().parent / "tagger.npz"
TOKEN = re.compile(r"[^\W\d_]+|\d+|\s*\n\s*|[^\S\n]{2,}|\t|[^\w\s]|_")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
WORD_ROWS, AFFIX_ROWS = 16_384, 4_096
LOWER, TITLE, UPPER, LETTER, MIXED, SHORT_NUMBER, NUMBER, LONG_NUMBER, LINE, GAP, MARK = range(1, 12)
"""Shapes of a token; 0 is padding."""
SHAPES, BITS = 12, 14
DILATIONS = (1, 2, 4, 8, 1)
MOST_WORDS = 40_000
BATCH_TOKENS = 6_000


class Features(NamedTuple):
    """What the network is told of a token apart from its case."""

    word: int
    prefix: int
    suffix: int
    ending: int
    bits: int


class Tagged(NamedTuple):
    """A person: its span, and the least probability among its words."""

    start: int
    end: int
    score: float


def shape(token: str) -> int:
    """The shape of one token of :data:`TOKEN`."""
    first = token[0]
    if first.isalpha():
        if token.islower() or not token[0].isupper():
            return LOWER if token.islower() else MIXED
        if len(token) == 1:
            return LETTER
        return UPPER if token.isupper() else TITLE if token[1:].islower() else MIXED
    if first.isdigit():
        return SHORT_NUMBER if len(token) < 3 else NUMBER if len(token) < 5 else LONG_NUMBER
    if "\n" in token:
        return LINE
    return GAP if token.isspace() else MARK


@lru_cache(maxsize=200_000)
def features(folded: str) -> Features:
    """Of a folded token; numbers are all alike, and so are ends of lines."""
    if folded[0].isdigit():
        folded = "0"
    elif folded.isspace():
        folded = "\n" if "\n" in folded else "\t"
    return Features(
        zlib.crc32(folded.encode()) % WORD_ROWS,
        zlib.crc32(b"<" + folded[:3].encode()) % AFFIX_ROWS,
        zlib.crc32(b">" + folded[-3:].encode()) % AFFIX_ROWS,
        zlib.crc32(b"]" + folded[-5:].encode()) % AFFIX_ROWS,
        _bits(folded) if folded[0].isalpha() else 0,
    )


@lru_cache(maxsize=1)
def _nouns() -> frozenset[str]:
    return table("person_nouns")


def _bits(word: str) -> int:
    known = (
        word in lexicon.given_names(),
        word in lexicon.surnames(),
        name_words.is_ordinary(word),
        word in lexicon.frequent_words(),
        word in lexicon.role_words(),
        word in lexicon.place_words(),
        word in name_words.TITLE_WORDS,
        word in name_words.PARTICLES,
        name_words.is_inflected(word),
        word in lexicon.place_heads(),
        word in lexicon.names_as_words(),
        word in _nouns(),
        word in never_names(),
        len(word) < 3,
    )
    return sum(bit << at for at, bit in enumerate(known))


def tokens(text: str) -> list[tuple[int, int]]:
    """Spans of the tokens: words, numbers, marks, ends of lines and wide gaps."""
    return [m.span() for m in TOKEN.finditer(text)]


class Tagger:
    """The network in NumPy. Not thread-safe (it remembers words).

    A token's vector is the sum of its features' rows. Each layer adds to it what it makes of itself and of
    the tokens :data:`DILATIONS` to each side (nothing beyond the text), and normalizes.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        import numpy as np

        self._w = {name: np.ascontiguousarray(value, dtype="float32") for name, value in weights.items()}
        self._rows: dict[str, int] = {}
        self._table, self._first = self._empty()

    @classmethod
    def load(cls, path: Path) -> Tagger:
        """Read the weights that ``train_tagger.py`` wrote."""
        import numpy as np

        with np.load(path) as stored:
            return cls({name: stored[name] for name in stored.files})

    def people(self, texts: Sequence[str], least: float = 0.5) -> list[list[Tagged]]:
        """Per text the persons whose words are each at least so likely to be of one."""
        return [list(spans_of(found, scores, least)) for found, scores in self.scores(texts)]

    def scores(self, texts: Iterable[str]) -> Iterator[tuple[list[tuple[int, int]], Array]]:
        """Per text its tokens' spans and ``(tokens, 7)`` probabilities of :data:`TAGS`."""
        batch: list[tuple[str, list[tuple[int, int]]]] = []
        size = 0
        for text in texts:
            batch.append((text, tokens(text)))
            size += len(batch[-1][1])
            if size > BATCH_TOKENS:
                yield from self._batch(batch)
                batch, size = [], 0
        yield from self._batch(batch)

    def _empty(self) -> tuple[Array, Array]:
        import numpy as np

        width = self._w["word"].shape[1]
        return np.zeros((1, width), dtype="float32"), np.zeros((1, 3 * width), dtype="float32")

    def _learn(self, words: Iterable[str]) -> None:
        """Add what the network makes of new words alone: their vectors, and the first layer's products."""
        import numpy as np

        new = [word for word in dict.fromkeys(words) if word not in self._rows]
        if not new:
            return
        if len(self._rows) + len(new) > MOST_WORDS:
            self._rows = {}
            self._table, self._first = self._empty()
            new = list(dict.fromkeys(words))
        w = self._w
        made = np.array([features(fold_chars(word)) for word in new])
        bits = (made[:, 4:] >> np.arange(BITS) & 1).astype("float32")
        rows = (
            w["word"][made[:, 0]]
            + w["prefix"][made[:, 1]]
            + w["suffix"][made[:, 2]]
            + w["ending"][made[:, 3]]
        )
        rows += bits @ w["bits"] + w["shape"][[shape(word) for word in new]]
        self._rows.update((word, len(self._table) + at) for at, word in enumerate(new))
        self._table = np.concatenate([self._table, rows])
        left, middle, right = np.split(w["layer0"], 3)
        self._first = np.concatenate([self._first, rows @ np.concatenate([left, middle, right], axis=1)])

    def _batch(
        self, batch: Sequence[tuple[str, list[tuple[int, int]]]]
    ) -> Iterator[tuple[list[tuple[int, int]], Array]]:
        import numpy as np

        words = [[text[s:e] for s, e in spans] for text, spans in batch]
        self._learn([word for some in words for word in some])
        rows = np.array([self._rows[word] for some in words for word in some], dtype=int)
        lengths = [len(some) for some in words]
        ends = np.cumsum(lengths)
        scores = self._network(rows, np.repeat(ends - lengths, lengths), np.repeat(ends, lengths))
        for (_, spans), end, length in zip(batch, ends.tolist(), lengths, strict=True):
            yield spans, scores[end - length : end]

    def _network(self, rows: Array, low: Array, high: Array) -> Array:
        """Probabilities for the words ``rows``; each word's text is from ``low`` to before ``high``."""
        import numpy as np

        w, count = self._w, len(rows)
        width = self._table.shape[1]
        hidden = self._table[rows]
        here = np.arange(count)
        for at, distance in enumerate(DILATIONS):
            left = np.where(here - distance >= low, here - distance, count)
            right = np.where(here + distance < high, here + distance, count)
            if at == 0:
                known = np.append(rows, 0)
                made = self._first[rows, width : 2 * width] + self._first[known[left], :width]
                made += self._first[known[right], 2 * width :]
            else:
                around = np.concatenate([hidden, np.zeros((1, width), dtype="float32")])
                made = np.concatenate([around[left], hidden, around[right]], axis=1) @ w[f"layer{at}"]
            made += w[f"bias{at}"]
            np.maximum(made, 0, out=made)
            hidden = _normal(hidden + made) * w[f"scale{at}"] + w[f"shift{at}"]
        made = hidden @ w["out"] + w["out_bias"]
        made = np.exp(made - made.max(axis=1, keepdims=True))
        return made / made.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def _normal(rows: Array) -> Array:
    import numpy as np

    rows = rows - rows.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", rows, rows)[:, None] / np.float32(rows.shape[1]) + np.float32(1e-5)
    return rows / np.sqrt(spread)  # type: ignore[no-any-return]


def spans_of(found: Sequence[tuple[int, int]], scores: Array, least: float) -> Iterator[Tagged]:
    """Persons: runs of tokens likely enough; a token that is likelier a first word begins the next."""
    person = scores[:, 1] + scores[:, 2]
    begins = scores[:, 1] > scores[:, 2]
    start = stop = -1
    score = 1.0
    for at in (person >= least).nonzero()[0].tolist():
        if start >= 0 and (at != stop + 1 or begins[at]):
            yield Tagged(found[start][0], found[stop][1], score)
            start = -1
        if start < 0:
            start, score = at, 1.0
        stop = at
        score = min(score, float(person[at]))
    if start >= 0:
        yield Tagged(found[start][0], found[stop][1], score)


@lru_cache(maxsize=1)
def shipped_tagger() -> Tagger:
    """The tagger of the package, loaded once per process."""
    return Tagger.load(SHIPPED)
