"""What the councils say, who says it, and what their recognizers make of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from stdnum.cl import rut
from stdnum.ec import ci
from stdnum.es import dni, nie
from stdnum.mx import curp

from astra_learn_assets.simulation.council.confusions import POOL
from astra_learn_assets.simulation.council.errors_model import (
    ErrorModel,
    mishear,
    mishear_acronym,
    without_accents,
    words,
)
from astra_learn_assets.simulation.council.language import RULES, Grammar
from astra_learn_assets.simulation.council.name_lists import FEMALE, MALE, SURNAMES
from astra_learn_assets.simulation.council.people import draw_citizen, draw_identity, draw_person
from astra_learn_assets.simulation.council.simulator import FIRST_DAY, make_council
from astra_learn_assets.simulation.council.towns import COUNTRIES

SPOKEN = (
    "debate",
    "exposicion",
    "votacion",
    "ruego",
    "acuerdo",
    "vecino",
    "acta_anterior",
    "apertura",
    "cierre",
)


def grammar_of(country: str, seed: int = 1) -> Grammar:
    council = make_council(f"pueblo-{country}", seed=seed, country=country)
    return Grammar(council.facts, random.Random(seed), FIRST_DAY)


def test_there_are_names_enough_of_every_origin() -> None:
    given = {name for pool in (FEMALE, MALE) for names in pool.values() for name in names}
    surnames = {name for names in SURNAMES.values() for name in names}
    assert len(given) >= 300
    assert len(surnames) >= 500
    assert {"basque", "catalan", "galician", "quechua", "latin"} <= FEMALE.keys() & MALE.keys()


def test_no_misheard_form_is_a_word_the_councils_use() -> None:
    assert len(POOL) >= 80
    wrong = {form for group in POOL for form in group.values()}
    right = {form for group in POOL for form in group}
    assert not wrong & right
    single = {form for form in wrong if " " not in form}
    for country in COUNTRIES:
        grammar = grammar_of(country)
        for rule in SPOKEN:
            for _ in range(60):
                text = grammar.sentence(rule).text
                spoken = set(words(text))
                assert not single & spoken, (single & spoken, text)
                assert not [form for form in wrong if " " in form and f" {form} " in f" {text.lower()} "]


def test_each_misheard_form_stands_for_one_word_only() -> None:
    counts = Counter(form for group in POOL for form in group.values())
    assert [form for form, count in counts.items() if count > 1] == []
    assert all(wrong != right for group in POOL for right, wrong in group.items())


def test_sentences_have_no_open_slot_and_no_broken_contraction() -> None:
    for country in COUNTRIES:
        grammar = grammar_of(country)
        for rule in RULES:
            text = grammar.sentence(rule).text
            assert not set("{}[]|") & set(text), text
            assert " de el " not in text
            assert " a el " not in text
            assert "  " not in text


def test_sentences_hardly_repeat() -> None:
    grammar = grammar_of("es")
    texts = [grammar.sentence("debate").text for _ in range(2000)]
    assert len(set(texts)) > 1980


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_identity_numbers_hold_their_check_digits(country: str) -> None:
    rng = random.Random(5)
    for _ in range(200):
        person = draw_person(rng, country)
        label, number = draw_identity(rng, country, person)
        if label == "NIE":
            assert nie.is_valid(number)
        elif country == "es":
            assert dni.is_valid(number.replace(".", ""))
        elif country == "ec":
            assert ci.is_valid(number)
        elif country == "cl":
            assert rut.is_valid(number)
        elif country == "mx":
            assert curp.is_valid(number), number
        else:
            assert number.replace(".", "").isdigit()


def test_a_citizens_surname_is_never_a_councillors() -> None:
    council = make_council("villaverde", seed=7)
    rng = random.Random(3)
    for _ in range(300):
        citizen = draw_citizen(rng, "es", council.facts.town.streets, avoid=council.facts.avoid_surnames)
        assert not {citizen.person.surname, citizen.person.second_surname} & council.facts.avoid_surnames


def test_pieces_join_to_what_was_said_and_what_was_heard() -> None:
    model = ErrorModel({"pleno": "lleno", "acuerdo": "a cuerdo"}, (), systematic_rate=1.0, accent_rate=0.0)
    pieces = model.transcribe("Pleno, acuerdo del pleno.", random.Random(1))
    assert "".join(piece.clean for piece in pieces) == "Pleno, acuerdo del pleno."
    assert "".join(piece.heard for piece in pieces).replace(",", "") == "Lleno a cuerdo del lleno."


def test_a_misheard_name_is_never_only_an_accent_away() -> None:
    rng = random.Random(2)
    for name in [name for names in SURNAMES.values() for name in names if len(name) >= 5]:
        heard = mishear(name, rng, avoid=())
        assert without_accents(heard).lower() != without_accents(name).lower()
        assert heard[0].isupper()
    assert mishear_acronym("PGOU", rng, avoid=()) != "PGOU"
