"""LoRA layers without the overhead: one autograd function for all layers that read the same input.

PEFT runs a LoRA layer as six operations, upcasts the input to fp32 for two of them, and keeps what each
needs for its gradient. Here the layers that read the same tensor (query, key and value; gate and up) are
one function: the input is kept once, in the precision of the frozen weights; the down projections are one
product; the large products add to what the narrow ones have written (``addmm``), whose reading hides behind
their arithmetic; gradients of the fp32 adapter weights leave the
matrix unit in fp32. Same formula, so the same gradient as the plain layer up to rounding:

    y_i = x W_iᵀ + b_i + s (x A_iᵀ) B_iᵀ          g_i = s dy_i B_i
    dx  = Σ dy_i W_i + g_i A_i     dA_i = g_iᵀ x     dB_i = s dy_iᵀ (x A_iᵀ)

NF4 weights are unpacked for each product and dropped at once. A layer that is not plain LoRA on a
linear layer (dropout, DoRA, another quantization) stays as PEFT made it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
_ADAPTER = "default"


class _Lora(torch.autograd.Function):
    """The formula of the module's docstring for k layers; ``pairs`` is A_1 … A_k, B_1 … B_k (fp32)."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, layers: Sequence[_Layer], *pairs: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        count = len(layers)
        rows = x.reshape(-1, x.shape[-1])
        down = torch.cat(pairs[:count]).to(x.dtype)
        narrow = rows @ down.T
        outs = []
        for layer, up, part in zip(layers, pairs[count:], _parts(narrow, pairs[:count]), strict=True):
            out = part @ (up * layer.scaling).to(x.dtype).T
            if layer.bias is not None:
                out += layer.bias
            out.addmm_(rows, layer.weight().T)
            outs.append(out.view(*x.shape[:-1], out.shape[-1]))
        ctx.layers = layers
        ctx.save_for_backward(rows, narrow, *pairs)
        ctx.shape = x.shape
        return tuple(outs)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[Any, ...]:
        rows, narrow, *pairs = ctx.saved_tensors
        count = len(ctx.layers)
        downs, ups = pairs[:count], pairs[count:]
        inner = torch.empty_like(narrow)  # g of all layers side by side
        up_gradients: list[torch.Tensor | None] = []
        parts = zip(_parts(inner, downs), _parts(narrow, downs), strict=True)
        for layer, up, gradient, (g, part) in zip(ctx.layers, ups, gradients, parts, strict=True):
            if gradient is None:
                g.zero_()
                up_gradients.append(None)
                continue
            dy = gradient.reshape(-1, gradient.shape[-1])
            torch.mm(dy, (up * layer.scaling).to(dy.dtype), out=g)
            up_gradients.append(_product(dy.T, part) * layer.scaling)
        into: torch.Tensor | None = None
        if ctx.needs_input_grad[0]:
            into = inner @ torch.cat(downs).to(inner.dtype)
            for layer, gradient in zip(ctx.layers, gradients, strict=True):
                if gradient is not None:
                    into.addmm_(gradient.reshape(-1, gradient.shape[-1]), layer.weight())
            into = into.view(ctx.shape)
        down_gradients = torch.split(_product(inner.T, rows), [d.shape[0] for d in downs])
        return into, None, *down_gradients, *up_gradients


def _parts(narrow: torch.Tensor, downs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """The columns of each layer: (rows, ranks) -> k × (rows, rank)."""
    return torch.split(narrow, [d.shape[0] for d in downs], dim=1)


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


class _Siblings:
    """Layers that are called one after the other with the same tensor: the first call computes all.

    The others' results wait for their call, which must come with the very same tensor; with another
    one the layer is computed alone.
    """

    def __init__(self, layers: Sequence[_Layer]) -> None:
        self._layers = layers
        self._input: torch.Tensor | None = None
        self._waiting: dict[int, torch.Tensor] = {}

    def call(self, index: int, x: torch.Tensor) -> torch.Tensor:
        if self._input is x and index in self._waiting:
            out = self._waiting.pop(index)
            if not self._waiting:
                self._input = None
            return out
        outs = self._apply(x, self._layers if index == 0 else [self._layers[index]])
        if len(outs) > 1:
            self._input, self._waiting = x, dict(enumerate(outs))
            return self._waiting.pop(index)
        return outs[0]

    def _apply(self, x: torch.Tensor, layers: Sequence[_Layer]) -> tuple[torch.Tensor, ...]:
        apply: Any = _Lora.apply
        outs: tuple[torch.Tensor, ...] = apply(
            x, layers, *(layer.down for layer in layers), *(layer.up for layer in layers)
        )
        return outs


def fuse(model: nn.Module) -> int:
    """Replace the forward of every plain LoRA layer of ``model``; returns how many were replaced."""
    replaced = 0
    for parent in model.modules():
        children = dict(parent.named_children())
        named = {name: layer for name, child in children.items() if (layer := _plain(child)) is not None}
        groups: list[tuple[str, ...]] = [group for group in TOGETHER if all(name in named for name in group)]
        groups += [(name,) for name in named if not any(name in group for group in groups)]
        for group in groups:
            siblings = _Siblings([named[name] for name in group])
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
