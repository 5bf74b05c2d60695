"""One small real training on the shipped base, shared by the tests that look at its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write

BASE = Path(__file__).parents[2] / "trainer" / "base_model"


@pytest.fixture(scope="session")
def base() -> str:
    return str(BASE)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def run(base: str) -> Callable[..., dict[str, Any]]:
    """``run(data, out, **recipe)``: a training in this process, on the CPU."""
    from trainer.options import Recipe, TrainOptions
    from trainer.pipes import Signals
    from trainer.train_lora import train

    def call(data: Path, out: Path, *, validation_share: float = 0.05, **recipe: Any) -> dict[str, Any]:
        options = TrainOptions(
            data=data,
            base=base,
            tenant="alfa",
            out=out,
            recipe=Recipe(**({"batch_tokens": 300, "learning_rate": 2e-3} | recipe)),
            validation_share=validation_share,
            device="cpu",
        )
        return train(options, Signals())

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, run: Any) -> tuple[Path, dict[str, Any]]:
    """(adapter folder, metrics) of 48 pairs, one epoch: about a dozen steps."""
    folder = tmp_path_factory.mktemp("trained")
    data = write(folder / "corpus.jsonl", [line(i) for i in range(48)])
    return folder / "adapter", run(data, folder / "adapter", epochs=1.0)
