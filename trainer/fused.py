"""LoRA layers without the overhead: one autograd function for all layers that read the same input.

PEFT runs a LoRA layer as six operations, upcasts the input to fp32 for two of them, and keeps what each
needs for its gradient. Here the layers that read the same tensor (query, key and value; gate and up) are
one layer of more columns: their frozen weights W lie below one another in memory, s A of all likewise,
and B of each stands in its own block of one matrix that is zero elsewhere. The input is kept once, in the
precision of the frozen weights; the large products add to what the narrow ones have written (``addmm``),
whose reading hides behind their arithmetic; gradients of the fp32 adapter weights leave the matrix unit
in fp32. Same formula, so the same gradient as the plain layer up to rounding:

    y  = x Wᵀ + b + (x s Aᵀ) Bᵀ        g = dy B
    dx = dy W + g s A                  dA_i = s g_iᵀ x      dB_i = dy_iᵀ (x s A_iᵀ)

Each layer's result is its columns of y. Where the gradients come back as columns of one matrix, as
:mod:`trainer.kernels` and :mod:`trainer.attention_kernels` return them, that matrix is dy; else it is made.

The adapter's weights are brought to the type of the frozen ones at the first forward after a backward, all
layers together (:class:`_Narrow`). NF4 weights are unpacked for each product and dropped at once. A layer
that is not plain LoRA on a linear layer (dropout, DoRA, another quantization) stays as PEFT made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
_ADAPTER = "default"


@dataclass(frozen=True)
class Source:
    """What ``x`` can be made from again: a layer that reads an ``x`` with this keeps ``kept``."""

    kept: torch.Tensor
    make: Callable[[torch.Tensor], torch.Tensor]


class _Lora(torch.autograd.Function):
    """The formula of the module's docstring for one group; ``pairs`` is A_1 … A_k, B_1 … B_k."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        group: Group,
        *pairs: torch.Tensor,  # noqa: ARG004 - what autograd gives the gradients to
    ) -> tuple[torch.Tensor, ...]:
        adapter = group.adapter()
        source: Source | None = getattr(x, "source", None)
        rows = x.reshape(-1, x.shape[-1])
        out, narrow = adapter.product(rows)
        ctx.adapter, ctx.shape, ctx.make = adapter, x.shape, source.make if source else None
        ctx.save_for_backward(source.kept if source else rows, narrow)
        ctx.set_materialize_grads(False)
        return tuple(
            part.view(*x.shape[:-1], part.shape[1]) for part in torch.split(out, group.widths, dim=1)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[Any, ...]:
        rows, narrow = ctx.saved_tensors
        if ctx.make is not None:
            rows = ctx.make(rows).reshape(-1, ctx.shape[-1])
        adapter: Adapter = ctx.adapter
        dy = _joined(
            [
                rows.new_zeros(len(rows), width) if gradient is None else gradient.reshape(-1, width)
                for gradient, width in zip(gradients, adapter.group.widths, strict=True)
            ],
            dim=1,
        )
        into, own = adapter.gradients(rows, narrow, dy, into=ctx.needs_input_grad[0])
        return None if into is None else into.view(ctx.shape), None, *own


@dataclass(frozen=True)
class Adapter:
    """One group with A and B as they were in a forward pass: the two halves of the formula."""

    group: Group
    down: torch.Tensor
    up: torch.Tensor

    def product(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(y, x s Aᵀ)"""
        bias = self.group.bias()
        narrow = rows @ self.down.T
        out = narrow @ self.up.T
        if bias is not None:
            out += bias
        out.addmm_(rows, self.group.weight().T)
        return out, narrow

    def gradients(
        self, rows: torch.Tensor, narrow: torch.Tensor, dy: torch.Tensor, *, into: bool
    ) -> tuple[torch.Tensor | None, list[torch.Tensor]]:
        """(dx, where it is asked for; those of A_1 … A_k, B_1 … B_k)"""
        group = self.group
        group.mark_old()
        inner = dy @ self.up
        dx = (inner @ self.down).addmm_(dy, group.weight()) if into else None
        ups = group.blocks(_product(dy.T, narrow))
        downs = torch.split(_product(inner.T, rows), group.ranks)
        return dx, [
            *(down.mul_(layer.scaling) for layer, down in zip(group.layers, downs, strict=True)),
            *ups,
        ]


def _joined(parts: Sequence[torch.Tensor], dim: int) -> torch.Tensor:
    """The tensors as one, below (``dim`` 0) or beside one another; no copy where they lie so in memory."""
    first = parts[0]
    if len(parts) == 1:
        return first
    shape, at = list(first.shape), first.storage_offset()
    shape[dim] = sum(part.shape[dim] for part in parts)
    storage, strides = first.untyped_storage().data_ptr(), first.stride()
    apart = dim == 1 and shape[1] > strides[0]
    for part in parts:
        apart |= (
            part.untyped_storage().data_ptr() != storage
            or part.storage_offset() != at
            or part.stride() != strides
        )
        at += part.shape[dim] * strides[dim]
    return torch.cat(list(parts), dim) if apart else first.as_strided(shape, strides)


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """A matrix product in fp32: summed so by the matrix unit, and not rounded after it."""
    if left.is_cuda and left.dtype in (torch.bfloat16, torch.float16):
        return torch.mm(left, right, out_dtype=torch.float32)
    return torch.mm(left, right).float()


class _Layer:
    """What the function needs of one PEFT layer."""

    def __init__(self, module: Any) -> None:
        self.base: Any = module.base_layer
        self.scaling: float = module.scaling[_ADAPTER]
        self.down: nn.Parameter = module.lora_A[_ADAPTER].weight
        self.up: nn.Parameter = module.lora_B[_ADAPTER].weight

    @property
    def packed(self) -> bool:
        """Whether the frozen weight is in four bits."""
        return type(self.base).__name__ == "Linear4bit"

    def kind(self) -> tuple[Any, ...]:
        """Layers that differ in it cannot be one product."""
        base = self.base
        unpacked = (base.weight.quant_state.dtype, base.compute_dtype) if self.packed else ()
        return self.packed, base.in_features, base.weight.dtype, base.weight.device, *unpacked


class _Narrow:
    """A and B of all groups in the type of the computation, brought up to date when they have changed."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._kind: tuple[torch.dtype, torch.device] | None = None
        self.old = True

    def add(self, group: Group) -> None:
        self._groups.append(group)

    def update(self, group: Group, x: torch.Tensor) -> None:
        """Copy every group's weights if ``group``'s may have changed: a few launches for the whole model.

        They may after any backward pass, as a step may have followed. The version alone does not tell: a
        fused optimizer writes without raising it.
        """
        kind = (x.dtype, x.device)
        # inside a backward pass a forward is computed again: no step has come between
        fresh = not self.old or _inside_backward()
        if fresh and self._kind == kind and group.version == group.seen():
            return
        # not inference tensors, though a validation may be what asks first: training writes to them
        with torch.inference_mode(False), torch.no_grad():
            for each in self._groups:
                if self._kind != kind or not each.downs:
                    each.allot(*kind)
                each.version = each.seen()
            self._kind, self.old = kind, False
            layers = [layer for each in self._groups for layer in each.layers]
            downs: list[torch.Tensor] = [layer.down for layer in layers]
            ups: list[torch.Tensor] = [layer.up for layer in layers]
            scaled = torch._foreach_mul(downs, [layer.scaling for layer in layers])
            torch._foreach_copy_([copy for each in self._groups for copy in each.downs], scaled)
            torch._foreach_copy_([copy for each in self._groups for copy in each.ups], ups)


class Group:
    """Layers that are called one after the other with the same tensor: the first call computes all.

    The others' results wait for their call, which must come with the very same tensor; another one is
    computed for all of them again.
    """

    down: torch.Tensor
    """s A of all layers: (Σ ranks, width)."""
    up: torch.Tensor
    """B of each layer in its own rows and columns, zero elsewhere: (Σ widths, Σ ranks)."""

    def __init__(self, layers: Sequence[_Layer], narrow: _Narrow) -> None:
        self.layers, self._narrow = layers, narrow
        self.ranks = [layer.down.shape[0] for layer in layers]
        self.widths = [layer.up.shape[0] for layer in layers]
        self.downs: Sequence[torch.Tensor] = ()  # views of what is each layer's
        self.ups: Sequence[torch.Tensor] = ()
        self.version: list[int] = []
        self._input: torch.Tensor | None = None
        self._waiting: dict[int, torch.Tensor] = {}
        narrow.add(self)

    def weight(self) -> torch.Tensor:
        """The frozen weights below one another: (Σ widths, width)."""
        if self.layers[0].packed:
            return self._unpacked()
        return _joined([layer.base.weight.data for layer in self.layers], dim=0)

    def _unpacked(self) -> torch.Tensor:
        from bitsandbytes.functional import dequantize_4bit

        base = self.layers[0].base
        whole = torch.empty(
            sum(self.widths), base.in_features, dtype=base.weight.quant_state.dtype, device=base.weight.device
        )
        for layer, part in zip(self.layers, torch.split(whole, self.widths), strict=True):
            dequantize_4bit(layer.base.weight.data, layer.base.weight.quant_state, out=part)
        return whole.to(base.compute_dtype) if base.compute_dtype is not None else whole

    def bias(self) -> torch.Tensor | None:
        """The biases after one another, zeros for a layer without; None where no layer has one."""
        biases = [layer.base.bias for layer in self.layers]
        known = next((bias for bias in biases if bias is not None), None)
        if known is None:
            return None
        return _joined(
            [
                known.new_zeros(width) if bias is None else bias
                for bias, width in zip(biases, self.widths, strict=True)
            ],
            dim=0,
        )

    def blocks(self, whole: torch.Tensor) -> list[torch.Tensor]:
        """Each layer's rows and columns of a matrix of the shape of ``up``."""
        rows = torch.split(whole, self.widths)
        return [torch.split(part, self.ranks, dim=1)[index] for index, part in enumerate(rows)]

    def allot(self, dtype: torch.dtype, device: torch.device) -> None:
        """Room for the copies of A and B."""
        self.down = torch.empty(sum(self.ranks), self.layers[0].down.shape[1], dtype=dtype, device=device)
        self.up = torch.zeros(sum(self.widths), sum(self.ranks), dtype=dtype, device=device)
        self.downs, self.ups = torch.split(self.down, self.ranks), self.blocks(self.up)

    def seen(self) -> list[int]:
        """Changes whenever a weight is written to."""
        return [weight._version for layer in self.layers for weight in (layer.down, layer.up)]

    def mark_old(self) -> None:
        """The adapter's weights may be written to from here on."""
        self._narrow.old = True

    def bring_up_to_date(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Before a forward pass on ``x``; returns A_1 … A_k, B_1 … B_k."""
        self._narrow.update(self, x)
        return [*(layer.down for layer in self.layers), *(layer.up for layer in self.layers)]

    def adapter(self) -> Adapter:
        """The group as it is now."""
        return Adapter(self, self.down, self.up)

    def call(self, index: int, x: torch.Tensor) -> torch.Tensor:
        if self._input is not x or index not in self._waiting:
            pairs = self.bring_up_to_date(x)
            apply: Any = _Lora.apply
            self._input, self._waiting = x, dict(enumerate(apply(x, self, *pairs)))
        out = self._waiting.pop(index)
        if not self._waiting:
            self._input = None
        return out


def _inside_backward() -> bool:
    return torch._C._current_graph_task_id() != -1


def group_of(*modules: nn.Module) -> Group | None:
    """The group that is exactly these layers in this order, where they are computed together."""
    found = [getattr(module.forward, "func", None) for module in modules]
    groups = [getattr(function, "__self__", None) for function in found]
    group = groups[0]
    if not isinstance(group, Group) or any(other is not group for other in groups):
        return None
    same = [layer.base for layer in group.layers] == [getattr(m, "base_layer", None) for m in modules]
    return group if same else None


def fuse(model: nn.Module) -> int:
    """Replace the forward of every plain LoRA layer of ``model``; returns how many were replaced.

    The frozen weights of layers that are computed together are moved to lie together in memory; where the
    card has no room for the move, their layers are computed one by one.
    """
    replaced, narrow = 0, _Narrow()
    for parent in model.modules():
        children = dict(parent.named_children())
        named = {name: _Layer(child) for name, child in children.items() if _is_plain(child)}
        for names in _laid_together(_groups(named), named):
            group = Group([named[name] for name in names], narrow)
            for index, name in enumerate(names):
                children[name].forward = partial(group.call, index)
                replaced += 1
    return replaced


def _groups(named: Mapping[str, _Layer]) -> list[tuple[str, ...]]:
    """Names of the layers to compute together, and of each that is computed by itself."""
    together = [
        names
        for names in TOGETHER
        if all(name in named for name in names) and len({named[name].kind() for name in names}) == 1
    ]
    return together + [(name,) for name in named if not any(name in names for names in together)]


def _laid_together(
    groups: Sequence[tuple[str, ...]], named: Mapping[str, _Layer]
) -> Iterator[tuple[str, ...]]:
    """The groups, each with one tensor for the frozen weights, of which each layer keeps its rows."""
    for names in groups:
        layers = [named[name] for name in names]
        if layers[0].packed or len(names) == 1:
            yield names
            continue
        try:
            whole = _joined([layer.base.weight.data for layer in layers], dim=0)
        except torch.OutOfMemoryError:
            yield from ((name,) for name in names)
            continue
        for layer, part in zip(layers, torch.split(whole, [len(layer.up) for layer in layers]), strict=True):
            layer.base.weight.data = part
        yield names


def lay_together(model: nn.Module) -> None:
    """Move the frozen weights that :func:`fuse` would move, before there is an adapter on them."""
    for parent in model.modules():
        children = dict(parent.named_children())
        for names in TOGETHER:
            linears = [children.get(name) for name in names]
            if any(type(linear) is not nn.Linear for linear in linears):
                continue
            weights: list[Any] = [linear.weight for linear in linears if linear is not None]
            if len({(w.shape[1], w.dtype, w.device) for w in weights}) > 1:
                continue
            whole = _joined([w.data for w in weights], dim=0)
            for weight, part in zip(weights, torch.split(whole, [len(w) for w in weights]), strict=True):
                weight.data = part


def _is_plain(module: nn.Module) -> bool:
    """Whether :class:`_Lora` can compute it."""
    from peft.tuners.lora import Linear, LoraLayer

    if not isinstance(module, LoraLayer) or _ADAPTER not in module.lora_A or module.lora_variant:
        return False
    if not isinstance(module.lora_dropout[_ADAPTER], nn.Identity) or module.fan_in_fan_out:
        return False
    if module.lora_bias.get(_ADAPTER) or module.merged or module.disable_adapters:
        return False
    if list(module.active_adapters) != [_ADAPTER]:
        return False
    base: Any = module.base_layer
    dense = isinstance(module, Linear) and type(base) is nn.Linear
    return dense or type(base).__name__ == "Linear4bit"
