"""A council's steady words stand where the model left the draft's own, and nowhere else."""

from __future__ import annotations

import pytest

from astra_learn_assets.datasets.steady import Steady
from astra_learn_assets.serving.answers import as_served
from astra_learn_assets.serving.habits import in_habit

STEADY = [
    Steady("también", "asimismo", 24, 27),
    Steady("señor", "Sr.", 32, 38),
    Steady("es decir", "esto es", 9, 9),
    Steady("por tanto", "en consecuencia", 9, 9),
]


@pytest.mark.parametrize(
    ("draft", "answer", "shown"),
    [
        ("se vota también hoy", "Se vota también hoy.", "Se vota asimismo hoy."),
        ("también se vota", "También se vota.", "Asimismo se vota."),
        ("se vota. También hoy", "Se vota. ¿También hoy?", "Se vota. ¿Asimismo hoy?"),
        ("lo pide también", "Lo pide, también.", "Lo pide, asimismo."),
        ("habla el señor alcalde", "Habla el señor alcalde.", "Habla el Sr. alcalde."),
        ("habla el señor", "Habla el señor.", "Habla el Sr."),
        ("es decir que no", "Es decir, que no.", "Esto es, que no."),
        # the model wrote something else, or brought words together that the draft has apart
        ("tan bien hoy", "También hoy.", "También hoy."),
        ("vota también hoy", "Vota además hoy.", "Vota además hoy."),
        ("por lo tanto se vota", "Por tanto se vota.", "Por tanto se vota."),
        # marks between the words
        ("es decir que no", "Es, decir que no.", "Es, decir que no."),
        # nothing to put: white space too is as it was
        ("se  abre", "Se  abre\nla sesión.", "Se  abre\nla sesión."),
        ("", "", ""),
    ],
)
def test_the_councils_words_stand_where_the_draft_was_left(draft: str, answer: str, shown: str) -> None:
    assert in_habit(draft, answer, STEADY) == shown


def test_without_steady_words_an_answer_is_as_it_was() -> None:
    assert in_habit("se vota  también", "Se vota  también", ()) == "Se vota  también"


def test_figures_come_first_then_steady_words_then_the_dictionary() -> None:
    draft = "paga también 1.200 euros a hortega"
    answer = "Paga también 1.020 euros a Hortega."
    shown = as_served(draft, answer, {"Hortega": "Ortega"}, STEADY)
    assert shown == "Paga asimismo 1.200 euros a Ortega."
