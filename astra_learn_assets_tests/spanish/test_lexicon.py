"""The two views of the one lexicon answer apart where a table says so, and only there."""

from __future__ import annotations

from itertools import combinations

import pytest

from astra_learn_assets.spanish import lexicon
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.word_tables import read_folded, read_table

WORDS = ("words_frequent", "words", "words_spelled", "words_folded", "words_rare")


def folded(name: str) -> frozenset[str]:
    return read_folded(lexicon.FOLDER / f"{name}.txt")


@pytest.mark.parametrize("pair", list(combinations(WORDS, 2)), ids="-".join)
def test_a_word_stands_in_one_table_of_words_only(pair: tuple[str, str]) -> None:
    assert not folded(pair[0]) & folded(pair[1])


@pytest.mark.parametrize(
    ("name", "further"),
    [("places", "places_spelled"), ("places", "places_folded"), ("places", "organisations")],
)
def test_a_place_stands_in_one_table_of_places_only(name: str, further: str) -> None:
    assert not folded(name) & folded(further)


def test_a_title_stands_in_one_table_of_titles_only() -> None:
    assert not lexicon.title_words() & lexicon.further_titles()


@pytest.mark.parametrize("kind", ["given_names", "surnames"])
def test_an_everyday_word_is_a_name_of_the_spelled_view_alone(kind: str) -> None:
    everyday = frozenset(read_table(lexicon.FOLDER / f"{kind}_everyday.txt"))
    spelled = {"given_names": lexicon.spelled_given_names, "surnames": lexicon.spelled_surnames}[kind]()
    sought = {"given_names": lexicon.given_names, "surnames": lexicon.surnames}[kind]()
    assert everyday <= spelled
    assert not {fold_chars(name) for name in everyday} & sought
    assert {fold_chars(name) for name in spelled - everyday} <= sought | folded("surnames_ignored")


def test_the_views_share_all_words_that_no_table_parts() -> None:
    spelled = {fold_chars(word) for word in lexicon.common_words()}
    parted = folded("words_spelled") | folded("words_ignored")
    assert spelled - lexicon.ordinary_words() <= parted
    assert lexicon.frequent_words() - spelled <= folded("council")
    assert parted - folded("words_ignored") <= spelled


def test_an_exception_is_one_to_something() -> None:
    """A term of an ``…_ignored`` table that its table has lost is a line nobody would miss."""
    names = {word for names in lexicon.surnames_by_origin().values() for n in names for word in n.split()}
    assert folded("surnames_ignored") <= {fold_chars(name) for name in names}
    assert folded("words_ignored") <= {fold_chars(word) for word in lexicon.common_words()}


@pytest.mark.parametrize("kind", ["given_names", "surnames"])
def test_names_have_known_origins_only(kind: str) -> None:
    lines = read_table(lexicon.FOLDER / f"{kind}.txt")
    origins = {origin for line in lines for origin in line.partition("\t")[2].split(",")}
    assert origins <= {"andino", "ca", "es", "eu", "foreign", "gl", "faker", "abbreviation", "specimen"}


def test_names_by_origin_are_those_written_by_hand_as_printed() -> None:
    given, surnames = lexicon.given_names_by_origin(), lexicon.surnames_by_origin()
    assert set(given) == set(surnames) == {"andino", "ca", "es", "eu", "foreign", "gl"}
    assert "Ainhoa" in given["es"]
    assert "De Luca" in surnames["foreign"]
    assert "Mª" not in {name for names in given.values() for name in names}


@pytest.mark.parametrize(
    ("word", "common", "name"),
    [
        ("casa", True, False), ("CASA", True, False), ("casas", True, True), ("asfaltadísimo", True, False),
        ("Lucía", False, True), ("García", False, True), ("quispe", False, True), ("zzyzx", False, False),
    ],
)  # fmt: skip
def test_a_word_is_judged_by_its_spelling(word: str, common: bool, name: bool) -> None:
    assert (lexicon.is_common(word), lexicon.is_personal_name(word)) == (common, name)


def test_the_folded_view_needs_no_accents() -> None:
    assert {"lucia", "mª", "fco"} <= lexicon.given_names()
    assert {"garcia", "peña", "luca"} <= lexicon.surnames()
    assert not {"de", "el", "king"} & lexicon.surnames()
    assert {"reunion", "vado", "ruegos"} <= lexicon.ordinary_words()
    assert not {"iban"} & lexicon.ordinary_words()
    assert "calle" in lexicon.frequent_words()
    assert "corona" not in lexicon.frequent_words()
    assert "mexico" in lexicon.place_words()
