"""What in a name fix itself says that it puts no mishearing right, whoever writes here and what.

A recognizer writes what it heard with the letters of the language. So three changes are none of its slips:

* *marks*: an accent that Spanish spelling asks for, a tilde or a diaeresis is taken off ("Ramírez" to
  "Ramirez"). One that the rules of spelling forbid there ("Patáte") may be the slip itself, and so may one
  that makes no name and no word of what is one ("Noelía");
* *words*: ordinary words of the language, heard as well as any, become others, or what no list has as a name
  ("Vecinal" to "Venal");
* *letters*: the new spelling has three letters in a row that no listed name and no frequent word has, and the
  old one has none ("Urkizo" to "Utquizo").

The last two are asked only of what the ear tells apart: "Santa Rusa" is one slip from "Santa Rosa", and
"Raimi" sounds like "Raymi". Of 968 true entries of the labelled sentences the three hold 23 until a second
clerk says them.

``lost`` and ``gained``: the words in which the two sides differ, as the dictionary tells them apart
(:func:`~astra_learn_assets.spanish.fold.entry_key`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from astra_learn_assets.comparator.names.phonetics import nearness, one_name, sound
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars, letters, near_fold

MARKS, WORDS, LETTERS = "takes_needed_marks_off", "trades_ordinary_words", "writes_no_letters_so"
_SLIP = 0.5  # of phonetics: what b costs for p, or r for l
_SYLLABLE = re.compile(r"[iuü]?[aeoáéó][iuy]?|[íú]|[iuü]+")
_HIATUS = re.compile(r"[aeo]h?[íú]|[íú]h?[aeo]")


def reason(lost: Sequence[str], gained: Sequence[str]) -> str | None:
    """Which of the three it is, or None."""
    if not lost or not gained:
        return None
    if _takes_marks_off(lost, gained):
        return MARKS
    if _trades_words(lost, gained):
        return WORDS
    return LETTERS if _writes_no_letters_so(lost, gained) else None


def _takes_marks_off(lost: Sequence[str], gained: Sequence[str]) -> bool:
    """Whether a word becomes the same one without a mark that it needs."""
    return any(
        near_fold(old) == near_fold(new) and _needs(old, new) and (_is_known(old) or not _is_known(new))
        for old in lost
        for new in gained
    )


def _trades_words(lost: Sequence[str], gained: Sequence[str]) -> bool:
    """Whether ordinary words become what is no name and sounds different before its end, where s and n get
    lost ("Costas", "Costa")."""
    return (
        all(map(lexicon.is_common, lost))
        and not any(map(_is_only_a_name, gained))
        and not _one_slip_apart(_without_end(lost), _without_end(gained))
    )


def _writes_no_letters_so(lost: Sequence[str], gained: Sequence[str]) -> bool:
    """Whether only the new spelling has letters in a row that stand so in no name and no word."""
    if not any(map(_is_odd, gained)) or any(map(_is_odd, lost)):
        return False
    old, new = "".join(lost), "".join(gained)
    return not _one_slip_apart(old, new) and not one_name(old, new)


def _one_slip_apart(left: str, right: str) -> bool:
    """Whether the ear takes one for the other at a single sound, or at none."""
    return (1 - nearness(left, right)) * max(len(sound(left)), len(sound(right))) <= _SLIP


def _is_known(word: str) -> bool:
    return lexicon.is_personal_name(word) or lexicon.is_common(word)


def _needs(old: str, new: str) -> bool:
    off = (
        at for at, (mark, bare) in enumerate(zip(old, new, strict=False)) if mark != near_fold(mark) == bare
    )
    return any(old[at] in "ñü" or asks_for_accent(old, at) for at in off)


def asks_for_accent(word: str, at: int) -> bool:
    """Whether Spanish spelling asks for an accent on the vowel at ``at``, if that is the stressed one.

    The rules of the *Ortografía* (RAE, 2010): the last syllable's when the word ends in a vowel, n or s; the
    one before it when it does not; any earlier one's; and an i or u beside a, e or o that is a syllable of
    its own. Words of one syllable have none.
    """
    if word[at] in "íú" and any(m.start() <= at < m.end() for m in _HIATUS.finditer(word)):
        return True
    before = _SYLLABLE.findall(re.sub(r"[iuü]$", "", word[:at]))
    after = _SYLLABLE.findall(re.sub(r"^[iuy](?![aeo])", "", word[at + 1 :]))
    open_end = word[-1] in "aeiouáéíóúns"
    if not after:
        return open_end and bool(before)
    return len(after) > 1 or not open_end


def _is_only_a_name(word: str) -> bool:
    folded = fold_chars(word)
    listed = (
        folded in lexicon.surnames() or folded in lexicon.given_names() or folded in lexicon.place_words()
    )
    return listed and folded not in lexicon.ordinary_words()


def _without_end(words: Sequence[str]) -> str:
    return sound("".join(words)).rstrip("sn")


@lru_cache(maxsize=20_000)
def _is_odd(word: str) -> bool:
    return not _known_rows().issuperset(_rows(letters(word)))


@lru_cache(maxsize=1)
def _known_rows() -> frozenset[str]:
    listed = lexicon.given_names() | lexicon.surnames() | lexicon.frequent_words()
    return frozenset(row for word in listed for row in _rows(word))


def _rows(word: str) -> Iterator[str]:
    bounded = f" {word} "
    return (bounded[at : at + 3] for at in range(len(bounded) - 2))
