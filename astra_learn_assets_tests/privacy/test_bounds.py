"""Tidy bounds never cost a name: fields of a form, words that no list knows, surnames that are places."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Nombre: Blanca.\nApellidos: Ramos Gil.", "Blanca"),
        ("Nombre: Esperanza .\nApellidos: Cruz Olmo.", "Esperanza"),
        ("Nombre: Alejandro.\nApellidos: Peña Rodriguez .", "Peña"),
        ("Nombre: Yidani.\nApellidos: Ahajarazi.\nEdad: 30.", "Ahajarazi"),
        ("¿Nobalono, puedes responder?", "Nobalono"),
        ("El señor risalón san daen zanen y la señora ana pérez votan a favor.", "zanen"),
        ("El señor de la toledo calle y la señora f. mcintyre albu votan a favor.", "mcintyre"),
    ],
)
def test_a_name_in_a_field_or_that_no_list_knows_is_masked(
    pseudonymizer: Pseudonymizer, text: str, gone: str
) -> None:
    assert gone not in pseudonymizer.text(text, 1)[0]


def test_what_a_sentence_begins_with_is_still_no_person(pseudonymizer: Pseudonymizer) -> None:
    text = "Milagros no se pueden hacer. El ayuntamiento de la villa lo sabe."
    assert pseudonymizer.text(text, 1)[0] == text
