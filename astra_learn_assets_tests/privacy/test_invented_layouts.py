"""Invented minutes of many layouts: every line can be filled, and the spans say who is one person."""

from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest

from astra_learn_assets.making.ner import tagger_corpus
from astra_learn_assets.making.ner.invented_layouts import KINDS, Layouts, documents, with_other_people
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.making.ner.lists import terms
from astra_learn_assets.making.ner.tagger_corpus import Real

REAL = [("Tiene la palabra la señora Oramas.", [(27, 33, "PER")]), ("Gracias, Presidenta.", [(9, 19, "-")])]


@pytest.fixture
def layouts() -> Layouts:
    rng = random.Random(3)
    return Layouts(rng, NameFactory(rng), ["el campo está seco."], REAL)


@pytest.mark.parametrize(
    "name",
    [*(f"layouts_{kind}" for kind in KINDS), "shapes_named", "shapes_plain", "nobody", "clauses"],
)
def test_every_line_can_be_filled_whatever_is_drawn(layouts: Layouts, name: str) -> None:
    for line in terms(name):
        for _ in range(3):
            layouts.numbered = {}
            text = "".join(value for value, _ in layouts.filled(line))
            assert not {"{", "<"} & set(text), line


def test_who_has_a_number_is_the_same_all_over_the_line(layouts: Layouts) -> None:
    pieces = layouts.filled("{P1}|{P1}|{P2}")
    first, again, other = (value for value, label in pieces if label == "PER")
    assert first == again != other


def test_a_given_name_and_its_surname_are_one_person_and_two_cells_are_two(layouts: Layouts) -> None:
    one = [value for value, label in layouts.filled("{G1} {P1}.") if label == "PER"]
    two = [value for value, label in layouts.filled("{G1}\t{P1}.") if label == "PER"]
    assert (len(one), len(two)) == (1, 2)
    assert one[0].split()[-1] == two[1].split()[-1]


def test_layouts_of_nobody_name_nobody(layouts: Layouts) -> None:
    for line in terms("layouts_nobody"):
        assert all(label != "PER" for _, label in layouts.filled(line)), line


def test_a_sentence_about_the_word_labels_no_person(layouts: Layouts) -> None:
    for line in terms("alike_words"):
        word, sentence = line.split("|", 1)
        assert word[0].isupper()
        assert all(label != "PER" for _, label in layouts.filled(sentence)), line


def test_a_name_broken_over_two_lines_is_one_person(layouts: Layouts) -> None:
    for _ in range(20):
        ((value, _),) = [piece for piece in layouts.filled("{B}") if piece[1] == "PER"]
        assert value.strip().count("\n") == 1


def test_the_spans_are_where_the_people_stand() -> None:
    for text, spans in islice(documents(5, (), REAL), 60):
        for start, end, label in spans:
            assert 0 <= start < end <= len(text)
            assert label != "PER" or any(char.isalpha() for char in text[start:end])


def test_in_real_sentences_the_people_are_others_and_the_rest_stays() -> None:
    (text, spans), (unnamed, unsure) = with_other_people(REAL, 1)
    ((start, end, label),) = spans
    assert (text[:start], text[end:], label) == ("Tiene la palabra la señora ", ".", "PER")
    assert text[start:end] != "Oramas"
    assert (unnamed, unsure) == REAL[1]


def test_any_number_of_workers_makes_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger_corpus, "CHUNK", 8)
    real = Real(REAL, REAL, REAL, REAL)
    alone, together = (
        tagger_corpus.corpus(real, 2, made=9, layouts=17, grammars=9, workers=count) for count in (1, 2)
    )
    np.testing.assert_array_equal(alone, together)
