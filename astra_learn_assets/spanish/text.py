"""What text is, for a data set: one normal form, and the words compared.

Two spellings of the same thing must not become two examples, so every text goes through
:func:`normal_form` before it is hashed. :func:`folded_words` is coarser: it is what "nearly the same text"
means when the golden set is kept out of a corpus. What a detector must see through (tags, look-alikes)
is another question, with a way back to the original: :mod:`~astra_learn_assets.spanish.visible`.
"""

from __future__ import annotations

import re
import unicodedata

from astra_learn_assets.spanish.fold import near_fold
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
_WORD = re.compile(r"\w+")


def normal_form(text: str) -> str:
    """The normal form of a text: NFC, ``\\n`` line ends, single blanks, nothing invisible.

    Soft hyphens, zero-width characters and byte-order marks go because nobody who corrected the
    document could see them. Other control characters stay: they are for the quality rules to refuse.
    """
    text = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text).translate(_INVISIBLE))
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in text.split("\n")).strip()


def folded_words(text: str) -> tuple[str, ...]:
    """Lower-case words without accents or punctuation; every placeholder is the word ``<>``.

    Placeholder numbers are shuffled per example, so they must not make two texts differ.
    """
    words: list[str] = []
    position = 0
    for match in PLACEHOLDER.finditer(text):
        words += _WORD.findall(near_fold(text[position : match.start()]))
        words.append("<>")
        position = match.end()
    words += _WORD.findall(near_fold(text[position:]))
    return tuple(words)


def mixes_scripts(word: str) -> bool:
    """Whether ``word`` has Latin letters and letters of another script; ª and º are Latin."""
    names = [unicodedata.name(c, "") for c in word if c.isalpha()]
    latin = [name.startswith(("LATIN", "FEMININE", "MASCULINE")) for name in names]
    return any(latin) and not all(latin)


def accents(word: str) -> int:
    """How many marks stand on the letters of ``word``, ñ and ç included."""
    return sum(unicodedata.combining(c) != 0 for c in unicodedata.normalize("NFD", word))
