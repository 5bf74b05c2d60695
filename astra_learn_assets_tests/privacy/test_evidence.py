"""A name that one paragraph leaves no doubt about is known in every other, everyday word or not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pytest

from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer

PRESENT = (
    "ASISTENTES: D. Eusebio Sueldo Campos, Dña. Marta Rey Bueno, doña Luz Ribera Primo",
    "Intervino la vecina doña Killari Guerra.",
)


@lru_cache(maxsize=1)
def _masker() -> Pseudonymizer:
    return Pseudonymizer(country="es")


def _masked(text: str, document: Sequence[str] = PRESENT) -> str:
    known = _masker().names(document)
    return _masker().pairs([(text, text, 1)], known)[0].after


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Contesta Sueldo que no hay dinero.", "Contesta <PERSONA_1> que no hay dinero."),
        ("Lo presenta Guerra, como cada año.", "Lo presenta <PERSONA_1>, como cada año."),
        ("Se levanta Luz y se apaga la luz.", "Se levanta <PERSONA_1> y se apaga la luz."),
        ("El grupo de Rey Bueno se abstiene.", "El grupo de <PERSONA_1> se abstiene."),
        ("Propuesta de Primo: aprobada.", "Propuesta de <PERSONA_1>: aprobada."),
    ],
)
def test_a_surname_of_those_present_is_masked_though_it_is_an_everyday_word(text: str, masked: str) -> None:
    assert _masked(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "El sueldo de los concejales y los campos de la ribera.",
        "Se recuerda la Guerra Civil y al Rey en la Plaza Mayor.",
        "Bueno, empezamos con el camino de los campos.",
        "La Ley de Campos se aprueba en primo lugar.",
    ],
)
def test_the_same_words_as_things_stay(text: str) -> None:
    assert _masked(text) == text


def test_without_the_document_nothing_tells_the_name_from_the_thing() -> None:
    text = "Se levanta Luz y se apaga la luz."
    assert _masked(text, ()) == text


def test_a_place_an_office_or_a_body_named_after_a_title_is_no_evidence() -> None:
    document = [
        "La consellera de la Generalitat y el señor España hablan.",
        "El alcalde de Madrid, presente.",
    ]
    text = "Lo que en España se pide, en Madrid se sabe."
    assert not {"Generalitat", "España", "Madrid"} & set(_masker().names(document))
    assert _masked(text, document) == text


def test_names_are_the_same_however_often_and_in_whatever_order_they_stand() -> None:
    assert _masker().names(PRESENT) == _masker().names([*reversed(PRESENT), *PRESENT])
    assert "Eusebio Sueldo Campos" in _masker().names(PRESENT)
