"""The quick way of cleaning Latin-1 text is the slow way's answer, character by character."""

from __future__ import annotations

import pytest

from astra_learn_assets.spanish import visible
from astra_learn_assets.spanish.visible import clean

LATIN = [chr(code) for code in range(256)]
FURTHER = ["—", "…", "\u200b", "е", "ﬁ", "Œ", "İ", "ẞ", "\u0301", "€", "\U0001f600", "\u00a0"]


@pytest.mark.parametrize("character", [*LATIN, *FURTHER])
def test_text_passes_as_plain_only_where_nothing_is_special(character: str) -> None:
    text = f"a{character}b"
    special = visible._SPECIAL.search(text) is not None
    assert visible._is_plain(text) is not special
    if not special:
        assert clean(text).text == text
        assert text.translate(visible._PLAIN) == text


def test_what_hides_in_a_latin_1_text_is_still_seen() -> None:
    assert clean("Pe\u00addro Gar\u00a0cía").text == "Pedro Gar cía"
    assert clean("Garc&iacute;a <b>Ruiz</b>").text == "García Ruiz"
