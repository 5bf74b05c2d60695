"""The frozen products in FP8 beside the recipe's own in bf16: tokens a second, and the gradient's error.

    python benchmarks/fp8.py --base /tmp/base        # a card that multiplies FP8 (Hopper, Ada)

An experiment beside the trainer, not a part of it: the two large products of :class:`trainer.fused.Adapter`
are replaced while a row is measured. Activations, gradients and weights are e4m3 with one scale a row, the
weights in both directions (a product needs its scales along what it keeps); the adapters' own products stay
as they are. "forward" leaves the backward pass in bf16. The error's reference is one example at a
time in fp32; random weights pass roundings on larger than trained ones do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import trainer  # noqa: E402, F401, I001  # before torch, as in lora.py

import torch  # noqa: E402
import triton  # noqa: E402
import triton.language as tl  # noqa: E402

from benchmarks import lora  # noqa: E402
from trainer.fused import Adapter, _product  # noqa: E402

_HIGHEST = 448.0  # of e4m3


@triton.jit  # type: ignore[untyped-decorator]
def _to_fp8(x, out, scale, columns, stride, highest, block: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    offsets = tl.arange(0, block)
    top = tl.zeros((block,), tl.float32)
    for first in range(0, columns, block):
        at = first + offsets
        top = tl.maximum(
            top, tl.abs(tl.load(x + row * stride + at, mask=at < columns, other=0).to(tl.float32))
        )
    most = tl.maximum(tl.max(top, 0), 1e-12)
    tl.store(scale + row, most / highest)
    for first in range(0, columns, block):
        at = first + offsets
        value = tl.load(x + row * stride + at, mask=at < columns, other=0).to(tl.float32)
        tl.store(
            out + row * columns + at, (value * (highest / most)).to(out.dtype.element_ty), mask=at < columns
        )


def to_fp8(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(e4m3 values, scale of each row)"""
    out = torch.empty(x.shape, dtype=torch.float8_e4m3fn, device=x.device)
    scale = torch.empty(len(x), 1, dtype=torch.float32, device=x.device)
    _to_fp8[(len(x),)](x, out, scale, x.shape[1], x.stride(0), _HIGHEST, block=4096, num_warps=8)
    return out, scale


def product(left: torch.Tensor, right: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """left · rightᵀ, whose rows are scaled each on its own."""
    values, scale = to_fp8(left)
    return torch._scaled_mm(
        values, right[0].T, scale_a=scale, scale_b=right[1].T, out_dtype=left.dtype, use_fast_accum=True
    )


_WEIGHTS: dict[int, tuple[Any, Any]] = {}


def _weights(group: Any) -> tuple[Any, Any]:
    """The frozen weights in FP8, for the forward and for the backward product."""
    if id(group) not in _WEIGHTS:
        whole = group.weight()
        _WEIGHTS[id(group)] = to_fp8(whole.contiguous()), to_fp8(whole.T.contiguous())
    return _WEIGHTS[id(group)]


def _forward(self: Adapter, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    narrow = rows @ self.down.T
    out = product(rows, _weights(self.group)[0])
    return out.addmm_(narrow, self.up.T), narrow


def _backward(
    self: Adapter, rows: torch.Tensor, narrow: torch.Tensor, dy: torch.Tensor, *, into: bool
) -> tuple[torch.Tensor | None, list[torch.Tensor]]:
    group = self.group
    group.mark_old()
    inner = dy @ self.up
    dx = product(dy, _weights(group)[1]).addmm_(inner, self.down) if into else None
    ups = group.blocks(_product(dy.T, narrow))
    downs = torch.split(_product(inner.T, rows), group.ranks)
    return dx, [*(d.mul_(layer.scaling) for layer, d in zip(group.layers, downs, strict=True)), *ups]


@contextmanager
def in_fp8(*, backward: bool) -> Iterator[None]:
    plain = Adapter.product, Adapter.gradients
    Adapter.product = _forward  # type: ignore[method-assign]
    if backward:
        Adapter.gradients = _backward  # type: ignore[method-assign]
    try:
        yield
    finally:
        Adapter.product, Adapter.gradients = plain  # type: ignore[method-assign]
        _WEIGHTS.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--base", type=Path, required=True, help="folder for the random base model")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    if not (options.base / "config.json").exists():
        lora.make_base(options.base, options.layers)
    examples, rows, out = lora.make_examples(2000), [], []
    rate = lora.matmul_rate()
    for name, backward in (("bf16", None), ("FP8, forward", False), ("FP8, forward and backward", True)):
        with lora.row(name, rows) as result:
            if backward is None:
                result.tokens_per_second = lora.ours(
                    options.base, examples, "bf16", options.seconds, pack=8192
                )
                error = lora.gradient_error(options.base, examples[:24], "packed")
            else:
                lora._KNOWN.pop((options.base, "packed"), None)
                with in_fp8(backward=backward):
                    result.tokens_per_second = lora.ours(
                        options.base, examples, "bf16", options.seconds, pack=8192
                    )
                    _WEIGHTS.clear()
                    error = lora.gradient_error(options.base, examples[:24], "packed")
            result.why = f"gradient error {error:.4f}"
    out += [f"{torch.cuda.get_device_name()}; bf16 product of 8192^3: {rate / 1e12:.0f} TFLOP/s", ""]
    out += ["| frozen products | tokens/s | peak GiB | |", "|---|---:|---:|---|"]
    out += [f"| {r.name} | {r.tokens_per_second or 0:,.0f} | {r.peak_gib:.1f} | {r.why} |" for r in rows]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
