"""A clerk's habit is what several documents have nearly always, and never a matter of sense."""

from __future__ import annotations

import pytest

from astra_learn_assets.contracts import Example
from astra_learn_assets.datasets.replay import REPLAY
from astra_learn_assets.datasets.steady import (
    LEAST_SHARE,
    Steady,
    count_steady,
    dump_steady,
    is_habit,
    lower_bound,
    read_steady,
)
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets_tests.datasets.builders import example


def _pairs(*texts: tuple[str, str], documents: int = 2) -> list[Example]:
    return [
        example(before, after, document=f"doc-{number % documents}", chunk=f"c{number}")
        for number, (before, after) in enumerate(texts)
    ]


HABIT = [
    ("se vota también la obra", "Se vota asimismo la obra."),
    ("pide también la vez", "Pide asimismo la vez."),
    ("habla también el alcalde", "Habla asimismo el alcalde."),
]


def test_what_three_of_three_pairs_have_is_steady() -> None:
    assert Steady("también", "asimismo", 3, 3) in count_steady(_pairs(*HABIT))


def test_what_one_document_has_alone_is_not() -> None:
    assert count_steady(_pairs(*HABIT, documents=1)) == ()


def test_what_two_pairs_have_is_not_yet_steady() -> None:
    assert count_steady(_pairs(*HABIT[:2])) == ()


def test_replay_teaches_no_habit() -> None:
    lines = [
        example(before, after, document=f"{REPLAY}-{number}", tenant=REPLAY)
        for number, (before, after) in enumerate(HABIT)
    ]
    assert count_steady(lines) == ()


def test_a_word_that_the_finals_still_have_is_no_habit() -> None:
    elsewhere = [(f"también {n}", f"También {n}.") for n in ("calla", "grita", "espera")]
    assert count_steady(_pairs(*HABIT, *elsewhere)) == ()


def test_a_habit_beside_another_error_counts() -> None:
    beside = ("calla también haser", "Calla asimismo hacer.")
    assert Steady("también", "asimismo", 4, 4) in count_steady(_pairs(*HABIT, beside))


def test_the_stop_of_an_abbreviation_is_its_own_and_that_of_a_sentence_is_not() -> None:
    pairs = _pairs(
        ("habla el señor alcalde", "Habla el Sr. alcalde."),
        ("pide al señor concejal", "Pide al Sr. concejal."),
        ("vota el señor", "Vota el Sr."),
        ("falta mucha gente", "Falta mucha ciudadanía."),
        ("viene alguna gente", "Viene alguna ciudadanía."),
        ("calla toda gente", "Calla toda ciudadanía."),
    )
    found = {one.said: one.written for one in count_steady(pairs)}
    assert found == {"señor": "Sr.", "gente": "ciudadanía"}


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("esta", "está"),
        ("gobierno", "Gobierno"),
        ("a parte", "aparte"),
        ("muchas gracias", ""),
        ("por lo tanto", "por tanto"),
        ("hoy", "en el día de hoy"),
        ("treinta y tres", "33"),
        ("dos", "tres"),
        ("12 votos", "trece votos"),
        ("<PERSONA_1>", "el alcalde"),
        ("el alcalde", "<PERSONA_1>"),
        ("no vota", "vota"),
        ("a favor", "en contra"),
        ("euros", "pesos"),
    ],
)
def test_what_turns_a_sentence_round_or_is_an_error_of_the_ear_is_no_habit(said: str, written: str) -> None:
    assert not is_habit(tuple(said.split()), tuple(written.split()))


@pytest.mark.parametrize(
    ("said", "written"), [("también", "asimismo"), ("señor", "Sr."), ("es decir", "esto es")]
)
def test_other_words_for_the_same_are_a_habit(said: str, written: str) -> None:
    assert is_habit(tuple(said.split()), tuple(written.split()))


@pytest.mark.parametrize(
    ("kept", "seen", "bound"), [(0, 0, 0.0), (2, 2, 0.425), (3, 3, 0.526), (9, 10, 0.652), (82, 100, 0.748)]
)
def test_the_bound_is_wilsons(kept: int, seen: int, bound: float) -> None:
    assert lower_bound(kept, seen) == pytest.approx(bound, abs=0.001)
    assert lower_bound(2, 2) < LEAST_SHARE < lower_bound(3, 3)


def test_what_is_written_is_read_again_and_anything_else_is_refused() -> None:
    steady = count_steady(_pairs(*HABIT))
    assert steady
    assert read_steady(dump_steady(steady)) == steady
    assert read_steady(dump_steady(())) == ()
    for broken in (b"", b"{}", b'[{"said": "a"}]', b'[{"said": 1, "written": "b", "kept": "x", "seen": 2}]'):
        with pytest.raises(AdapterRefused, match="malformed"):
            read_steady(broken)
