"""What the training process answers is what ``evaluate`` answers, and its failure costs no adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer.__main__ import main


def _arguments(command: str, data: Path, out: Path, base: str, *more: str) -> list[str]:
    return [
        command, "--data", str(data), "--base", base, "--tenant", "alfa", "--out", str(out),
        "--device", "cpu", "--threads", "1", *more,
    ]  # fmt: skip


def _answers(file: Path) -> list[Any]:
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]


def test_the_candidate_judged_where_it_was_trained_answers_as_a_process_of_its_own_does(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(30)])
    golden = write(tmp_path / "golden.jsonl", [line(i) for i in range(100, 106)])
    adapter, here, there = tmp_path / "adapter", tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    judged = ["--epochs", "2", "--judge", str(golden), "--answers", str(here)]
    assert main(_arguments("train", data, adapter, base, *judged)) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["judged"] is True
    assert report["judged_examples"] == 6
    asked = ["--adapter", f"candidate={adapter}", "--without-base"]
    assert main(_arguments("evaluate", golden, there, base, *asked)) == 0
    assert _answers(here) == _answers(there)
    kept = json.loads((adapter / "metrics.json").read_text())
    assert "judged" not in kept  # the folder is signed as it was when it got its name
    assert {"seconds.start", "seconds.base", "seconds.plan", "seconds.steps", "seconds.checked"} <= set(kept)
    assert "seconds.judged" in report


def test_a_golden_set_that_cannot_be_read_costs_the_answers_and_not_the_adapter(
    tmp_path: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(4)])
    foreign = write(tmp_path / "golden.jsonl", [line(100, tenant="beta")])
    judged = ["--epochs", "1", "--judge", str(foreign), "--answers", str(tmp_path / "answers.jsonl")]
    assert main(_arguments("train", data, tmp_path / "adapter", base, *judged)) == 0
    assert json.loads(capsys.readouterr().out)["judged"] is False
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    assert not (tmp_path / "answers.jsonl").exists()


def test_the_golden_set_is_opened_after_the_adapter_has_its_name(
    tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer import judge

    plain, seen = judge.read_records, []

    def watching(file: Path, **options: Any) -> Any:
        seen.append((tmp_path / "adapter" / "adapter_model.safetensors").is_file())
        return plain(file, **options)

    monkeypatch.setattr(judge, "read_records", watching)
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(4)])
    golden = write(tmp_path / "golden.jsonl", [line(100)])
    judged = ["--epochs", "1", "--judge", str(golden), "--answers", str(tmp_path / "answers.jsonl")]
    assert main(_arguments("train", data, tmp_path / "adapter", base, *judged)) == 0
    assert seen == [True]


def test_a_golden_set_without_a_place_for_the_answers_is_bad_usage(tmp_path: Path, base: str) -> None:
    data = write(tmp_path / "corpus.jsonl", [line(i) for i in range(4)])
    assert main(_arguments("train", data, tmp_path / "adapter", base, "--judge", str(data))) == 2


def test_a_base_that_leaves_no_memory_for_a_sentence_is_too_large_and_not_an_unknown_error(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that training goes on with four-bit weights: a base may fit a card to the last megabyte."""
    import torch

    from trainer import contamination
    from trainer.errors import BaseTooLarge
    from trainer.model import Placement

    def none_left(_: Any) -> bool:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(contamination, "may_share_packs", none_left)
    with pytest.raises(BaseTooLarge, match="leaves a sentence no room"):
        contamination.load_for_training(base, None, Placement("cpu", "fp32"))
