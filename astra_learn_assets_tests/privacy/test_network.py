"""The fast network answers what spaCy answers, and stands back from any other build."""

from __future__ import annotations

from itertools import islice

import pytest

from astra_learn_assets.making.ner import grammar
from astra_learn_assets.privacy.ner import network
from astra_learn_assets.privacy.ner.network import QuickModel, quick_model
from astra_learn_assets.privacy.ner.nlp import SHIPPED_MODEL, SpacyModel, load_model, register

UGLY = [
    "",
    " ",
    "\n\n",
    "a",
    "Pedro",
    "Pedro  Ruiz",
    " Pedro Ruiz",
    "Pedro Ruiz \n",
    "Los de Vox y de  la",
    "D.Pedro/Ruiz",
    "ÁNGELA   GARCÍA\nJOSÉ",
    "\u200b\x00\U0001f600 Iñaki",
    "palabra " * 700 + "Pedro Ruiz",
]


@pytest.fixture(scope="module")
def plain() -> SpacyModel:
    import spacy

    register()
    return SpacyModel(spacy.load(SHIPPED_MODEL), "spaCy's own")


def minutes(seed: int, count: int) -> list[str]:
    made = [text for text, _ in islice(grammar.sentences(seed, held_out=True), count)]
    return [t.lower() if i % 5 == 0 else t.upper() if i % 7 == 0 else t for i, t in enumerate(made)]


def test_the_shipped_model_is_read_the_fast_way() -> None:
    assert isinstance(load_model(), QuickModel)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_fast_way_finds_what_spacy_finds(plain: SpacyModel, seed: int) -> None:
    texts = [*UGLY, *minutes(seed, 500), *UGLY]
    expected = list(plain.entities(texts))
    assert sum(map(len, expected)) > 300
    assert list(load_model().entities(texts)) == expected


def test_words_are_learned_anew_when_there_are_too_many(
    plain: SpacyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "MOST_WORDS", 40)
    quick = quick_model(plain.nlp, "small memory")
    assert quick is not None
    texts = minutes(6, 60)
    assert list(quick.entities(texts)) == list(plain.entities(texts))


def test_an_answer_does_not_depend_on_what_is_asked_beside_it() -> None:
    texts = minutes(8, 40)
    model = load_model()
    assert [next(iter(model.entities([text]))) for text in texts] == list(model.entities(texts))


@pytest.mark.parametrize(
    "change",
    [
        {"tok2vec": {"embed": {"attrs": ["NORM", "PREFIX", "SUFFIX", "SPACY"]}}},
        {"tok2vec": {"encode": {"window_size": 2}}},
        {"extra_state_tokens": True},
        {"use_upper": False},
    ],
)
def test_another_build_is_left_to_spacy(change: dict[str, object]) -> None:
    import spacy
    from spacy.util import load_config

    register()
    config = load_config(SHIPPED_MODEL / "config.cfg")
    model = config["components"]["ner"]["model"]
    for part, values in change.items():
        if not isinstance(values, dict):
            model[part] = values
            continue
        for name, settings in values.items():
            model[part][name].update(settings)
    built = spacy.util.load_model_from_config(config, auto_fill=True)
    assert quick_model(built, "other") is None


def test_a_batch_larger_than_one_reading_is_answered_whole(
    plain: SpacyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "BATCH_WORDS", 30)
    monkeypatch.setattr(network, "ROWS", 7)
    texts = minutes(9, 80)
    assert list(load_model().entities(texts)) == list(plain.entities(texts))
