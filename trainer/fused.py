"""LoRA layers without the overhead: one autograd function for all layers that read the same input.

PEFT runs a LoRA layer as six operations, upcasts the input to fp32 for two of them, and keeps what each
needs for its gradient. Here the layers that read the same tensor (query, key and value; gate and up) are
one function: the input is kept once, in the precision of the frozen weights; the down projections are one
product; the large products add to what the narrow ones have written (``addmm``), whose reading hides behind
their arithmetic; gradients of the fp32 adapter weights leave the
matrix unit in fp32. Same formula, so the same gradient as the plain layer up to rounding:

    y_i = x W_iᵀ + b_i + (x s A_iᵀ) B_iᵀ          g_i = dy_i B_i
    dx  = Σ dy_i W_i + g_i s A_i     dA_i = s g_iᵀ x     dB_i = dy_iᵀ (x s A_iᵀ)

The adapter's weights are brought to the type of the frozen ones at the first forward after a backward, all
layers together (:class:`_Narrow`). NF4 weights are unpacked for each product and dropped at once. A layer
that is not plain LoRA on a linear layer (dropout, DoRA, another quantization) stays as PEFT made it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
_ADAPTER = "default"


class _Lora(torch.autograd.Function):
    """The formula of the module's docstring for the layers of a group; ``pairs`` is A_1 … A_k, B_1 … B_k.

    ``down`` (Σ ranks, width) is s A of all layers, ``ups`` is B of each, both in the type of ``x``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        layers: Sequence[_Layer],
        copies: _Narrow,
        down: torch.Tensor,
        ups: Sequence[torch.Tensor],
        *pairs: torch.Tensor,  # noqa: ARG004 - what autograd gives the gradients to
    ) -> tuple[torch.Tensor, ...]:
        rows = x.reshape(-1, x.shape[-1])
        narrow = rows @ down.T
        outs = []
        for layer, up, part in zip(layers, ups, _parts(narrow, ups), strict=True):
            out = part @ up.T
            if layer.bias is not None:
                out += layer.bias
            out.addmm_(rows, layer.weight().T)
            outs.append(out.view(*x.shape[:-1], out.shape[-1]))
        ctx.layers, ctx.copies = layers, copies
        ctx.down, ctx.ups, ctx.shape = down, ups, x.shape
        ctx.save_for_backward(rows, narrow)
        return tuple(outs)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[Any, ...]:
        rows, narrow = ctx.saved_tensors
        ctx.copies.old = True
        inner = torch.empty_like(narrow)  # dy B of all layers side by side
        up_gradients: list[torch.Tensor | None] = []
        parts = zip(_parts(inner, ctx.ups), _parts(narrow, ctx.ups), strict=True)
        for up, gradient, (g, part) in zip(ctx.ups, gradients, parts, strict=True):
            if gradient is None:
                g.zero_()
                up_gradients.append(None)
                continue
            dy = gradient.reshape(-1, gradient.shape[-1])
            torch.mm(dy, up, out=g)
            up_gradients.append(_product(dy.T, part))
        into: torch.Tensor | None = None
        if ctx.needs_input_grad[0]:
            into = inner @ ctx.down
            for layer, gradient in zip(ctx.layers, gradients, strict=True):
                if gradient is not None:
                    into.addmm_(gradient.reshape(-1, gradient.shape[-1]), layer.weight())
            into = into.view(ctx.shape)
        down_gradients = [
            part.mul_(layer.scaling)
            for layer, part in zip(
                ctx.layers, torch.split(_product(inner.T, rows), _ranks(ctx.ups)), strict=True
            )
        ]
        return into, None, None, None, None, *down_gradients, *up_gradients


def _ranks(ups: Sequence[torch.Tensor]) -> list[int]:
    return [up.shape[1] for up in ups]


def _parts(narrow: torch.Tensor, ups: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """The columns of each layer: (rows, ranks) -> k × (rows, rank)."""
    return torch.split(narrow, _ranks(ups), dim=1)


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """A matrix product in fp32: summed so by the matrix unit, and not rounded after it."""
    if left.is_cuda and left.dtype in (torch.bfloat16, torch.float16):
        return torch.mm(left, right, out_dtype=torch.float32)
    return torch.mm(left, right).float()


class _Layer:
    """What the function needs of one PEFT layer."""

    def __init__(self, module: Any, weight: Callable[[], torch.Tensor]) -> None:
        self.weight = weight
        self.bias: torch.Tensor | None = module.base_layer.bias
        self.scaling: float = module.scaling[_ADAPTER]
        self.down: nn.Parameter = module.lora_A[_ADAPTER].weight
        self.up: nn.Parameter = module.lora_B[_ADAPTER].weight


class _Narrow:
    """A and B of all groups in the type of the computation, brought up to date when they have changed."""

    def __init__(self) -> None:
        self._groups: list[_Siblings] = []
        self._kind: tuple[torch.dtype, torch.device] | None = None
        self.old = True

    def add(self, group: _Siblings) -> None:
        self._groups.append(group)

    def may_be_old(self, group: _Siblings) -> bool:
        """Whether the weights may have changed since: after any backward pass, as a step may have followed.

        The version alone does not tell: a fused optimizer writes without raising it.
        """
        return self.old or group.version != group.seen()

    def refresh(self, x: torch.Tensor) -> None:
        """Copy every group's weights; a few launches for the whole model."""
        kind = (x.dtype, x.device)
        # not inference tensors, though a validation may be what asks first: training writes to them
        with torch.inference_mode(False), torch.no_grad():
            for group in self._groups:
                if self._kind != kind or group.down is None:
                    group.allot(*kind)
                group.version = group.seen()
            self._kind, self.old = kind, False
            layers = [layer for group in self._groups for layer in group.layers]
            downs: list[torch.Tensor] = [layer.down for layer in layers]
            ups: list[torch.Tensor] = [layer.up for layer in layers]
            scaled = torch._foreach_mul(downs, [layer.scaling for layer in layers])
            torch._foreach_copy_([copy for group in self._groups for copy in group.downs], scaled)
            torch._foreach_copy_([copy for group in self._groups for copy in group.ups], ups)


class _Siblings:
    """Layers that are called one after the other with the same tensor: the first call computes all.

    The others' results wait for their call, which must come with the very same tensor; with another
    one the layer is computed alone.
    """

    def __init__(self, layers: Sequence[_Layer], narrow: _Narrow) -> None:
        self.layers, self._narrow = layers, narrow
        self.down: torch.Tensor | None = None  # s A of all layers
        self.downs: Sequence[torch.Tensor] = ()  # its rows by layer
        self.ups: Sequence[torch.Tensor] = ()  # B by layer
        self.version: list[int] = []
        self._input: torch.Tensor | None = None
        self._waiting: dict[int, torch.Tensor] = {}
        narrow.add(self)

    def allot(self, dtype: torch.dtype, device: torch.device) -> None:
        """Room for A of all layers in one tensor, and for B of each."""
        ranks = [layer.down.shape[0] for layer in self.layers]
        down = torch.empty(sum(ranks), self.layers[0].down.shape[1], dtype=dtype, device=device)
        self.down, self.downs = down, torch.split(down, ranks)
        self.ups = [torch.empty_like(layer.up, dtype=dtype, device=device) for layer in self.layers]

    def seen(self) -> list[int]:
        """Changes whenever a weight is written to."""
        return [weight._version for layer in self.layers for weight in (layer.down, layer.up)]

    def call(self, index: int, x: torch.Tensor) -> torch.Tensor:
        if self._input is x and index in self._waiting:
            out = self._waiting.pop(index)
            if not self._waiting:
                self._input = None
            return out
        outs = self._apply(x, None if index == 0 else index)
        if len(outs) > 1:
            self._input, self._waiting = x, dict(enumerate(outs))
            return self._waiting.pop(index)
        return outs[0]

    def _apply(self, x: torch.Tensor, alone: int | None) -> tuple[torch.Tensor, ...]:
        if self.down is None or self.down.dtype != x.dtype or self._narrow.may_be_old(self):
            self._narrow.refresh(x)
        one = slice(None) if alone is None else slice(alone, alone + 1)
        layers = self.layers[one]
        apply: Any = _Lora.apply
        outs: tuple[torch.Tensor, ...] = apply(
            x,
            layers,
            self._narrow,
            self.down if alone is None else self.downs[alone],
            self.ups[one],
            *(layer.down for layer in layers),
            *(layer.up for layer in layers),
        )
        return outs


def fuse(model: nn.Module) -> int:
    """Replace the forward of every plain LoRA layer of ``model``; returns how many were replaced."""
    replaced, narrow = 0, _Narrow()
    for parent in model.modules():
        children = dict(parent.named_children())
        named = {name: layer for name, child in children.items() if (layer := _plain(child)) is not None}
        groups: list[tuple[str, ...]] = [group for group in TOGETHER if all(name in named for name in group)]
        groups += [(name,) for name in named if not any(name in group for group in groups)]
        for group in groups:
            siblings = _Siblings([named[name] for name in group], narrow)
            for index, name in enumerate(group):
                children[name].forward = _forward(siblings, index)
                replaced += 1
    return replaced


def _forward(siblings: _Siblings, index: int) -> Callable[[torch.Tensor], torch.Tensor]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        return siblings.call(index, x)

    return forward


def _plain(module: nn.Module) -> _Layer | None:
    """What :class:`_Lora` can compute, or None."""
    from peft.tuners.lora import Linear, LoraLayer

    if not isinstance(module, LoraLayer) or _ADAPTER not in module.lora_A or module.lora_variant:
        return None
    if not isinstance(module.lora_dropout[_ADAPTER], nn.Identity) or module.fan_in_fan_out:
        return None
    base: Any = module.base_layer
    if isinstance(module, Linear) and type(base) is nn.Linear:
        return _Layer(module, lambda: base.weight)
    if type(base).__name__ == "Linear4bit":
        return _Layer(module, _unpacking(base))
    return None


def _unpacking(base: Any) -> Callable[[], torch.Tensor]:
    from bitsandbytes.functional import dequantize_4bit

    def weight() -> torch.Tensor:
        whole: torch.Tensor = dequantize_4bit(base.weight.data, base.weight.quant_state)
        return whole.to(base.compute_dtype) if base.compute_dtype is not None else whole

    return weight
