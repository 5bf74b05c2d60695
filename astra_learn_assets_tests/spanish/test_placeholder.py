"""One expression says what a placeholder is; what only looks like one is broken."""

from __future__ import annotations

import pytest

from astra_learn_assets.evaluation.word_errors import strict_words
from astra_learn_assets.spanish.placeholder import BROKEN, PLACEHOLDER, placeholders
from astra_learn_assets.spanish.text import folded_words
from astra_learn_assets.spanish.visible import clean


@pytest.mark.parametrize("text", ["<PERSONA_1>", "<DNI_12>", "<CUENTA_BANCARIA_3>", "<A_0>"])
def test_a_whole_placeholder_is_one_for_every_reader(text: str) -> None:
    match = PLACEHOLDER.fullmatch(text)
    assert match is not None
    assert f"<{match[1]}_{match[2]}>" == text
    assert placeholders(f"a {text}, {text}") == [text, text]
    assert strict_words(f"a {text},") == ["a", text, ","]
    assert folded_words(text) == ("<>",)
    assert clean(f"<b>{text}</b>").text == text


@pytest.mark.parametrize(
    "text", ["<PERSONA_1", "PERSONA_1>", "<PERSONA_>", "<DIRECCIÓN_1>", "<A__B_1>", "<PERSONA_١>", "<_X_1>"]
)
def test_what_only_looks_like_one_is_broken(text: str) -> None:
    assert placeholders(text) == []
    assert BROKEN.search(text)


@pytest.mark.parametrize("text", ["<b>", "a < b", "<persona_1>", "PERSONA", "A_1", "3 > 2"])
def test_plain_text_is_neither(text: str) -> None:
    assert placeholders(text) == []
    assert not BROKEN.search(text)
