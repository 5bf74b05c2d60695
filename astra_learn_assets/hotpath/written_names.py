"""The names that stand in a final: what its clerk read and let stand, or wrote.

What other clerks' finals hold is what the municipality writes, its places, streets and parties too, which no
roster names. :mod:`second_voice` asks it before a name fix is believed of one voice.

Only single words are kept, in no order: enough to ask whether a word is written here, and not who said what
about whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.name_words import is_ordinary

SHORTEST = 3  # letters: "de" and "la" stand in many names
MOST = 500  # words of a final; real minutes hold some hundreds
_WORD = re.compile(r"[^\W\d_]+")
# A final has ten thousand words and few with a capital: those that begin small are passed over at once.
_CAPITALIZED = re.compile(rf"(?<![^\W\d_])[^\W\d_a-záéíóúüñ][^\W\d_]{{{SHORTEST - 1},}}")
_OPENS = ".?!:;…«\"'(-–—"


def words_of(name: str) -> list[str]:
    """The words of a name that tell it from another, as they are written."""
    return [word for word in _WORD.findall(name) if len(word) >= SHORTEST]


def names_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct capitalized words of a final's paragraphs, at most :data:`MOST`, sorted.

    An ordinary word that opens a sentence owes its capital to that. A word all in capitals is left out: it
    may lack its accents, and in a heading every word is one.
    """
    found: set[str] = set()
    for text in texts:
        for match in _CAPITALIZED.finditer(text):
            word = match[0]
            if not word[0].isupper() or word.isupper() or word in found:
                continue
            if _opens_a_sentence(text, match.start()) and is_ordinary(fold_chars(word)):
                continue
            found.add(word)
            if len(found) == MOST:
                return tuple(sorted(found))
    return tuple(sorted(found))


def _opens_a_sentence(text: str, start: int) -> bool:
    """Looks back over white space alone: a paragraph may hold thousands of such words."""
    while start and text[start - 1].isspace():
        start -= 1
    return start == 0 or text[start - 1] in _OPENS
