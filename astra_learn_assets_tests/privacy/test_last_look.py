"""What is nobody in print, the heads of turns, and words that a scanner or a line's end has broken."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.ner import tagger
from astra_learn_assets.privacy.people.last_look import believed
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.second_reader import Reading
from astra_learn_assets.privacy.people.worn import mended
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer


def people(text: str, pseudonymizer: Pseudonymizer) -> list[str]:
    return [text[s:e] for s, e, kind in pseudonymizer.findings(text) if kind == "PERSONA"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Interviene Julián Rosales Tormo. Pide que se rieguen los rosales de la avenida.", "rosales"),
        ("Habla la regidora Lucía Becerra Oca. La becerra decomisada es de su cuñado.", "becerra"),
        ("Catalina Rojas Sierra: «Sí, prometo».\nNoa Alcaraz Ruiz: «Juro por mi conciencia».", "Juro"),
        ("Queda enterada. 14:40 DIF, Macarena Tapia Rey, abre el albergue.", "DIF"),
        ("Por los centros: IES Ramón y Cajal, Darío Peralta Gil.", "Ramón"),
        ("Sector Los Ríos, Juana Tralma Pérez, RUT 11.xxx.xxx-4.", "xxx"),
        ("Se adjudica a Taxis El Cóndor, y avala Isidro Labrador Ruiz.", "Cóndor"),
    ],
)
def test_what_only_reads_like_a_name_stays(text: str, kept: str, pseudonymizer: Pseudonymizer) -> None:
    start = text.index(kept)
    masked = [(s, e) for s, e, kind in pseudonymizer.findings(text) if kind == "PERSONA"]
    assert not any(s < start + 2 and start < e for s, e in masked), people(text, pseudonymizer)
    assert masked, "somebody else is named there"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Asiste el regidor Plácido Descanso López. Se pregunta dónde están.\nDescanso: en el museo.",
         ["Plácido Descanso López", "Descanso"]),
        ("preside la abogada ayelén tutela rain. se abre la sesión.\ntutela: no venimos por eso.",
         ["ayelén tutela rain", "tutela"]),
        ("Asiste Rosendo Mori Paz. Toma nota el Secretario (Mori). Con cargo a redacción.",
         ["Rosendo Mori Paz", "Mori"]),
    ],
)  # fmt: skip
def test_an_everyday_word_at_the_head_of_a_turn_is_whom_the_text_has_named(
    text: str, names: list[str], pseudonymizer: Pseudonymizer
) -> None:
    assert people(text, pseudonymizer) == names


def test_the_title_and_the_towns_own_list_keep_what_the_last_look_would_let_go() -> None:
    text = "Se da la palabra al Sr. Jurado. SEDU no contesta."
    assert people(text, Pseudonymizer()) == ["Jurado"]
    assert people(text, Pseudonymizer(mask_terms=("SEDU",))) == ["Jurado", "SEDU"]


def test_a_repeat_that_the_tagger_is_sure_is_none_goes_and_one_it_doubts_stays() -> None:
    text = "Ana Córdoba Gil viaja hoy a Córdoba."
    start = text.rindex("Córdoba")
    whole = Finding(0, 15, "PERSONA", RANK, "model")
    repeat = Finding(start, start + 7, "PERSONA", RANK - 5, "repeat")
    spans = [(0, 3), (4, 11), (12, 15), (start, start + 7)]
    for likely, kept in ((0.001, [whole]), (0.1, [whole, repeat])):
        reading = Reading(spans, [0.99, 0.99, 0.99, likely], [True, False, False, False], printed=True)
        assert list(believed(text, [whole, repeat], reading)) == kept
        shouted = text.upper()
        assert list(believed(shouted, [whole, repeat], reading)) == [whole, repeat]


@pytest.mark.parametrize(
    ("value", "detector", "elsewhere", "likely", "stays"),
    [
        ("Bellavista Nueva", "model", 0.99, 0.001, False),
        ("Bellavista Nueva", "model", 0.5, 0.001, True),  # of no place either: nobody is sure
        ("Bellavista Nueva", "model", 0.99, 0.1, True),  # somebody may be called so
        ("Bellavista Nueva", "announced", 0.99, 0.001, True),  # the text says that it is a person
        ("Violeta Parra", "model", 0.99, 0.001, True),  # a given name with a surname
    ],
)
def test_what_the_tagger_is_sure_belongs_to_a_place_is_nobody(
    value: str, detector: str, elsewhere: float, likely: float, stays: bool
) -> None:
    text = f"La motobomba sale para {value}."
    start = text.index(value)
    spans = tagger.tokens(text)
    reading = Reading(
        spans, [likely] * len(spans), [False] * len(spans), printed=True, elsewhere=[elsewhere] * len(spans)
    )
    finding = Finding(start, start + len(value), "PERSONA", RANK, detector)
    assert (finding in list(believed(text, [finding], reading))) is stays


@pytest.mark.parametrize(
    ("worn", "read"),
    [
        ("el A1calde Val1ejo", "el Alcalde Vallejo"),
        ("Mar1a y Victor1ano", "Maria y Victoriano"),
        ("Celed0nio, ZAMAC0NA", "Celedonio, ZAMACONA"),
        ("en 2010, a 10 euros, AB12CD, folio 01, B10, x1", "en 2010, a 10 euros, AB12CD, folio 01, B10, x1"),
    ],
)
def test_a_figure_inside_a_word_is_the_letter_that_it_looks_like(worn: str, read: str) -> None:
    assert mended(worn) == read


def test_a_worn_name_and_one_that_a_line_has_cut_are_masked_whole(pseudonymizer: Pseudonymizer) -> None:
    worn = "Se subastaron en favor de don Gregorio Val1ejo Arcas, con 412 pesetas."
    assert people(worn, pseudonymizer) == ["Gregorio Val1ejo Arcas"]
    cut = "Pide la palabra el concejal don Emilio Salazar Cam-\npillo y pregunta."
    assert people(cut, pseudonymizer) == ["Emilio Salazar Cam-\npillo"]


def test_a_short_surname_in_capitals_beside_another_is_no_acronym(pseudonymizer: Pseudonymizer) -> None:
    text = "Se aprueba con los votos a favor de LARA Y CADO, y la abstención de Pérez."
    assert people(text, pseudonymizer) == ["LARA", "CADO", "Pérez"]


def test_a_surname_of_two_letters_goes_with_its_given_name(pseudonymizer: Pseudonymizer) -> None:
    text = "Comadronas inscritas: Catarina Us, y preside Amparo Bo."
    assert people(text, pseudonymizer) == ["Catarina Us", "Amparo Bo"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("D. Jose Perez Lopez D. Luis Garcia Ruiz Dª Maria Solis Dña. Ana Mora",
         ["Jose Perez Lopez", "Luis Garcia Ruiz", "Maria Solis", "Ana Mora"]),
        ("GRUPO SOCIALISTA : D. CRISTÓBAL CONSENTINO GARCÍA D. GINÉS ARAGONESES PEÑA",
         ["CRISTÓBAL CONSENTINO GARCÍA", "GINÉS ARAGONESES PEÑA"]),
        ("Concejales: D. Julen Albira Plaza D. Koldo\nArizcuren Sola D. Roberto Urrutia Pascal; firman.",
         ["Julen Albira Plaza", "Koldo\nArizcuren Sola", "Roberto Urrutia Pascal"]),
        ("Habla Julio D. Pérez Gómez.", ["Julio D. Pérez Gómez"]),
        ("1. Pérez Gil, Luis Alberto\n2. Soto Mora, Ana", ["Pérez Gil, Luis Alberto", "Soto Mora, Ana"]),
    ],
)  # fmt: skip
def test_the_people_of_a_row_are_told_apart_by_a_courtesy_or_a_comma_and_no_name_is_cut(
    text: str, names: list[str], pseudonymizer: Pseudonymizer
) -> None:
    assert people(text, pseudonymizer) == names
