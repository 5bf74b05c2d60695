"""What the councils say, who says it, and what their recognizers make of it."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from stdnum.cl import rut
from stdnum.ec import ci
from stdnum.es import dni, nie
from stdnum.mx import curp

from astra_learn_assets.simulation.council import clauses
from astra_learn_assets.simulation.council.errors_model import NOTHING, ErrorModel
from astra_learn_assets.simulation.council.figures_said import said
from astra_learn_assets.simulation.council.language import RULES, Grammar
from astra_learn_assets.simulation.council.letters import without_accents
from astra_learn_assets.simulation.council.mishearing import mishear, mishear_acronym
from astra_learn_assets.simulation.council.name_lists import FEMALE, MALE, SURNAMES
from astra_learn_assets.simulation.council.people import draw_citizen, draw_identity, draw_person
from astra_learn_assets.simulation.council.simulator import FIRST_DAY, make_council
from astra_learn_assets.simulation.council.sounds import Ear, sounds
from astra_learn_assets.simulation.council.towns import COUNTRIES
from astra_learn_assets.simulation.council.vocabulary import vocabulary
from astra_learn_assets.simulation.council.writing import Style

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


def skeleton(text: str) -> str:
    """A sentence without what fills it: words of five letters or more, names and figures are one each."""
    found = [w.lower() if w.isalpha() and len(w) < 5 else "#" for w in re.findall(r"[\w.]+|[^\w\s]", text)]
    return re.sub(r"(# )+", "# ", " ".join(found))


def test_debates_have_thousands_of_shapes() -> None:
    grammar = grammar_of("es")
    shapes = {skeleton(grammar.sentence("debate").text) for _ in range(4000)}
    assert len(shapes) > 3000


def test_verbs_nouns_and_adjectives_agree() -> None:
    rng = random.Random(4)
    for _ in range(500):
        determiner, *rest = clauses.thing(rng, plural=True, depth=1).split()
        assert determiner.endswith("s"), (determiner, rest)
        assert all(word.endswith("s") for word in rest), (determiner, rest)
        determiner, noun, *_ = clauses.thing(rng, plural=False, depth=1).replace("todo el", "el").split()
        assert determiner not in ("los", "las", "unos", "unas"), noun
    assert clauses.conjugate("pagar", "subj", plural=True) == "paguen"
    assert clauses.conjugate("publicar", "subj", plural=False) == "publique"
    assert clauses.conjugate("recoger", "subj", plural=False) == "recoja"
    assert clauses.conjugate("recibir", "pret", plural=True) == "recibieron"
    assert clauses.conjugate("avisar de", "perf", plural=True) == "han avisado de"
    assert clauses.plural_of("sesión") == "sesiones"
    assert clauses.fill("nothing", "pres", rng) is None
    with pytest.raises(KeyError):
        clauses.conjugate("pagar", "never", plural=False)


def model(**rates: float) -> ErrorModel:
    return ErrorModel("pueblo|1", lisping=True, rates=replace(NOTHING, **rates))


def heard(of: ErrorModel, text: str, seed: int = 1) -> str:
    return "".join(piece.heard for piece in of.transcribe(text, random.Random(seed)))


def test_pieces_join_to_what_was_heard_and_to_what_the_clerk_writes() -> None:
    council = make_council("villaverde", seed=7)
    grammar, rng = grammar_of("es"), random.Random(5)
    for _ in range(300):
        text = grammar.sentence("debate").text
        calm = replace(council.errors, rates=NOTHING, entities=(), style=Style(()))
        assert "".join(p.clean for p in calm.transcribe(text, rng)) == text
        assert heard(calm, text) == text
        pieces = council.errors.transcribe(text, rng)
        for side in ("".join(p.clean for p in pieces), "".join(p.heard for p in pieces)):
            assert "  " not in side, side
            assert side == side.strip()
        assert [p for p in pieces if p.cause is None and p.clean != p.heard] == []


def test_each_cause_of_an_error_is_switched_by_its_own_rate() -> None:
    text = "La comisión aprobó, al fin, los 12 informes. Después también pidió un plazo a la gente del pleno."
    for cause in ("sound", "ending", "accent", "filler", "lost", "boundary"):
        found = {
            p.cause for seed in range(20) for p in model(**{cause: 0.5}).transcribe(text, random.Random(seed))
        }
        assert found == {None, cause}
    assert "doce informes" in heard(model(figure=1.0), text)
    assert heard(model(comma=1.0), text).count(",") == 0
    assert ". después" not in heard(model(stop=1.0), text)
    assert heard(model(stop=1.0), text).endswith("pleno."), "the last stop stays"


def test_what_sounds_alike_is_confused_both_ways_and_a_council_leans_its_own() -> None:
    text = "Si no hay acuerdo, va a haber un pleno; no por eso, sino porque tuvo que votar y a ver por qué."
    answers = {
        heard(ErrorModel(f"pueblo|{n}", lisping=True, rates=replace(NOTHING, context=0.6)), text, n)
        for n in range(30)
    }
    joined = " ".join(answers).lower()
    for wrong in ("sino hay", "va a a ver", "por qué tuvo", "tubo que", "botar", "haber por qué"):
        assert wrong in joined, wrong
    assert len(answers) > 20


def test_a_word_is_misheard_alike_by_one_council_and_otherwise_by_another() -> None:
    words = sorted(word for word in vocabulary() if len(word) > 5)[:400]
    one, same, other = (Ear(key, lisping=True, words=vocabulary()) for key in ("a|1", "a|1", "b|1"))
    assert [one.takes_for(word) for word in words] == [same.takes_for(word) for word in words]
    differ = sum(one.takes_for(word)[:1] != other.takes_for(word)[:1] for word in words)
    assert differ > 0.5 * len(words)
    hard = sorted(model().hardness(word) for word in words)
    assert hard[-5] > 8 * hard[len(hard) // 2], "a few words are hard to hear"


def test_near_sounds_are_confused_more_often_than_far_ones() -> None:
    heard_for = [w for n in range(60) for w in Ear(f"c|{n}", lisping=True, words=()).takes_for("pato")]
    near, far = (sum(w.startswith(first) for w in heard_for) for first in "bl")
    assert near > far


def test_sounds_know_the_spelling_rules() -> None:
    assert sounds("queja", lisping=True) == "kexa"
    assert sounds("votación", lisping=True) == sounds("botazión", lisping=True)
    assert sounds("sesión", lisping=True) != sounds("cesión", lisping=True)
    assert sounds("sesión", lisping=False) == sounds("cesión", lisping=False)
    assert sounds("guerra", lisping=True) == "geRa"


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("0", "cero"), ("21", "veintiuno"), ("45", "cuarenta y cinco"), ("100", "cien"),
        ("101", "ciento uno"),
        ("2026", "dos mil veintiséis"), ("1.000", "mil"), ("21.000", "veintiún mil"),
        ("62.993", "sesenta y dos mil novecientos noventa y tres"), ("19:30", None), ("1.200,50", None),
        ("12/2026", None), ("41987854", None), ("007", None),
    ],
)  # fmt: skip
def test_figures_are_said_as_words(figure: str, words: str | None) -> None:
    assert said(figure) == words


def test_a_clerk_keeps_the_habits_that_were_drawn() -> None:
    style = Style((("por lo tanto", "por tanto"), ("bueno,", ""), ("a día de hoy", "actualmente")))
    rng = random.Random(1)
    said_so = "Bueno, la junta calla. Por lo tanto, a día de hoy no hay nada, y la bondad, bueno, es rara."
    minutes = "La junta calla. Por tanto, actualmente no hay nada, y la bondad, es rara."
    assert style.write(said_so, rng) == minutes
    spoken = ErrorModel("p|1", lisping=True, rates=NOTHING, style=style).transcribe(said_so, rng)
    assert "".join(p.heard for p in spoken) == said_so
    assert "".join(p.clean for p in spoken) == minutes
    seldom = replace(style, consistency=0.0)
    assert seldom.write(said_so, rng) == said_so


def test_a_misheard_name_is_never_only_an_accent_away() -> None:
    rng = random.Random(2)
    for name in [name for names in SURNAMES.values() for name in names if len(name) >= 5]:
        heard = mishear(name, rng, avoid=())
        assert without_accents(heard).lower() != without_accents(name).lower()
        assert heard[0].isupper()
    assert mishear_acronym("PGOU", rng, avoid=()) != "PGOU"
