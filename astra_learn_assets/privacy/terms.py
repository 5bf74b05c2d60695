"""The tenant's own lists: names that are always masked, and places that never are.

A masked term matches blind to case, accents, spacing and punctuation (``ORTEGA-PRADO``, ``lucia.ortega``,
``L U C Í A``), inverted ("Ortega Prado, Lucía"), abbreviated ("L. Ortega") and in part: each of its
words alone, if the word is capitalised or no ordinary Spanish word. Titles in a term ("alcaldesa Lucía
Ortega") are left out, so any inflection of them stands outside the mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.persons import PARTICLES, is_ordinary
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import role_words
from astra_learn_assets.spanish.visible import clean

RANK = 90
_WORD = re.compile(r"[^\W_]+")
_GAP = r"[\W_]{0,4}"
_SPACED = re.compile(r"(?<!\w)(?:\w[ .\-_]{1,2}){3,}\w(?!\w)")
_TITLES = frozenset(
    [
        "d",
        "da",
        "dna",
        "don",
        "doña",
        "dña",
        "sr",
        "sra",
        "sres",
        "sras",
        "señor",
        "señora",
        "dr",
        "dra",
        "doctor",
        "doctora",
        "lic",
        "ing",
        "abg",
        "arq",
        "econ",
        "prof",
        "mtro",
        "y",
        "e",
    ]
)


def _key_words(term: str) -> list[str]:
    return [
        w for w in _WORD.findall(fold_chars(clean(term).text)) if w not in _TITLES and w not in role_words()
    ]


class MaskTerms:
    """Finds the masked terms of a tenant (blocklist and roster) in cleaned text."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._full: list[str] = []
        single: set[str] = set()
        phrases: set[str] = set()
        for term in terms:
            words = _key_words(term)
            if not words or sum(len(w) for w in words) < 3:
                continue
            names = [w for w in words if w not in PARTICLES]
            phrases.update(_phrases(words, names))
            single.update(w for w in names if len(w) > 2 and not w.isdigit())
        self.words = frozenset(single)
        ordered = sorted(phrases, key=lambda p: (-len(p), p))
        self._phrases = re.compile(rf"(?<![^\W_])(?:{'|'.join(ordered)})(?![^\W_])") if ordered else None
        self._compact = {re.sub(r"\W", "", "".join(_key_words(t))) for t in terms} - {""}

    def __bool__(self) -> bool:
        return self._phrases is not None

    def find(self, text: str) -> Iterator[Finding]:
        """Every occurrence, whole or in part."""
        if self._phrases is None:
            return
        folded = fold_chars(text)
        for match in self._phrases.finditer(folded):
            if match.end() > match.start():
                yield Finding(match.start(), match.end(), "PERSONA", RANK, "list of the tenant")
        for match in _WORD.finditer(folded):
            if match[0] not in self.words and match[0].rstrip("s") not in self.words:
                continue
            written = text[match.start() : match.end()]
            if match[0] in self.words and (
                not is_ordinary(match[0]) or self._stands_as_name(text, match.start(), written)
            ):
                yield Finding(match.start(), match.end(), "PERSONA", RANK - 1, "list of the tenant")
        for match in _SPACED.finditer(folded):
            letters = re.sub(r"[\W_]", "", match[0])
            if any(
                letters in compact or compact in letters
                for compact in self._compact | self.words
                if len(compact) > 3
            ):
                yield Finding(match.start(), match.end(), "PERSONA", RANK, "list of the tenant")

    @staticmethod
    def _stands_as_name(text: str, start: int, written: str) -> bool:
        """An ordinary word ("Prado") is the person only when capitalised inside a sentence."""
        if not written[:1].isupper():
            return bool(
                re.search(
                    r"(?i)\b(?:señor(?:a|es)?|don|doña|sra?\.?|d\.|dña\.?)\s*$",
                    text[max(0, start - 10) : start],
                )
            )
        if written.isupper() and len(written) > 1:
            around = text[max(0, start - 20) : start]
            return not around.isupper() or not around.strip()
        return not re.search(r"(?:^|[.!?¿¡:\n]\s*)$", text[max(0, start - 3) : start])


def _phrases(words: list[str], names: list[str]) -> Iterator[str]:
    """Regexes for the term in full, inverted, abbreviated, and for each pair of its neighbours."""
    plural = "(?:s|es)?" if len(names) == 1 else ""
    if len(words) > 1 or not is_ordinary(words[0]):
        yield _GAP.join(re.escape(w) for w in words) + plural
    if len(names) < 2:
        return
    yield _GAP.join(re.escape(w) for w in names)
    for cut in range(1, len(names)):
        turned = [*names[cut:], *names[:cut]]
        yield _GAP.join(re.escape(w) for w in turned)
    initials = f"{re.escape(names[0][0])}[. ]{{1,2}}"
    yield initials + _GAP.join(re.escape(w) for w in names[1:])
    for first, second in pairwise(names):
        if not (is_ordinary(first) and is_ordinary(second)):
            yield re.escape(first) + _GAP + re.escape(second)


class AllowTerms:
    """Finds what the tenant leaves readable, such as "calle Simón Bolívar"."""

    def __init__(self, terms: Sequence[str]) -> None:
        words = [_WORD.findall(fold_chars(clean(term).text)) for term in terms]
        forms = sorted(
            {r"[\W_]{1,4}".join(map(re.escape, w)) for w in words if w}, key=lambda f: (-len(f), f)
        )
        self._form = re.compile(rf"(?<![^\W_])(?:{'|'.join(forms)})(?![^\W_])") if forms else None

    def find(self, text: str) -> list[tuple[int, int]]:
        """Spans left readable."""
        return [m.span() for m in self._form.finditer(fold_chars(text))] if self._form else []
