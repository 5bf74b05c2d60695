"""Two names that both exist are two people: "Marta" put for "María" would spoil every other María.

Likeness does not help: Amalia and Amelia, Octavio and Octavia, Martina and Martín are one slip of the ear
apart and still two people; so are Martín and Marín, Vega and Vera. Three things say that a correction is a
mishearing after all:

* the two are one name in two spellings, which no ear tells apart (Jhon and John, Ester and Esther);
* the word is a given name only, stands in the surname's place and is corrected to a surname ("Socorro Amado"
  -> "Amador");
* the municipality itself: the new name is on a roster and the old one is on none, or another session's final
  had put the same name right in the same way, and none the other way round.

What is none of these waits: it is a correction of its sentence and no entry of the dictionary. A short form
put for its name, or the name for it, is a matter of style: Montse is Montserrat's and stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars, letters


@dataclass(frozen=True)
class KnownPeople:
    """What a municipality has told of its people's names; all words as ``spanish.fold.letters``.

    ``roster``: listed names on its rosters. ``corrected``: (wrong, right) of other sessions' finals.
    """

    roster: frozenset[str] = frozenset()
    corrected: frozenset[tuple[str, str]] = frozenset()

    @staticmethod
    def of(names: Iterable[str], corrections: Iterable[tuple[str, str]]) -> KnownPeople:
        """From the rosters' full names and the corrections that wait, as they were written."""
        return KnownPeople(
            frozenset(
                letters(word) for name in names for word in name.replace(",", " ").split() if exists(word)
            ),
            frozenset((letters(wrong), letters(right)) for wrong, right in corrections),
        )

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> KnownPeople:
        """What :meth:`to_json` gave."""
        corrected = frozenset((wrong, right) for wrong, right in value["corrected"])
        return KnownPeople(frozenset(value["roster"]), corrected)

    def to_json(self) -> dict[str, Any]:
        """The same people give the same JSON."""
        return {"roster": sorted(self.roster), "corrected": sorted(map(list, self.corrected))}

    def says_misheard(self, wrongs: Iterable[str], rights: Iterable[str]) -> bool:
        """Whether roster or an earlier correction say that ``rights`` was meant where ``wrongs`` stands."""
        old, new = [letters(word) for word in wrongs], [letters(word) for word in rights]
        if self.roster.issuperset(new) and self.roster.isdisjoint(set(old) - set(new)):
            return True
        pair = ("".join(old), "".join(new))
        return pair in self.corrected and pair[::-1] not in self.corrected


NOBODY_KNOWN = KnownPeople()


def exists(word: str) -> bool:
    """Whether ``word`` stands in a list of given names or of surnames, however it was spelled there."""
    return lexicon.is_personal_name(word)


def are_names(wrongs: Iterable[str], rights: Iterable[str]) -> bool:
    """Whether every word of both sides is an existing name of one kind: given names, surnames, places."""
    words = [word.casefold() for word in (*wrongs, *rights)]
    return any(
        all(word in spelled or fold_chars(word) in folded for word in words)
        for spelled, folded in (
            (lexicon.spelled_given_names(), frozenset()),
            (lexicon.spelled_surnames(), lexicon.surnames()),
            (lexicon.PLACES, lexicon.place_words()),
        )
    )


def is_short_form(wrong: str, right: str) -> bool:
    """Whether one is a short form of the other: listed as one, or a given name without its end."""
    short, full = sorted((letters(wrong), letters(right)), key=len)
    if len(full) - len(short) < 2:
        return False
    whole = max(wrong, right, key=len).casefold().split()
    if len(whole) > 1:  # "Juanjo" for "Juan José"
        return short in _short_forms() and lexicon.spelled_given_names().issuperset(whole)
    if full not in lexicon.given_names():
        return False
    return short in _short_forms() or (len(short) >= 3 and full.startswith(short))


@lru_cache(maxsize=1)
def _short_forms() -> frozenset[str]:
    return frozenset(map(letters, lexicon.SHORT_FORMS))
