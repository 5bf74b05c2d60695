"""The candidate answers the golden set in the process that trained it: the base is there, so is the adapter.

    python -m trainer train … --judge golden.jsonl --answers answers.jsonl

The golden set is opened after the adapter has its name, so that nothing of it can reach the training. The
adapter is read from its folder and merged into the base as ``evaluate`` does it, the base gets the attention
that ``evaluate`` gives it, batches are the same: the answers are those of ``evaluate`` bit for bit (a test
holds them together). Where that cannot be promised (kernels of Liger's replace functions of the library for
the whole process), or judging fails, there are no answers and the caller asks ``evaluate``: no adapter is
lost to its judging.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.data import Record, Template, read_records
from trainer.errors import Interrupted, OutOfMemory, TrainerError
from trainer.evaluate import (
    Prediction,
    adapted,
    batch_size_on,
    predict,
    write_predictions,
)
from trainer.model import Placement, plain_attention, release
from trainer.options import EvaluateOptions

log = logging.getLogger("trainer")
CANDIDATE = "candidate"


def judge(base: Any, template: Template, placement: Placement, options: EvaluateOptions) -> dict[str, Any]:
    """Write the answers of the one adapter of ``options`` on ``base``, which it was trained on; the figures.

    ``base`` is changed by it. Nothing is raised for what stands in the way: ``judged`` is false then.
    """
    began = time.monotonic()
    try:
        records = read_records(options.data, tenant_id=options.tenant, replay_allowed=True)
        (folder,) = options.adapters.values()
        model = _as_evaluated(base, placement, folder, options)
        answers, size = _answers(model, template, records, placement, options)
        write_predictions(options.out, records, {CANDIDATE: answers}, placement.precision)
    except Interrupted:
        log.warning("interrupted while judging: the adapter is published, its answers are not")
        return {"judged": False}
    except TrainerError as error:
        log.warning("not judged here: %s", error)
        return {"judged": False}
    return {
        "judged": True,
        "judged_examples": len(records),
        "judge_batch_size": size,
        "judge_seconds": round(time.monotonic() - began, 2),
    }


def _as_evaluated(base: Any, placement: Placement, folder: Path, options: EvaluateOptions) -> Any:
    base.gradient_checkpointing_disable()
    if hasattr(base, "_require_grads_hook"):
        base.disable_input_require_grads()
    base.set_attn_implementation(plain_attention(options.base, options.base_revision))
    base.config.use_cache = True
    return adapted(base.eval().requires_grad_(False), placement, folder)


def _answers(
    model: Any,
    template: Template,
    records: Sequence[Record],
    placement: Placement,
    options: EvaluateOptions,
) -> tuple[list[Prediction], int]:
    encoded = [template.encode(record) for record in records]
    size = options.batch_size or batch_size_on(placement.device)
    while True:
        found = _try(model, template, records, encoded, options, size)
        if found is not None:
            return found, size
        if size == 1:
            raise OutOfMemory("out of memory with one prompt at a time")
        size //= 2
        log.warning("out of memory: judged in batches of %d", size)
        release()


def _try(*arguments: Any) -> list[Prediction] | None:
    import torch

    # a function of its own: the exception's traceback would keep every tensor of the try alive
    try:
        return predict(*arguments)
    except torch.OutOfMemoryError:
        return None
