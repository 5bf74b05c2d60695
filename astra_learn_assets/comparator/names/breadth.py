"""Which name fixes are too broad for the dictionary.

An entry is applied to every later draft of the municipality, so a ``wrong`` that is also plain Spanish
("plaza", "la", "3") would damage more text than it mends. :mod:`.extent` widens such a fix by the word
before it; what is still too broad is no entry, neither here nor in the dictionary itself. It is learned as
a correction of its sentence, and the clerk reads why it is not replaced everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from astra_learn_assets.comparator.names.phonetics import spelled
from astra_learn_assets.contracts import EntityChange
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars, letters, near_fold, one_line
from astra_learn_assets.spanish.text import accents, mixes_scripts

MAXIMUM_LENGTH = 200
CONFIDENCE_MINIMUM = 0.5
_WORD = re.compile(r"[^\W_]+")
_LETTER = re.compile(r"[^\W\d_]")
_LINKS = lexicon.CONNECTORS - {"san", "santa", "santo", "dos"}
_PREPOSITIONS = frozenset({"a", "de", "en", "por", "para", "desde", "hasta", "hacia", "con", "del", "al"})


def too_broad(change: EntityChange) -> str | None:
    """Why ``change`` must not be applied by itself to later drafts; None when it may.

    Rules, the first that fits: ``empty`` (a side without a letter), ``no_change``, ``too_long``,
    ``other_script`` (letters of another alphabet among ours), ``accents_lost`` (nothing but accents gone,
    and a word had one that belongs to it: "García"), ``too_short`` (one letter), ``common_word`` (one word
    that is plain Spanish, however capitalised),
    ``lower_case`` (plain words, none of them written as a name, and no word beside them that says which
    ones are meant), ``low_confidence`` (the engine itself doubts it).
    """
    wrong, right = one_line(change.wrong), one_line(change.right)
    words = _WORD.findall(wrong)
    if not _LETTER.search(wrong) or not _LETTER.search(right):
        return "empty"
    if wrong == right:
        return "no_change"
    if max(len(wrong), len(right)) > MAXIMUM_LENGTH:
        return "too_long"
    if any(map(mixes_scripts, _WORD.findall(right))):
        return "other_script"
    if near_fold(wrong) == near_fold(right) and _robs_an_accent(words, _WORD.findall(right)):
        return "accents_lost"
    if len(_LETTER.findall(wrong)) < 2:
        return "too_short"
    if len(words) == 1 and is_plain(words[0]):
        return "common_word"
    if is_ordinary(words) and not _told_apart(words, _WORD.findall(right), change.kind == "acronym"):
        return "lower_case"
    if change.confidence < CONFIDENCE_MINIMUM:
        return "low_confidence"
    return None


def _robs_an_accent(before: list[str], after: list[str]) -> bool:
    """Whether a word that is known with its accent, and not without, has lost it: "García", not "Patáte"."""
    return any(
        accents(was) > accents(now) and _is_spelled_so(was) and not _is_spelled_so(now)
        for was, now in zip(before, after, strict=False)
    )


def _is_spelled_so(word: str) -> bool:
    known = (
        lexicon.spelled_given_names(),
        lexicon.spelled_surnames(),
        lexicon.PLACES,
        lexicon.common_words(),
    )
    return any(word.lower() in table for table in known)


def is_plain(word: str) -> bool:
    """Whether ``word`` is also a word of the language, a head of names or a word of the town hall."""
    lowered = word.casefold()
    if (
        lowered.isdecimal()
        or lowered in lexicon.CONNECTORS
        or lowered in lexicon.TOWN_WORDS
        or lexicon.is_common(lowered)
    ):
        return True
    if lowered in lexicon.PLACE_HEADS or lowered in lexicon.ORGANIZATION_HEADS:
        return True
    if len(word) < 4 and fold_chars(lowered) in lexicon.frequent_words():
        return True  # "Mas" for "Más"
    # a word in small letters that is somebody's name and a thing: "iglesias", "bravo", "delgado"
    if not word.islower() or fold_chars(lowered) in lexicon.organisation_words():
        return False
    return (
        not {lowered, lowered.removesuffix("s"), lowered.removesuffix("es")}.isdisjoint(
            lexicon.NAMES_THAT_ARE_WORDS
        )
        or fold_chars(lowered) in lexicon.ordinary_words()
        or lexicon.is_inflection(lowered)
    )


def is_ordinary(words: Sequence[str]) -> bool:
    """Whether ``words`` may stand in any text as they are: plain ones, at most one with a capital.

    A row of letters or of their names ("pe pe", "e p s") is no text of its own.
    """
    if len(words) > 1 and spelled(tuple(words)):
        return False
    if len(words) > 1 and all(word[0].isupper() for word in words):
        return False  # "Monte Negro", "De La Cruz"
    hearts = hearts_of(words)
    if len(hearts) > 1 and all(word[0].isupper() for word in hearts):
        return False
    return all(map(is_plain, words))


def hearts_of(words: Sequence[str]) -> list[str]:
    """``words`` without articles, prepositions of names and "y"; a saint's title is a word of its own."""
    return [word for word in words if word.casefold() not in _LINKS]


def _told_apart(words: Sequence[str], rights: Sequence[str], acronym: bool) -> bool:
    """Whether plain words are safe together: several that change, or one with the word before it.

    Words that are the same on both sides are the surroundings; articles and prepositions among them say
    little, but an article that gets a capital behind a preposition is a place's ("de Las Delicias"). Where
    other letters came, not a capital alone, a title, a head or a name must stand there: "que vamos" is said
    every day, whoever once was Ramos.
    """
    left = _same(words, rights)
    right = _same(words[left:][::-1], rights[left:][::-1])
    changed, put = words[left : len(words) - right], rights[left : len(rights) - right]
    beside = [*words[:left], *words[len(words) - right :]]
    everyday = all(fold_chars(word.casefold()) in lexicon.frequent_words() for word in changed)
    other_letters = not acronym and letters("".join(changed)) != letters("".join(put))
    if len(hearts_of(changed)) > 1 and not (other_letters and everyday):
        return True
    if other_letters and not any(map(_says_who, beside)):
        return False
    if any(word.casefold() not in _LINKS | _PREPOSITIONS for word in beside):
        return True
    if acronym or lexicon.SOLE_BODIES.issuperset(word.casefold() for word in changed):
        return bool(beside)
    return len(changed) > 1 and bool(beside) and beside[-1].casefold() in _PREPOSITIONS


def _says_who(word: str) -> bool:
    """A title, the head of a place's or body's name, or a word with a capital that is no particle."""
    lowered = word.casefold()
    return (
        lowered in lexicon.PERSON_TITLES
        or lowered in lexicon.PLACE_HEADS
        or lowered in lexicon.ORGANIZATION_HEADS
        or (word[0].isupper() and not is_plain(lowered))
    )


def _same(left: Sequence[str], right: Sequence[str]) -> int:
    """How many words the two have in common at their beginning."""
    return next(
        (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
