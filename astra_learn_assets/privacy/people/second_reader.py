"""What the tagger's reading changes in the persons that the rules found, and whom it adds.

The rules know shapes, the tagger places; each has its own misses. A person is whom either is sure of:

* *added*: words that the tagger takes for a person's and no rule found; a word that names somebody
  elsewhere in it needs less (:data:`KNOWN`): who is certain once is known everywhere;
* *parted*: a rule's span in which the tagger sees two people with something between is two spans;
* *trimmed*: where the tagger is sure of one person inside a rule's span, the span's ends that it is sure
  are no name go ("hijo [Iván]"), and so do verbs and other plain words that it rather doubts ("la [suplirá]
  Ramona");
* *certain*: a given name with what the tagger is sure are its surnames stays whole, whatever else the
  surnames mean ("Antonieta Puente Arévalo", "Ferney Junta Sacristán").

Nothing that the rules found is dropped whole: a wrong mask costs less than a name left standing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from astra_learn_assets.privacy.identifiers.rules import Finding, Spans
from astra_learn_assets.privacy.people.listed_names import after_place_head
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS, RANK
from astra_learn_assets.privacy.people.runs import ABBREVIATIONS, is_given, is_strong, may_be_name
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_common, is_inflected, is_ordinary

ADDED, KNOWN, SURE, VERY_SURE, NO_NAME, DOUBTED = 0.8, 0.4, 0.9, 0.97, 0.02, 0.5
"""How likely a word must be a person's: to add it, to add a known name, to be sure, to be sure it is none,
and below what a plain word at a name's end is none of it."""
COMMON, HARDLY = 0.5, 0.15
"""How likely a common word that also names somebody ("calle") must be a person's where that name is known;
below what a word of no list at a sure name's end is none of it ("[reemplaza] a Jorge Centeno")."""
NOWHERE = 0.03
"""Below what all words must be likely a person's that are a place's or a body's instead."""
LONGEST = 40  # letters: a longer word is filling or code, nobody's name
DETECTOR = "tagger"
_VERBS = table("person_verbs")
_SAINT = re.compile(r"(?i)(?<!\w)(?:san|santa|santo|sto[.]?|sta[.]?|virgen(?: del?(?: la| las| los)?)?)\s$")
_FIRM = re.compile(r"(?i),?[ ](?:s[.] ?[al]|c[.] ?v|e[.]i[.]r|ltda|cía|s[.]r[.]l|spa\b)")
_LINKS = {"y", "e", "i", ","}
_NO_END = PARTICLES | _LINKS
_OPENS = re.compile(r"(?:^|[.!?¿¡…\n])[ ]*$")


@dataclass(frozen=True)
class Reading:
    """The tokens of a text with how likely each is a person's, and whether it begins one.

    ``printed``: whether the text has capitals, so that a name has one. ``elsewhere``: how likely each token
    is a place's or a body's; nothing where that was not asked.
    """

    spans: Sequence[tuple[int, int]]
    likely: Sequence[float]
    begins: Sequence[bool]
    printed: bool
    elsewhere: Sequence[float] = ()

    def within(self, start: int, end: int) -> range:
        """The tokens that begin inside ``[start, end)``."""
        low = bisect_left(self.spans, (start, -1))
        return range(low, bisect_left(self.spans, (end, -1), low))

    def likeliest(self, start: int, end: int) -> float:
        """How likely the likeliest token inside ``[start, end)`` is; 0 without any."""
        return max((self.likely[at] for at in self.within(start, end)), default=0.0)

    def is_elsewhere(self, start: int, end: int) -> bool:
        """Whether the tagger is sure that a word inside ``[start, end)`` is a place's or a body's, and none
        a person's."""
        inside = self.within(start, end)
        return (
            bool(self.elsewhere)
            and max((self.elsewhere[at] for at in inside), default=0.0) >= ADDED
            and self.likeliest(start, end) < NOWHERE
        )


def reconciled(text: str, found: Sequence[Finding], reading: Reading) -> list[Finding]:
    """``found`` parted and trimmed, and the persons that the tagger adds."""
    out = [piece for finding in found for piece in _read_again(text, finding, reading)]
    return [*out, *_added(text, out, reading)]


def certain(text: str, reading: Reading) -> Iterator[Finding]:
    """Given names with the surnames that the tagger is sure of, to be kept whatever the surnames mean."""
    for first, last in _runs(reading, range(len(reading.spans)), SURE):
        start = reading.spans[first][0]
        head = WORD.match(text, start)
        if head is None or not (is_given(fold_chars(head[0])) or _is_unheard(fold_chars(head[0]))):
            continue
        stop = _one_person(text, start, _last_word(text, reading, last), reading)
        core = [w for w in WORD.findall(text[start:stop]) if len(w) > 1 and fold_chars(w) not in PARTICLES]
        before = text[max(0, start - 40) : start]
        if len(core) > 1 and not _SAINT.search(before) and not after_place_head(text, start):
            yield Finding(start, stop, "PERSONA", RANK, DETECTOR)


def _one_person(text: str, start: int, stop: int, reading: Reading) -> int:
    """The end of the first person of a run: before "y Marta", and in print before small letters."""
    last = at = start
    for word in WORD.finditer(text, start, stop):
        if _DASH.search(text, at, word.start()):
            break
        at = word.end()
        folded = fold_chars(word[0])
        if folded in ("y", "e") and (after := _AND_NAME.match(text, word.start())):
            if is_given(fold_chars(after[1])) or " " not in text[start:last]:
                break
        elif reading.printed and word[0].islower() and folded not in PARTICLES and folded != "i":
            break
        if folded in _NO_END or (not reading.printed and _is_act(folded, word.span(), reading)):
            continue
        if word[0].isupper() and (folded in _VERBS or reading.likeliest(*word.span()) < DOUBTED):
            continue
        last = word.end()
    return last


def _is_act(word: str, span: tuple[int, int], reading: Reading) -> bool:
    """Whether a word in a text without capitals is what somebody does, rather than a surname."""
    plain = is_ordinary(word) or is_inflected(word)
    return word in _VERBS or (plain and not may_be_name(word) and reading.likeliest(*span) < VERY_SURE)


_DASH = re.compile(r"\s[-–—]\s|[|:;()/\t]")
_AND_NAME = re.compile(r"[yYeE]\s(?:[dD][eE]\s)?([^\W\d_]{2,})")


def _last_word(text: str, reading: Reading, last: int) -> int:
    """The end of the run that ends with token ``last``, with what the tagger still holds for more of it."""
    stop = reading.spans[last][1]
    for at in range(last + 1, len(reading.spans)):
        start, end = reading.spans[at]
        if text[start:end].isspace() and "\n\n" not in text[start:end]:
            continue
        if reading.likely[at] < 0.5 or reading.begins[at] or not text[start].isalpha():
            break
        if _ends(text, reading, at):
            stop = end
    word = WORD.match(text, stop) if text[stop : stop + 1].isalpha() else _APOSTROPHE.match(text, stop)
    return word.end() if word else stop


_APOSTROPHE = re.compile(r"['’][^\W\d_]+")


def _is_unheard(word: str) -> bool:
    return not is_ordinary(word) and not is_inflected(word) and len(word) > 2


def before_people(
    text: str, spans: Iterable[tuple[int, int]], reading: Reading | None, *, own: bool = False
) -> Iterator[tuple[int, int]]:
    """Spans of places as far as somebody begins in them whom the tagger is very sure of.

    Only without small letters or without capitals, where nothing else ends a place's name: "CALLE BASAVILBASO
    ENCABEZADA POR [GRISELDA". A span that somebody begins is no place ("LA CONCEJALA [PUENTE, NIEVES]"), but
    the text's ``own`` town may bear its founder's name.
    """
    for start, end in spans:
        stop = end
        if reading is not None and (text[start:end].isupper() or text[start:end].islower()):
            for at in reading.within(start + own, end):
                if reading.begins[at] and reading.likely[at] >= VERY_SURE:
                    stop = reading.spans[at][0]
                    break
        if stop > start:
            yield start, stop


def beginnings(text: str, reading: Reading | None) -> frozenset[int]:
    """Where the tagger is sure that a person begins with a given name: nothing before is joined to it."""
    if reading is None:
        return frozenset()
    return frozenset(
        start
        for (start, end), likely, begins in zip(reading.spans, reading.likely, reading.begins, strict=True)
        if begins and likely >= SURE and is_given(fold_chars(text[start:end]))
    )


def _read_again(text: str, finding: Finding, reading: Reading) -> Iterator[Finding]:
    inside = reading.within(finding.start, finding.end)
    if finding.rank >= AS_IT_STANDS or not inside:
        yield finding
        return
    runs = list(_runs(reading, inside, SURE))
    if len(runs) > 1:
        yield from _parted(text, finding, reading, runs)
        return
    if len(runs) == 1 and any(_is_no_name(text, reading, at) for at in (inside[0], inside[-1])):
        first, last = runs[0]
        low, high = inside[0], inside[-1]
        while low < first and _is_no_name(text, reading, low):
            low += 1
        while high > last and _is_no_name(text, reading, high):
            high -= 1
        start = finding.start if low == inside[0] else reading.spans[low][0]
        end = finding.end if high == inside[-1] else reading.spans[high][1]
        yield replace(finding, start=start, end=end)
        return
    yield finding


def _is_no_name(text: str, reading: Reading, at: int) -> bool:
    """Whether the tagger is sure that a token is of no name, or doubts a word that is in no list of names."""
    if reading.likely[at] < NO_NAME:
        return True
    written = text[slice(*reading.spans[at])]
    word = fold_chars(written)
    unheard = reading.printed and written.istitle() and _is_unheard(word)  # "[Yachak] Inti Guamán"
    if reading.likely[at] < HARDLY and not may_be_name(word) and word not in PARTICLES and not unheard:
        return True
    plain = is_ordinary(word) or is_inflected(word) or word in _VERBS
    return reading.likely[at] < DOUBTED and plain and not may_be_name(word) and word not in PARTICLES


def _parted(
    text: str, finding: Finding, reading: Reading, runs: Sequence[tuple[int, int]]
) -> Iterator[Finding]:
    """The finding cut between its sure people, at the words between them that are surely no name."""
    start = finding.start
    for (_, last), (first, runs_on) in pairwise(runs):
        between = range(last + 1, first)
        gaps = [at for at in between if reading.likely[at] < 0.5]
        comma = reading.spans[first][0] - reading.spans[last][1] == 2 and len(between) == 1
        two = runs_on > first or " " not in text[start : reading.spans[last][1]]
        if comma and not (gaps and two and reading.begins[first]):  # surnames, given name: one person
            continue
        if _APOSTROPHE.match(text, reading.spans[last][1]):  # "Q'ente" is one word
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
        if len(word) > 2 and word not in PARTICLES
    }
    for first, last in _runs(reading, everywhere, ADDED):
        yield from _uncovered(text, reading, first, last, covered)
    for at in everywhere:
        if not KNOWN <= reading.likely[at] < ADDED:
            continue
        start, end = reading.spans[at]
        word = fold_chars(text[start:end])
        if is_common(word) and reading.likely[at] < (COMMON if may_be_name(word) else ADDED):
            continue
        if word in known and not covered.touch(start, end):
            yield Finding(start, end, "PERSONA", RANK, DETECTOR)


def _uncovered(text: str, reading: Reading, first: int, last: int, covered: Spans) -> Iterator[Finding]:
    """The run without loose ends, where a word of it is not masked yet."""
    while first <= last and not text[reading.spans[first][0]].isalpha():
        first += 1
    while last >= first and not _ends(text, reading, last):
        last -= 1
    if first > last:
        return
    loose = sum(not covered.touch(*reading.spans[at]) for at in range(first, last + 1))
    links = any(text[slice(*reading.spans[at])].lower() in _LINKS for at in range(first, last + 1))
    if 0 < loose <= last - first and not links:
        # beside its pieces: a later look that drops the whole leaves them
        yield from _piece(text, reading, first, last, beside=True)
    begin = first
    for at in range(first, last + 2):
        if at > last or covered.touch(*reading.spans[at]):
            yield from _piece(text, reading, begin, at - 1)
            begin = at + 1


def _piece(text: str, reading: Reading, first: int, last: int, *, beside: bool = False) -> Iterator[Finding]:
    """The tokens as one more person, or as the whole of one found in part, without links at either end."""
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
    if _believable(text, start, end, least, printed=reading.printed, beside=beside):
        yield Finding(start, end, "PERSONA", RANK, DETECTOR)


def _believable(
    text: str, start: int, end: int, least: float, *, printed: bool, beside: bool = False
) -> bool:
    """Whether nothing but the tagger's doubt speaks against a person here; who is ``SURE`` needs no names.

    A saint, a street, a firm, a title or a word that opens a sentence is taken for somebody too easily; not
    so what the tagger reads as more of a name that is found (``beside``: "damián [cejas]").
    """
    words = [fold_chars(word) for word in WORD.findall(text[start:end])]
    before = text[max(0, start - 40) : start]
    if _SAINT.search(before) or after_place_head(text, start) or _FIRM.match(text, end):
        return False
    if printed and text[start:end].islower() and not any(map(is_strong, words)):
        return False
    if any(len(word) > LONGEST for word in words):
        return False
    if len(words) > 1 or (beside and not (printed and text[start:end].islower())):
        return True
    if not words or (words[0] in ABBREVIATIONS and text[end : end + 1] in (".", "ª")):
        return False
    if printed and text[start:end].islower() and (least < VERY_SURE or is_ordinary(words[0])):
        return False
    opens = (
        _OPENS.search(before) is not None
        and text[end : end + 1] not in ":.,"
        and not is_titled(text, start)  # the stop of "Sr." ends no sentence
    )
    if opens and printed and _is_everyday(words[0]):  # "[Escriba] a": its capital says nothing
        return False
    return least >= VERY_SURE or not (is_ordinary(words[0]) and (opens or not may_be_name(words[0])))


def _is_everyday(word: str) -> bool:
    """Whether a folded word is everyday Spanish or a form of it, and in no list of names."""
    return (is_ordinary(word) or is_inflected(word)) and not may_be_name(word)


def _ends(text: str, reading: Reading, at: int) -> bool:
    """Whether a token can end a name: no particle, and in print no common word without a capital."""
    word = text[slice(*reading.spans[at])]
    if not word[0].isalpha() or fold_chars(word) in _NO_END:
        return False
    return not (reading.printed and word.islower() and is_ordinary(fold_chars(word)))
