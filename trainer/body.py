"""The layers below the vocabulary, walked here: what no learned position needs is not computed.

For decoders of Llama's plan (norm, attention, add; norm, gated unit, add), which most open models follow:
the last gated unit sees the learned positions only, and an addition and the norm after it are one pass over
memory. Whether a model follows the plan is read off its modules and then tried out: both ways must give
the same. Any other model computes as its library wrote it.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Mapping
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

log = logging.getLogger(__name__)
_BODY = {"embed_tokens", "layers", "norm", "rotary_emb"}
_LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}


@cache
def has_kernels() -> bool:
    """Whether Triton's kernels run here, ours or Liger's: tried out once.

    Triton compiles where it runs: it needs a card it knows, a C compiler and Python's header files.
    """
    if not (torch.cuda.is_available() and find_spec("triton")):
        return False
    from triton.errors import TritonError

    probe = torch.ones(1, 16, device="cuda", dtype=torch.float16)
    try:
        from trainer.kernels import add_norm

        normed, _ = add_norm(probe, probe, probe[0], 0.0)
    except (TritonError, RuntimeError, ImportError, OSError, subprocess.CalledProcessError) as error:
        log.warning("Triton does not run here, training is slower without it: %s", error)
        return False
    return bool((normed == 1).all())


def learned_hidden(body: Any, inputs: Mapping[str, Any], rows: torch.Tensor) -> torch.Tensor:
    """What the vocabulary sees at the positions ``rows`` of one pack: (rows, width)."""
    if not hasattr(body, "plain_plan"):
        body.plain_plan = _has_the_plan(body) and _gives_the_same(body)
    if not body.plain_plan:
        hidden: torch.Tensor = body(**inputs, use_cache=False).last_hidden_state
        return hidden.squeeze(0).index_select(0, rows)
    return _walk(body, inputs, rows)


def _walk(body: Any, inputs: Mapping[str, Any], rows: torch.Tensor) -> torch.Tensor:
    stream = body.embed_tokens(inputs["input_ids"])
    shared = {name: value for name, value in inputs.items() if name != "input_ids"} | {
        "position_embeddings": body.rotary_emb(stream, position_ids=inputs["position_ids"]),
        "attention_mask": None,
    }
    branch: torch.Tensor | None = None
    last = len(body.layers) - 1
    for number, layer in enumerate(body.layers):
        step = partial(_layer, layer, shared, rows if number == last else None)
        if layer.gradient_checkpointing and layer.training:
            stream, branch = checkpoint(step, stream, branch, use_reentrant=False)
        else:
            stream, branch = step(stream, branch)
    return _add_norm(body.norm, stream, branch)[0].squeeze(0)


def _layer(
    layer: Any,
    shared: Mapping[str, Any],
    rows: torch.Tensor | None,
    stream: torch.Tensor,
    branch: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One layer; the addition of what it returns second is left to the norm that follows."""
    normed, stream = _add_norm(layer.input_layernorm, stream, branch)
    attended = layer.self_attn(hidden_states=normed, **shared)[0]
    if rows is not None:
        attended, stream = attended.index_select(1, rows), stream.index_select(1, rows)
    normed, stream = _add_norm(layer.post_attention_layernorm, stream, attended)
    return stream, layer.mlp(normed)


def _add_norm(
    norm: Any, stream: torch.Tensor, branch: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    if branch is None:
        return norm(stream), stream
    eps = getattr(norm, "variance_epsilon", None)
    if stream.is_cuda and has_kernels() and eps is not None and not norm.weight.requires_grad:
        from trainer.kernels import add_norm

        return add_norm(stream, branch, norm.weight, eps)
    stream = stream + branch
    return norm(stream), stream


def _has_the_plan(body: Any) -> bool:
    return {name for name, _ in body.named_children()} == _BODY and all(
        {name for name, _ in layer.named_children()} == _LAYER and hasattr(layer, "gradient_checkpointing")
        for layer in body.layers
    )


def _gives_the_same(body: Any) -> bool:
    """Two examples of five and three tokens, both ways; to the rounding of the model's type.

    A layer whose parts do not fit together as planned fails the trial: that, too, is an answer.
    """
    device = body.embed_tokens.weight.device
    starts = torch.tensor([0, 5, 8], dtype=torch.int32, device=device)
    probe = {
        "input_ids": torch.arange(1, 9, device=device).unsqueeze(0) % body.embed_tokens.weight.shape[0],
        "position_ids": torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]], device=device),
        "cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": 5, "max_length_k": 5,
    }  # fmt: skip
    rows = torch.arange(8, device=device)
    training = body.training
    body.eval()
    with torch.no_grad():
        expected = body(**probe, use_cache=False).last_hidden_state.squeeze(0).float()
        try:
            found = _walk(body, probe, rows).float()
        except torch.OutOfMemoryError:
            raise
        except (TypeError, ValueError, AttributeError, RuntimeError) as error:
            log.info("the layers are computed as their library wrote them: %s", error)
            found = torch.full_like(expected, torch.nan)
    body.train(training)
    allowed = 1e-4 if body.embed_tokens.weight.dtype == torch.float32 else 0.02
    return bool((found - expected).norm() <= allowed * expected.norm())
