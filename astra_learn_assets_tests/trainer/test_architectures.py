"""Tiny models of every family are trained and evaluated: in packs where examples stay apart, else alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.architectures import FAMILIES, build
from astra_learn_assets_tests.trainer.examples import line, write
from trainer.errors import BadBase

ALONE = {
    "Gemma 2", "GPT-OSS", "Granite hybrid", "LFM 2", "Qwen 3 Next", "StableLM",
}  # fmt: skip
REFUSED = {"Mamba"}


def _folder(family: str, base: str, place: Path) -> Path:
    """The tiny model with the shipped base's tokenizer."""
    build(family).save_pretrained(place)
    for file in Path(base).glob("tokenizer*"):
        shutil.copy(file, place)
    shutil.copy(Path(base) / "chat_template.jinja", place)
    return place


def _train(family: str, base: str, place: Path, device: str) -> dict[str, Any]:
    from trainer.pipes import Signals
    from trainer.recipe import Recipe
    from trainer.train_lora import TrainOptions, train

    model = _folder(family, base, place / "model")
    data = write(place / "corpus.jsonl", [line(i) for i in range(8)])
    recipe = Recipe(rank=4, alpha=8, epochs=2.0, batch_tokens=256, learning_rate=5e-3)
    return train(
        TrainOptions(data, str(model), "alfa", place / "adapter", recipe=recipe, device=device), Signals()
    )


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - REFUSED))
def test_a_base_of_any_family_learns_and_answers(family: str, base: str, tmp_path: Path) -> None:
    from trainer.evaluate import EvaluateOptions, evaluate

    metrics = _train(family, base, tmp_path, "cpu")
    assert metrics["examples_apart"] is (family not in ALONE)
    assert metrics["train_loss_last"] < metrics["train_loss_first"]
    out = tmp_path / "predictions.jsonl"
    options = EvaluateOptions(
        data=write(tmp_path / "golden.jsonl", [line(90), line(91)]), base=str(tmp_path / "model"),
        tenant="alfa", out=out, adapters={"candidate": tmp_path / "adapter"}, max_new_tokens=8, device="cpu",
    )  # fmt: skip
    evaluate(options)
    for row in map(json.loads, out.read_text().splitlines()):
        base_nll, adapted_nll = (row["predictions"][name]["nll"] for name in ("base", "candidate"))
        assert adapted_nll < base_nll


@pytest.mark.parametrize("family", sorted(REFUSED))
def test_a_base_without_attention_is_refused_with_a_sentence(family: str, base: str, tmp_path: Path) -> None:
    with pytest.raises(BadBase, match="does not support an attention implementation"):
        _train(family, base, tmp_path, "cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("family", sorted(set(FAMILIES) - REFUSED))
def test_a_base_of_any_family_learns_on_a_card(family: str, base: str, tmp_path: Path) -> None:
    metrics = _train(family, base, tmp_path, "cuda")
    assert metrics["train_loss_last"] < metrics["train_loss_first"]
