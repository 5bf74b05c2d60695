"""The one lexicon: which words are ordinary Spanish, which are names, and which announce something.

Its tables stand beside this file, one term a line, each with a line that says what it is for
(:mod:`~astra_learn_assets.spanish.word_tables` reads and checks them). Two views are made of them:

*spelled*
    lower case with accents: what a corrected text is judged by, where an accent tells a name from a word.
    :func:`common_words`, :func:`spelled_given_names`, :func:`spelled_surnames`, :func:`is_common`,
    :func:`is_personal_name` and the constants in capitals.
*folded*
    without accents (:func:`~astra_learn_assets.spanish.fold.fold_chars`): what persons are sought by, in
    rosters in capitals too. :func:`ordinary_words`, :func:`frequent_words`, :func:`given_names`,
    :func:`surnames` and every set below them. :mod:`~astra_learn_assets.spanish.name_words` asks them.

A term stands once; the folded view is computed. Tables called ``…_spelled``, ``…_folded``, ``…_everyday``
and ``…_ignored`` hold the terms that only one view has: a term moves out of them when the view that
lacks it was measured with it. Sets are made on first use, 20 ms for all; the constants at import.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.word_tables import read_folded, read_origins, read_table

FOLDER = Path(__file__).resolve().parent
_FAKER = "faker"
_OWN = ("andino", "ca", "es", "eu", "foreign", "gl")
"""Origins of the names written by hand."""


def _table(name: str) -> frozenset[str]:
    return frozenset(read_table(FOLDER / f"{name}.txt"))


def _folded(name: str) -> frozenset[str]:
    return read_folded(FOLDER / f"{name}.txt")


# -- spelled: lower case with accents --------------------------------------------------------------------

PERSON_TITLES = _table("person_titles")
PLACE_HEADS = _table("street_heads")
ORGANIZATION_HEADS = _table("organization_heads")
INSTITUTIONS = _table("institutions")
ADMINISTRATION = _table("administration")
BODY_HEADS = _table("body_heads")
MINISTRY_HEADS = _table("ministry_heads")
LAW_HEADS = _table("law_heads")
FEAST_HEADS = _table("feast_heads")
DEMONYMS = _table("demonyms")
BODY_QUALIFIERS = _table("body_qualifiers")
PLAIN_SUBJECTS = _table("plain_subjects")
FIRM_HEADS = _table("firm_heads")
SOLE_BODIES = _table("sole_bodies")
FACILITIES = _table("facilities")
SHORT_FORMS = _table("short_forms")
NAMES_THAT_ARE_WORDS = _table("names_that_are_words")
PLACES = _table("places") | _table("places_spelled")
CONNECTORS = _table("connectors")
MONTHS_AND_DAYS = _table("months_and_days")
TOWN_WORDS = _table("town_words") | MONTHS_AND_DAYS
ABBREVIATIONS = _table("abbreviations")
LETTERS = {
    "a": "a", "be": "b", "ce": "c", "de": "d", "e": "e", "efe": "f", "ge": "g", "hache": "h", "i": "i",
    "jota": "j", "ka": "k", "ele": "l", "eme": "m", "ene": "n", "eñe": "ñ", "o": "o", "pe": "p", "cu": "q",
    "erre": "r", "ere": "r", "ese": "s", "te": "t", "u": "u", "uve": "v", "ve": "v", "equis": "x",
    "ye": "y", "zeta": "z", "ceta": "z",
}  # fmt: skip
"""What the letters are called; of two names for one letter the usual one stands first."""


def _rules(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((ending, base) for ending, _, base in (rule.partition(">") for rule in text.split()))


_SUFFIXES = _rules(
    """
    mente>o mente>a mente> es> s> as>o a>o os>a o>a ces>z nes>n lo> la> los> las> le> les> se> nos>
    me> rlo>r rla>r rse>r ísimo>o ísima>a ito>o ita>a illo>o illa>a n> ra>do aron>ar ieron>er
    ieron>ir aba>ar aban>ar ando>ar iendo>er iendo>ir ado>ar ada>ar ido>ir ido>er ó>ar ió>ir ió>er
    ará>ar erá>er irá>ir aría>ar ería>er amos>ar emos>er imos>ir ían>er ían>ir ía>er ía>ir
    """
)
"""An inflected ending and what the word list may have instead."""


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Lower-case Spanish words, with their accents."""
    return frozenset().union(
        *(read_table(FOLDER / f"{name}.txt") for name in ("words_frequent", "words", "words_spelled"))
    )


@lru_cache(maxsize=1)
def spelled_given_names() -> frozenset[str]:
    """Given names, lower case with their accents."""
    return _spelled("given_names")


@lru_cache(maxsize=1)
def spelled_surnames() -> frozenset[str]:
    """Surnames, lower case with their accents."""
    return _spelled("surnames")


def _spelled(kind: str) -> frozenset[str]:
    names = read_origins(FOLDER / f"{kind}.txt")[_FAKER]
    return frozenset(map(str.casefold, names)) | _table(f"{kind}_everyday")


@lru_cache(maxsize=50_000)
def is_common(word: str) -> bool:
    """Whether ``word`` is an ordinary word or an inflection of one; listed names are not."""
    lowered = word.casefold()
    if lowered in common_words():
        return True
    return not is_personal_name(lowered) and is_inflection(lowered)


def is_inflection(lowered: str) -> bool:
    """Whether a word in lower case is, by its ending, a form of an ordinary word: "rosales" is."""
    words = common_words()
    return len(lowered) >= 6 and any(
        lowered.endswith(ending)
        and len(lowered) - len(ending) >= 3
        and lowered[: -len(ending)] + base in words
        for ending, base in _SUFFIXES
    )


def is_personal_name(word: str) -> bool:
    """Whether ``word`` stands in a list of given names or surnames."""
    lowered = word.casefold()
    return lowered in spelled_given_names() or lowered in spelled_surnames()


# -- folded: lower case without accents ------------------------------------------------------------------


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Words that occur in lower case in the minutes, folded, and the council's own vocabulary."""
    listed = (_folded(name) for name in ("words", "words_folded", "words_rare"))
    return frequent_words().union(*listed) - _folded("words_ignored")


@lru_cache(maxsize=1)
def frequent_words() -> frozenset[str]:
    """Everyday words so common that a person's name is the unlikely reading ("calle", not "corona")."""
    return _folded("words_frequent") | _folded("council")


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Given names, folded."""
    return _names("given_names")


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Surnames, folded, one word each."""
    return _names("surnames") - _folded("surnames_ignored")


def _names(kind: str) -> frozenset[str]:
    names = (line.partition("\t")[0] for line in read_table(FOLDER / f"{kind}.txt"))
    words = fold_chars("\n".join(names)).split()
    return frozenset(word for word in words if len(word) > 1)


@lru_cache(maxsize=1)
def given_names_by_origin() -> Mapping[str, tuple[str, ...]]:
    """Given names written by hand, as printed, by origin: es, eu, ca, gl, andino, foreign."""
    return _by_origin("given_names")


@lru_cache(maxsize=1)
def surnames_by_origin() -> Mapping[str, tuple[str, ...]]:
    """Surnames written by hand, as printed, by origin: es, eu, ca, gl, andino, foreign."""
    return _by_origin("surnames")


def _by_origin(kind: str) -> Mapping[str, tuple[str, ...]]:
    found = read_origins(FOLDER / f"{kind}.txt")
    return {origin: found[origin] for origin in _OWN}


@lru_cache(maxsize=1)
def role_words() -> frozenset[str]:
    """Offices and institutions, folded: never part of a person's name on their own."""
    return _folded("roles")


@lru_cache(maxsize=1)
def place_words() -> frozenset[str]:
    """Countries, regions, well-known towns and organisations, folded, one word each."""
    return _folded("places") | _folded("places_folded") | _folded("organisations")


@lru_cache(maxsize=1)
def organisation_words() -> frozenset[str]:
    """Firms, media, parties and international bodies, folded, one word each."""
    return _folded("organisations")


@lru_cache(maxsize=1)
def title_words() -> frozenset[str]:
    """Titles that stand right before a person's name, folded."""
    return _folded("titles")


@lru_cache(maxsize=1)
def further_titles() -> frozenset[str]:
    """Titles that the scored names do not count, folded."""
    return _folded("titles_further")


@lru_cache(maxsize=1)
def title_heads() -> frozenset[str]:
    """The first words of all that may be read as a title, folded."""
    return _folded("title_heads")


@lru_cache(maxsize=1)
def place_heads() -> frozenset[str]:
    """Heads of streets, schools, feasts and bodies, folded."""
    return _folded("place_heads")


@lru_cache(maxsize=1)
def particles() -> frozenset[str]:
    """Particles inside a name, folded."""
    return _folded("particles")


@lru_cache(maxsize=1)
def names_as_words() -> frozenset[str]:
    """Names that are everyday words first, folded: only where a person must stand they are one."""
    return _folded("names_as_words")


@lru_cache(maxsize=1)
def insults() -> frozenset[str]:
    """Insults, folded."""
    return _folded("insults")


@lru_cache(maxsize=1)
def kept_phrases() -> tuple[str, ...]:
    """Feasts, regions and institutions of several words that read like persons, folded."""
    return read_table(FOLDER / "kept_phrases.txt")
