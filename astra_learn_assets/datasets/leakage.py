"""Has a corpus seen the golden set? Same text, or nearly the same text, counts as seen.

Two examples are the same when both sides fold to the same words (lower case, no accents, no
punctuation, placeholders alike). They are nearly the same when, on both sides, at least 90 % of the
golden example's word triples occur in the other one. A reference of eight words or more that the corpus
holds word for word leaks too, whatever its input: the answer itself was learned. Shorter references
("Se aprueba por unanimidad.") are formulas that every session repeats.

Triples index the golden set, so the cost is linear in the corpus, not golden times corpus.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from astra_learn_assets.contracts import Example
from astra_learn_assets.spanish.text import folded_words

_NEAR = 0.9
_FORMULA_WORDS = 8

Words = tuple[str, ...]


class GoldenIndex:
    """Answers for one example at a time whether the golden set already holds its text."""

    def __init__(self, golden: Iterable[Example]) -> None:
        self._documents: set[str] = set()
        self._pairs: set[tuple[Words, Words]] = set()
        self._references: set[Words] = set()
        self._triples: list[tuple[frozenset[Words], frozenset[Words]]] = []
        self._by_triple: defaultdict[Words, list[int]] = defaultdict(list)
        for example in golden:
            before, after = folded_words(example.input), folded_words(example.output)
            self._documents.add(example.meta.document_id)
            self._pairs.add((before, after))
            if len(after) >= _FORMULA_WORDS:
                self._references.add(after)
                sides = (_triples(before), _triples(after))
                for triple in sides[1]:
                    self._by_triple[triple].append(len(self._triples))
                self._triples.append(sides)

    def leak(self, example: Example) -> str | None:
        """``golden_document``, ``golden_text`` or ``golden_near``; None when the example is unseen."""
        if example.meta.document_id in self._documents:
            return "golden_document"
        before, after = folded_words(example.input), folded_words(example.output)
        if (before, after) in self._pairs or after in self._references:
            return "golden_text"
        left, right = _triples(before), _triples(after)
        shared = Counter(index for triple in right for index in self._by_triple.get(triple, ()))
        for index, count in shared.items():
            golden_left, golden_right = self._triples[index]
            if count >= _NEAR * len(golden_right) and len(left & golden_left) >= _NEAR * len(golden_left):
                return "golden_near"
        return None


def _triples(words: Words) -> frozenset[Words]:
    if len(words) < 3:
        return frozenset({words})
    return frozenset(zip(words, words[1:], words[2:], strict=False))
