"""Word and character error rates of a draft against the final, which is the truth.

WER = (substitutions + deletions + insertions) / words of the final; CER likewise over characters.
Words are what whitespace separates, as written; so capitals and commas count.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_CHARACTERS_UP_TO = 20_000


@dataclass(frozen=True)
class Errors:
    """Edit counts of one block; sums of blocks give the document's rates."""

    word_edits: int
    words: int
    character_edits: int
    characters: int

    @property
    def wer(self) -> float:
        return _rate(self.word_edits, self.words)

    @property
    def cer(self) -> float:
        return _rate(self.character_edits, self.characters)

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.word_edits + other.word_edits,
            self.words + other.words,
            self.character_edits + other.character_edits,
            self.characters + other.characters,
        )


NO_ERRORS = Errors(0, 0, 0, 0)


def count_errors(before: str, after: str) -> Errors:
    """Edits that turn the draft's ``before`` into the final's ``after``; both with single spaces."""
    if before == after:
        return Errors(0, count_words(after), 0, len(after))
    old, new = before.split(), after.split()
    word_edits = Levenshtein.distance(old, new)
    if max(len(before), len(after)) <= _CHARACTERS_UP_TO:
        character_edits = Levenshtein.distance(before, after)
    else:  # quadratic: count characters inside the changed words only
        character_edits = sum(
            Levenshtein.distance(
                " ".join(old[op.src_start : op.src_end])[:_CHARACTERS_UP_TO],
                " ".join(new[op.dest_start : op.dest_end])[:_CHARACTERS_UP_TO],
            )
            for op in Levenshtein.opcodes(old, new)
            if op.tag != "equal"
        )
    return Errors(word_edits, len(new), character_edits, len(after))


def count_words(text: str) -> int:
    """Words of a text with single spaces."""
    return text.count(" ") + 1 if text else 0


def _rate(edits: int, length: int) -> float:
    if length:
        return edits / length
    return 1.0 if edits else 0.0
