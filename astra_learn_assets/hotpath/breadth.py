"""Which name fixes are too broad for the dictionary.

An entry is applied to every later draft of the municipality, so a ``wrong`` that is also plain Spanish
("plaza", "la", "3") would damage more text than it mends. The engine has widened or doubted such fixes
already; this is the second wall, in front of the dictionary itself. What is refused here is still learned
as a correction of its sentence; only the replacement everywhere is not made, and the clerk reads why.
"""

from __future__ import annotations

import re

from astra_learn_assets.contracts import EntityChange
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import one_line

MAXIMUM_LENGTH = 200
CONFIDENCE_MINIMUM = 0.5
_WORD = re.compile(r"[^\W\d_]+")


def too_broad(change: EntityChange) -> str | None:
    """Why ``change`` must not be applied by itself to later drafts; None when it may.

    Rules, the first that fits: ``empty`` (a side without a letter), ``no_change``, ``too_long``,
    ``too_short`` (one letter), ``common_word`` (one word that is plain Spanish, however capitalised),
    ``lower_case`` (nothing in it is written as a name, and it is plain words or of no known kind),
    ``low_confidence`` (the engine itself doubts it).
    """
    wrong, right = one_line(change.wrong), one_line(change.right)
    words = [word.casefold() for word in _WORD.findall(wrong)]
    if not words or not _WORD.search(right):
        return "empty"
    if wrong == right:
        return "no_change"
    if max(len(wrong), len(right)) > MAXIMUM_LENGTH:
        return "too_long"
    if sum(map(len, words)) < 2:
        return "too_short"
    if len(words) == 1 and _is_plain(words[0]):
        return "common_word"
    spelled = len(words) > 1 and all(word in lexicon.LETTERS for word in words)  # "pe pe" for PP
    if wrong == wrong.lower() and not spelled and (change.kind == "other" or all(map(_is_plain, words))):
        return "lower_case"
    if change.confidence < CONFIDENCE_MINIMUM:
        return "low_confidence"
    return None


def _is_plain(word: str) -> bool:
    return word in lexicon.TOWN_WORDS or word in lexicon.CONNECTORS or lexicon.is_common(word)
