"""What the tagger's reading changes in the persons that the rules found, and whom it adds.

The rules know shapes, the tagger places; each has its own misses. A person is whom either is sure of:

* *added*: words that the tagger takes for a person's and no rule found; a word that names somebody
  elsewhere in it needs less (:data:`KNOWN`): who is certain once is known everywhere;
* *parted*: a rule's span in which the tagger sees two people with something between is two spans;
* *trimmed*: where the tagger is sure of one person inside a rule's span, the span's ends that it is sure
  are no name go ("hijo [Iván]").

Nothing that the rules found is dropped whole: a wrong mask costs less than a name left standing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from astra_learn_assets.privacy.identifiers.rules import Finding, Spans
from astra_learn_assets.privacy.people.listed_names import after_place_head
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.runs import ABBREVIATIONS, may_be_name
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_common, is_ordinary

ADDED, KNOWN, SURE, VERY_SURE, NO_NAME = 0.8, 0.4, 0.9, 0.97, 0.02
"""How likely a word must be a person's: to add it, to add a known name, to be sure, to be sure it is none."""
DETECTOR = "tagger"
_SAINT = re.compile(r"(?i)(?<!\w)(?:san|santa|santo|sto[.]?|sta[.]?|virgen(?: del?(?: la| las| los)?)?)\s$")
_FIRM = re.compile(r"(?i),?[ ](?:s[.] ?[al]|c[.] ?v|e[.]i[.]r|ltda|cía|s[.]r[.]l|spa\b)")
_NO_END = PARTICLES | {"y", "e", "i"}
_OPENS = re.compile(r"(?:^|[.!?¿¡…\n])[ ]*$")


@dataclass(frozen=True)
class Reading:
    """The tokens of a text with how likely each is a person's, and whether it begins one.

    ``printed``: whether the text has capitals, so that a name has one.
    """

    spans: Sequence[tuple[int, int]]
    likely: Sequence[float]
    begins: Sequence[bool]
    printed: bool

    def within(self, start: int, end: int) -> range:
        """The tokens that begin inside ``[start, end)``."""
        low = bisect_left(self.spans, (start, -1))
        return range(low, bisect_left(self.spans, (end, -1), low))

    def likeliest(self, start: int, end: int) -> float:
        """How likely the likeliest token inside ``[start, end)`` is; 0 without any."""
        return max((self.likely[at] for at in self.within(start, end)), default=0.0)


def reconciled(text: str, found: Sequence[Finding], reading: Reading) -> list[Finding]:
    """``found`` parted and trimmed, and the persons that the tagger adds."""
    out = [piece for finding in found for piece in _read_again(finding, reading)]
    return [*out, *_added(text, out, reading)]


def _read_again(finding: Finding, reading: Reading) -> Iterator[Finding]:
    inside = reading.within(finding.start, finding.end)
    if finding.rank >= 80 or not inside:
        yield finding
        return
    runs = list(_runs(reading, inside, SURE))
    if len(runs) > 1:
        yield from _parted(finding, reading, runs)
        return
    if len(runs) == 1 and any(reading.likely[at] < NO_NAME for at in (inside[0], inside[-1])):
        first, last = runs[0]
        low, high = inside[0], inside[-1]
        while low < first and reading.likely[low] < NO_NAME:
            low += 1
        while high > last and reading.likely[high] < NO_NAME:
            high -= 1
        start = finding.start if low == inside[0] else reading.spans[low][0]
        end = finding.end if high == inside[-1] else reading.spans[high][1]
        yield replace(finding, start=start, end=end)
        return
    yield finding


def _parted(finding: Finding, reading: Reading, runs: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """The finding cut between its sure people, at the words between them that are surely no name."""
    start = finding.start
    for (_, last), (first, _) in pairwise(runs):
        between = range(last + 1, first)
        gaps = [at for at in between if reading.likely[at] < 0.5]
        comma = reading.spans[first][0] - reading.spans[last][1] == 2 and len(between) == 1
        if comma:  # surnames, given name: the rules know that form
            continue
        if not gaps and not reading.begins[first]:
            continue
        yield replace(finding, start=start, end=reading.spans[gaps[0] - 1 if gaps else last][1])
        start = reading.spans[gaps[-1] + 1 if gaps else first][0]
    yield replace(finding, start=start)


def _runs(reading: Reading, tokens: range, least: float) -> Iterator[tuple[int, int]]:
    """First and last token of each run of one person's words at least so likely."""
    first = last = -1
    for at in tokens:
        if reading.likely[at] < least:
            continue
        if first >= 0 and (at > last + 1 or reading.begins[at]):
            yield first, last
            first = -1
        if first < 0:
            first = at
        last = at
    if first >= 0:
        yield first, last


def _added(text: str, found: Sequence[Finding], reading: Reading) -> Iterator[Finding]:
    everywhere = range(len(reading.spans))
    covered = Spans((f.start, f.end) for f in found)
    known = {
        word
        for start, end in [
            *((f.start, f.end) for f in found),
            *((reading.spans[a][0], reading.spans[b][1]) for a, b in _runs(reading, everywhere, SURE)),
        ]
        for word in fold_chars(text[start:end]).split()
        if len(word) > 2 and word not in PARTICLES and not is_common(word)
    }
    for first, last in _runs(reading, everywhere, ADDED):
        yield from _uncovered(text, reading, first, last, covered)
    for at in everywhere:
        if not KNOWN <= reading.likely[at] < ADDED:
            continue
        start, end = reading.spans[at]
        if fold_chars(text[start:end]) in known and not covered.touch(start, end):
            yield Finding(start, end, "PERSONA", RANK, DETECTOR)


def _uncovered(text: str, reading: Reading, first: int, last: int, covered: Spans) -> Iterator[Finding]:
    """The run without loose ends, where a word of it is not masked yet."""
    while first <= last and not text[reading.spans[first][0]].isalpha():
        first += 1
    while last >= first and not _ends(text, reading, last):
        last -= 1
    if first > last:
        return
    begin = first
    for at in range(first, last + 2):
        if at > last or covered.touch(*reading.spans[at]):
            yield from _piece(text, reading, begin, at - 1)
            begin = at + 1


def _piece(text: str, reading: Reading, first: int, last: int) -> Iterator[Finding]:
    """The tokens as one more person, or as more of the one beside them, without links at either end."""
    while first <= last and not _ends(text, reading, first):
        first += 1
    while last >= first and not _ends(text, reading, last):
        last -= 1
    if first > last:
        return
    start, end = reading.spans[first][0], reading.spans[last][1]
    if end - start == 1 and text[end : end + 1] != ".":
        return
    least = min(reading.likely[at] for at in range(first, last + 1))
    if _believable(text, start, end, least, printed=reading.printed):
        yield Finding(start, end, "PERSONA", RANK, DETECTOR)


def _believable(text: str, start: int, end: int, least: float, *, printed: bool) -> bool:
    """Whether nothing but the tagger's doubt speaks against a person here; who is ``SURE`` needs no names.

    A saint, a street, a firm, a title or a word that opens a sentence is taken for somebody too easily.
    """
    words = [fold_chars(word) for word in WORD.findall(text[start:end])]
    before = text[max(0, start - 40) : start]
    if _SAINT.search(before) or after_place_head(text, start) or _FIRM.match(text, end):
        return False
    if len(words) > 1:
        return True
    if not words or (words[0] in ABBREVIATIONS and text[end : end + 1] in (".", "ª")):
        return False
    if printed and text[start:end].islower() and (least < VERY_SURE or is_ordinary(words[0])):
        return False
    opens = _OPENS.search(before) is not None and text[end : end + 1] not in ":.,"
    return least >= VERY_SURE or not (is_ordinary(words[0]) and (opens or not may_be_name(words[0])))


def _ends(text: str, reading: Reading, at: int) -> bool:
    """Whether a token can end a name: no particle, and in print no common word without a capital."""
    word = text[slice(*reading.spans[at])]
    if not word[0].isalpha() or fold_chars(word) in _NO_END:
        return False
    return not (reading.printed and word.islower() and is_ordinary(fold_chars(word)))
