"""Passes over the card's memory that plain torch makes several times (Triton; imported on a CUDA card only).

Training an adapter moves more bytes than it must: each of these is one launch where plain torch has several
that write to memory what the next one reads. Sums are in fp32; results are rounded where the plain ones are,
or later.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator]
def _cross_entropy(logits, labels, losses, columns, stride, block: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    logits += row * stride
    label = tl.load(labels + row)
    wanted = tl.load(logits + label).to(tl.float32)
    offsets = tl.arange(0, block)
    top = tl.full((block,), float("-inf"), tl.float32)
    total = tl.zeros((block,), tl.float32)
    for first in range(0, columns, block):
        at = first + offsets
        x = tl.load(logits + at, mask=at < columns, other=float("-inf")).to(tl.float32)
        higher = tl.maximum(top, x)
        safe = tl.where(higher == float("-inf"), 0.0, higher)  # -inf minus -inf is not a number
        total = total * tl.exp(top - safe) + tl.exp(x - safe)
        top = higher
    most = tl.max(top, 0)
    whole = tl.sum(total * tl.exp(top - most), 0)
    tl.store(losses + row, tl.log(whole) + most - wanted)
    for first in range(0, columns, block):
        at = first + offsets
        x = tl.load(logits + at, mask=at < columns, other=float("-inf")).to(tl.float32)
        chance = tl.exp(x - most) / whole
        chance = tl.where(at == label, chance - 1.0, chance)
        tl.store(logits + at, chance.to(logits.dtype.element_ty), mask=at < columns)


def cross_entropy_(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """-log softmax(logits)[label] of each row in fp32; ``logits`` (rows, vocabulary) become its gradient."""
    losses = torch.empty(len(labels), dtype=torch.float32, device=logits.device)
    _cross_entropy[(len(labels),)](
        logits, labels, losses, logits.shape[1], logits.stride(0), block=4096, num_warps=8
    )
    return losses


@triton.jit  # type: ignore[untyped-decorator]
def _add_norm(  # type: ignore[no-untyped-def]
    stream, branch, weight, normed, total, scale, columns, eps, add: tl.constexpr, block: tl.constexpr
):
    """``total`` = stream + branch, where that is to ``add``; its norm; 1 / root mean square in ``scale``."""
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, block)
    inside = at < columns
    kind = stream.dtype.element_ty
    x = tl.load(stream + row * columns + at, mask=inside, other=0)
    if add:
        x += tl.load(branch + row * columns + at, mask=inside, other=0)
        tl.store(total + row * columns + at, x, mask=inside)
    wide = x.to(tl.float32)
    inverse = tl.rsqrt(tl.sum(wide * wide, 0) / columns + eps)
    if add:
        tl.store(scale + row, inverse)
    scaled = (wide * inverse).to(kind) * tl.load(weight + at, mask=inside, other=0)
    tl.store(normed + row * columns + at, scaled, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _add_norm_backward(  # type: ignore[no-untyped-def]
    d_normed, d_stream, stream, weight, scale, out, columns, with_stream: tl.constexpr, block: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, block)
    inside = at < columns
    here = row * columns + at
    x = tl.load(stream + here, mask=inside, other=0).to(tl.float32)
    inverse = tl.load(scale + row)
    m = (
        tl.load(d_normed + here, mask=inside, other=0) * tl.load(weight + at, mask=inside, other=0)
    ).to(tl.float32)  # fmt: skip
    mean = tl.sum(m * x, 0) / columns
    gradient = inverse * (m - x * (inverse * inverse * mean))
    if with_stream:
        gradient += tl.load(d_stream + here, mask=inside, other=0).to(tl.float32)
    tl.store(out + here, gradient.to(out.dtype.element_ty), mask=inside)


class _AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, stream: torch.Tensor, branch: torch.Tensor, weight: torch.Tensor, eps: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        columns = stream.shape[-1]
        rows = stream.numel() // columns
        # two tensors, not one of both: the norm may be dropped while the sum is kept
        normed, total = torch.empty_like(stream), torch.empty_like(stream)
        scale = torch.empty(rows, dtype=torch.float32, device=stream.device)
        _add_norm[(rows,)](
            stream, branch, weight, normed, total, scale, columns, eps,
            add=True, block=triton.next_power_of_2(columns), num_warps=_warps(columns),
        )  # fmt: skip
        ctx.save_for_backward(total, weight, scale)
        ctx.set_materialize_grads(False)
        return normed, total

    @staticmethod
    def backward(
        ctx: Any, d_normed: torch.Tensor | None, d_stream: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None]:
        if d_normed is None:
            return d_stream, d_stream, None, None
        stream, weight, scale = ctx.saved_tensors
        columns = stream.shape[-1]
        d_normed = d_normed.contiguous()
        d_stream = None if d_stream is None else d_stream.contiguous()
        out = torch.empty_like(stream)
        _add_norm_backward[(len(scale),)](
            d_normed, d_normed if d_stream is None else d_stream, stream, weight, scale, out, columns,
            with_stream=d_stream is not None, block=triton.next_power_of_2(columns),
            num_warps=_warps(columns),
        )  # fmt: skip
        return out, out, None, None


def _warps(columns: int) -> int:
    return 8 if columns > 2048 else 4


def add_norm(
    stream: torch.Tensor, branch: torch.Tensor, weight: torch.Tensor, eps: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """(RMS norm of stream + branch, stream + branch), both of the stream's shape; ``weight`` is frozen.

    The norm is Llama's: the root mean square in fp32, the weight multiplied in the tensors' own type.
    """
    apply: Any = _AddNorm.apply
    normed, total = apply(stream.contiguous(), branch.contiguous(), weight, eps)
    return normed, total


def norm_again(total: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """The norm that :func:`add_norm` gave of its sum ``total``, bit for bit; no gradient follows it."""
    total = total.contiguous()
    columns = total.shape[-1]
    normed = torch.empty_like(total)
    _add_norm[(total.numel() // columns,)](
        total, total, weight, normed, total, total, columns, eps,
        add=False, block=triton.next_power_of_2(columns), num_warps=_warps(columns),
    )  # fmt: skip
    return normed


@triton.jit  # type: ignore[untyped-decorator]
def _swiglu(gate, up, out, gate_stride, up_stride, columns, block: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * block + tl.arange(0, block)
    inside = at < columns
    g = tl.load(gate + row * gate_stride + at, mask=inside, other=0).to(tl.float32)
    u = tl.load(up + row * up_stride + at, mask=inside, other=0)
    opened = (g * tl.sigmoid(g)).to(u.dtype)
    tl.store(out + row * columns + at, opened * u, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _swiglu_backward(gradient, gate, up, gate_stride, up_stride, columns, block: tl.constexpr):  # type: ignore[no-untyped-def]
    """The gradients of gate and up, written over them."""
    row = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * block + tl.arange(0, block)
    inside = at < columns
    d = tl.load(gradient + row * columns + at, mask=inside, other=0).to(tl.float32)
    g = tl.load(gate + row * gate_stride + at, mask=inside, other=0).to(tl.float32)
    u = tl.load(up + row * up_stride + at, mask=inside, other=0)
    chance = tl.sigmoid(g)
    opened = g * chance
    d_gate = d * u.to(tl.float32) * (chance + opened * (1 - chance))
    tl.store(gate + row * gate_stride + at, d_gate.to(u.dtype), mask=inside)
    tl.store(up + row * up_stride + at, (d * opened).to(u.dtype), mask=inside)


def gate_times(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """silu(gate) · up; no gradient follows it. Rows of either may lie apart."""
    out = torch.empty(gate.shape, dtype=gate.dtype, device=gate.device)
    _swiglu[_cells(gate)](gate, up, out, gate.stride(-2), up.stride(-2), gate.shape[-1], block=_WIDE)
    return out


def gate_gradient_(gradient: torch.Tensor, gate: torch.Tensor, up: torch.Tensor) -> None:
    """Write the gradients of :func:`gate_times` over ``gate`` and ``up``."""
    _swiglu_backward[_cells(gate)](
        gradient.contiguous(), gate, up, gate.stride(-2), up.stride(-2), gate.shape[-1], block=_WIDE
    )


class _SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        ctx.spent = False
        return gate_times(gate, up)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if ctx.spent:
            raise RuntimeError("the inputs of swiglu are gone: its gradient can be asked for once")
        ctx.spent = True
        gate, up = ctx.saved_tensors
        gate_gradient_(gradient, gate, up)
        return gate, up


_WIDE = 2048


def _cells(matrix: torch.Tensor) -> tuple[int, int]:
    return matrix.numel() // matrix.shape[-1], triton.cdiv(matrix.shape[-1], _WIDE)


def swiglu(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """silu(gate) · up, (1, rows, columns); both may be columns of one wider matrix.

    The backward pass writes the gradients over ``gate`` and ``up``, where they lie: what lay side by side
    does so again, and no other tensor is needed. Nothing else may need the two then.
    """
    apply: Any = _SwiGlu.apply
    out: torch.Tensor = apply(gate, up)
    return out
