"""What a recognizer does to a name is told from what only a hand does."""

from __future__ import annotations

import re

import pytest

from astra_learn_assets.comparator.names.entities import judge
from astra_learn_assets.hotpath.no_mishearing import LETTERS, MARKS, WORDS, asks_for_accent, reason
from astra_learn_assets.hotpath.written_names import words_of
from astra_learn_assets.spanish.fold import entry_key
from astra_learn_assets_tests.comparator.test_entities import HELD_OUT, OWN, labelled


def _reason(wrong: str, right: str) -> str | None:
    old, new = ([entry_key(word) for word in words_of(side)] for side in (wrong, right))
    return reason([word for word in old if word not in new], [word for word in new if word not in old])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Ramírez", "Ramirez"),  # the lists have both
        ("Túpac", "Tupac"),
        ("Díaz", "Diaz"),
        ("Huáscar Apurímac", "Huáscar Apurimac"),
        ("Cañada", "Canada"),
        ("Agüero", "Aguero"),
    ],
)
def test_a_mark_that_the_spelling_needs_is_not_taken_off(wrong: str, right: str) -> None:
    assert _reason(wrong, right) == MARKS
    assert _reason(right, wrong) != MARKS


@pytest.mark.parametrize(
    ("wrong", "right"), [("Patáte", "Patate"), ("Marfíl", "Marfil"), ("Luís", "Luis"), ("Noelía", "Noelia")]
)
def test_a_mark_that_should_not_stand_there_may_go(wrong: str, right: str) -> None:
    assert _reason(wrong, right) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Partido Vecinal", "Partido Venal"),
        ("Corazón Puro", "Corazón Duro"),
        ("Club de Pescadores", "Club de Pecadores"),
        ("Poder Comunal", "Joder Comunal"),
    ],
)
def test_an_ordinary_word_heard_as_such_does_not_become_another_or_what_is_no_name(
    wrong: str, right: str
) -> None:
    assert _reason(wrong, right) == WORDS


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Santa Rusa", "Santa Rosa"),  # one slip of the ear
        ("señor Costas", "señor Costa"),  # an end that was not heard
        ("Cierra de Mariola", "Sierra de Mariola"),  # no ear tells them apart
        ("Amador Revilla", "Amador Belmonte"),  # a name
    ],
)
def test_an_ordinary_word_may_be_a_name_misheard(wrong: str, right: str) -> None:
    assert _reason(wrong, right) is None


@pytest.mark.parametrize(("wrong", "right"), [("Urkizo", "Utquizo"), ("Mejia", "Mehtía")])
def test_letters_that_stand_so_in_no_name_and_no_word_put_nothing_right(wrong: str, right: str) -> None:
    assert _reason(wrong, right) == LETTERS


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Kispe", "Quispe"),
        ("Raimi", "Raymi"),  # sounds the same
        ("Guachapea", "Wachapea"),  # read the foreign way it does
        ("Chubacancha", "Chupacancha"),  # one slip of the ear
        ("Utquiso", "Utquizot"),  # what was heard had such letters too
    ],
)
def test_rare_letters_that_sound_like_what_was_heard_are_a_name_of_elsewhere(wrong: str, right: str) -> None:
    assert _reason(wrong, right) is None


def test_what_only_adds_or_only_takes_words_is_none_of_it() -> None:
    assert _reason("Real", "Cañada Real") is None
    assert _reason("Cañada Real", "Real") is None


ACCENT = re.compile("[áéíóú]")
ASKED_FOR = (
    "benítez", "león", "bailén", "túpac", "crisóstomo", "díaz", "sáenz", "raúl", "maría", "saúl", "césar",
    "ámbato", "siloé", "ñáñez", "cárdenas", "búho", "huáscar", "peláez",
)  # fmt: skip
FORBIDDEN = ("marfíl", "patáte", "luís", "macaráo", "diós", "ayacúcho", "muñóz", "ruíz", "platanár")


@pytest.mark.parametrize("word", ASKED_FOR)
def test_spelling_asks_for_these_accents(word: str) -> None:
    assert asks_for_accent(word, _accent(word))


@pytest.mark.parametrize("word", FORBIDDEN)
def test_spelling_forbids_these_accents(word: str) -> None:
    assert not asks_for_accent(word, _accent(word))


def _accent(word: str) -> int:
    found = ACCENT.search(word)
    assert found is not None
    return found.start()


def test_few_of_the_true_fixes_of_the_labelled_sentences_are_held() -> None:
    """Most that are were written to be hard for the comparison: a clerk's odd spelling of an odd name."""
    true = held = 0
    for case in map(labelled, (*OWN, *HELD_OUT)):
        for change in judge(case.before, case.after).changes:
            if any(wrong in change.wrong and right in change.right for wrong, right in case.entities):
                true += 1
                held += change.kind != "acronym" and _reason(change.wrong, change.right) is not None
    assert true > 900
    assert held / true < 0.025, f"{held} of {true}"
