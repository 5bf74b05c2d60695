"""Each fold forgets what its line in the table says, and nothing more."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from astra_learn_assets.privacy.ner import nlp
from astra_learn_assets.spanish.fold import entry_key, fold, fold_chars, letters, near_fold, one_line
from astra_learn_assets.spanish.text import folded_words

LATIN = [chr(code) for code in range(256)]
FURTHER = ["—", "…", "\u200b", "е", "ﬁ", "Œ", "İ", "ẞ", "\u0301", "€", "\U0001f600", "\u00a0"]


@pytest.mark.parametrize("character", [*LATIN, *FURTHER])
def test_a_character_folds_alike_alone_and_beside_one_outside_latin_1(character: str) -> None:
    alone, beside = fold_chars(f"a{character}b"), fold_chars(f"a{character}b…")
    assert alone == beside[:-1]
    assert len(alone) == 3


@pytest.mark.parametrize("text", ["PEÑA García", "ß ﬁ İ", "e\u0301", "x" * 5_000 + "É", "é" * 5_000 + "…"])
def test_no_offset_moves_in_short_and_in_long_texts(text: str) -> None:
    assert len(fold_chars(text)) == len(text)
    assert fold_chars(text) == "".join(map(fold_chars, text))


def test_the_entity_models_fold_is_the_one_it_was_trained_on() -> None:
    blocks = (range(0x250), range(0x300, 0x370), range(0x370, 0x530), range(0x1E00, 0x2000))
    characters = [chr(code) for block in blocks for code in block]
    texts = [
        *characters,
        *(f"a{c}b" for c in characters),
        *(f"{c}\u0301" for c in characters),
        *(f"{c}\u0303" for c in characters),
        *("García", "GARCÍA", "Peña", "PEN\u0303A", "\0x"),
    ]
    folded = "\n".join(map(fold, texts))
    digest = hashlib.sha256(folded.encode()).hexdigest()
    assert digest == "be314e5710eb139ca8a886bbf383da87f362df3e0f127cb5bd2978c76a1f64b2", (
        "the features of the shipped entity model have changed: train it anew or undo the change"
    )


@pytest.mark.parametrize("word", ["GARCÍA", "Peña", "ÁÉ", "Núñez", "straße", "Ó", "İzmir"])
def test_the_entity_models_features_are_that_fold_and_its_ends(word: str) -> None:
    import spacy

    vocab = nlp.make_tokenizer(spacy.blank("es")).vocab
    lexeme = vocab[word]
    assert (lexeme.norm_, lexeme.prefix_, lexeme.suffix_) == (fold(word), fold(word)[:3], fold(word)[-3:])


def test_the_folds_differ_where_their_table_says() -> None:
    name = "O'Peña\u0301ß"
    assert fold_chars(name) == "o'peña\u0301ß"
    assert fold(name) == "o'peñaß"
    assert letters(name) == "opeñass"
    assert near_fold(name) == "o'penass"
    assert entry_key(name) == "o'peñáss"


def test_near_folding_makes_compatible_characters_one() -> None:
    assert near_fold("Oﬁcina Nº ２") == "oficina no 2"


def test_folded_words_forget_case_accents_punctuation_and_placeholder_numbers() -> None:
    assert folded_words("¡La <PERSONA_12>, en REUNIÓN!") == folded_words("la <PERSONA_3> en reunion")
    assert folded_words("<FECHA_1>") == ("<>",)


def test_one_line_changes_nothing_but_blanks_and_composition() -> None:
    assert one_line("  Pen\u0303a\n\tGARCÍA ") == "Peña GARCÍA"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Garcia", "GARCIA"),
        ("Garcia  Lopez", "garcia\u00a0lopez"),
        (unicodedata.normalize("NFD", "Peña"), "peña"),
        ("Ca\u00adrrillo", "carrillo"),
        ("\u200bOrtega ", "ortega"),
        ("STRASSE", "straße"),
    ],
)
def test_case_spaces_and_invisible_characters_make_no_second_entry(one: str, two: str) -> None:
    assert entry_key(one) == entry_key(two)


def test_accents_make_a_second_entry() -> None:
    assert entry_key("García") != entry_key("Garcia")
