"""Persons that only their place among other words gives away, and words in such places that are nobody."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.people.cues import cued
from astra_learn_assets.privacy.people.listed_names import listed
from astra_learn_assets.privacy.people.mending import more_surnames
from astra_learn_assets.privacy.people.public_places import public_places
from astra_learn_assets.privacy.people.speakers import speakers
from astra_learn_assets.privacy.people.titles import titled
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer


def _cued(text: str) -> list[str]:
    return [text[f.start : f.end] for f in cued(text)]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("le cedo la palabra a rosa para que lo explique", "rosa"),
        ("pues paso el micro a modesto", "modesto"),
        ("muchas gracias estela pasamos al punto", "estela"),
        ("a ver rosa por favor", "rosa"),
        ("el ingeniero andrea rivas nos lo presenta", "andrea rivas"),
        ("Por alusiones, Chuquimarca niega haber firmado.", "Chuquimarca"),
        ("Entonces Guerra se ausenta y vuelve.", "Guerra"),
        ("¿Y Mella qué opina?", "Mella"),
        ("¿Y Puente qué opina?", "Puente"),
        ("¿Y del Río qué dice?", "del Río"),
        ("Como ha explicado de la Cuesta, se hará.", "de la Cuesta"),
        ("señor pareja ruegue brevedad", "pareja"),
    ],
)
def test_who_is_called_asked_or_acts_is_a_person_though_the_word_is_an_everyday_one(
    text: str, person: str
) -> None:
    assert person in _cued(text)


@pytest.mark.parametrize(
    "text",
    [
        "le cedo la palabra a la secretaria",
        "muchas gracias a todos y buenas noches",
        "Tiene la palabra el señor alcalde.",
        "gracias presidenta, tiene la palabra el portavoz",
        "¿Y España qué opina?",
        "El Gobierno niega haber firmado.",
        "a ver si por favor terminan",
        "Vox se abstiene y el PP vota en contra.",
        "muchas gracias bueno pasamos al punto",
    ],
)
def test_offices_parties_and_countries_in_such_places_are_nobody(text: str) -> None:
    assert _cued(text) == []


def test_behind_a_title_for_several_a_towns_name_is_a_persons() -> None:
    text = "Los señores Jiménez y Salamanca abandonan el salón."
    assert [text[f.start : f.end] for f in titled(text)] == ["Jiménez", "Salamanca"]


@pytest.mark.parametrize(
    "text", ["LO PIDE TUPAC FIGUEROA ESPINOSA.", "WAYRA MUÑOZ CASAS NO FUE", "HABLÓ ROSA."]
)
def test_a_surname_that_ends_like_a_company_is_no_company(text: str) -> None:
    assert list(public_places(text, [0, 8, 12])) == []


@pytest.mark.parametrize("text", ["Pérez Espinosa, S.A. entrega", "Pérez Espinosa SL entrega"])
def test_a_company_is_one_with_its_own_ending(text: str) -> None:
    assert list(public_places(text, [0])) != []


@pytest.mark.parametrize(
    "text", ["Se obliga a la villa vecina.", "Hubo vertidos en el arroyo.", "Vino del arroyo."]
)
def test_a_noun_behind_its_article_is_no_surname(text: str) -> None:
    assert list(listed(text)) == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Patricia Granados Zaragoza pide", "Patricia Granados Zaragoza"),
        ("rosa granados calle pide", "rosa granados calle"),
        ("Margarita Bros y del Olmo pide", "Margarita Bros y del Olmo"),
        ("Patricia Granados y Pedro", "Patricia Granados"),
        ("Patricia Granados Gobierno", "Patricia Granados"),
    ],
)
def test_the_surname_behind_a_full_name_is_part_of_it(text: str, whole: str) -> None:
    known = " ".join(text.split()[:2])
    assert text[: more_surnames(text, 0, len(known))] == whole


def test_a_text_without_a_cue_names_nobody() -> None:
    assert _cued("el pleno aprueba la cuenta general y se levanta la sesión") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1) Cruz Toro, Gregorio; 2) Zamora Rivera, Julio", "Cruz Toro, Gregorio"),
        ("1) Cruz Toro, Gregorio; 2) Zamora Rivera, Julio", "Zamora Rivera, Julio"),
        ("MAYO PATIÑO, GERALDINE\nSOTO LEÓN, ANA", "MAYO PATIÑO, GERALDINE"),
        ("del Río Lucero, Juan Carlos", "del Río Lucero, Juan Carlos"),
    ],
)
def test_a_line_of_a_roster_is_one_person_to_its_last_word(text: str, line: str) -> None:
    assert line in [text[f.start : f.end] for f in speakers(text)]


@pytest.mark.parametrize(
    "text", ["Ruegos, Preguntas", "Hacienda Pública, Cultura; Deportes", "León, Sevilla"]
)
def test_two_headings_with_a_comma_are_no_roster(text: str) -> None:
    assert list(speakers(text)) == []


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Nombre: Sara.\nApellidos: San Ramón Perez.\nNHC: 3.", ["Sara", "San Ramón Perez"]),
        ("apellidos y nombres: plank zorn\nfecha: hoy", ["plank zorn"]),
        ("APELLIDOS: RÍO PUENTE", ["RÍO PUENTE"]),
        ("Nombre y apellidos: no constan.", []),
        ("Apellidos y nombre: Secretaría de Educación", []),
    ],
)
def test_what_a_form_holds_for_surnames_is_a_person_whatever_else_the_words_are(
    text: str, people: list[str], pseudonymizer: Pseudonymizer
) -> None:
    assert [text[s:e] for s, e, kind in pseudonymizer.findings(text) if kind == "PERSONA"] == people
