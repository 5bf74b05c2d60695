"""WER and CER of Spanish minutes (jiwer), under two normalizations.

*Headline* (``words``): lower case, no punctuation. **Accents count**, because "reunion" for "reunión" is
one of the errors the adapter is there to mend; so do digits ("1.200,50" is one word) and placeholders
(``<PERSONA_1>`` is one word). This is what speech recognition calls WER and what a clerk corrects by ear.

*Strict* (``strict``): the same words with their capitals, and every punctuation mark is a word. It is
what a clerk corrects by eye. Both are gated: an adapter that forgets capitals reads worse even when every
word is right.

*Entities* (``entities``): what a citizen, an amount or a place is called: placeholders, anything with a
digit, and words with a capital inside a sentence. A number below 30 is the same in letters and in
figures: how it is written is the clerk's style, which WER counts. One that the reference has and the
answer has not is an error, and so is one that was made up; where it stands does not matter.

Both sides are put in NFC first. Rates are errors / reference words (entities), so they can exceed 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from astra_learn_assets.datasets.suspicion import number_words
from astra_learn_assets.spanish.placeholder import PLACEHOLDER
from astra_learn_assets.spanish.text import normal_form

_TOKEN = re.compile(rf"{PLACEHOLDER.pattern}|\d+(?:[.,:/]\d+)*|[^\W\d_]+|[^\s]")
_KEPT_SIGNS = frozenset("%€$ºª&+@")
_SENTENCE_ENDS = frozenset('.!?…:¿¡«"“—')


@dataclass(frozen=True)
class Counts:
    """Edit operations against a reference of ``words`` words; counts of several texts add up."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per reference word; with no reference word, errors per one word."""
        return self.errors / max(self.words, 1)


@dataclass(frozen=True)
class TextCounts:
    """One hypothesis: headline words, strict words, characters of the headline form, entities."""

    words: Counts
    strict: Counts
    characters: Counts
    entities: Counts

    def __add__(self, other: TextCounts) -> TextCounts:
        return TextCounts(
            self.words + other.words,
            self.strict + other.strict,
            self.characters + other.characters,
            self.entities + other.entities,
        )


NOTHING = TextCounts(Counts(), Counts(), Counts(), Counts())


def headline_words(text: str) -> list[str]:
    """Words in lower case without punctuation; accents, numbers and placeholders stay."""
    return [
        token.lower()
        for token in strict_words(text)
        if token[0].isalnum() or PLACEHOLDER.fullmatch(token) or token in _KEPT_SIGNS
    ]


def strict_words(text: str) -> list[str]:
    """Words as written, every punctuation mark a word of its own."""
    return [match[0] for match in _TOKEN.finditer(normal_form(unicodedata.normalize("NFC", text)))]


def compare(reference: str, hypothesis: str) -> TextCounts:
    """Count what separates ``hypothesis`` from ``reference``."""
    was, now = headline_words(reference), headline_words(hypothesis)
    return TextCounts(
        words=_count_words(was, now),
        strict=_count_words(strict_words(reference), strict_words(hypothesis)),
        characters=_count_characters(" ".join(was), " ".join(now)),
        entities=_count_entities(reference, hypothesis),
    )


def entities(text: str) -> Counter[str]:
    """Placeholders, numbers and capitals inside a sentence, each as often as it comes."""
    found: Counter[str] = Counter()
    opens = True
    tokens = strict_words(text)
    for place, token in enumerate(tokens):
        is_name = token[0].isupper() and len(token) > 1 and not opens
        if PLACEHOLDER.fullmatch(token) or token[0].isdigit() or is_name:
            found[token] += 1
        elif (number := _number(tokens, place)) is not None:
            found[str(number)] += 1
        opens = token in _SENTENCE_ENDS
    return found


def _number(tokens: list[str], place: int) -> int | None:
    """The value of one word from "dos" to "veintinueve" that is no part of a longer number."""
    value = number_words().get(tokens[place].lower())
    if value is None or not 2 <= value < 30:
        return None
    words = [word.lower() for word in tokens[max(place - 2, 0) : place + 2]]
    at = min(place, 2)
    before, after = words[:at], words[at + 1 :]
    if before and before[-1] == "y":  # "treinta y dos"
        before.pop()
    return None if {*before[-1:], *after} & number_words().keys() else value


def _count_entities(reference: str, hypothesis: str) -> Counts:
    was, now = entities(reference), entities(hypothesis)
    return Counts(was.total(), deletions=(was - now).total(), insertions=(now - was).total())


def _count_words(reference: list[str], hypothesis: list[str]) -> Counts:
    import jiwer

    if not reference:
        return Counts(insertions=len(hypothesis))
    if reference == hypothesis:  # the usual case: most paragraphs are right
        return Counts(len(reference))
    output = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return Counts(len(reference), output.substitutions, output.deletions, output.insertions)


def _count_characters(reference: str, hypothesis: str) -> Counts:
    import jiwer

    if not reference:
        return Counts(insertions=len(hypothesis))
    if reference == hypothesis:
        return Counts(len(reference))
    output = jiwer.process_characters(reference, hypothesis)
    return Counts(len(reference), output.substitutions, output.deletions, output.insertions)
