"""What a council nearly always writes for what is said: counted from its own pairs, kept beside its adapter.

    steady = count_steady(corpus)        # "también" -> "asimismo", 24 times of 27; "señor" -> "Sr.", ...

An adapter of 300 pairs keeps a clerk's steady habits in four of ten cases; a table counted from the same
pairs keeps them in two of three, and does everything else worse (benchmarks/README.md, learning.py). So the
table is asked last, and only where an answer still has the draft's own words (:mod:`serving.habits`). What
counts:

* one to three words that became the same other words in two documents or more: nobody teaches it alone;
* the lower bound of the share in which they did (Wilson, 95 % one-sided) is :data:`LEAST_SHARE` or more, of
  all places where a draft has the words or a final still has them. A word that is right elsewhere ("está"
  beside "esta") stands in the finals too and falls by that; a tenth of a clerk's corrections is wrong and no
  clerk keeps a habit always, so a much higher bound is never reached in a few hundred pairs;
* words that differ by more than accents, capitals and blanks: those are the recognizer's errors, which the
  model judges better, in their context;
* never words that were only taken away, nor figures, numbers in words, placeholders, negations, units or
  opposites: a table does not see the sentence that it would turn round.

Only the council's own examples count, which are anonymized; replay is nobody's habit.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.datasets.suspicion import changes_the_sense
from astra_learn_assets.datasets.word_changes import changed_stretches
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.spanish.fold import near_fold

STEADY = "steady.json"
"""The file in an adapter's folder: hashed, signed and erased with the rest of it."""
LEAST_SHARE = 0.5
LONGEST = 3
_LONGEST_ANSWER = 4
_NORMAL = 1.645  # 95 % one-sided
_LEAST_DOCUMENTS = 2
_ABBREVIATION = 5
_OPENING, _CLOSING = "¿¡(«\"'", ".,;:!?…)»\"'"
_ENDS = ".?!…"

Words = tuple[str, ...]


@dataclass(frozen=True)
class Steady:
    """``said`` (lower case, no marks) is ``written`` so, ``kept`` of ``seen`` times in the pairs."""

    said: str
    written: str
    kept: int
    seen: int


def dump_steady(steady: Sequence[Steady]) -> bytes:
    """Canonical JSON: the same substitutions are the same bytes."""
    return canonical_json([vars(one) for one in steady]).encode() + b"\n"


def read_steady(data: bytes) -> tuple[Steady, ...]:
    """What :func:`dump_steady` wrote.

    Raises:
        AdapterRefused: it is something else.
    """
    try:
        return TypeAdapter(tuple[Steady, ...]).validate_json(data)
    except ValidationError:
        raise AdapterRefused(f"{STEADY} is malformed") from None


@dataclass(frozen=True)
class _Pair:
    """``over[i]``: where the final's words over against the draft's word ``i`` begin and end."""

    document: str
    was: list[str]
    now: list[str]
    stretches: list[tuple[int, int, int, int]]
    over: list[tuple[int, int]]


def count_steady(examples: Iterable[Example], least: float = LEAST_SHARE) -> tuple[Steady, ...]:
    """The steady substitutions of a council's corpus, in the order of their words."""
    pairs = [_pair(e) for e in examples if e.meta.tenant_id != REPLAY]
    answers: defaultdict[Words, Counter[Words]] = defaultdict(Counter)
    documents: defaultdict[tuple[Words, Words], set[str]] = defaultdict(set)
    for pair in pairs:
        for said, written in _candidates(pair):
            answers[said][written] += 1
            documents[said, written].add(pair.document)
    habits: dict[Words, Words] = {}
    for said, found in sorted(answers.items()):
        written = min(found, key=lambda words: (-found[words], words))
        if len(documents[said, written]) >= _LEAST_DOCUMENTS and is_habit(said, written):
            habits[said] = written
    return tuple(
        Steady(" ".join(said), " ".join(habits[said]), kept, seen)
        for said, (kept, seen) in _counts(pairs, habits).items()
        if lower_bound(kept, seen) >= least
    )


def lower_bound(kept: int, seen: int, normal: float = _NORMAL) -> float:
    """Of the share ``kept / seen``: Wilson's, one-sided (https://doi.org/10.1080/01621459.1927.10502953)."""
    if not seen:
        return 0.0
    share, square = kept / seen, normal**2
    middle = share + square / (2 * seen)
    spread = normal * math.sqrt(share * (1 - share) / seen + square / (4 * seen**2))
    return (middle - spread) / (1 + square / seen)


def is_habit(said: Words, written: Words) -> bool:
    """Whether words may be a clerk's habit at all: no error of the ear, nothing that changes the sense."""
    before, after = [bare(word).lower() for word in said], [bare(word).lower() for word in written]
    if _within(after, before) or _is_left_of(after, before):  # the first would grow with every look
        return False
    if any("<" in word or any(map(str.isdigit, word)) for word in (*said, *written)):
        return False
    return near_fold("".join(before)) != near_fold("".join(after)) and not changes_the_sense(before, after)


def _is_left_of(words: Sequence[str], all_words: Sequence[str]) -> bool:
    """Whether ``words`` are ``all_words`` in their order, some of them gone."""
    rest = iter(all_words)
    return all(word in rest for word in words)


def bare(word: str) -> str:
    """Without the marks around it."""
    return word.strip(_OPENING + _CLOSING) or word


def opening(word: str) -> str:
    """The marks before a word."""
    return word[: len(word) - len(word.lstrip(_OPENING))]


def closing(word: str) -> str:
    """The marks after a word."""
    return word[len(word.rstrip(_CLOSING)) :]


def starts(words: Sequence[str], at: int) -> bool:
    """Whether a sentence begins there."""
    return at == 0 or words[at - 1][-1:] in _ENDS or words[at][:1] in "¿¡"


def said_at(words: Sequence[str], at: int, size: int) -> Words | None:
    """``size`` bare words in lower case; None where marks stand between them or the text ends."""
    part = words[at : at + size]
    if len(part) < size or any(map(closing, part[:-1])) or any(map(opening, part[1:])):
        return None
    return tuple(bare(word).lower() for word in part)


def _pair(example: Example) -> _Pair:
    was, now = example.input.split(), example.output.split()
    stretches = changed_stretches(_plain(was), _plain(now))
    over: list[tuple[int, int]] = []
    position = 0
    for low, high, first, last in (*stretches, (len(was), len(was), len(now), len(now))):
        over += [(at, at + 1) for at in range(position, first)]
        over += [(first, last)] * (high - low)
        position = last
    return _Pair(example.meta.document_id, was, now, stretches, over)


def _plain(words: Sequence[str]) -> list[str]:
    """Bare words with their capitals, those of a sentence's first word apart."""
    plain = map(bare, words)
    return [w[:1].lower() + w[1:] if starts(words, at) else w for at, w in enumerate(plain)]


def _candidates(pair: _Pair) -> Iterator[tuple[Words, Words]]:
    """Each changed stretch as what was said and what was written: bare, and with a word of context."""
    for low, high, first, last in pair.stretches:
        for left, right in ((0, 0), (1, 0), (0, 1), (1, 1)):
            size = high - low + left + right
            if low < left or last + right > len(pair.now) or not 1 <= size <= LONGEST:
                continue
            said = said_at(pair.was, low - left, size)
            if said is not None and last - first + left + right <= _LONGEST_ANSWER:
                heard = pair.was[high + right - 1]
                yield said, _written(pair.now, first - left, last + right, heard)


def _written(now: Sequence[str], first: int, last: int, heard: str) -> Words:
    """The new words as inside a sentence, without its marks: the stop of an abbreviation stays."""
    words = list(now[first:last])
    if not words:
        return ()
    words[0] = words[0][len(opening(words[0])) :] or words[0]
    if starts(now, first) and (words[0][1:2].islower() or len(words[0]) == 1):
        words[0] = words[0][:1].lower() + words[0][1:]
    word, marks = bare(words[-1]), closing(words[-1])
    abbreviated = marks[:1] == "." and closing(heard)[:1] != "." and len(word) <= _ABBREVIATION
    words[-1] = word + ("." if abbreviated else "")
    return tuple(words)


def _counts(pairs: Sequence[_Pair], habits: Mapping[Words, Words]) -> dict[Words, tuple[int, int]]:
    """How often each habit was kept, of how many places. A changed stretch may be longer than the words
    looked at, for errors stand side by side: what is written need only be in it."""
    kept: Counter[Words] = Counter()
    heard: Counter[Words] = Counter()
    final: Counter[Words] = Counter()
    for pair in pairs:
        for at, said in _known(pair.was, habits):
            heard[said] += 1
            first, last = pair.over[at][0], pair.over[at + len(said) - 1][1]
            new = [bare(word).lower() for word in pair.now[first:last]]
            wanted = [bare(word).lower() for word in habits[said]]
            kept[said] += _within(new, wanted) and not _within(new, said)
        final.update(said for _, said in _known(pair.now, habits))
    return {said: (kept[said], max(heard[said], kept[said] + final[said])) for said in habits}


def _known(words: Sequence[str], habits: Mapping[Words, Words]) -> Iterator[tuple[int, Words]]:
    for at in range(len(words)):
        for size in range(1, LONGEST + 1):
            said = said_at(words, at, size)
            if said is not None and said in habits:
                yield at, said


def _within(words: Sequence[str], part: Sequence[str]) -> bool:
    size = len(part)
    return any(list(words[at : at + size]) == list(part) for at in range(len(words) - size + 1))
