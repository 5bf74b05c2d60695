"""What a backward pass computes again instead of keeping it, half a layer at a time.

A layer of Llama's plan keeps most of its memory in three places. For each token of an 8B shape in 16 bits:

    the two norms and the gated product     45 KB   made again in three passes over memory, no matrix product
    gate and up                             57 KB   made again with one product, gate and up's
    queries, keys, values, what they attend 20 KB   made again with three of the four products, and attention
    the two sums (the stream)               16 KB   always kept: everything above is made from them

So layers need not be computed again whole, and never their last product, whose result nobody's gradient asks
for. :class:`Again` says how much is; :mod:`trainer.budget` finds out how much has to be. With Triton's
kernels the gradients are the same bits however much it is; where plain torch computes the gate, equal up to
rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from trainer.card import has_kernels
from trainer.fused import Adapter, Source, group_of


@dataclass(frozen=True)
class Again:
    """``cheap``: norms and gated products of every layer; ``units``, ``attentions``: the gated units and the
    attentions of so many layers, from the first one on, since the last layers' memory is free again first."""

    cheap: bool = False
    units: int = 0
    attentions: int = 0


NOTHING = Again()


Run = Callable[[torch.Tensor], torch.Tensor]


class _Rerun(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        run: Run,
        source: Source,
        *parameters: nn.Parameter,  # noqa: ARG004 - so that there is a backward pass where x needs none
    ) -> torch.Tensor:
        ctx.run, ctx.make = run, source.make
        ctx.save_for_backward(source.kept)
        return run(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        (kept,) = ctx.saved_tensors
        with torch.enable_grad():
            x = ctx.make(kept).detach().requires_grad_(ctx.needs_input_grad[0])
            out = ctx.run(x)
        torch.autograd.backward(out, gradient)  # the parameters' gradients go to them from here
        return x.grad, None, None, *[None] * (len(ctx.needs_input_grad) - 3)


def rerun(module: nn.Module, run: Run, x: torch.Tensor) -> torch.Tensor:
    """``run(x)`` of ``module``, of which the backward pass finds nothing kept but what x can be made from.

    For ``backward()`` only: ``torch.autograd.grad`` would not see the gradients of the module's parameters.
    """
    source = getattr(x, "source", None) or Source(x.detach(), _as_it_is)
    apply: Any = _Rerun.apply
    out: torch.Tensor = apply(x, run, source, *(p for p in module.parameters() if p.requires_grad))
    return out


def _as_it_is(x: torch.Tensor) -> torch.Tensor:
    return x


@dataclass(frozen=True)
class _Unit:
    """A gated unit's two products, and whether gate and up stay in memory."""

    opening: Adapter
    closing: Adapter
    keep: bool


class _GatedUnit(torch.autograd.Function):
    """silu(x Gᵀ) · (x Uᵀ) Dᵀ with the adapters of all three; keeps gate and up at most."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        unit: _Unit,
        source: Source,
        *pairs: torch.Tensor,  # noqa: ARG004 - what autograd gives the gradients to
    ) -> torch.Tensor:
        both, narrow = unit.opening.product(x.reshape(-1, x.shape[-1]))
        out, _ = unit.closing.product(_gate_times(*both.chunk(2, dim=1)))
        ctx.unit, ctx.make, ctx.shape, ctx.spent = unit, source.make, x.shape, False
        ctx.save_for_backward(source.kept, *((both, narrow) if unit.keep else ()))
        return out.view(*x.shape[:-1], out.shape[-1])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        if ctx.spent:
            raise RuntimeError("gate and up are gone: the unit's gradient can be asked for once")
        unit: _Unit = ctx.unit
        kept, *found = ctx.saved_tensors
        ctx.spent = unit.keep
        rows = ctx.make(kept).reshape(-1, ctx.shape[-1])
        both, narrow = found or unit.opening.product(rows)
        gate, up = both.chunk(2, dim=1)
        hidden = _gate_times(gate, up)
        dy = gradient.reshape(-1, gradient.shape[-1])
        inside, closing = unit.closing.gradients(hidden, hidden @ unit.closing.down.T, dy, into=True)
        del hidden
        assert inside is not None
        _gate_gradient_(inside, gate, up)
        del inside
        into, opening = unit.opening.gradients(rows, narrow, both, into=ctx.needs_input_grad[0])
        return None if into is None else into.view(ctx.shape), None, None, *opening, *closing


def gated_unit(unit: Any, x: torch.Tensor, *, keep: bool) -> torch.Tensor | None:
    """The unit's result by the function above; None where its layers are not fused as that needs them.

    ``unit`` must be gated by SiLU.
    """
    opening, closing = group_of(unit.gate_proj, unit.up_proj), group_of(unit.down_proj)
    if opening is None or closing is None:
        return None
    source = getattr(x, "source", None) or Source(x.detach(), _as_it_is)
    pairs = [*opening.bring_up_to_date(x), *closing.bring_up_to_date(x)]
    apply: Any = _GatedUnit.apply
    out: torch.Tensor = apply(x, _Unit(opening.adapter(), closing.adapter(), keep), source, *pairs)
    return out


def _gate_times(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    if gate.is_cuda and has_kernels():
        from trainer.kernels import gate_times

        return gate_times(gate, up)
    return functional.silu(gate) * up


def _gate_gradient_(gradient: torch.Tensor, gate: torch.Tensor, up: torch.Tensor) -> None:
    """The gradients of gate and up, over them."""
    if gate.is_cuda and has_kernels():
        from trainer.kernels import gate_gradient_

        gate_gradient_(gradient, gate, up)
        return
    for rows in _few_at_a_time(len(gate)):
        g, u, d = (x[rows].float() for x in (gate, up, gradient))
        chance = torch.sigmoid(g)
        opened = g * chance
        d_gate = d * u * (chance + opened * (1 - chance))  # before up, which u may be, is written over
        up[rows] = (d * opened).to(up.dtype)
        gate[rows] = d_gate.to(gate.dtype)


def _few_at_a_time(count: int, rows: int = 1024) -> Iterator[slice]:
    """Where torch has no such kernel the fp32 values between would be larger than what is saved."""
    for first in range(0, count, rows):
        yield slice(first, first + rows)
