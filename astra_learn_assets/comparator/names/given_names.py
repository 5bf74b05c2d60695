"""Two given names that both exist are two people: "Marta" in the place of "María" would spoil every other María.

Likeness does not help: Amalia and Amelia, Octavio and Octavia, Martina and Martín are one slip of the ear
apart and still two people. Three things say that a correction is a mishearing after all:

* the two are one name in two spellings, which no ear tells apart (Jhon and John, Ester and Esther);
* the word stands in the surname's place and is corrected to a surname ("Socorro Amado" -> "Amador");
* the municipality itself: the new name is on a roster and the old one is on none, or another session's final
  had put the same name right in the same way, and none the other way round.

What is none of these waits: it is a correction of its sentence and no entry of the dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from astra_learn_assets.comparator.names import phonetics
from astra_learn_assets.spanish import words as lexicon


@dataclass(frozen=True)
class KnownPeople:
    """What a municipality has told of its people's given names; all words bare (``phonetics.bare``).

    ``roster``: given names on its rosters. ``corrected``: (wrong, right) of other sessions' finals.
    """

    roster: frozenset[str] = frozenset()
    corrected: frozenset[tuple[str, str]] = frozenset()

    @staticmethod
    def of(names: Iterable[str], corrections: Iterable[tuple[str, str]]) -> KnownPeople:
        """From the rosters' full names and the corrections that wait, as they were written."""
        return KnownPeople(
            frozenset(
                phonetics.bare(word)
                for name in names
                for word in name.replace(",", " ").split()
                if word.casefold() in lexicon.given_names()
            ),
            frozenset((phonetics.bare(wrong), phonetics.bare(right)) for wrong, right in corrections),
        )

    def says_misheard(self, wrongs: Iterable[str], rights: Iterable[str]) -> bool:
        """Whether roster or an earlier correction say that ``rights`` was meant where ``wrongs`` is written."""
        old, new = [phonetics.bare(word) for word in wrongs], [phonetics.bare(word) for word in rights]
        if self.roster.issuperset(new) and self.roster.isdisjoint(set(old) - set(new)):
            return True
        pair = ("".join(old), "".join(new))
        return pair in self.corrected and pair[::-1] not in self.corrected


NOBODY_KNOWN = KnownPeople()


def are_given_names(wrongs: Iterable[str], rights: Iterable[str]) -> bool:
    """Whether every word of both sides is a given name that exists."""
    return {word.casefold() for word in (*wrongs, *rights)} <= lexicon.given_names()
