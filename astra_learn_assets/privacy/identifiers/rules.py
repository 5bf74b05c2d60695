"""What a rule for an identifier is, and when its context counts.

A *strong* rule may fire on form and check digit alone. Any rule fires on form when one of its context
words stands close by: before it (:data:`BEFORE` characters, no sentence end between) or after it
(:data:`AFTER`, as in "1710034065 (cédula)"). With context a wrong check digit is masked too: a slip of
the recognizer does not make a citizen's number public.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.word_tables import read_table

BEFORE = 48
MARGIN = 40
_DIGITS = re.compile(r"\d[^\d\n]{0,4}\d(?:[^\d\n]{0,4}\d)+")
AFTER = 28
_REACH = 64  # what a rule reads beyond its window: context before and after, and vetoes
LONGEST_ABBREVIATION = 6  # letters: what papers are called is also written "C.U.I.T."
_DOTTED = re.compile(r"\.[ ]?(?=[a-z])")
_LONG_PIECE = 2000  # characters; longer ones are not remembered
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-ZÁÉÍÓÚÑ¿¡])|\n\s*\n")
_TABLES = Path(__file__).resolve().parent / "tables"
_ABBREVIATION_END = re.compile(r"(?:\b\w{1,3}|\bnúm|\btel[eé]f|\bident)\.\s+$", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Something to mask in a cleaned text: ``kind`` is the placeholder's word, ``rank`` the precedence
    (higher wins an overlap), ``detector`` says who found it."""

    start: int
    end: int
    kind: str
    rank: int
    detector: str


@dataclass(frozen=True)
class Rule:
    """A form with its check. ``check`` gets the match without separators, upper-cased.

    ``needs``: one of these must occur in the folded text; a rule without it is about digits and is
    only tried near some.
    """

    kind: str
    form: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    strong: bool = False
    context: frozenset[str] = frozenset()
    context_only_if_valid: bool = False
    rank: int = 50
    veto_after: re.Pattern[str] | None = None
    veto_before: re.Pattern[str] | None = None
    name: str = ""
    keep_separators: bool = False
    needs: tuple[str, ...] = ()
    _words: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)
    _hints: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if self.context:
            alternatives = "|".join(map(_spelling, sorted(self.context, key=len, reverse=True)))
            hints = sorted({word.split(" ")[0] for word in self.context}, key=len)
            hints = [h for i, h in enumerate(hints) if not any(short in h for short in hints[:i])]
            object.__setattr__(self, "_hints", tuple(hints))
            object.__setattr__(self, "_words", re.compile(rf"(?<!\w)(?:{alternatives})(?![^\W\d])"))

    def hinted(self, folded: str) -> bool:
        """Whether the beginning of any context word occurs in a folded text; without, none is near."""
        return any(hint in folded for hint in self._hints)

    def find(self, text: str, folded: str, low: int = 0, high: int | None = None) -> Iterator[Finding]:
        """All places in ``text[low:high]`` (``folded`` is its accent-blind form) where the rule fires."""
        for match in self.form.finditer(text, low, len(text) if high is None else high):
            start, end = match.span("id") if "id" in self.form.groupindex else match.span()
            if start == end or self._vetoed(text, start, end):
                continue
            compact = text[start:end].upper()
            if not self.keep_separators:
                compact = re.sub(r"[\s.\-–/·,_]", "", compact)
            valid = self.check is None or self.check(compact)
            fires = (valid and self.strong) or (
                self._words is not None
                and (valid or not self.context_only_if_valid)
                and self.near(text, folded, start, end)
            )
            if fires:
                yield Finding(
                    start,
                    end,
                    self.kind,
                    self.rank + (5 if valid and self.check else 0),
                    self.name or self.kind,
                )

    def near(self, text: str, folded: str, start: int, end: int) -> bool:
        """Whether a context word stands before or after ``[start, end)``."""
        if self._words is None:
            return False
        low = max(0, start - BEFORE)
        window = text[low:start]
        for stop in list(_SENTENCE_END.finditer(window))[::-1]:
            if not _ABBREVIATION_END.search(window[: stop.end()]):
                low += stop.end()
                break
        if self._words.search(folded, low, start):
            return True
        after = text[end : end + AFTER]
        cut = _SENTENCE_END.search(after)
        return bool(self._words.search(folded, end, end + (cut.start() if cut else len(after))))

    def _vetoed(self, text: str, start: int, end: int) -> bool:
        if self.veto_after and self.veto_after.match(text, end):
            return True
        return bool(self.veto_before and self.veto_before.search(text[max(0, start - 24) : start]))


def _spelling(word: str) -> str:
    """A context word as a regex: "r.u.t" is "rut", and between two words stands space or a dot."""
    if word.isascii() and word.isalpha() and 2 < len(word) <= LONGEST_ABBREVIATION:
        return r"(?:\.[ ]?)?".join(word)
    return re.escape(word).replace(r"\ ", r"[\s.]{1,3}")


def words(text: str) -> frozenset[str]:
    """Context words from a ``|``-separated list, folded the way the text is."""
    return frozenset(fold_chars(word) for word in text.split("|"))


def listed(table: str) -> tuple[str, ...]:
    """The folded terms of ``tables/<table>.txt``."""
    return read_table(_TABLES / f"{table}.txt")


class RuleSet:
    """Rules that are tried together; what stands around the same number again is not looked at again.

    Draft and final share nearly all their numbers, and so do the rounds over one text.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = tuple(rules)
        self._told = tuple(rule for rule in rules if rule.needs)
        self._numbers = tuple(rule for rule in rules if not rule.needs)
        self._near = lru_cache(maxsize=8192)(self._near_number)

    def find(self, text: str) -> list[Finding]:
        """Every firing of every rule; overlaps are left in."""
        found: list[Finding] = []
        folded = fold_chars(text)
        for rule in self._told:
            if any(word in folded for word in rule.needs):
                found += rule.find(text, folded)
        for low, high in number_windows(text):
            base = max(0, low - _REACH)
            piece = text[base : high + _REACH]
            near = self._near if len(piece) < _LONG_PIECE else self._near_number
            found += [
                replace(f, start=f.start + base, end=f.end + base)
                for f in near(piece, low - base, high - base)
            ]
        return found

    def _near_number(self, piece: str, low: int, high: int) -> tuple[Finding, ...]:
        folded = fold_chars(piece)
        hints = folded + _DOTTED.sub("", folded) if "." in folded else folded
        return tuple(
            f
            for rule in self._numbers
            if rule.strong or rule.hinted(hints)
            for f in rule.find(piece, folded, low, high)
        )


def number_windows(text: str) -> list[tuple[int, int]]:
    """Stretches around three digits or more; long text is mostly far from any number."""
    windows: list[tuple[int, int]] = []
    for match in _DIGITS.finditer(text):
        low, high = max(0, match.start() - MARGIN), min(len(text), match.end() + MARGIN)
        if windows and low <= windows[-1][1]:
            windows[-1] = windows[-1][0], high
        else:
            windows.append((low, high))
    return windows


def resolve(findings: Iterable[Finding]) -> list[Finding]:
    """Findings without overlap, in order of place: higher rank, then longer, then earlier wins.

    What a loser covers beyond the winners is kept if it still holds a word of three letters or
    digits, so a partial overlap never uncovers anything.
    """
    taken: list[Finding] = []  # in order of place, without overlap
    starts: list[int] = []
    for finding in sorted(findings, key=lambda f: (-f.rank, f.start - f.end, f.start)):
        at = max(0, bisect_right(starts, finding.start) - 1)
        free = finding.start
        pieces = []
        while at < len(taken) and taken[at].start < finding.end:
            if free < taken[at].start:
                pieces.append((free, taken[at].start))
            free = max(free, taken[at].end)
            at += 1
        if free < finding.end:
            pieces.append((free, finding.end))
        for start, end in pieces:
            place = bisect_left(starts, start)
            starts.insert(place, start)
            taken.insert(place, Finding(start, end, finding.kind, finding.rank, finding.detector))
    return taken


class Spans:
    """Spans of a text, asked in the time of a binary search whether one holds or touches another."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._tops = list(accumulate((end for _, end in ordered), max))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def hold(self, start: int, end: int) -> bool:
        """Whether one span covers ``[start, end)``."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._tops[at - 1] >= end

    def touch(self, start: int, end: int) -> bool:
        """Whether one span overlaps ``[start, end)``."""
        at = bisect_left(self._starts, end)
        return at > 0 and self._tops[at - 1] > start
