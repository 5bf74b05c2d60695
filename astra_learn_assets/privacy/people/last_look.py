"""What is nobody, whoever found it; asked of the spans as they stand at the end.

Rules and tagger each add and join, so that a span may come to what none of them would have said alone. These
are no persons, unless a title stands before them:

* words of no list that only the entity model or a cue takes for a person and the tagger does not ("hay
  [jeringas]", "Santa Rita del [Penderisco]"); a surname too, where the tagger is sure that it is nobody's;
* what the tagger is sure belongs to a place or a body, but a given name with a surname ("en
  [Bellavista Nueva]", "la orquesta [Ritmo Costeño]");
* letters in a number ("055-2023-[MDP]/AL"), and nothing but words that no name holds ("la [JAC]");
* in text without capitals, what stands behind a street's or a school's head ("la calle [Duarte]").

In text with capitals further:

* a small word that is everyday Spanish, and a small word that only repeats a name ("los [rosales]");
* a repeat with a capital that the tagger is sure is none ("viaja a [Córdoba]");
* an everyday word in no list of names that opens a sentence or a quotation ("«[Juro] por", "[Idem], a");
* an acronym ("[DIF]"), which is short, in no list of names and stands in a line that is not in capitals; a
  longer one behind the name of whom that office sent ("Gisela Barraza, [MINVU];");
* letters that stand for figures ("11.[xxx].xxx");
* a firm or a public place, by its first word or by what its form is called behind it.

Names of a municipality's own lists do not pass here, nor do words of somebody whom the text names in full or
with a title. Of those the head of a turn and the bracket behind an office are found here as well, which for
everyday words nothing else tells: "[Descanso]: en el museo", "Secretario ([Mori])".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from astra_learn_assets.privacy.identifiers.rules import Finding, Spans
from astra_learn_assets.privacy.people.listed_names import behind_street, is_full_name, is_place_head
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS, RANK
from astra_learn_assets.privacy.people.runs import case_at, may_be_name, never_names
from astra_learn_assets.privacy.people.second_reader import ADDED, NO_NAME, VERY_SURE, Reading
from astra_learn_assets.privacy.people.second_reader import DETECTOR as TAGGER
from astra_learn_assets.privacy.people.support import is_plain
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names
from astra_learn_assets.spanish.name_words import PARTICLES, WORD, is_inflected, is_ordinary

_FIRMS = table("firm_openings")
_FIRM_TAIL = re.compile(
    r"(?i),?[ ](?:s[.] ?[acl]|c[.] ?v|s[.]r[.]l|s[.]a[.]s|e[.]i[.]r|ltda|cía|ute|sociedad|company)(?!\w)"
)
_OPENS = re.compile(r"(?:^|[.!?¿¡…\n«\"“(]|[-–—•·][ ]?)[ ]*$")
_AND = re.compile(r"[ ][yYeE][ ]$")
_SENT_BY = re.compile(r"(?:[^\W\d_]+[ ][A-ZÁÉÍÓÚÑ][a-záéíóúüñ]+|<PERSONA_\d+>),[ ]$")
_VOWEL = re.compile(r"[aeiouyáéíóúü]", re.IGNORECASE)
_LONGEST_ACRONYM = 4  # "SASPE" may be somebody's name
_ALONE = frozenset({"model", "title", "speaker"})
_UNREAD = 0.1
"""How likely the tagger must find one of the words at the least, where it is the second to speak for them."""
_SUPPOSED = frozenset({"model", "list", "repeat"})
_NOBODY = 0.005
"""How likely the tagger must find a surname at the least that nothing but its sound speaks for."""
_NUMBERED = re.compile(r"(?:\d{3}[-/]|\d{4}[-/][^\W\d_]{1,6}[-/])\Z")  # "11-ONETTO" is a row of a roster
_CODED = re.compile(r"/[^\W\d_]{2}")
_REPEATED = {"repeat": VERY_SURE, TAGGER: ADDED}
"""How likely a small word among capitals must be, that repeats a name: the tagger adds known
ones below its bound."""
_PLACED = frozenset({"title", "speaker", "announced"})
_TOLD = frozenset({"announced", "document"})


def believed(text: str, found: Sequence[Finding], reading: Reading | None) -> Iterator[Finding]:
    """The findings without the persons that are nobody, and with the heads of turns."""
    if reading is None:
        yield from found
        return
    people = [f for f in found if f.kind == "PERSONA"]
    known = _known(text, people)
    for finding in found:
        if (
            finding.kind != "PERSONA"
            or finding.rank >= AS_IT_STANDS
            or not (_is_nobody(text, finding, reading, known) or _is_elsewhere(text, finding, reading))
            or is_titled(text, finding.start)
        ):
            yield finding
    covered = Spans((f.start, f.end) for f in found)
    for head in _HEAD.finditer(text):
        start, end = head.span(1)
        if fold_chars(head[1]) in known and not covered.touch(start, end):
            yield Finding(start, end, "PERSONA", RANK, "document")


def _known(text: str, people: Sequence[Finding]) -> frozenset[str]:
    """Folded words of those who are named by more than a word, or with a title."""
    return frozenset(
        word
        for f in people
        for word in map(fold_chars, WORD.findall(text[f.start : f.end]))
        if len(word) > 2
        and word not in PARTICLES
        and (" " in text[f.start : f.end] or is_titled(text, f.start))
    )


_HEAD = re.compile(
    r"(?:(?:^|[.!?…\n])[ ]*|(?<=\w )[(])([^\W\d_]{3,})(?=:[ ]|[)]|[ ]?[.][ ]?[-–—])", re.MULTILINE
)


def _is_doubted(text: str, finding: Finding, words: Sequence[str], reading: Reading) -> bool:
    """Whether one detector alone speaks for ``words``, and the tagger or the place speaks against them."""
    likely = reading.likeliest(finding.start, finding.end)
    if not any(map(may_be_name, words)) and (
        (finding.detector in _ALONE and likely < _UNREAD) or (len(words) == 1 and _in_a_code(text, finding))
    ):
        return True
    if finding.detector not in _SUPPOSED or any(w in given_names() for w in words):
        return False
    return likely < _NOBODY or (not reading.printed and behind_street(text, finding.start))


def _is_elsewhere(text: str, finding: Finding, reading: Reading) -> bool:
    return (
        finding.detector not in _TOLD
        and reading.is_elsewhere(finding.start, finding.end)
        and not is_full_name(text, finding)
    )


def _in_a_code(text: str, finding: Finding) -> bool:
    """Whether letters are part of a paper's number: "055-2023-MDP/AL", "Ref.: MJAS/letg"."""
    numbered = _NUMBERED.search(text, max(0, finding.start - 12), finding.start) is not None
    short = finding.end - finding.start <= 6
    capitals = text[finding.start : finding.end].isupper()
    return short and (numbered or (capitals and _CODED.match(text, finding.end) is not None))


def _is_nobody(text: str, finding: Finding, reading: Reading, known: frozenset[str]) -> bool:
    value = text[finding.start : finding.end]
    words = [w for w in WORD.findall(value) if fold_chars(w) not in PARTICLES]
    folded = [fold_chars(w) for w in words]
    if (
        folded
        and not any(w in known for w in folded)
        and (all(w in never_names() for w in folded) or _is_doubted(text, finding, folded, reading))
    ):
        return True
    if not reading.printed:
        return False
    if len(words) > 1:
        opens_place = is_place_head(folded[0]) and not may_be_name(folded[0])
        return opens_place or folded[0] in _FIRMS or _FIRM_TAIL.match(text, finding.end) is not None
    if not words or case_at(text, finding.start, finding.end) == "capitals":
        return False
    word, likely = folded[0], reading.likeliest(finding.start, finding.end)
    if words[0].islower():
        believable = may_be_name(word) and likely >= ADDED and finding.detector != "repeat"
        if believable or finding.detector in _PLACED:
            return False
        plain = is_ordinary(word) or is_inflected(word) or is_plain(word)
        return plain or _VOWEL.search(value) is None or likely < _REPEATED.get(finding.detector, 0.0)
    if finding.detector == "repeat" and likely < NO_NAME:
        return text[finding.end : finding.end + 1] != ":"
    if word in known:
        return False
    if words[0].isupper() and len(word) > 1 and not may_be_name(word):
        sent_by = _SENT_BY.search(text, max(0, finding.start - 40), finding.start)
        if sent_by and value == words[0] and text[finding.end : finding.end + 1] != " ":
            return True
        if len(word) <= _LONGEST_ACRONYM:
            return _AND.search(text, max(0, finding.start - 3), finding.start) is None  # "LARA Y [CADO]"
    opens = _OPENS.search(text[max(0, finding.start - 4) : finding.start]) is not None
    return opens and is_plain(word)
