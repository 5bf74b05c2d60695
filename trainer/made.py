"""Pairs made from a council's own: its recognizer's confusions, put into its clerk's finished sentences.

A few hundred pairs show each confusion a few times only, in a few sentences. What the pairs have in common
is counted (which word came for which and how often, what of punctuation and capitals was lost, what was
said between the words), and the finished sentences are corrupted again in that way, each time otherwise.
Some are kept as they are: a corrector that is never shown clean text starts to invent errors.

Nothing here needs more than the examples of the corpus, which are anonymized; nothing made is ever stored,
so what is erased from the corpus is gone from here. The validation part makes nothing.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from trainer.data import Record

Words = tuple[str, ...]
_LONGEST = 3
_MARKS = ",;:.?!…»)"
_OPENING = "¿¡«("
_ENDS = ".?!…"


@dataclass
class Habits:
    """What a recognizer makes of a clerk's words: ``heard[right][wrong]`` and ``seen[right]`` are counts."""

    heard: dict[Words, Counter[Words]] = field(default_factory=lambda: defaultdict(Counter))
    seen: Counter[Words] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    said: Counter[Words] = field(default_factory=Counter)
    gaps: int = 0


def count(pairs: Sequence[tuple[str, str]], minimum: int) -> Habits:
    """The habits that (input, output) ``pairs`` show; a confusion seen less than ``minimum`` times is none.

    A clerk errs as well: what was seen once may be the clerk's slip, which must not be multiplied.
    """
    habits = Habits()
    for before, after in pairs:
        _count_one(before.split(), after.split(), habits)
    for right, wrongs in list(habits.heard.items()):
        kept = Counter({wrong: n for wrong, n in wrongs.items() if n >= minimum})
        if kept:
            habits.heard[right] = kept
        else:
            del habits.heard[right]
    habits.said = Counter({words: n for words, n in habits.said.items() if n >= minimum})
    for _, after in pairs:
        tokens = after.split()
        for at in range(len(tokens)):
            for right, _, _ in _keys(tokens, at):
                if right in habits.heard:
                    habits.seen[right] += 1
    return habits


def _count_one(before: list[str], after: list[str], habits: Habits) -> None:
    habits.gaps += len(after)
    for at, token in enumerate(after):
        habits.marks.update(_of(token))
        habits.marks["start"] += _starts(after, at) and token[:1].isupper()
        habits.marks["none"] += token[-1:].isalnum()
    matcher = SequenceMatcher(None, [_core(t) for t in before], [_core(t) for t in after], autojunk=False)
    for tag, low, high, first, last in matcher.get_opcodes():
        if tag == "equal":
            for was, at in zip(before[low:high], range(first, last), strict=True):
                _count_same(was, after, at, habits)
        elif high - low <= _LONGEST + 1 and last - first <= _LONGEST:
            wrong, right = before[low:high], after[first:last]
            if any("<" in token for token in (*wrong, *right)):
                continue
            if not right:
                habits.said[tuple(_bare(t) for t in wrong)] += 1
            elif wrong:  # to put in words that nobody said is not to be learned from what is made
                pair = _stripped(right, wrong, start=_starts(after, first))
                habits.heard[pair[0]][pair[1]] += 1


def _count_same(was: str, after: list[str], at: int, habits: Habits) -> None:
    """The same word: marks that were lost or added, a capital that was lost."""
    now = after[at]
    habits.lost.update(Counter(_of(now)) - Counter(_of(was)))
    habits.lost["none"] += now[-1:].isalnum() and was[-1:] == ","
    one, other = _bare(now), _bare(was)
    if one != other and "<" not in now:
        if _starts(after, at) and one[:1].isupper() and other[:1].islower():
            habits.lost["start"] += 1
        elif not _starts(after, at):
            habits.heard[one,][other,] += 1


def _of(token: str) -> list[str]:
    """The marks at both ends of a token."""
    return [c for c in token if c in _MARKS or c in _OPENING]


def _bare(token: str) -> str:
    return token.strip(_MARKS + _OPENING) or token


def _core(token: str) -> str:
    return _bare(token).lower()


def _starts(tokens: Sequence[str], at: int) -> bool:
    return at == 0 or tokens[at - 1][-1:] in _ENDS or tokens[at][:1] in "¿¡"


def _stripped(right: list[str], wrong: list[str], *, start: bool) -> tuple[Words, Words]:
    """Without the marks around them, unless a stop belongs to the word («Sr.»); as inside a sentence."""
    words, others = list(right), list(wrong)
    words[0] = words[0].lstrip(_OPENING) or words[0]
    while len(words[-1]) > 1 and words[-1][-1] in _MARKS:
        same = bool(others) and others[-1][-1:] == words[-1][-1]
        if not same and words[-1][-1] == "." and any(c.isalpha() for c in words[-1]) and len(words[-1]) < 6:
            break
        words[-1] = words[-1][:-1]
    if others:
        others[0] = others[0].lstrip(_OPENING) or others[0]
        others[-1] = others[-1].rstrip(_MARKS) or others[-1]
    if start:
        words[0] = words[0][:1].lower() + words[0][1:]
        if others:
            others[0] = others[0][:1].lower() + others[0][1:]
    return tuple(words), tuple(others)


def _keys(tokens: Sequence[str], at: int) -> Iterator[tuple[Words, str, str]]:
    """What may stand in :attr:`Habits.heard` from ``at`` on, longest first: (words, opening, closing)."""
    start = _starts(tokens, at)
    for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
        words = list(tokens[at : at + size])
        if any("<" in word for word in words):
            continue
        head = words[0].lstrip(_OPENING)
        opening = words[0][: len(words[0]) - len(head)]
        if not head:
            continue
        words[0] = head[:1].lower() + head[1:] if start else head
        yield tuple(words), opening, ""
        tail = words[-1].rstrip(_MARKS)
        if tail and tail != words[-1]:
            closing = words[-1][len(tail) :]
            yield (*words[:-1], tail), opening, closing
            if len(closing) > 1:  # «Sr.,»
                yield (*words[:-1], words[-1][:-1]), opening, closing[-1]


def corrupted(text: str, habits: Habits, draw: random.Random) -> str:
    """``text`` as this council's recognizer might have heard it."""
    tokens = text.split()
    lost = {mark: habits.lost[mark] / n for mark, n in habits.marks.items() if n}
    between = sum(habits.said.values()) / max(1, habits.gaps)
    out: list[str] = []
    at = 0
    while at < len(tokens):
        if draw.random() < between:
            out += draw.choices(list(habits.said), list(habits.said.values()))[0]
        token, taken = tokens[at], 1
        start = _starts(tokens, at)
        for right, opening, closing in _keys(tokens, at):
            wrongs = habits.heard.get(right)
            if not wrongs or draw.random() >= sum(wrongs.values()) / max(1, habits.seen[right]):
                continue
            wrong = list(draw.choices(list(wrongs), list(wrongs.values()))[0])
            taken = len(right)
            if start:
                wrong[0] = wrong[0][:1].upper() + wrong[0][1:]
            wrong[0], wrong[-1] = opening + wrong[0], wrong[-1] + closing
            out += wrong[:-1]
            token = wrong[-1]
            break
        out.append(_marked(token, lost, draw, start=start and taken == 1))
        at += taken
    return " ".join(out)


def _marked(token: str, lost: dict[str, float], draw: random.Random, *, start: bool) -> str:
    if "<" in token:
        return token
    kept = "".join(c for c in token if c not in lost or draw.random() >= lost[c]) if _of(token) else token
    if start and kept[:1].isupper() and draw.random() < lost.get("start", 0.0):
        kept = kept[:1].lower() + kept[1:]
    if kept[-1:].isalnum() and draw.random() < lost.get("none", 0.0):
        kept += ","
    return kept or token


def made_records(
    records: Sequence[Record], *, share: float, clean: float, minimum: int, seed: int
) -> list[Record]:
    """``share`` and ``clean`` times as many as ``records``: corrupted anew, and as they are on both sides.

    The same records and seed make the same; ids begin with ``made-`` and ``clean-``.
    """
    if not records or (share <= 0 and clean <= 0):
        return []
    ordered = sorted(records, key=lambda record: record.example_id)
    draw = random.Random(seed)
    draw.shuffle(ordered)
    habits = count([(record.input, record.output) for record in ordered], minimum)
    made = []
    for number in range(round(share * len(ordered))):
        source = ordered[number % len(ordered)]
        text = corrupted(source.output, habits, draw) or source.output
        made.append(replace(source, example_id=f"made-{number}-{source.example_id}", input=text))
    draw.shuffle(ordered)
    for number in range(round(clean * len(ordered))):
        source = ordered[number % len(ordered)]
        made.append(replace(source, example_id=f"clean-{number}-{source.example_id}", input=source.output))
    return made
