"""What is nobody in print, whoever found it; asked of the spans as they stand at the end.

Rules and tagger each add and join, so that a span may come to what none of them would have said alone. In
text with capitals these are no persons, unless a title stands before them:

* a small word that is everyday Spanish, and a small word that only repeats a name ("los [rosales]");
* a repeat with a capital that the tagger is sure is none ("viaja a [Córdoba]");
* an everyday word in no list of names that opens a sentence or a quotation ("«[Juro] por", "[Idem], a");
* an acronym ("[DIF]"), which is short, in no list of names and stands in a line that is not in capitals;
* letters that stand for figures ("11.[xxx].xxx");
* a firm, by its first word, by what its form is called behind it, or by the mark it is quoted in.

Names of a municipality's own lists do not pass here. A document's evidence does: who is known by a full name
keeps the head of a turn ("[Descanso]: en el museo").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.runs import case_at, may_be_name
from astra_learn_assets.privacy.people.second_reader import NO_NAME, VERY_SURE, Reading
from astra_learn_assets.privacy.people.support import is_plain
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_inflected, is_ordinary

_FIRMS = table("firm_openings")
_FIRM_TAIL = re.compile(
    r"(?i),?[ ](?:s[.] ?[acl]|c[.] ?v|s[.]r[.]l|s[.]a[.]s|e[.]i[.]r|ltda|cía|ute|sociedad|company)(?!\w)"
)
_OPENS = re.compile(r"(?:^|[.!?¿¡…\n«\"“(]|[-–—•·][ ]?)[ ]*$")
_VOWEL = re.compile(r"[aeiouyáéíóúü]", re.IGNORECASE)
_LONGEST_ACRONYM = 7


def believed(text: str, found: Sequence[Finding], reading: Reading | None) -> Iterator[Finding]:
    """The findings without the persons that are nobody; others and text without capitals pass."""
    for finding in found:
        if (
            reading is None
            or not reading.printed
            or finding.kind != "PERSONA"
            or finding.rank >= 80
            or not _is_nobody(text, finding, reading)
            or is_titled(text, finding.start)
        ):
            yield finding


def _is_nobody(text: str, finding: Finding, reading: Reading) -> bool:
    value = text[finding.start : finding.end]
    words = [w for w in WORD.findall(value) if fold_chars(w) not in PARTICLES]
    folded = [fold_chars(w) for w in words]
    if len(words) > 1:
        return folded[0] in _FIRMS or _FIRM_TAIL.match(text, finding.end) is not None
    if not words:
        return False
    word, likely = folded[0], reading.likeliest(finding.start, finding.end)
    if words[0].islower():
        plain = is_ordinary(word) or is_inflected(word) or is_plain(word)
        return plain or _VOWEL.search(value) is None or (finding.detector == "repeat" and likely < VERY_SURE)
    heads = text[finding.end : finding.end + 1] == ":"
    if finding.detector == "repeat" and likely < NO_NAME and not heads:
        return True
    if words[0].isupper() and 1 < len(word) <= _LONGEST_ACRONYM and not may_be_name(word):
        return case_at(text, finding.start, finding.end) == "printed"
    opens = _OPENS.search(text[max(0, finding.start - 4) : finding.start]) is not None
    return opens and is_plain(word)
