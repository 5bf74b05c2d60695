# ruff: noqa: E501  (tables: one row, one line)
"""What speaks for a person: everyday words alone name nobody, and a certain name stays whole whatever it means."""

from __future__ import annotations

import pytest

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.ner import tagger
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.second_reader import Reading
from astra_learn_assets.privacy.people.support import is_plain, supported
from astra_learn_assets_tests.privacy.conftest import engine

# (country, text that names nobody)
NOBODY = [
    ("ar", "y 19 Concejales Titulares que figuran en el recuadro"),
    ("ec", "cumplido el trámite, publíquese y, cumplido, archívese."),
    ("cr", "Acta del concejo municipal de puerto jiménez sur, en puerto jiménez sur se lee la nota."),
    ("es", "pleno del ayuntamiento de puebla de doña elvira\nen la villa de puebla de doña elvira, siendo las siete"),
    ("es", "La obra sigue.\nMercedes y privilegios antiguos del pueblo se conservan."),
    ("cr", "AGENDA: I. Comprobación del cuórum. II. Lectura del acta."),
]  # fmt: skip

# (country, text, words that must go, words that must stay)
SOMEBODY = [
    ("es", "para la escuela del barrio; reemplaza a jorge centeno.", ["jorge", "centeno"], ["reemplaza"]),
    ("ar", "1|medio solís, sixto fernando|regidor|\n2|plaza gallego, ismael arcadio|regidor", ["medio", "plaza", "gallego", "arcadio"], ["regidor"]),
    ("ar", "cédula de notificación en autos «Monte» c/ Municipalidad s/ daños", ["Monte"], ["Municipalidad", "autos"]),
    ("pe", "En memoria de Guacolda Q'ente Ccahuana, antigua maestra", ["Guacolda", "ente", "Ccahuana"], ["maestra"]),
    ("es", "El edil Pantaleón MORGAN —el Negro, para los amigos— pidió la palabra", ["MORGAN", "Negro"], ["amigos", "palabra"]),
    ("es", "damas: fuensanta contreras cardozo y antonieta puente arévalo", ["puente", "arévalo"], ["damas"]),
]  # fmt: skip


@pytest.mark.parametrize(("country", "text"), NOBODY, ids=[text[:30] for _, text in NOBODY])
def test_offices_things_towns_and_items_of_a_list_stay(country: str, text: str) -> None:
    assert engine(country).text(text, "seed")[0] == text


@pytest.mark.parametrize(
    ("country", "text", "hidden", "kept"), SOMEBODY, ids=[row[1][:30] for row in SOMEBODY]
)
def test_surnames_that_are_words_go_and_what_stands_beside_them_stays(
    country: str, text: str, hidden: list[str], kept: list[str]
) -> None:
    masked, _ = engine(country).text(text, "seed")
    assert [word for word in hidden if word in masked] == []
    assert [word for word in kept if word not in masked] == []


def test_titles_within_a_row_of_people_part_them() -> None:
    masked, counts = engine("es").text(
        "D. Jesús Romero Miguel D. Luis Tapetado Pérez Olivares Dª. Laura Cuerva Carrasco", "seed"
    )
    assert len(counts) == 3, masked


@pytest.mark.parametrize("word", ["titulares", "archivese", "secretaria", "cumplido"])
def test_a_form_of_an_everyday_word_is_plain(word: str) -> None:
    assert is_plain(word)


@pytest.mark.parametrize("word", ["calle", "quispe", "ñancupil"])
def test_a_name_that_is_a_word_and_a_word_of_no_list_are_not_plain(word: str) -> None:
    assert not is_plain(word)


@pytest.mark.parametrize(("detector", "stands"), [("title", True), ("list", False)])
def test_a_compound_surname_behind_an_office_stands_though_the_tagger_doubts(
    detector: str, stands: bool
) -> None:
    text = "habla la edil Dos Santos ahora"
    spans = tagger.tokens(text)
    doubt = Reading(spans, [0.02] * len(spans), [False] * len(spans), printed=True)
    found = [Finding(14, 24, "PERSONA", RANK, detector)]
    assert list(supported(text, found, doubt)) == (found if stands else [])
