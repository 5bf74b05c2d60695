"""Attention that respects the boundaries between the examples of one pack.

A pack is one row of tokens holding several examples end to end. Each example must attend to itself
alone: without the boundaries the loss moves by a fraction of a percent while the gradients are
wrong by more than their own size, so nothing but a gradient test shows the mistake.

The model gets ``cu_seq_lens_q`` (start of every example and the end of the last, int32) and
``max_length_q`` beside its tokens; transformers hands them down to the functions registered here.
Two ways to the same result, chosen by :func:`register` (on a Hopper card :mod:`trainer.body` has a third for
the models that it walks, :mod:`trainer.attention_kernels`):

* ``varlen`` (CUDA, sm80 and newer): one flash kernel over all examples, no padding anywhere.
* ``scatter`` (older cards, fp32): queries, keys and values are laid out as a padded batch for the
  attention product only; everything else of the model runs on the pack. Padding sits to the right
  of each example, so plain causal attention never reads it and needs no mask. On a CPU, where a
  call costs little, one call per example instead: no padding at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional

from trainer.errors import BadBase

# transformers' names of what else may be done to the scores. A window is not among them: no example is
# longer (model.longest_context).
_CHANGES_THE_SCORES = {"softcap", "s_aux", "sinks", "position_bias"}
Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, float | None], torch.Tensor]


def has_varlen(device: torch.device) -> bool:
    """Whether the flash kernel for packs runs on this device."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device)[0] < 8:
        return False
    try:
        from torch.nn.attention import varlen  # noqa: F401 - torch >= 2.10
    except ImportError:
        return False
    return True


def _packed(
    kernel: Kernel,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None,
    cu_seq_lens_q: torch.Tensor | None,
    max_length_q: int | None,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each example: (1, heads, tokens, width) -> (1, tokens, heads, width).

    ``key`` and ``value`` may have fewer heads than ``query``, each for a group of neighbours.
    """
    query, key = query.to(value.dtype), key.to(value.dtype)
    if cu_seq_lens_q is None or max_length_q is None:
        # A plain row without packs (the reload check, say): causal over what is there.
        out = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, is_causal=attention_mask is None, scale=scaling,
            enable_gqa=query.shape[1] != key.shape[1],
        )  # fmt: skip
        return out.transpose(1, 2), None
    # squeeze, not [0]: the gradient of a selection is a copy into zeros
    q, k, v = (x.squeeze(0).transpose(0, 1) for x in (query, key, value))
    return kernel(q, k, v, cu_seq_lens_q, max_length_q, scaling).unsqueeze(0), None


def varlen_attention(
    module: torch.nn.Module,  # noqa: ARG001 - the signature is transformers'
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,  # noqa: ARG001
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """The flash kernel for packs; needs bf16 or fp16 on sm80 or newer."""
    _refuse_what_packs_lack(more)
    return _packed(_varlen, query, key, value, attention_mask, scaling, cu_seq_lens_q, max_length_q)


def scatter_attention(
    module: torch.nn.Module,  # noqa: ARG001 - the signature is transformers'
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,  # noqa: ARG001
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Padded layout for the attention product alone; runs everywhere."""
    _refuse_what_packs_lack(more)
    return _packed(_scatter, query, key, value, attention_mask, scaling, cu_seq_lens_q, max_length_q)


def _refuse_what_packs_lack(asked: Mapping[str, Any]) -> None:
    """A cap or sinks left out would not fail: the adapter would be trained for another model."""
    lacking = sorted(_CHANGES_THE_SCORES & {name for name, value in asked.items() if value is not None})
    if lacking:
        raise BadBase(
            f"the base model's attention asks for {', '.join(lacking)}, which packs are not computed with; "
            "take a base with plain causal attention (Llama, Mistral, Qwen2, Qwen3 …)"
        )


def _varlen(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    options = dict(_CAUSAL)
    if q.shape[1] != k.shape[1] and _ASKS_FOR_GROUPS:
        options["enable_gqa"] = True
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    out: Any = varlen_attn(q, k, v, starts, starts, longest, longest, scale=scale, **options)
    result: torch.Tensor = out
    return result


def _spread(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values once for each head of ``q``."""
    groups = q.shape[1] // k.shape[1]
    return k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)


def _varlen_parameters() -> set[str]:
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return set()
    return set(inspect.signature(varlen_attn).parameters)


# torch 2.10 calls it ``is_causal``, later versions a window that looks left only.
_CAUSAL: dict[str, Any] = (
    {"is_causal": True} if "is_causal" in _varlen_parameters() else {"window_size": (-1, 0)}
)
# The kernel always knew groups of query heads; later versions want to be told that they are meant.
_ASKS_FOR_GROUPS = "enable_gqa" in _varlen_parameters()


def _scatter(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    if q.shape[1] != k.shape[1]:
        k, v = _spread(q, k, v)
    if q.device.type == "cpu":
        return _one_by_one(q, k, v, starts, scale)
    return _padded_batch(q, k, v, starts, longest, scale)


def _padded_batch(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    tokens = q.shape[0]
    position = torch.arange(tokens, device=q.device)
    row = torch.bucketize(position, starts[1:].to(torch.int64), right=True)
    slot = row * longest + position - starts.to(torch.int64)[row]
    rows = starts.shape[0] - 1

    def padded(x: torch.Tensor) -> torch.Tensor:
        room = x.new_zeros((rows * longest, *x.shape[1:]))
        return room.index_copy(0, slot, x).view(rows, longest, *x.shape[1:]).transpose(1, 2)

    out = functional.scaled_dot_product_attention(
        padded(q), padded(k), padded(v), is_causal=True, scale=scale
    )
    return out.transpose(1, 2).reshape(rows * longest, *q.shape[1:]).index_select(0, slot)


def _one_by_one(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, scale: float | None
) -> torch.Tensor:
    lengths = [n for n in starts.diff().tolist() if n]
    queries, keys, values = (torch.split(x.transpose(0, 1).unsqueeze(0), lengths, dim=2) for x in (q, k, v))
    outs = [
        functional.scaled_dot_product_attention(a, b, c, is_causal=True, scale=scale)
        for a, b, c in zip(queries, keys, values, strict=True)
    ]
    return torch.cat(outs, dim=2)[0].transpose(0, 1)


def register(device: torch.device, dtype: torch.dtype) -> str:
    """Make the right way for this device known to transformers; returns its ``attn_implementation`` name."""
    from transformers import AttentionInterface

    if has_varlen(device) and dtype in (torch.bfloat16, torch.float16):
        AttentionInterface.register("astra_varlen", varlen_attention)
        return "astra_varlen"
    AttentionInterface.register("astra_scatter", scatter_attention)
    return "astra_scatter"
