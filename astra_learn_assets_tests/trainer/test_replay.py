"""The replay file holds general Spanish and nobody's data; the noise is seeded."""

from __future__ import annotations

import json
from pathlib import Path

from trainer.making.make_replay import INSTRUCTION, acceptable, found_in
from trainer.making.noise import Noise, confusable_words, word_errors

REPLAY = Path(__file__).parents[2] / "astra_learn_assets" / "datasets" / "replay_es.jsonl"


def test_every_replay_line_is_a_restore_pair_without_names_digits_or_placeholders() -> None:
    rows = [json.loads(text) for text in REPLAY.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 1000
    assert len({row["meta"]["example_id"] for row in rows}) == len(rows)
    assert len({row["output"] for row in rows}) == len(rows)
    for row in rows:
        assert row["instruction"] == INSTRUCTION
        assert acceptable(row["output"]), row["output"]
        assert row["meta"]["tenant_id"] == row["meta"]["document_id"] == "replay"
    same = sum(row["input"] == row["output"] for row in rows)
    assert 0.25 * len(rows) < same < 0.5 * len(rows)


def test_sentences_found_in_the_text_are_left_out() -> None:
    texts = ["Antes. La comisión aprueba hoy el informe final sin cambios. Después."]
    candidates = [
        "La comisión aprueba hoy el informe final sin cambios.",
        "La comisión aprueba hoy el informe final con cambios.",
        "El informe final aprueba hoy la comisión sin cambios.",
    ]
    assert found_in(texts, candidates) == {0}


def test_noise_repeats_with_its_seed_and_touches_no_placeholder_or_number() -> None:
    text = (
        "La señora <PERSONA_1> y don <PERSONA_2> votaron el 14/03/2024 a favor de la ordenanza del tráfico."
    )
    assert Noise(4).corrupt(text, 1.0) == Noise(4).corrupt(text, 1.0)
    noise = Noise(9)
    for _ in range(300):
        noisy = noise.corrupt(text, 1.5)
        assert "<PERSONA_1>" in noisy
        assert "<PERSONA_2>" in noisy
        assert "14/03/2024" in noisy
    assert noise.corrupt(text, 0.0) == text
    assert noise.corrupt("", 1.0) == ""


def test_noise_of_strength_one_is_near_15_percent() -> None:
    noise = Noise(2, confusable_words({"pleno": 90, "lleno": 80, "llano": 60}))
    text = "El pleno aprueba la propuesta de los vecinos, que pidieron más árboles y más bancos en la plaza."
    edits, words = map(
        sum, zip(*(word_errors(text, noise.corrupt(text, 1.0)) for _ in range(600)), strict=True)
    )
    assert 0.08 < edits / words < 0.25


def test_word_errors_counts_substitutions_insertions_and_deletions() -> None:
    assert word_errors("uno dos tres", "uno dos tres") == (0, 3)
    assert word_errors("uno dos tres", "uno tres cuatro cinco") == (3, 3)
    assert word_errors("", "algo") == (1, 0)
