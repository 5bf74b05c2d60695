"""What belongs to a person beside the span found: beyond a line's end, behind "viuda de" or "y"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.bounds import CALLED
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS
from astra_learn_assets.privacy.people.runs import is_given, is_strong, may_be_name, never_names
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import surnames
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_ordinary

_NEXT_LINE = re.compile(r"[ ]?\n[ ]{0,6}([^\W\d_]{2,}(?:[ ][^\W\d_]{2,}){0,2})")
_LAST_LINE = re.compile(r"([^\W\d_]{2,})[ ]?\n[ ]{0,6}$")
_VIUDA = re.compile(r"(?i)[ ](?:viuda|vda[.]?|v[.])[ ]de[ ](?:(?:la|los|las|el)[ ])?")
_Y_SURNAME = re.compile(r"[ ](?:[yY]|i|I)[ ]([^\W\d_]{3,})(?![^\W\d_])")


def stretched(text: str, found: Sequence[Finding]) -> Iterator[Finding]:
    """The persons with what stands beyond a line's end, "viuda de" or "y", each a finding of its own."""
    people = [f for f in found if f.kind == "PERSONA" and f.rank < AS_IT_STANDS]
    for finding in people:
        yield from _over_line_end(text, finding)
        yield from _over_hyphen(text, finding)
        short = _SHORT.match(text, finding.end)
        last = WORD.findall(text[finding.start : finding.end])[-1:]
        if short and last and is_given(fold_chars(last[0])) and fold_chars(short[1]) not in _LINKS:
            yield replace(finding, start=short.start(1), end=short.end(1), detector="second")
        link = _Y_SURNAME.match(text, finding.end)
        word = fold_chars(link[1]) if link else ""
        if link and (" " in text[finding.start : finding.end] or (link[1].istitle() and word in surnames())):
            fits = link[1].isupper() if text[finding.start : finding.end].isupper() else link[1].istitle()
            if (
                fits
                and word not in never_names()
                and word not in CALLED
                and (may_be_name(word) or not is_ordinary(word))
            ):
                yield replace(finding, start=link.start(1), end=link.end(1), detector="second")
        widow = _VIUDA.match(text, finding.end)
        if widow:
            husband = WORD.match(text, widow.end())
            if husband and (husband[0][0].isupper() or may_be_name(fold_chars(husband[0]))):
                yield replace(finding, start=finding.start, end=husband.end())


def _over_line_end(text: str, finding: Finding) -> Iterator[Finding]:
    after = _NEXT_LINE.match(text, finding.end)
    if after and _is_long(text, finding.end) and text[after.end(1) : after.end(1) + 1] not in (":",):
        stop = finding.end
        capitals = text[finding.start].isupper()
        for word in WORD.finditer(text, after.start(1), after.end(1)):
            folded = fold_chars(word[0])
            if (
                word[0][0].isupper() != capitals
                or folded in CALLED
                or not (
                    is_strong(folded)
                    or (may_be_name(folded) and capitals)
                    or (not is_ordinary(folded) and capitals)
                )
            ):
                break
            stop = word.end()
        if stop > finding.end:
            yield replace(finding, end=stop)
    low = max(0, finding.start - 40)
    before = _LAST_LINE.search(text[low : finding.start])
    if before and _is_long(text, low + before.end(1)):
        last = before[1]
        folded = fold_chars(last)
        if (
            last[0].isupper() == text[finding.start].isupper()
            and folded not in CALLED
            and folded not in never_names()
            and (is_strong(folded) or (last.istitle() and (may_be_name(folded) or not is_ordinary(folded))))
        ):
            yield replace(finding, start=low + before.start(1))


def _over_hyphen(text: str, finding: Finding) -> Iterator[Finding]:
    """With the rest of a word that a line's end has cut in two: "Emilio Del Cam-", "pillo"."""
    after = _REST.match(text, finding.end)
    before = _HALF.search(text, max(0, finding.start - 40), finding.start)
    start = before.start(1) if before and text[finding.start].islower() else finding.start
    end = after.end() if after else finding.end
    if (start, end) != (finding.start, finding.end):
        yield replace(finding, start=start, end=end)


_SHORT = re.compile(r"[ ]([^\W\d_]{2})(?=[,;:)\n]|[.](?:\s|$)|$)")  # "Catarina [Us], comadrona"
_LINKS = PARTICLES | table("function_words")
_REST = re.compile(r"-\n[ ]*[a-záéíóúüñ]+")
_HALF = re.compile(r"(?<![^\W\d_])([A-ZÁÉÍÓÚÜÑ][^\W\d_]*)-\n[ ]*$")


def _is_long(text: str, end: int) -> bool:
    return end - text.rfind("\n", max(0, end - 240), end) > 45
