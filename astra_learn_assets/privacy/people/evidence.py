"""Everyday words that are somebody here, because the document says elsewhere who is called so.

Minutes that list "Eusebio Sueldo Campos" as present mean him by "Contesta Sueldo que no". A word of such a
name counts again

* in print with a capital inside a sentence, unless an article stands before it ("la Guerra"), a place's head,
  or a capital of no known name beside it ("Plaza Mayor", "Guerra Civil"), or a surname is out of the question
  for the tagger;
* anywhere else, opening a sentence, in capitals or in text without any, where the tagger half believes it.

Words that are no everyday Spanish need none of this (:func:`~joining.repeat_names`). Evidence is a name in
full, or one that a title, a roster or the head of a turn announces and that is one of the lists': "consellera
de la Generalitat" names nobody. A town or a country is never known again: "señor España" is not Spain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from astra_learn_assets.privacy.identifiers.rules import Finding, Spans
from astra_learn_assets.privacy.people.listed_names import after_place_head, is_full_name
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.runs import may_be_name
from astra_learn_assets.privacy.people.second_reader import KNOWN, NO_NAME, Reading
from astra_learn_assets.privacy.people.titles import is_titled
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, place_words
from astra_learn_assets.spanish.name_words import PARTICLES, WORD

DETECTOR = "document"
_ANNOUNCED = frozenset({"title", "speaker", "announced", "list of the tenant"})
_OPENS = re.compile(r"(?:^|[.!?¿¡…:;\n«\"(]|[-–—•][ ])[ ]*$")
_ARTICLE = re.compile(r"(?i)(?<!\w)(?:el|la|los|las|lo|del|al|un|una|unos|unas|su|sus|nuestr[oa]s?)\s$")
_OF = re.compile(r"(?i)(?<!\w)([^\W\d_]+)\sde\s$")


def is_evidence(text: str, finding: Finding) -> bool:
    """Whether a finding leaves no doubt that somebody is called so."""
    if is_full_name(text, finding):
        return True
    core = [
        word for word in map(fold_chars, WORD.findall(text[finding.start : finding.end])) if _can_stand(word)
    ]
    return finding.detector in _ANNOUNCED and bool(core) and all(map(may_be_name, core))


@lru_cache(maxsize=8)  # asked for every text of a document, with the same names
def words_of(names: tuple[str, ...]) -> frozenset[str]:
    """The folded words of names that can stand for their bearer."""
    return frozenset(
        word for name in names for word in map(fold_chars, WORD.findall(name)) if _can_stand(word)
    )


def _can_stand(word: str) -> bool:
    return len(word) > 2 and word not in PARTICLES and word not in place_words()


def known_again(
    text: str, known: frozenset[str], reading: Reading, spared: Sequence[tuple[int, int]]
) -> Iterator[Finding]:
    """Where a word in ``known`` (:func:`words_of`) stands for somebody, outside ``spared``."""
    if not known:
        return
    kept = Spans(spared)
    words = list(WORD.finditer(text))
    for at, word in enumerate(words):
        start, end = word.span()
        if fold_chars(word[0]) not in known or kept.touch(start, end):
            continue
        likely = reading.likeliest(start, end)
        before = text[max(0, start - 40) : start]
        inside = word[0].istitle() and not _OPENS.search(before)
        thinkable = likely >= NO_NAME or fold_chars(word[0]) in given_names()
        if likely >= KNOWN or (inside and thinkable and _is_alone(text, words, at, known, before)):
            if reading.printed and word[0].islower():
                continue  # in print a person has a capital: "los campos" are fields
            if not after_place_head(text, start) or is_titled(text, start):
                yield Finding(start, end, "PERSONA", RANK, DETECTOR)


def _is_alone(text: str, words: Sequence[re.Match[str]], at: int, known: frozenset[str], before: str) -> bool:
    """Whether the word's capital has no other reason: no article, no head, no foreign capital beside it."""
    if _ARTICLE.search(before):
        return False
    head = _OF.search(before)
    if head and head[1][0].isupper() and not _OPENS.search(before[: head.start()]):
        return False
    beside = [words[at + 1]] if at + 1 < len(words) else []
    if at and not _OPENS.search(text[max(0, words[at - 1].start() - 3) : words[at - 1].start()]):
        beside.append(words[at - 1])
    own = words[at].span()
    return not any(
        word[0][0].isupper()
        and fold_chars(word[0]) not in known
        and text[min(own[1], word.end()) : max(own[0], word.start())] == " "
        and not is_titled(text, own[0])
        for word in beside
    )
