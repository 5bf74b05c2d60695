"""Corpora that a gate would have stopped, given to the trainer all the same: no crash, no false success."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write


def _train(tmp_path: Path, base: str, lines: list[dict[str, Any]], **recipe: float) -> dict[str, Any]:
    from trainer.options import TrainOptions
    from trainer.pipes import Signals
    from trainer.train_lora import train

    data = write(tmp_path / "corpus.jsonl", lines)
    chosen = {"rank": 4, "alpha": 8, "epochs": 1.0} | recipe
    return train(
        TrainOptions(data, base, "alfa", tmp_path / "adapter", recipe=chosen, device="cpu"), Signals()
    )


def _answers(tmp_path: Path, base: str, lines: list[dict[str, Any]]) -> list[dict[str, str]]:
    from trainer.evaluate import evaluate
    from trainer.options import EvaluateOptions

    out = tmp_path / "predictions.jsonl"
    evaluate(
        EvaluateOptions(
            data=write(tmp_path / "golden.jsonl", lines), base=base, tenant="alfa", out=out,
            adapters={"candidate": tmp_path / "adapter"}, device="cpu",
        )
    )  # fmt: skip
    return [
        {name: answer["text"] for name, answer in json.loads(row)["predictions"].items()}
        for row in out.read_text(encoding="utf-8").splitlines()
    ]


def test_one_example_trains_on_itself_and_validates_on_nothing(tmp_path: Path, base: str) -> None:
    metrics = _train(tmp_path, base, [line(1)])
    assert metrics["steps"] >= 1
    assert metrics["train_examples"] == 1 + round(0.4)
    assert metrics["validation_loss_first"] is None


def test_pairs_that_are_right_on_both_sides_do_not_unlearn_the_base(tmp_path: Path, base: str) -> None:
    clean = [line(i, input=line(i)["output"]) for i in range(12)]
    _train(tmp_path, base, clean)
    tested = [line(i, input=line(i)["output"]) for i in range(900, 906)]
    rows = _answers(tmp_path, base, tested)
    wrong = {
        name: sum(row[name] != given["output"] for row, given in zip(rows, tested, strict=True))
        for name in ("base", "candidate")
    }
    assert wrong["candidate"] <= wrong["base"]


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_contradicting_and_wrong_corrections_end_with_an_adapter_that_a_gate_can_judge(
    tmp_path: Path, base: str, share: float
) -> None:
    """The same text with two answers, most of them another paragraph's: a loss that is finite and high."""
    lines = []
    for number in range(20):
        own = line(number % 10)
        answer = line(500 + number)["output"] if number < 20 * share else own["output"]
        lines.append(line(number, input=own["input"], output=answer))
    metrics = _train(tmp_path, base, lines)
    (tmp_path / "honest").mkdir()
    honest = _train(tmp_path / "honest", base, [line(n) for n in range(20)])
    assert metrics["train_loss_last"] > 2 * honest["train_loss_last"]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()
