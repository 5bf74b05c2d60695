"""The second reader of names: the same numbers as torch's, whatever is beside, and what it changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from astra_learn_assets.making.ner import train_tagger
from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.ner import tagger
from astra_learn_assets.privacy.ner.tagger import Tagger, shipped_tagger
from astra_learn_assets.privacy.people.name_runs import RANK
from astra_learn_assets.privacy.people.second_reader import DETECTOR, Reading, before_people, reconciled
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.spanish.fold import fold_chars

TEXTS = (
    "ASISTEN:\n1. RIBERA PAZ, LUZ\t(PSOE)\n2. Álvaro Núñez del Arco",
    "la señora alegría dice que la alegría de la ribera no se paga",
    "",
    "J. P. M.; 12.345.678-K",
    "Interviene D.Pedro y O'Connor",
)


def test_the_numpy_network_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    network = train_tagger.build().eval()
    made = Tagger({name: value.astype("float32") for name, value in train_tagger.weights_of(network).items()})
    rounded = train_tagger.build().eval()
    rounded.load_state_dict(
        {name: value.half().float() for name, value in network.state_dict().items()}
    )  # as they are stored
    for text, (spans, scores) in zip(TEXTS, made.scores(TEXTS), strict=True):
        if not spans:
            assert scores.shape == (0, len(tagger.TAGS))
            continue
        rows = [(*tagger.features(fold_chars(text[s:e])), tagger.shape(text[s:e]), 0) for s, e in spans]
        with torch.no_grad():
            theirs = torch.softmax(rounded(torch.tensor([rows])), dim=-1)[0].numpy()
        np.testing.assert_allclose(scores, theirs, atol=2e-4)


def test_weights_mixed_are_the_mean_of_both_and_others_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    files = []
    for seed, dilations in ((1, tagger.DILATIONS), (2, tagger.DILATIONS), (3, (1, 2))):
        torch.manual_seed(seed)
        files.append(tmp_path / f"{seed}.npz")
        train_tagger.save(train_tagger.build(dilations), files[-1])
    with np.load(files[0]) as old, np.load(files[1]) as new:
        made = train_tagger.mixed(files[0], [files[1]], 0.75)
        wanted = 0.75 * old["out"].astype("float32") + 0.25 * new["out"].astype("float32")
        np.testing.assert_allclose(made["out"], wanted, atol=1e-3)
    with pytest.raises(ValueError, match="no weights of one form: train with --start"):
        train_tagger.mixed(files[0], [files[1], files[2]], 0.5)


def test_a_text_reads_the_same_alone_and_among_others_and_again() -> None:
    shipped = shipped_tagger()
    together = list(shipped.scores(TEXTS))
    for text, (spans, scores) in zip(TEXTS, together, strict=True):
        ((alone_spans, alone),) = shipped.scores([text])
        assert alone_spans == spans
        np.testing.assert_allclose(alone, scores, atol=1e-5)


def test_case_is_one_feature_and_accents_are_none() -> None:
    assert tagger.features(fold_chars("NÚÑEZ")) == tagger.features(fold_chars("núñez"))
    assert tagger.shape("NÚÑEZ") != tagger.shape("núñez") != tagger.shape("Núñez")
    assert tagger.features("12") == tagger.features("90210")


def test_the_shipped_tagger_knows_a_name_by_its_place() -> None:
    text = "asisten: luz ribera campos, rosa paz y el concejal planas"
    (found,) = shipped_tagger().people([text], least=0.3)
    read = " ".join(text[one.start : one.end] for one in found)
    assert "ribera" in read
    assert "concejal" not in read


def reading(text: str, likely: dict[str, float], begins: Sequence[str] = ()) -> Reading:
    spans = tagger.tokens(text)
    words = [text[s:e] for s, e in spans]
    return Reading(
        spans,
        [likely.get(word, 0.0) for word in words],
        [word in begins for word in words],
        not text.islower(),
    )


def person(text: str, value: str, rank: int = RANK, detector: str = "list") -> Finding:
    start = text.index(value)
    return Finding(start, start + len(value), "PERSONA", rank, detector)


def masked(text: str, found: Sequence[Finding]) -> list[str]:
    return [text[one.start : one.end] for one in sorted(found, key=lambda one: one.start)]


def test_two_people_in_one_span_are_two() -> None:
    text = "actúan Elba de los Ríos y Fe"
    sure = reading(text, {"Elba": 0.99, "de": 0.97, "los": 0.97, "Ríos": 0.99, "Fe": 0.98}, ["Elba", "Fe"])
    assert masked(text, reconciled(text, [person(text, "Elba de los Ríos y Fe")], sure)) == [
        "Elba de los Ríos",
        "Fe",
    ]


def test_a_comma_parts_two_people_only_where_the_second_surely_begins_one() -> None:
    text = "escoltas: Fiel Quintero, Valeria Paz"
    sure = dict.fromkeys(("Fiel", "Quintero", "Valeria", "Paz"), 0.99)
    found = [person(text, "Fiel Quintero, Valeria Paz")]
    two = reconciled(text, found, reading(text, sure, ["Fiel", "Valeria"]))
    assert masked(text, two) == ["Fiel Quintero", "Valeria Paz"]
    text = "11. Quintero Fiel, Valeria"
    found = [person(text, "Quintero Fiel, Valeria")]
    for comma, begins in ((0.6, ["Quintero", "Valeria"]), (0.01, ["Quintero"])):
        one = reconciled(text, found, reading(text, sure | {",": comma}, begins))
        assert masked(text, one) == ["Quintero Fiel, Valeria"]


def test_a_link_inside_one_name_parts_nobody() -> None:
    text = "don Josep Muxika i Echegaray"
    sure = reading(text, {"Josep": 0.99, "Muxika": 0.99, "i": 0.9, "Echegaray": 0.99}, ["Josep"])
    assert masked(text, reconciled(text, [person(text, "Josep Muxika i Echegaray")], sure)) == [
        "Josep Muxika i Echegaray"
    ]


def test_the_ends_that_are_surely_no_name_go_and_doubtful_ones_stay() -> None:
    text = "pide cupo para su hijo Iván Pan"
    sure = reading(text, {"hijo": 0.001, "Iván": 0.99, "Pan": 0.2}, ["Iván"])
    assert masked(text, reconciled(text, [person(text, "hijo Iván Pan")], sure)) == ["Iván Pan"]


def test_nothing_that_a_rule_found_is_dropped_whole() -> None:
    text = "habló Zutano"
    found = [person(text, "Zutano")]
    assert reconciled(text, found, reading(text, {"Zutano": 0.0001})) == found


def test_initials_and_nicknames_are_left_as_they_are() -> None:
    text = "alias el Chato Ruiz"
    found = [person(text, "Chato Ruiz", rank=85)]
    assert reconciled(text, found, reading(text, {"Chato": 0.0, "Ruiz": 0.99})) == found


def test_who_is_certain_once_is_known_where_the_tagger_doubts() -> None:
    text = "don Ramón Zubiría vota que no; zubiría se va, y la paz queda"
    likely = {"Ramón": 0.99, "Zubiría": 0.99, "zubiría": 0.45, "paz": 0.45}
    found = reconciled(text, [person(text, "Ramón Zubiría")], reading(text, likely, ["Ramón"]))
    assert masked(text, found) == ["Ramón Zubiría", "zubiría"]
    assert found[-1].detector == DETECTOR


def test_a_plain_word_that_opens_a_sentence_is_nobody_in_print_however_sure_the_tagger_is() -> None:
    for text, word, expected in (
        ("Escriba a la oficina.", "Escriba", []),
        ("Quispe a la oficina.", "Quispe", ["Quispe"]),
    ):
        assert masked(text, reconciled(text, [], reading(text, {word: 0.99}, [word]))) == expected


def test_what_the_tagger_reads_as_more_of_a_name_that_is_found_goes_with_it() -> None:
    text = "el señor damián cejas, deja constancia"
    sure = reading(text, {"damián": 0.95, "cejas": 0.85}, ["damián"])
    assert "damián cejas" in masked(text, reconciled(text, [person(text, "damián")], sure))
    alone = reading(text, {"cejas": 0.85}, ["cejas"])
    assert masked(text, reconciled(text, [], alone)) == []  # brows, for all that is known


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("El concejal Cejas, Damián, y la concejala Puente, Nieves.", "Cejas Damián Puente Nieves"),
        ("EL CONCEJAL CEJAS, DAMIÁN, Y LA CONCEJALA PUENTE, NIEVES.", "CEJAS DAMIÁN PUENTE NIEVES"),
        ("Municipio de Ñustez. Habla Fuentes Ñustez Ángel.", "Fuentes Ángel"),
        ("Ayuntamiento de Huamán. Responde Alba Huamán Junta a la vecina Rosa Gil.", "Alba Junta Rosa Gil"),
        ("ayuntamiento de villaverde del río. damián villaverde cejas responde.", "damián cejas"),
    ],
)
def test_who_bears_a_places_or_the_towns_name_is_hidden_to_the_last_word(text: str, names: str) -> None:
    """A whole that a later look drops leaves the pieces that were found."""
    written = Pseudonymizer(country="es").text(text, 0)[0]
    assert not set(names.split()) & set(re.findall(r"\w+", written)), written


def test_a_link_between_two_people_does_not_make_the_second_more_of_the_first() -> None:
    text = "los señores Ábalos e Iglesias"
    sure = reading(text, {"Ábalos": 0.99, "e": 0.9, "Iglesias": 0.99}, ["Ábalos"])
    found = [person(text, "Ábalos")]
    assert masked(text, reconciled(text, found, sure)) == ["Ábalos", "Iglesias"]


def test_a_place_without_small_letters_ends_where_somebody_surely_begins() -> None:
    text = "VECINOS DE CALLE BASAVILBASO ENCABEZADA POR GRISELDA MONZÓN Y OTROS"
    start = text.index("CALLE")
    span = (start, text.index(" Y OTROS"))
    sure = reading(text, {"GRISELDA": 0.99, "MONZÓN": 0.99}, ["GRISELDA"])
    assert [text[s:e] for s, e in before_people(text, [span], sure)] == ["CALLE BASAVILBASO ENCABEZADA POR "]
    doubtful = reading(text, {"GRISELDA": 0.9, "MONZÓN": 0.9}, ["GRISELDA"])
    assert list(before_people(text, [span], doubtful)) == [span]
    assert list(before_people(text, [span], None)) == [span]
    named = reading(text, {"CALLE": 0.99}, ["CALLE"])
    assert list(before_people(text, [span], named)) == []
    assert list(before_people(text, [span], named, own=True)) == [span]  # a town may bear a founder's name
    printed = "calle Basavilbaso Griselda Monzón"
    sure = reading(printed, {"Griselda": 0.99, "Monzón": 0.99}, ["Griselda"])
    assert list(before_people(printed, [(0, len(printed))], sure)) == [(0, len(printed))]
