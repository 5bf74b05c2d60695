"""Which words an entry of the dictionary holds: the ones that changed, and what they need beside them.

As few as can be replaced everywhere: "Nelsy" -> "Nelcy" mends every Nelsy. A name that only got its
capitals is taken with the words that make it one ("San cristóbal", "Ramón y cajal"); a surname that got
its particle with it ("de lacalle" -> "de la Calle"); and an ordinary word with the rest of its name ("Dos
hermanas"), else with the word before it ("concejal leal" -> "concejal Leal").
"""

from __future__ import annotations

from collections.abc import Sequence

from astra_learn_assets.comparator.names.breadth import hearts_of, is_ordinary
from astra_learn_assets.comparator.names.phonetics import likeness
from astra_learn_assets.comparator.names.word_diff import Link, Token
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars

_SAINTS = frozenset({"San", "Santa", "Santo", "Santos", "Sant", "Sta", "Sto"})
_PARTICLES = lexicon.CONNECTORS - {"san", "santa", "santo"}
_JOINTS = frozenset({"de", "del", "la", "las", "los", "el"})
_NEARLY = 0.7  # of a word that was mended itself
_LONGEST = 6  # words of an entry that had to be widened


def extent(
    old: Sequence[Token], new: Sequence[Token], first: Link, last: Link, *, acronym: bool, whole: bool
) -> Link:
    """The tokens of an entry for the changes from ``first`` to ``last``, which are one name; ``whole``: with
    all of its words."""
    here = Link(first.b0, last.b1, first.a0, last.a1)
    if acronym:
        return _beside(old, new, here, acronym=True) if _unsafe(old, here) else here
    if whole:
        return _whole(old, new, here)
    here = _with_particles(old, new, here)
    if _recased(old, new, first):
        here = _with_what_makes_it_one(old, new, here)
    if _unsafe(old, here):
        here = _within_its_name(old, new, here)
    if _unsafe(old, here):
        here = _beside(old, new, here, acronym=False)
    return here


def same_word(old: Sequence[Token], new: Sequence[Token], b: int, a: int) -> bool:
    """Whether there is a word at both places, and the same."""
    return 0 <= b < len(old) and 0 <= a < len(new) and old[b].is_word and old[b].text == new[a].text


def name_beside(old: Sequence[Token], new: Sequence[Token], link: Link) -> bool:
    """Whether a word with a capital stands on one side of the change, the same in both texts."""
    return _whole(old, new, link) != link


def is_adrift(old: Sequence[Token], new: Sequence[Token], link: Link) -> bool:
    """Whether neither the word before the change nor the one behind it is the same in both texts, or nearly;
    articles and "de" are passed over, and the end of a text says nothing."""
    return not any(
        _stays(old, new, b, a, step) for b, a, step in ((link.b0 - 1, link.a0 - 1, -1), (link.b1, link.a1, 1))
    )


def _stays(old: Sequence[Token], new: Sequence[Token], b: int, a: int, step: int) -> bool:
    while 0 <= b < len(old) and 0 <= a < len(new) and old[b].is_word and new[a].is_word:
        if new[a].text.casefold() not in lexicon.CONNECTORS:
            return likeness(old[b].text, new[a].text) >= _NEARLY
        if old[b].text != new[a].text:
            return False
        b, a = b + step, a + step
    return False


def _whole(old: Sequence[Token], new: Sequence[Token], here: Link) -> Link:
    while _of_the_name(old, new, here.b0 - 1, here.a0 - 1):
        here = here._replace(b0=here.b0 - 1, a0=here.a0 - 1)
    while _of_the_name(old, new, here.b1, here.a1):
        here = here._replace(b1=here.b1 + 1, a1=here.a1 + 1)
    return here


def _of_the_name(old: Sequence[Token], new: Sequence[Token], b: int, a: int) -> bool:
    return same_word(old, new, b, a) and new[a].text[0].isupper() and not _explained(new, a)


def _unsafe(old: Sequence[Token], here: Link) -> bool:
    words = [token.text for token in old[here.b0 : here.b1]]
    return len(hearts_of(words)) < 2 and is_ordinary(words)


def _recased(old: Sequence[Token], new: Sequence[Token], link: Link) -> bool:
    return [t.text.casefold() for t in old[link.b0 : link.b1]] == [
        t.text.casefold() for t in new[link.a0 : link.a1]
    ]


def _with_particles(old: Sequence[Token], new: Sequence[Token], here: Link) -> Link:
    """A surname whose particle came or went takes the particles before it along."""
    mine, theirs = new[here.a0].text.casefold(), old[here.b0].text.casefold()
    if (mine in _PARTICLES) == (theirs in _PARTICLES):
        return here
    while same_word(old, new, here.b0 - 1, here.a0 - 1) and old[here.b0 - 1].text in ("de", "De"):
        here = here._replace(b0=here.b0 - 1, a0=here.a0 - 1)
    return here


def _with_what_makes_it_one(old: Sequence[Token], new: Sequence[Token], here: Link) -> Link:
    """The saint before a name, and the given name before "y" and a surname."""
    if same_word(old, new, here.b0 - 1, here.a0 - 1) and old[here.b0 - 1].text in _SAINTS:
        return here._replace(b0=here.b0 - 1, a0=here.a0 - 1)
    if (
        same_word(old, new, here.b0 - 1, here.a0 - 1)
        and same_word(old, new, here.b0 - 2, here.a0 - 2)
        and is_pair(new[here.a0 - 2].text, new[here.a0 - 1].text, new[here.a0].text)
    ):
        return here._replace(b0=here.b0 - 2, a0=here.a0 - 2)
    if here.b1 - here.b0 == 1 and (_unsafe(old, here) or not _is_known(new[here.a0].text)):
        return _over_joints(old, new, here)
    return here


def _is_known(word: str) -> bool:
    return lexicon.is_personal_name(word) or fold_chars(word.casefold()) in lexicon.place_words()


def _over_joints(old: Sequence[Token], new: Sequence[Token], here: Link) -> Link:
    """With "Cabo de" before "gata": a word that no list knows as a name is likely one of the language."""
    back = 1
    while same_word(old, new, here.b0 - back, here.a0 - back) and new[here.a0 - back].text in _JOINTS:
        back += 1
    at = here.a0 - back
    if back == 1 or not same_word(old, new, here.b0 - back, at) or not new[at].text[0].isupper():
        return here
    if new[at].initial and _explained(new, at):
        return here
    head = new[here.a0 - back].text.casefold()
    if head in lexicon.ADMINISTRATION or head in lexicon.ORGANIZATION_HEADS or head in lexicon.BODY_HEADS:
        return here  # "Ayuntamiento de Getafe" holds the name of a town
    return here._replace(b0=here.b0 - back, a0=here.a0 - back)


def is_pair(name: str, joint: str, surname: str) -> bool:
    """Whether three words are one name: "Ramón y Cajal", but not "Ana y Luis" or "Soria y Ávila"."""
    return (
        joint in ("y", "i", "e")
        and name[0].isupper()
        and name.casefold() in lexicon.spelled_given_names()
        and surname.casefold() not in lexicon.spelled_given_names()
        and surname.casefold() not in lexicon.PLACES
    )


def _within_its_name(old: Sequence[Token], new: Sequence[Token], here: Link) -> Link:
    """The neighbours with capitals, before and behind, over "de" and "por", until it is no ordinary text."""
    while _unsafe(old, here) and here.b1 - here.b0 < _LONGEST:
        if _of_the_name(old, new, here.b0 - 1, here.a0 - 1):
            here = here._replace(b0=here.b0 - 1, a0=here.a0 - 1)
            continue
        beyond = 0
        while (
            beyond < 3
            and same_word(old, new, here.b1 + beyond, here.a1 + beyond)
            and (
                new[here.a1 + beyond].text in lexicon.CONNECTORS
                or new[here.a1 + beyond].text in ("por", "para")
            )
        ):
            beyond += 1
        if not (
            same_word(old, new, here.b1 + beyond, here.a1 + beyond)
            and new[here.a1 + beyond].text[0].isupper()
        ):
            break
        here = here._replace(b1=here.b1 + beyond + 1, a1=here.a1 + beyond + 1)
    return here


def _explained(new: Sequence[Token], position: int) -> bool:
    """A capital that stands at the sentence's start, or a title's."""
    word = new[position].text.casefold()
    if word in lexicon.PERSON_TITLES:
        return True
    return new[position].initial and (word in lexicon.CONNECTORS or lexicon.is_common(word))


def _beside(old: Sequence[Token], new: Sequence[Token], here: Link, *, acronym: bool) -> Link:
    """With the word before it; over articles to what they belong to, but not over an acronym's."""
    dot = here.b0 > 1 < here.a0 and old[here.b0 - 1].text == new[here.a0 - 1].text == "."
    step = 2 if dot and new[here.a0 - 2].text.casefold() in lexicon.PERSON_TITLES else 1  # "Sr. Cabello"
    if not same_word(old, new, here.b0 - step, here.a0 - step):
        return here
    here = here._replace(b0=here.b0 - step, a0=here.a0 - step)
    article = new[here.a0 + 1].text.casefold() in lexicon.CONNECTORS  # a place's, written with a capital
    while (
        old[here.b0].text.casefold() in lexicon.CONNECTORS
        and here.b1 - here.b0 < _LONGEST
        and not acronym
        and not article
        and same_word(old, new, here.b0 - 1, here.a0 - 1)
    ):
        here = here._replace(b0=here.b0 - 1, a0=here.a0 - 1)
    return here
