"""What a training or an evaluation is asked for: numbers, and where everything lies. A light import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LARGE = 1_000_000_000
_SHIPPED, _SHIPPED_RATE = 17_300_000, 2e-3
_RATE_FALL = 0.38  # 2e-3 at 17 million, 2e-4 at 7 billion
_FEW = 300  # pairs


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; ``tokens`` counts real tokens, since packs hold no padding.

    ``batch_tokens`` is what one optimizer step sees; ``pack_tokens`` the most that is held at once.
    ``patience``: validations in a row without improvement after which training stops (0 = never).
    ``made_share``, ``clean_share``: self-made and unchanged pairs, in multiples of the council's own
    (:mod:`trainer.made`); ``made_minimum``: how often a confusion must have been seen to be put into them.
    ``changed_weight``: in the loss, of what the answer does not copy from its input.
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 2e-3
    epochs: float = 1.0
    batch_tokens: int = 512
    pack_tokens: int = 8192
    longest_example: int = 4096
    warmup_share: float = 0.05
    max_grad_norm: float = 1.0
    patience: int = 3
    target_modules: str = "all-linear"
    made_share: float = 0.0
    clean_share: float = 0.0
    made_minimum: int = 2
    changed_weight: float = 1.0
    seed: int = 7


def recipe_for(parameters: int, chosen: Mapping[str, Any], *, examples: int = 0, tokens: int = 0) -> Recipe:
    """The recipe of a base of so many parameters for so many own examples (``tokens``: of all, once through),
    with what the caller has chosen.

    Measured with the shipped base of 17 million on real councils (benchmarks/README.md): few pairs are gone
    through more often and at a higher rate than many, an optimizer step of 2,048 tokens forgets less than
    one of 512, and pairs of finished text on both sides halve what is invented in clean text. Small corpora
    take smaller steps, for some dozen are needed. A base of a billion parameters or more learns in steps
    of one whole pack, at 2e-4, the rate of the QLoRA paper (https://arxiv.org/abs/2305.14314, table 9) for
    7 to 13 billion; between these two sizes the rate lies on a line in logarithms, which nobody has measured.
    """
    if parameters >= _LARGE:
        large = {"learning_rate": 2e-4, "epochs": 3.0, "batch_tokens": Recipe.pack_tokens, "clean_share": 0.4}
        return Recipe(**(large | dict(chosen)))
    size = max(1.0, parameters / _SHIPPED)
    rate = _SHIPPED_RATE * size**-_RATE_FALL * min(1.0, (_FEW / max(1, examples)) ** 0.5)
    epochs = min(6, max(3, round(6 * _FEW / max(1, examples))))
    step = min(2048, max(512, tokens // 16))
    small = {"learning_rate": rate, "epochs": float(epochs), "batch_tokens": step, "clean_share": 0.4}
    return Recipe(**(small | dict(chosen)))


@dataclass(frozen=True)
class TrainOptions:
    """Settings of one training.

    ``recipe``: all of it, or the numbers that differ from what fits the base's size
    (:func:`recipe_for`). ``bin``: the weights also as ``adapter_model.bin``.
    ``checkpoints``: a folder that outlives this process, written to on SIGTERM and every
    ``checkpoint_minutes``; None = an interrupted training starts again from nothing.
    ``judge``, ``answers``: a golden set, and where the adapter's answers to it go (:mod:`trainer.judge`).
    """

    data: Path
    base: str
    tenant: str
    out: Path
    base_revision: str | None = None
    recipe: Recipe | Mapping[str, Any] = field(default_factory=dict)
    validation_share: float = 0.05
    device: Any = "auto"
    precision: Any = "auto"
    require_gpu: bool = False
    skip_too_long: bool = False
    bin: bool = False
    checkpoints: Path | None = None
    checkpoint_minutes: float = 10.0
    judge: Path | None = None
    answers: Path | None = None


@dataclass(frozen=True)
class EvaluateOptions:
    """``with_base``: the base answers too.

    ``max_new_tokens`` bounds every answer; its input bounds it closer (1.5 times its tokens + 16).

    ``batch_size``: prompts at once; None = 128 on a GPU, 32 on a CPU.
    An input that does not fit the base model with its answer is left as it is by every model, as in service.
    """

    data: Path
    base: str
    tenant: str
    out: Path
    adapters: Mapping[str, Path]
    base_revision: str | None = None
    with_base: bool = True
    max_new_tokens: int = 2048
    batch_size: int | None = None
    device: Any = "auto"
    precision: Any = "auto"
    require_gpu: bool = False
