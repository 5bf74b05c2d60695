"""What counts as a word and what counts as an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_learn_assets.evaluation.bootstrap import Interval, paired_block_bootstrap
from astra_learn_assets.evaluation.word_errors import compare, headline_words, strict_words

DRAWS: dict[str, Any] = {"samples": 2_000, "seed": 7}


def test_accents_count_and_case_and_punctuation_do_not() -> None:
    counts = compare("La reunión, señor alcalde.", "la reunion señor Alcalde")
    assert counts.words.rate == pytest.approx(1 / 4)
    assert counts.strict.errors == 5  # La, reunión, comma, alcalde, full stop
    assert counts.characters.errors == 1


def test_placeholders_and_numbers_are_one_word() -> None:
    assert headline_words("Don <PERSONA_1> pagó 1.200,50 € a las 20:30 (5%).") == [
        "don", "<PERSONA_1>".lower(), "pagó", "1.200,50", "€", "a", "las", "20:30", "5", "%",
    ]  # fmt: skip
    assert strict_words("¿Qué?") == ["¿", "Qué", "?"]


def test_unicode_forms_of_one_letter_are_no_error() -> None:
    assert compare("reunión", "reunio\u0301n").strict.errors == 0


def test_substitutions_deletions_and_insertions_are_told_apart() -> None:
    words = compare("uno dos tres cuatro", "uno dos, trece cuatro cinco").words
    assert (words.words, words.substitutions, words.deletions, words.insertions) == (4, 1, 0, 1)
    assert compare("uno dos", "").words.deletions == 2
    assert compare("uno", "uno dos tres").words.rate == 2.0


def test_a_reference_without_words_counts_what_was_made_up() -> None:
    assert compare("...", "hola a todos").words.insertions == 3
    assert compare("", "").words.rate == 0.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_scored(reference: str, hypothesis: str) -> None:
    counts = compare(reference, hypothesis)
    assert counts.words.words == len(headline_words(reference))
    assert compare(reference, reference).strict.errors == 0


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        level = random.beta(2, 18, 30)  # documents differ a lot, the second system is 1 point better
        words = random.integers(50, 150, 30)
        first = random.binomial(words, np.clip(level + 0.01, 0, 1))
        second = random.binomial(words, level)
        interval = paired_block_bootstrap(
            first.tolist(), second.tolist(), words.tolist(), samples=500, seed=trial
        )
        covered += interval.low <= 1.0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_pairing_makes_equal_systems_exactly_equal() -> None:
    interval = paired_block_bootstrap([5, 50, 0], [5, 50, 0], [100, 100, 100], **DRAWS)
    assert (interval.difference, interval.low, interval.high, interval.probability_worse) == (0, 0, 0, 0)


def test_a_seed_gives_the_same_interval_again() -> None:
    first = paired_block_bootstrap([5, 9, 1], [4, 4, 4], [100, 90, 80], samples=2_000, seed=3)
    assert first == paired_block_bootstrap([5, 9, 1], [4, 4, 4], [100, 90, 80], samples=2_000, seed=3)
    assert first.low < first.difference < first.high


def test_one_document_or_none_has_no_interval() -> None:
    assert paired_block_bootstrap([5], [3], [100], **DRAWS).low == pytest.approx(2.0)
    assert paired_block_bootstrap([], [], [], **DRAWS).difference == 0
    assert paired_block_bootstrap([5], [3], [100], **DRAWS) == Interval(2.0, 2.0, 2.0, 1.0, 1, 0)
    assert paired_block_bootstrap([3], [3], [100], **DRAWS).probability_worse == 0.0
    assert paired_block_bootstrap([3], [2], [200], **DRAWS) == Interval(0.5, 0.5, 0.5, 1.0, 1, 0)
    for lengths in (([1], [1, 2], [3]), ([1], [1], [3, 4])):
        with pytest.raises(ValueError, match=r"^one entry per document is needed in each sequence$"):
            paired_block_bootstrap(*lengths, **DRAWS)


def test_two_documents_are_drawn_as_a_coin_is_tossed_twice() -> None:
    # the second document twice, once or never: 2, 1 or 0 points, a quarter, a half and a quarter of the draws
    found = paired_block_bootstrap([0, 2], [0, 0], [100, 100], confidence=0.4, **DRAWS)
    assert (found.difference, found.low, found.high) == (1.0, 1.0, 1.0)
    assert found.probability_worse == pytest.approx(0.75, abs=0.05)
    assert (found.documents, found.samples) == (2, 2_000)
    wide = paired_block_bootstrap([0, 2], [0, 0], [100, 100], confidence=0.6, **DRAWS)
    assert (wide.low, wide.high) == (0.0, 2.0)
    usual = paired_block_bootstrap([5, 9, 1], [4, 4, 4], [100, 90, 80], **DRAWS)
    assert usual == paired_block_bootstrap([5, 9, 1], [4, 4, 4], [100, 90, 80], confidence=0.95, **DRAWS)


def test_documents_without_a_word_count_as_one_word() -> None:
    assert paired_block_bootstrap([2], [1], [0], **DRAWS).difference == 100
    found = paired_block_bootstrap([2, 2], [1, 1], [0, 0], **DRAWS)
    assert (found.difference, found.low, found.high) == (200, 200, 200)
