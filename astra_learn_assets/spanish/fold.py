"""The folds: what must not count when two spellings are compared.

=====================  ========  ===========  ======  =============  ==================================
function               case      accents      ``ñ``   length         used for
=====================  ========  ===========  ======  =============  ==================================
:func:`fold_chars`     gone      gone         stays   the same       offsets: detectors, tables of words
:func:`fold`           gone      gone         stays   may change     features of the entity model
:func:`letters`        gone      gone         stays   shrinks        how alike two names are
:func:`near_fold`      gone      gone         ``n``   may change     nearly the same text
:func:`entry_key`      gone      **stay**     stays   may change     keys of the dictionary
=====================  ========  ===========  ======  =============  ==================================

A new caller takes :func:`fold_chars` unless its reason stands in this table.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache


class _FoldTable(dict[int, int]):
    """``str.translate`` table: lower case, no accent, one character for one; ``ñ`` stays."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        lowered = character.lower()
        if lowered != "ñ":
            base = unicodedata.normalize("NFD", lowered)[0]
            lowered = base if base.isalpha() and not lowered.isascii() else lowered
        value = ord(lowered) if len(lowered) == 1 else code
        self[code] = value
        return value


_FOLD = _FoldTable()
_FOLD_LATIN = bytes(map(_FOLD.__getitem__, range(256)))  # the same for Latin-1, where it stays Latin-1
_SHORT = 3000  # characters; longer texts are folded anew, so that the memory stays small


def _fold_chars(text: str) -> str:
    try:
        return text.encode("latin-1").translate(_FOLD_LATIN).decode("latin-1")
    except UnicodeEncodeError:
        return text.translate(_FOLD)


_fold_short = lru_cache(maxsize=16_384)(_fold_chars)


def fold_chars(text: str) -> str:
    """``text`` lower-cased without accents, of exactly the same length, so offsets stay valid."""
    return _fold_short(text) if len(text) < _SHORT else _fold_chars(text)


def fold(text: str) -> str:
    """``text`` lower-cased and without any combining mark, ``ñ`` kept; same word, whatever the typing.

    Differs from :func:`fold_chars` where a character folds to more or fewer than one: a decomposed
    accent vanishes. The shipped entity model was trained on this fold: any change needs a new model.
    """
    lowered = text.lower()
    return lowered if lowered.isascii() else _without_marks(lowered)


@lru_cache(maxsize=20_000)
def letters(text: str) -> str:
    """The letters and digits of a name, folded, and nothing else: "O'Higgins" is "ohiggins".

    Differs from :func:`fold` by full case folding (``ß`` is ``ss``) and by what it drops.
    """
    return "".join(c for c in _without_marks(text.casefold()) if c.isalnum())


def near_fold(text: str) -> str:
    """Compatible characters made one (``ﬁ`` is ``fi``), no case, no accent, and ``ñ`` is ``n``.

    Coarser than all others on purpose: two texts that differ in a tilde are near duplicates.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@lru_cache(maxsize=32_768)
def entry_key(wrong: str) -> str:
    """What two spellings must share to be one entry: case, spaces and invisible characters do not count.

    Accents do: "Garcia" and "García" are different transcriptions. Remembered, because every upload asks it
    of a town's words, thousands of them and mostly the same.
    """
    if wrong.isascii():  # composed, and nothing in it is invisible
        return " ".join(wrong.casefold().split())
    visible = "".join(c for c in wrong if unicodedata.category(c) != "Cf")
    return one_line(unicodedata.normalize("NFC", visible).casefold())


def fix_keys(wrong: str, right: str) -> tuple[str, str]:
    """What two fixes must share to say the same: :func:`entry_key` of either side."""
    return entry_key(wrong), entry_key(right)


def one_line(text: str) -> str:
    """``text`` composed (NFC), with single blanks and none at its ends; no fold, only one way to write it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("ñ", "\0"))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("\0", "ñ")
