"""The layers below the vocabulary, walked here: what no learned position needs is not computed.

For decoders of Llama's plan (norm, attention, add; norm, gated unit, add), which most open models follow:
the last gated unit sees the learned positions only, an addition and the norm after it are one pass over
memory, so is the gate of the unit, and on a Hopper card attention has kernels of its own. Whether a model
follows the plan is read off its modules and then tried out: both ways must give the same. Any other model
computes as its library wrote it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from transformers.activations import SiLUActivation
from transformers.models.llama.modeling_llama import LlamaMLP

from trainer.again import NOTHING, Again, gated_unit, rerun
from trainer.card import attention_kernels_agree, has_attention_kernels, has_kernels, or_not_compiled
from trainer.fused import Source

log = logging.getLogger(__name__)
_BODY = {"embed_tokens", "layers", "norm", "rotary_emb"}
_LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
# Nothing between projection, rotation and attention, no norm of queries, no cap, no sinks: a trial on eight
# tokens would not show all of that. Windows are as long as the longest example that is learned.
_ATTENTIONS = ("LlamaAttention", "MistralAttention", "Qwen2Attention")


def learned_hidden(body: Any, inputs: Mapping[str, Any], rows: torch.Tensor) -> torch.Tensor:
    """What the vocabulary sees at the positions ``rows`` of one pack: (rows, width)."""
    if not is_walked(body):
        hidden: torch.Tensor = body(**inputs, use_cache=False).last_hidden_state
        return hidden.squeeze(0).index_select(0, rows)
    return _walk(body, inputs, rows)


def is_walked(body: Any) -> bool:
    """Whether this body's layers are computed here; tried out at the first call."""
    if not hasattr(body, "plain_plan"):
        _try_out(body)
    return bool(body.plain_plan)


def _try_out(body: Any) -> None:
    """Settle how ``body`` is computed: ``plain_plan``, walked here; ``own_attention``, with our kernels."""
    body.plain_plan = body.own_attention = False
    if not _has_the_plan(body):
        return
    for own in (True, False) if _may_use_attention_kernels(body) else (False,):
        body.own_attention = own
        body.plain_plan = _gives_the_same(body)
        if body.plain_plan:
            return


def _walk(body: Any, inputs: Mapping[str, Any], rows: torch.Tensor) -> torch.Tensor:
    stream, attend = _begin(body, inputs)
    branch: torch.Tensor | None = None
    last = len(body.layers) - 1
    again: Again = getattr(body, "again", NOTHING) if torch.is_grad_enabled() and body.training else NOTHING
    for number, layer in enumerate(body.layers):
        saving = _Saving(again.cheap, number < again.units, number < again.attentions)
        stream, branch = _layer(layer, attend, rows if number == last else None, stream, branch, saving)
    return _add_norm(body.norm, stream, branch)[0].squeeze(0)


Attend = Callable[[Any, torch.Tensor], torch.Tensor]
"""(a layer's attention module, the normed stream) -> what is added to the stream"""


@dataclass(frozen=True)
class _Saving:
    """What of one layer the backward pass makes again (:mod:`trainer.again`)."""

    cheap: bool = False
    unit: bool = False
    attention: bool = False


def _begin(body: Any, inputs: Mapping[str, Any]) -> tuple[torch.Tensor, Attend]:
    """The tokens' embeddings, and how the layers attend in this pack."""
    stream = body.embed_tokens(inputs["input_ids"])
    shared = {name: value for name, value in inputs.items() if name != "input_ids"} | {
        "position_embeddings": body.rotary_emb(stream, position_ids=inputs["position_ids"]),
        "attention_mask": None,
    }
    return stream, _attention(body, stream, shared)


def _layer(
    layer: Any,
    attend: Attend,
    rows: torch.Tensor | None,
    stream: torch.Tensor,
    branch: torch.Tensor | None,
    saving: _Saving = _Saving(),
) -> tuple[torch.Tensor, torch.Tensor]:
    """One layer; the addition of what it returns second is left to the norm that follows."""
    normed, stream = _add_norm(layer.input_layernorm, stream, branch, remember=saving.cheap)
    if saving.attention:
        attended = rerun(layer.self_attn, partial(attend, layer.self_attn), normed)
    else:
        attended = attend(layer.self_attn, normed)
    if rows is not None:
        attended, stream = attended.index_select(1, rows), stream.index_select(1, rows)
    normed, stream = _add_norm(layer.post_attention_layernorm, stream, attended, remember=saving.cheap)
    return stream, _gated_unit(layer.mlp, normed, saving)


def _attention(body: Any, stream: torch.Tensor, shared: Mapping[str, Any]) -> Attend:
    if not (body.own_attention and "cu_seq_lens_q" in shared):
        return lambda attention, normed: attention(hidden_states=normed, **shared)[0]
    from trainer import attention_kernels

    cos, sin = shared["position_embeddings"]
    table = attention_kernels.tiles(shared["cu_seq_lens_q"], stream.shape[1])

    def attend(attention: Any, normed: torch.Tensor) -> torch.Tensor:
        q, k, v = attention.q_proj(normed), attention.k_proj(normed), attention.v_proj(normed)
        out: torch.Tensor = attention.o_proj(
            attention_kernels.attend(q, k, v, cos, sin, table, attention.scaling)
        )
        return out

    return attend


def _may_use_attention_kernels(body: Any) -> bool:
    """Whether this model's attention is what they compute, and they compute it rightly here."""
    weight = body.embed_tokens.weight
    attentions = [layer.self_attn for layer in body.layers]
    if not all(_is_known(attention, _ATTENTIONS) for attention in attentions):
        return False
    if not has_attention_kernels(weight.device, weight.dtype):
        return False
    from trainer.attention_kernels import WIDTHS

    kinds = {(attention.head_dim, attention.num_key_value_groups) for attention in attentions}
    return all(
        width in WIDTHS and attention_kernels_agree(width, groups, weight.dtype) for width, groups in kinds
    )


def _is_known(module: Any, names: Sequence[str]) -> bool:
    """Whether it is of transformers' own class of one of these names, not of another's or a derived one."""
    kind = type(module)
    return kind.__name__ in names and kind.__module__.startswith("transformers.models.")


def _gated_unit(unit: Any, normed: torch.Tensor, saving: _Saving) -> torch.Tensor:
    if saving.cheap and _is_gated_by_silu(unit):
        out = gated_unit(unit, normed, keep=not saving.unit)
        if out is not None:
            return out
    return rerun(unit, partial(_open, unit), normed) if saving.unit else _open(unit, normed)


def _open(unit: Any, normed: torch.Tensor) -> torch.Tensor:
    if not (normed.is_cuda and has_kernels() and _is_gated_by_silu(unit)):
        whole: torch.Tensor = unit(normed)
        return whole
    from trainer.kernels import swiglu

    out: torch.Tensor = unit.down_proj(swiglu(unit.gate_proj(normed), unit.up_proj(normed)))
    return out


def _is_gated_by_silu(unit: Any) -> bool:
    """Llama's unit, whatever its class is called; or Liger's, which replaces it in models loaded later."""
    kind: Any = type(unit)
    if kind.__name__ == "LigerSwiGLUMLP":
        return True
    return _is_llamas_forward(kind) and isinstance(unit.act_fn, torch.nn.SiLU | SiLUActivation)


@cache
def _is_llamas_forward(kind: Any) -> bool:
    return _instructions(kind.forward) == _instructions(LlamaMLP.forward)


def _instructions(function: Any) -> tuple[Any, ...]:
    code = getattr(function, "__code__", None)
    return (code.co_code, code.co_names, code.co_consts) if code is not None else (function,)


def _add_norm(
    norm: Any, stream: torch.Tensor, branch: torch.Tensor | None, *, remember: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """(norm of the sum, the sum); ``remember``: who reads the norm keeps the sum, which is kept anyway."""
    again: Callable[[torch.Tensor], torch.Tensor] = norm
    eps = getattr(norm, "variance_epsilon", None)
    if branch is None:
        normed = norm(stream)
    elif stream.is_cuda and has_kernels() and eps is not None and not norm.weight.requires_grad:
        from trainer.kernels import add_norm, norm_again

        normed, stream = add_norm(stream, branch, norm.weight, eps)
        again = partial(norm_again, weight=norm.weight, eps=eps)
    else:
        stream = stream + branch
        normed = rerun(norm, norm, stream) if remember else norm(stream)
    if remember:
        normed.source = Source(stream.detach(), again)
    return normed, stream


def _has_the_plan(body: Any) -> bool:
    return {name for name, _ in body.named_children()} == _BODY and all(
        {name for name, _ in layer.named_children()} == _LAYER and hasattr(layer, "gradient_checkpointing")
        for layer in body.layers
    )


def _gives_the_same(body: Any) -> bool:
    """Two examples of five and three tokens, each layer both ways from the same stream.

    From the same, so that the roundings of many layers do not add up and hide a layer that computes
    otherwise. A layer whose parts do not fit together as planned fails the trial: that, too, is an answer.
    """
    device = body.embed_tokens.weight.device
    starts = torch.tensor([0, 5, 8], dtype=torch.int32, device=device)
    probe = {
        "input_ids": torch.arange(1, 9, device=device).unsqueeze(0) % body.embed_tokens.weight.shape[0],
        "position_ids": torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]], device=device),
        "cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": 5, "max_length_k": 5,
    }  # fmt: skip
    after: list[Any] = []
    hooks = [layer.register_forward_hook(lambda *call: after.append(call[-1])) for layer in body.layers]
    training = body.training
    body.eval()
    try:
        with torch.no_grad():
            expected = body(**probe, use_cache=False).last_hidden_state
            return _layers_agree(body, probe, after, expected)
    except torch.OutOfMemoryError:
        raise
    except or_not_compiled(TypeError, ValueError, AttributeError, RuntimeError) as error:
        log.info("the layers are computed as their library wrote them: %s", error)
        return False
    finally:
        body.train(training)
        for hook in hooks:
            hook.remove()


def _layers_agree(body: Any, probe: Mapping[str, Any], after: Sequence[Any], expected: torch.Tensor) -> bool:
    """Whether each layer adds to the stream what the library's adds: to a few roundings of its own.

    Each token by itself: real models carry values of thousands on their first one, beside which nothing
    that another layer does to the others would be seen.
    """
    stream, attend = _begin(body, probe)
    rows = torch.arange(stream.shape[1], device=stream.device)
    eps = torch.finfo(stream.dtype).eps
    allowed = max(1e-4, 4 * eps)
    normed: torch.Tensor | None = None
    for number, (layer, theirs) in enumerate(zip(body.layers, after, strict=True)):
        kept, branch = _layer(layer, attend, rows, stream, None)
        normed, mine = _add_norm(body.norm, kept, branch)
        bound = allowed * _norms(theirs - stream) + eps * _norms(theirs)
        if not bool((_norms(mine - theirs) <= bound).all()):
            log.info("layer %d does more than the plan says: computed as its library wrote it", number)
            return False
        stream = theirs
    return normed is not None and bool((_norms(normed - expected) <= 2 * allowed * _norms(expected)).all())


def _norms(x: torch.Tensor) -> torch.Tensor:
    lengths: torch.Tensor = torch.linalg.vector_norm(x.float(), dim=-1)
    return lengths
