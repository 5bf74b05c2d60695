"""Trying a pack on the card: does it fit, what does it take, and which plan follows (:mod:`trainer.budget`).

    plan = settle(adapted, batch_of, sizes=[8192, 4096, 2048], reserve=adam, limit=memory_limit())

The largest pack is tried first with everything kept: a card with room for it trains fastest so. Where it does
not fit, two packs with everything computed again and a few short forward passes tell what a plan in between
takes; the plan is tried once more before step 1, so that memory fails now and not in an hour. What fits and
makes the allocator give memory back and take it again in every step does not count as fitting: it is slow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from trainer.again import NOTHING, Again
from trainer.body import is_walked
from trainer.budget import GIB, Measured, Plan, Trial, best_plan
from trainer.errors import OutOfMemory
from trainer.loss import body_and_head, label_losses, to_device
from trainer.model import release

log = logging.getLogger("trainer")
_SPARE, _SPARE_AT_LEAST = 0.015, 96 << 20  # of the card, for what lies between the allocator's blocks
_PROBE = 256  # tokens: what half a layer keeps of each is the same in a short pack
_TRIES = 6
_LEARNED = 0.5  # of the tokens, for the vocabulary's share of the arithmetic

BatchOf = Callable[[int], Mapping[str, Any]]
"""Tokens -> the fullest pack of at most so many, as tensors."""


def memory_limit() -> int:
    """Bytes this process may hold on the card: its share of it, and what others leave free."""
    free, total = torch.cuda.mem_get_info()
    share = torch.cuda.get_per_process_memory_fraction()
    return min(int(share * total), free + torch.cuda.memory_reserved())


def set_again(model: Any, again: Again) -> None:
    """Have the layers of ``model`` follow ``again`` from the next forward pass on.

    Models that are not walked (:mod:`trainer.body`) have whole layers computed again, as many as ``units``.
    """
    body = _walked_body(model)
    if body is not None:
        body.again = again
        return
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    if not again.units:
        causal.gradient_checkpointing_disable()
        return
    causal.gradient_checkpointing_enable({"use_reentrant": False})
    causal.enable_input_require_grads()
    for number, layer in enumerate(_layers(model)):
        layer.gradient_checkpointing = number < again.units


def settle(model: Any, batch_of: BatchOf, *, sizes: Sequence[int], reserve: int, limit: int) -> Plan:
    """The plan to train ``model`` with, tried out. ``sizes``: of packs, largest first; ``reserve``: bytes
    that come on top later (the optimizer's).

    Raises:
        OutOfMemory: not even the smallest pack fits, with everything computed again; with the numbers.
    """
    room = limit - max(int(limit * _SPARE), _SPARE_AT_LEAST) - reserve
    set_again(model, NOTHING)
    model.train()
    kept = _try(model, batch_of(sizes[0]), sizes[0])
    if kept is not None and kept.peak <= room:
        return _told(Plan(sizes[0], NOTHING, len(_layers(model)), kept.peak + reserve, limit))
    if not _layers(model):  # none that its library computes again: smaller packs are all there is
        for size in sizes[1:]:
            kept = _try(model, batch_of(size), size)
            if kept is not None and kept.peak <= room:
                return _told(Plan(size, NOTHING, 0, kept.peak + reserve, limit))
        raise _too_small(sizes[-1], limit)
    measured = _measure(model, batch_of, sizes)
    if measured is None:
        raise _too_small(sizes[-1], limit)
    known = sizes if len(measured.trials) > 1 else [measured.trials[0].tokens]
    error, refined = 0.0, False
    for tried in range(_TRIES):
        plan = best_plan(measured, limit=room, sizes=known, error=error)
        if plan is None:
            break
        found = _try_plan(model, batch_of, plan)
        if found is None or found.peak > room:
            log.info("does not fit: %s", plan)
            error += 0.02 * limit * 2**tried
            continue
        spare, each = room - found.peak, max(1.0, measured.unit * plan.pack_tokens)
        if not refined and spare > 2 * each and plan.again.units > 1:
            refined, error = True, error + found.peak - plan.expected  # it takes less than was predicted
            continue
        return _told(replace(plan, expected=found.peak + reserve, limit=limit))
    return _floor(model, batch_of, sizes[-1], limit, reserve)


def _floor(model: Any, batch_of: BatchOf, tokens: int, limit: int, reserve: int) -> Plan:
    """The least that can be asked for: where it fits at all, slowly is better than not."""
    count, halves = len(_layers(model)), walked(model)
    plan = Plan(tokens, Again(halves, count, count if halves else 0), count)
    set_again(model, plan.again)
    found = _try(model, batch_of(tokens), tokens)
    if found is None or found.peak + reserve > limit:
        raise _too_small(tokens, limit)
    return _told(replace(plan, expected=found.peak + reserve, limit=limit))


def _told(plan: Plan) -> Plan:
    log.info("plan: %s", plan)
    return plan


def _too_small(tokens: int, limit: int) -> OutOfMemory:
    held = torch.cuda.memory_allocated() / GIB
    return OutOfMemory(
        f"out of memory with packs of {tokens} tokens and all that can be computed again: base, adapter hold "
        f"{held:.1f} of the {limit / GIB:.1f} GiB that this process may use; "
        "use --precision nf4, a smaller base or a larger card"
    )


def _try_plan(model: Any, batch_of: BatchOf, plan: Plan) -> Trial | None:
    """The plan's largest pack twice; None where it does not fit, or only by asking for memory every time."""
    set_again(model, plan.again)
    batch = batch_of(plan.pack_tokens)
    if _try(model, batch, plan.pack_tokens) is None:
        return None
    before = _retries()
    found = _try(model, batch, plan.pack_tokens)
    return found if _retries() == before else None


def _retries() -> int:
    return int(torch.cuda.memory_stats().get("num_alloc_retries", 0))


def _try(model: Any, batch: Mapping[str, Any], tokens: int, *, goes: int = 1) -> Trial | None:
    """One pack of at most so many tokens, forward and backward; None where memory does not suffice.

    The seconds are those of the last go: the first also asks the card for memory and compiles what has not
    run in this shape, both of which weigh on a large pack and are no part of a step. Nothing of it stays.
    """
    release()
    torch.cuda.reset_peak_memory_stats()
    seconds = 0.0
    for _ in range(goes):
        torch.cuda.synchronize()
        began = time.perf_counter()
        fits = _forward_and_backward(model, batch)
        torch.cuda.synchronize()
        seconds = time.perf_counter() - began
        model.zero_grad(set_to_none=True)
        if not fits:
            release()
            return None
    return Trial(tokens, torch.cuda.max_memory_allocated(), seconds)


def _forward_and_backward(model: Any, batch: Mapping[str, Any]) -> bool:
    # a function of its own: the exception's traceback would keep every tensor of the try alive
    try:
        label_losses(model, to_device(batch, model.device))[0].mean().backward()
    except torch.OutOfMemoryError:
        return False
    return True


def _measure(model: Any, batch_of: BatchOf, sizes: Sequence[int]) -> Measured | None:
    layers, halves = _layers(model), walked(model)
    count = len(layers)
    everything = Again(halves, count, count if halves else 0)
    set_again(model, everything)
    short = batch_of(_PROBE)
    if _try(model, short, _PROBE) is None:  # and what is compiled at its first call is compiled
        return None
    trials: list[Trial] = []
    for size in sizes:
        if len(trials) < 2 and (found := _try(model, batch_of(size), size, goes=2)) is not None:
            trials.append(found)
    if not trials:
        return None
    tokens = int(short["input_ids"].shape[1])
    least = _kept(model, short, everything)
    # the last unit sees the learned positions only: it is not counted, so the others are a little large
    unit = (_kept(model, short, replace(everything, units=0)) - least) / max(1, count - halves) / tokens
    attention = 0.0
    if halves:
        attention = (_kept(model, short, replace(everything, attentions=0)) - least) / count / tokens
    each, unit_part, attention_part = _arithmetic(model)
    whole = 4 * each + 2 * count * (unit_part + attention_part)
    return Measured(
        trials, count, unit, attention, 2 * unit_part / whole, 2 * attention_part / whole, walked=halves
    )


def _kept(model: Any, batch: Mapping[str, Any], again: Again) -> int:
    """Bytes that a forward pass leaves for its backward pass."""
    set_again(model, again)
    batch = to_device(batch, model.device)
    before = torch.cuda.memory_allocated()
    losses, _ = label_losses(model, batch)
    kept = torch.cuda.memory_allocated() - before
    del losses
    return kept


def _arithmetic(model: Any) -> tuple[float, float, float]:
    """Multiplications of a token's forward pass: whole, and what is computed again of one unit and one
    attention (of a layer, and nothing, where layers are not walked)."""
    layers = _layers(model)
    inside = [_products(layer) for layer in layers]
    head = model.get_output_embeddings().weight.numel() * _LEARNED
    whole = sum(inside) + head
    if not walked(model):
        return whole, sum(inside) / len(inside), 0.0
    first = layers[0]
    return whole, _products(first.mlp) - _products(first.mlp.down_proj), _products(first.self_attn)


def _products(module: Any) -> float:
    """Multiplications for each token of the frozen linear layers inside; four-bit weights count unpacked."""
    return float(
        sum(m.in_features * m.out_features for m in module.modules() if isinstance(m, torch.nn.Linear))
    )


def walked(model: Any) -> bool:
    """Whether the layers of ``model`` are computed by :mod:`trainer.body`."""
    return _walked_body(model) is not None


def _walked_body(model: Any) -> Any | None:
    parts = body_and_head(model)
    return parts[0] if parts is not None and is_walked(parts[0]) else None


def _layers(model: Any) -> list[Any]:
    """The layers that can be computed again one by one."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return [m for m in causal.modules() if hasattr(type(m), "gradient_checkpointing") and _is_layer(m)]


def _is_layer(module: Any) -> bool:
    from transformers.modeling_layers import GradientCheckpointingLayer

    return isinstance(module, GradientCheckpointingLayer)
