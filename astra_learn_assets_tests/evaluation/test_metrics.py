"""What counts as a word and what counts as an error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_learn_assets.evaluation.interval import Interval, paired_interval, student_quantile
from astra_learn_assets.evaluation.word_errors import Counts, compare, entities, headline_words, strict_words


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


def test_names_numbers_and_placeholders_are_entities_wherever_they_stand() -> None:
    assert entities("Don <PERSONA_1> pagó 1.200 euros en Lugo. Después fue a Ourense.") == {
        "<PERSONA_1>": 1, "1.200": 1, "Lugo": 1, "Ourense": 1,
    }  # fmt: skip
    found = compare("Pagó <PERSONA_1> 30 euros en Lugo.", "Pagó 20 euros en Lugo en Lugo.").entities
    assert (found.words, found.deletions, found.insertions) == (3, 2, 2)
    assert compare("Se levanta la sesión.", "Se levanta la sesion.").entities == Counts()


def test_a_small_number_in_figures_is_the_same_number_and_another_one_is_not() -> None:
    spoken = "Se aprueba por once votos a favor y ocho en contra."
    assert compare(spoken, "Se aprueba por 11 votos a favor y 8 en contra.").entities == Counts(2)
    assert compare(spoken, "Se aprueba por 12 votos a favor y 8 en contra.").entities == Counts(2, 0, 1, 1)
    assert entities("Treinta y dos mil euros y dos mil más") == {}


@pytest.mark.parametrize("documents", [10, 20])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(documents: int) -> None:
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(600):
        level = random.beta(2, 18, documents)  # documents differ a lot, the second system is 1 point better
        words = random.integers(50, 400, documents)
        first = random.binomial(words, np.clip(level + 0.01, 0, 1))
        second = random.binomial(words, level)
        interval = paired_interval(first.tolist(), second.tolist(), words.tolist())
        covered += interval.low <= 1.0 <= interval.high
    assert 0.93 <= covered / 600 <= 0.98


def test_pairing_makes_equal_systems_exactly_equal() -> None:
    interval = paired_interval([5, 50, 0], [5, 50, 0], [100, 100, 100])
    assert (interval.difference, interval.low, interval.high, interval.probability_worse) == (0, 0, 0, 0)
    assert interval.power(2.0) == interval.growth(2.0, 0.8) == 1.0


def test_the_interval_of_documents_of_equal_length_is_students() -> None:
    found = paired_interval([5, 9, 1], [4, 4, 4], [100, 100, 100])
    # differences 1, 5 and -3 per hundred words: mean 1, standard error 4 / sqrt(3), t of two degrees 4.3027
    assert found.difference == pytest.approx(1.0)
    assert found.standard_error == pytest.approx(4 / 3**0.5)
    assert found.degrees == pytest.approx(2.0)
    assert found.high - found.difference == pytest.approx(4.30265 * 4 / 3**0.5, rel=1e-4)
    assert found.difference - found.low == pytest.approx(found.high - found.difference)
    narrow = paired_interval([5, 9, 1], [4, 4, 4], [100, 100, 100], confidence=0.5)
    assert found.low < narrow.low < narrow.high < found.high


def test_one_long_document_counts_for_less_than_many() -> None:
    even = paired_interval([9, 4, 7, 3], [5, 4, 4, 4], [100, 100, 100, 100])
    uneven = paired_interval([9, 4, 7, 3], [5, 4, 4, 4], [1_000, 10, 10, 10])
    assert even.degrees == pytest.approx(3.0)
    assert uneven.degrees == 1.0  # never below what two documents have


def test_with_one_document_or_none_nothing_is_known() -> None:
    for arguments in (([5], [3], [100]), ([], [], []), ([5, 7], [3, 1], [100, 0])):
        found = paired_interval(*arguments)
        assert found.low < -1_000 < 1_000 < found.high
        assert found.power(2.0) == 0.0
        assert found.growth(2.0, 0.8) == math.inf
        assert found.probability_worse == 0.5
    assert paired_interval([5], [3], [100]).difference == pytest.approx(2.0)
    for lengths in (([1], [1, 2], [3]), ([1], [1], [3, 4])):
        with pytest.raises(ValueError, match=r"^one entry per document is needed in each sequence$"):
            paired_interval(*lengths)


def test_power_is_how_often_a_rise_of_two_points_would_be_seen() -> None:
    random = np.random.default_rng(2)
    words = [300] * 20
    found = paired_interval(random.binomial(300, 0.06, 20).tolist(), [18] * 20, words)
    seen = 0
    for _ in range(400):
        drawn = paired_interval(random.binomial(300, 0.06, 20).tolist(), [18] * 20, words)
        seen += drawn.high - 2.0 <= 0  # truly equal, and two points are excluded
    assert found.power(2.0) == pytest.approx(seen / 400, abs=0.12)
    growth = found.growth(0.5, 0.8)
    assert growth > 1
    larger = round(20 * growth)
    grown = paired_interval(random.binomial(300, 0.06, larger).tolist(), [18] * larger, [300] * larger)
    assert grown.power(0.5) == pytest.approx(0.8, abs=0.15)


def test_the_probability_of_a_rise_is_half_where_nothing_differs_on_average() -> None:
    assert paired_interval([4, 6], [5, 5], [100, 100]).probability_worse == pytest.approx(0.5)
    assert paired_interval([9, 8], [5, 5], [100, 100]).probability_worse > 0.9
    assert paired_interval([6, 6], [5, 5], [100, 100]).probability_worse == 1.0


def test_a_document_without_words_takes_no_part_and_one_of_one_word_does() -> None:
    with_empty = paired_interval([9, 5, 7], [5, 0, 4], [300, 0, 410])
    assert with_empty == paired_interval([9, 7], [5, 4], [300, 410])
    assert (with_empty.documents, with_empty.size) == (2, 710)
    tiny = paired_interval([9, 1, 7], [5, 0, 4], [300, 1, 410])
    assert (tiny.documents, tiny.size) == (3, 711)
    assert tiny.difference == pytest.approx(100 * 8 / 711)


def test_one_document_says_how_large_it_is_and_nothing_of_the_spread() -> None:
    assert paired_interval([1], [0], [1]) == Interval(100.0, -1e9, 1e9, 1e9, 0.0, 1, 1)
    assert paired_interval([], [], []) == Interval(0.0, -1e9, 1e9, 1e9, 0.0, 0, 0)


def test_so_many_times_as_many_documents_have_the_power_that_was_asked_for() -> None:
    interval = Interval(0.5, -1.5, 2.5, 1.0, 9.0, 10, 5_000)
    for points, power in ((3.0, 0.9), (2.0, 0.8), (1.0, 0.8)):
        wanted = ((2.0 + student_quantile(power, 9.0)) / points) ** 2
        assert interval.growth(points, power) == pytest.approx(wanted)
        assert wanted > 1
    assert 1 < interval.growth(3.0, 0.9) < 2
    assert interval.growth(10.0, 0.8) == 1.0
