"""The replay file holds general Spanish and nobody's data; the noise is seeded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.datasets.replay import load_replay
from astra_learn_assets_tests.trainer.examples import line, write
from trainer.__main__ import main
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


def _own_words(data: Path, out: Path, base: str, *more: str, tenant: str = "replay") -> list[str]:
    return ["replay", "--data", str(data), "--base", base, "--tenant", tenant, "--out", str(out),
            "--device", "cpu", "--threads", "1", *more]  # fmt: skip


def _general(number: int, **changes: Any) -> dict[str, Any]:
    made = line(number, **changes)
    return {**made, "meta": {**made["meta"], "tenant_id": "replay", "document_id": "replay"}}


def test_replay_in_a_bases_own_words_is_what_the_base_answers_and_can_be_used(
    tmp_path: Path, base: str
) -> None:
    texts = [json.loads(row) for row in REPLAY.read_text(encoding="utf-8").splitlines()[:12]]
    wrong = [{**row, "output": "Un final que el modelo no escribiría nunca."} for row in texts]
    data, out = write(tmp_path / "texts.jsonl", wrong), tmp_path / "own.jsonl"
    assert main(_own_words(data, out, base)) == 0
    assert main(["evaluate", *_own_words(data, tmp_path / "answers.jsonl", base)[1:]]) == 0
    answers = [json.loads(row) for row in (tmp_path / "answers.jsonl").read_text("utf-8").splitlines()]
    kept = load_replay(out)
    assert [example.output for example in kept] == [row["predictions"]["base"]["text"] for row in answers]
    assert [example.input for example in kept] == [row["input"] for row in texts]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.jsonl", "own.jsonl", "texts.jsonl"]


def test_a_base_that_does_something_else_than_correcting_gives_no_replay(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = " ".join(f"{n * 7919:,}" for n in range(150))  # fits no window: nobody answers
    texts = [_general(1), _general(2, input=figures, output=figures), _general(3, input=figures, output="x")]
    data, out = write(tmp_path / "texts.jsonl", texts), tmp_path / "own.jsonl"
    assert main(_own_words(data, out, base)) == 4
    assert "2 of 3 answers" in capsys.readouterr().err
    assert not out.exists()
    assert main(_own_words(write(data, texts[:2]), out, base)) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1


def test_replay_of_a_municipality_is_refused(tmp_path: Path, base: str) -> None:
    data = write(tmp_path / "texts.jsonl", [line(1)])
    assert main(_own_words(data, tmp_path / "own.jsonl", base, tenant="alfa")) == 2
    assert main(_own_words(data, tmp_path / "own.jsonl", base)) == 3  # another tenant's line
    assert [file.name for file in tmp_path.iterdir()] == ["texts.jsonl"]
