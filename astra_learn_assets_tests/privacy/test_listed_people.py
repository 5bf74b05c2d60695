"""People in lists of votes, who introduce themselves, with a hyphened surname: the rules alone."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.people.mending import more_surnames
from astra_learn_assets.privacy.people.speakers import addressed, speakers


def _spoken(text: str) -> list[str]:
    return [text[f.start : f.end] for f in speakers(text)]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        (
            "se aprueba con los votos a favor de jover, olmo y garcía",
            ["jover", "olmo", "garcía"],
        ),
        ("votos a favor: fernández, pasa.", ["fernández", "pasa"]),
        ("VOTOS A FAVOR: ABREGO, SAN DEL GIRÓN, KLEIN-PIMANI.", ["ABREGO", "SAN DEL GIRÓN", "KLEIN-PIMANI"]),
        ("Votos a favor: García, del Txeeokutz.", ["García", "del Txeeokutz"]),
        ("Votan en contra: garcía poque-calle, rusu.", ["garcía poque-calle", "rusu"]),
    ],
)
def test_everyone_in_a_list_of_votes_is_a_person_in_any_case(text: str, people: list[str]) -> None:
    found = _spoken(text)
    assert [p for p in people if p not in found] == []


@pytest.mark.parametrize(
    "text",
    [
        "votamos a favor de la moción, del dictamen y de la propuesta",
        "estamos a favor de la paz y de la convivencia",
        "VOTOS A FAVOR: GRUPO SOCIALISTA, GRUPO POPULAR.",
        "hablaron en contra de la enmienda, aunque luego la retiraron",
        "Votaremos en contra porque no se ha consultado, y lo lamentamos.",
    ],
)
def test_a_motion_voted_on_is_nobody(text: str) -> None:
    assert _spoken(text) == []


def test_who_says_a_name_of_ones_own_is_found_and_who_says_an_office_is_not() -> None:
    said = {
        "BUENAS TARDES, SOY AMARILIS POFASO SALRASA, VIVO EN RONDA": ["AMARILIS POFASO SALRASA"],
        "me llamo yatadine y vengo de lejos": ["yatadine"],
        "Como comentó Concepción, se convoque la comisión.": ["Concepción"],
        "Yo soy Diputado de esta Cámara.": [],
        "soy consciente de ello": [],
    }
    assert {text: [text[f.start : f.end] for f in addressed(text)] for text in said} == said


@pytest.mark.parametrize(
    ("text", "person", "whole"),
    [
        (
            "espiridión cantero-wachijurac: el presupuesto",
            "espiridión cantero",
            "espiridión cantero-wachijurac",
        ),
        ("Pedro Ruiz del Gobierno", "Pedro Ruiz", "Pedro Ruiz"),
        ("Mertxe Aizpurua de Bildu", "Mertxe Aizpurua", "Mertxe Aizpurua"),
        ("Ana Ruiz de la CUP", "Ana Ruiz", "Ana Ruiz"),
    ],
)
def test_a_hyphened_surname_belongs_to_the_person_and_a_party_does_not(
    text: str, person: str, whole: str
) -> None:
    start = text.index(person)
    assert text[start : more_surnames(text, start, start + len(person))] == whole
