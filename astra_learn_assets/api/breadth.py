"""Which name fixes are too broad for the dictionary.

An entry is applied to every later draft of the municipality, so a `wrong` that is also plain Spanish
("plaza", "la", "3") would damage more text than it mends. Such a fix is still learned as a text
correction; only the instant replacement is refused, with a reason the clerk reads.
"""

from __future__ import annotations

import re
import unicodedata

from astra_learn_assets.api.common_words import COMMON_WORDS

MAXIMUM_LENGTH = 200
_WORD = re.compile(r"[^\W\d_]+")


def too_broad(wrong: str, right: str) -> str | None:
    """Why ``wrong -> right`` must not be applied by itself to later drafts; None when it may.

    Call::

        too_broad("Plaza", "Plasencia")  # 'common_word'
        too_broad("Villa Berde", "Villaverde")  # None

    Rules, first match wins: ``empty`` (either side has no letter), ``no_change``, ``too_long``,
    ``too_short`` (a single letter), ``lower_case`` (no capital in ``wrong``: not written as a name),
    ``common_word`` (one word that is plain Spanish, however it is capitalised).
    """
    wrong, right = (" ".join(unicodedata.normalize("NFC", side).split()) for side in (wrong, right))
    words = _WORD.findall(wrong)
    if not words or not _WORD.search(right):
        return "empty"
    if wrong == right:
        return "no_change"
    if max(len(wrong), len(right)) > MAXIMUM_LENGTH:
        return "too_long"
    if sum(map(len, words)) < 2:
        return "too_short"
    if wrong == wrong.lower():
        return "lower_case"
    if len(words) == 1 and words[0].casefold() in COMMON_WORDS:
        return "common_word"
    return None
