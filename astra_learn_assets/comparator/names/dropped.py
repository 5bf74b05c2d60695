"""Particles and articles that a recognizer did not hear, or heard where none was said.

"Carlos Torre" -> "Carlos de la Torre", "en Ejido" -> "en El Ejido", "del Ejido" -> "de El Ejido". Such a
change holds no word that could be a name, so the words on both sides say whether it stands inside one. The
entry holds the word before it too: "Ejido" -> "El Ejido" would make "El El Ejido" of what is right already.
"""

from __future__ import annotations

from collections.abc import Sequence

from astra_learn_assets.comparator.names.extent import same_word
from astra_learn_assets.comparator.names.surroundings import Surroundings
from astra_learn_assets.comparator.names.word_diff import Link, Token
from astra_learn_assets.contracts import EntityKind
from astra_learn_assets.spanish import lexicon

_OF_PERSONS = frozenset({"de", "del", "la", "las", "los"})
_OF_PLACES = frozenset({"El", "La", "Los", "Las", "A", "O", "As", "Os", "Les", "Els", "L", "Sa", "Es", "Ses"})
_BEFORE_PLACES = frozenset({"de", "en", "a", "hasta", "desde", "hacia", "por", "para", "con", "y"})
_CONTRACTED = {"del": "de", "al": "a"}


def dropped(
    old: Sequence[Token], new: Sequence[Token], link: Link, around: Surroundings
) -> tuple[Link, EntityKind] | None:
    """The name that ``link`` puts a particle or article into or takes one out of, and its kind; or None."""
    if around.capitals or not same_word(old, new, link.b1, link.a1) or not _names(new[link.a1]):
        return None
    wrongs = [token.text for token in old[link.b0 : link.b1]]
    rights = [token.text for token in new[link.a0 : link.a1]]
    if len(wrongs) == 1 and wrongs[0] in _CONTRACTED and rights[:-1] == [_CONTRACTED[wrongs[0]]]:
        article = rights[-1] == "El"
        return (_wider(link, behind=0), "place") if article else None
    if len(wrongs) == len(rights) == 1:  # "la Coruña" -> "A Coruña"
        other = wrongs[0] in lexicon.CONNECTORS and wrongs[0] != rights[0].casefold()
        other = other and rights[0] in _OF_PLACES and not new[link.a0].initial
        return (_wider(link, behind=0), "place") if other else None
    if (wrongs and rights) or not same_word(old, new, link.b0 - 1, link.a0 - 1):
        return None
    previous = new[link.a0 - 1]
    if len(rights) == 1 and rights[0] in _OF_PLACES and previous.text in _BEFORE_PLACES:
        return _wider(link, behind=1), "place"
    particles = [text.casefold() for text in wrongs or rights]
    if not _OF_PERSONS.issuperset(particles) or particles[0] not in ("de", "del"):
        return None
    if previous.text[0].isupper() and previous.text.casefold() in lexicon.spelled_given_names():
        return _wider(link, behind=1), "person"
    if _is_surname_of_two(new, link, around):
        return _wider(link, behind=1), "person"
    # behind a title "de" alone begins a town: "alcalde de Torre"
    article = rights[:1] in (["De"], ["Del"]) or len(rights) > 1
    return (_wider(link, behind=1), "person") if article and around.in_surnames_place(link) else None


def _is_surname_of_two(new: Sequence[Token], link: Link, around: Surroundings) -> bool:
    """Whether a surname stands on both sides, the first in its place: "Sol Ladrón de Guevara", but not "Ana
    Ruiz de Getafe", which is where she comes from."""
    first = Link(link.b0 - 1, link.b0, link.a0 - 1, link.a0)
    word, name = new[link.a0 - 1].text, new[link.a1].text.casefold()
    return (
        word[0].isupper()
        and lexicon.is_personal_name(word)
        and around.in_surnames_place(first)
        and name in lexicon.spelled_surnames()
    )


def _names(token: Token) -> bool:
    word = token.text.casefold()
    return (
        token.text[0].isupper()
        and not token.text.isupper()
        and word not in lexicon.PERSON_TITLES
        and word not in lexicon.ADMINISTRATION
        and word not in lexicon.PLAIN_SUBJECTS
    )


def _wider(link: Link, *, behind: int) -> Link:
    """With the word after it and ``behind`` words before it."""
    return Link(link.b0 - behind, link.b1 + 1, link.a0 - behind, link.a1 + 1)
