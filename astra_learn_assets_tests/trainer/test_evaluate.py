"""Predictions of base and adapter on the same examples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer.__main__ import main
from trainer.making.noise import word_errors


def _evaluate(data: Path, out: Path, base: str, *extra: str) -> list[str]:
    return ["evaluate", "--data", str(data), "--base", base, "--tenant", "alfa", "--out", str(out),
            "--device", "cpu", "--threads", "1", *extra]  # fmt: skip


def test_the_adapter_corrects_what_the_base_does_not(
    tmp_path: Path, base: str, trained: tuple[Path, dict[str, Any]]
) -> None:
    lines = [line(i) for i in range(500, 512)]
    golden, out = write(tmp_path / "golden.jsonl", lines), tmp_path / "predictions.jsonl"
    assert main(_evaluate(golden, out, base, "--adapter", f"candidate={trained[0]}")) == 0
    rows = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert [row["example_id"] for row in rows] == [value["meta"]["example_id"] for value in lines]
    assert set(rows[0]) == {"example_id", "document_id", "input", "reference", "precision", "predictions"}
    errors = {"base": 0, "candidate": 0}
    for row in rows:
        assert set(row["predictions"]) == set(errors)
        for name in errors:
            answer = row["predictions"][name]
            assert answer["nll"] > 0
            assert answer["tokens"] == row["predictions"]["base"]["tokens"] > 0
            errors[name] += word_errors(row["reference"], answer["text"])[0]
    assert errors["candidate"] < 0.5 * errors["base"]
    nll = {name: sum(row["predictions"][name]["nll"] for row in rows) for name in errors}
    assert nll["candidate"] < nll["base"]
    assert sorted(f.name for f in tmp_path.iterdir()) == ["golden.jsonl", "predictions.jsonl"]


def test_a_text_that_does_not_fit_the_base_is_left_as_it_is_and_a_long_one_is_answered_whole(
    tmp_path: Path, base: str
) -> None:
    figures = " ".join(f"{n * 7919:,}" for n in range(150))
    long = " ".join(line(i)["output"] for i in range(12))
    lines = [line(1), line(2, input=figures, output=figures), line(3, input=long, output=long)]
    golden, out = write(tmp_path / "golden.jsonl", lines), tmp_path / "predictions.jsonl"
    assert main(_evaluate(golden, out, base)) == 0
    rows = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert rows[1]["predictions"]["base"] == {"text": figures, "nll": 0.0, "tokens": 0}
    # the base mends a word here and there; half the text would be missing if the answer were cut
    assert len(rows[2]["predictions"]["base"]["text"].split()) > 0.8 * len(long.split())


@pytest.mark.parametrize(
    ("adapter", "status", "message"),
    [
        ("base=/x", 2, "own name"),
        ("nameless", 2, "NAME=DIR"),
        ("a=/nowhere", 4, "no readable adapter_config.json"),
    ],
)
def test_a_wrong_adapter_argument_is_refused(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str], adapter: str, status: int, message: str
) -> None:
    golden = write(tmp_path / "golden.jsonl", [line(1)])
    assert main(_evaluate(golden, tmp_path / "p.jsonl", base, "--adapter", adapter)) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "p.jsonl").exists()


def test_an_adapter_of_another_base_or_a_damaged_one_is_refused(
    tmp_path: Path, base: str, trained: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    golden = write(tmp_path / "golden.jsonl", [line(1)])
    other = tmp_path / "other"
    shutil.copytree(trained[0], other)
    config = json.loads((other / "adapter_config.json").read_text())
    (other / "adapter_config.json").write_text(json.dumps(config | {"revision": "0" * 16}))
    assert main(_evaluate(golden, tmp_path / "p.jsonl", base, "--adapter", f"candidate={other}")) == 4
    assert "was trained on base_model at 0000" in capsys.readouterr().err
    (other / "adapter_config.json").write_text(json.dumps(config))
    weights = (other / "adapter_model.safetensors").read_bytes()
    (other / "adapter_model.safetensors").write_bytes(weights[: len(weights) // 2])
    assert main(_evaluate(golden, tmp_path / "p.jsonl", base, "--adapter", f"candidate={other}")) == 4
    assert not (tmp_path / "p.jsonl").exists()


def test_the_answer_is_bounded_by_the_length_of_the_input(tmp_path: Path, base: str) -> None:
    golden = write(
        tmp_path / "golden.jsonl", [line(1, input="a", output="A"), line(2, input="ja " * 60, output="Ja.")]
    )
    assert main(_evaluate(golden, tmp_path / "p.jsonl", base, "--max-new-tokens", "12")) == 0
    for text in (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines():
        assert len(json.loads(text)["predictions"]["base"]["text"].split()) <= 12
