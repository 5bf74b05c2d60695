"""Do examples that share a pack see each other? Measured on the model at hand, never read off its name.

Attention keeps to the boundaries it is given; what else carries something from token to token (a convolution,
a state-space scan, a linear attention) may not know of them. So one example is read alone and behind another
in one pack: its logits must be the same, to the roundings of the model's precision.
"""

from __future__ import annotations

import logging
from typing import Any

import torch

from trainer.data import Encoded
from trainer.errors import BadBase, BaseTooLarge
from trainer.loss import model_inputs, to_device
from trainer.model import Placement, load_base, release, room_on_card
from trainer.packing import collate

log = logging.getLogger("trainer")
_ROUNDINGS = {torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 5e-2}


def contamination(model: Any) -> float:
    """Largest change of an example's logits by another before it, over their own size (0 = none)."""
    rows = int(model.get_input_embeddings().weight.shape[0])
    first = Encoded(tuple(3 + (7 * i) % (rows - 3) for i in range(11)), 1)
    second = Encoded(tuple(3 + (5 * i + 2) % (rows - 3) for i in range(9)), 1)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            alone, behind = (
                model(**to_device(model_inputs(collate(pack)), model.device), use_cache=False)
                .logits[0]
                .float()
                for pack in ([second], [first, second])
            )
    finally:
        model.train(training)
    change = torch.linalg.vector_norm(behind[len(first) :] - alone, dim=-1)
    return float((change / torch.linalg.vector_norm(alone, dim=-1).clamp_min(1e-6)).max())


def load_for_training(base: str, revision: str | None, placement: Placement) -> tuple[Any, bool]:
    """(the frozen base, whether its examples may share a pack).

    Where they may not, or its attention does to the scores what packs are not computed with, the base keeps
    the attention of its library.
    """
    model = load_base(base, revision, placement, packed=True)
    try:
        if may_share_packs(model):
            return model, True
    except torch.OutOfMemoryError as error:
        raise BaseTooLarge(
            f"the base model in {placement.precision} leaves a sentence no room in the {room_on_card()}; "
            "use --precision nf4, a smaller base or a larger card"
        ) from error
    del model
    release()
    model = load_base(base, revision, placement, packed=False)
    model.config.use_cache = False
    return model, False


def may_share_packs(model: Any) -> bool:
    """Whether the model, with the attention for packs, reads packs at all and keeps their examples apart."""
    try:
        return stays_apart(model)
    except BadBase as error:
        log.warning("%s; each example is trained alone", error)
    except (ImportError, ValueError) as error:
        # a kernel that is missing, say: transformers names the package
        log.warning("the base cannot read packs (%s): each example is trained alone", error)
    return False


def stays_apart(model: Any) -> bool:
    """Whether examples may share a pack. Anything that is no number means that they may not."""
    found = contamination(model)
    dtype = next(model.parameters()).dtype
    apart = found <= _ROUNDINGS.get(dtype, 5e-2)
    if not apart:
        log.warning(
            "examples in one pack would see each other (answers change by %.0f %%): each is trained alone",
            100 * found,
        )
    return apart
