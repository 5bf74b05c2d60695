"""Minutes written one by one: read as they are marked, and with other people in the same places."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.written_minutes import Recast, documents, pieces, read

PAGE = """=== CO dos vecinos
En {l:Bellavista Nueva} habló {p:Flor Duque}; el duque no.
Paga {o:Ritmo Costeño} a {p:Duque} y a {p:ANA DE LA PEÑA}.
=== CO sin gente
GASOLINA {l:SAN ROQUE}.
"""


def people(piece: tuple[str, list[tuple[int, int, str]]]) -> list[str]:
    text, spans = piece
    return [text[start:end] for start, end, label in spans if label == "PER"]


def test_each_mark_is_a_span_and_the_rest_is_the_page_as_it_stands() -> None:
    first, second = read(PAGE)
    assert people(first) == ["Flor Duque", "Duque", "ANA DE LA PEÑA"]
    assert "{" not in first[0]
    assert first[0].startswith("En Bellavista Nueva habló Flor Duque; el duque no.\nPaga")
    assert second == ("GASOLINA SAN ROQUE.", [(9, 18, "LOC")])


@pytest.mark.parametrize("mark", ["{p:Ana", "{x:Ana}", "{p:Ana {l:Olvera}}", "Ana}"])
def test_a_broken_mark_is_told_with_its_piece(mark: str) -> None:
    with pytest.raises(ValueError, match=r"hoja\.txt: === ES el roto: a mark is broken near"):
        read(f"=== ES el roto\nVota {mark} a favor.\n", "hoja.txt")


def test_the_same_word_of_a_name_becomes_the_same_word_in_its_own_case() -> None:
    whole = read(PAGE)
    for seed in range(20):
        rng = random.Random(seed)
        text, spans = Recast(rng, NameFactory(rng), whole).piece(whole[0])
        full, surname, shouted = people((text, spans))
        assert full.endswith(surname)
        assert "Duque" not in surname
        assert "el duque no" in text  # a word is no name, and stays
        assert shouted == shouted.upper()
        assert " DE LA " in shouted


def test_other_places_and_bodies_come_from_other_pieces_of_the_same_length() -> None:
    whole = read(PAGE)
    met = set()
    for seed in range(40):
        rng = random.Random(seed)
        text, spans = Recast(rng, NameFactory(rng), whole).piece(whole[0])
        met |= {text[start:end] for start, end, label in spans if label == "LOC"}
    assert {value.title() for value in met} == {"Bellavista Nueva", "San Roque"}


def test_the_shipped_pieces_are_whole_and_no_two_are_alike() -> None:
    whole = pieces()
    assert len(whole) > 1_000
    assert len({text for text, _ in whole}) == len(whole)
    for text, spans in whole:
        for start, end, label in spans:
            assert text[start:end] == text[start:end].strip(), text[start:end]
            assert label != "PER" or any(char.isalpha() for char in text[start:end])


def test_the_same_seed_gives_the_same_pieces_and_another_one_others() -> None:
    first, again, other = (list(islice(documents(seed), 30)) for seed in (3, 3, 4))
    assert first == again
    assert first != other
