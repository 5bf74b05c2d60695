"""Rotary positions and causal attention inside the examples of a pack (Triton; for Hopper cards).

The flash kernel that torch brings for packs was written for Ampere. On a Hopper card, for packs of short
examples, these take .7 of its time; and their gradients lie side by side, which spares :mod:`trainer.fused`
a copy. The algorithm is FlashAttention-2's (Dao, 2023, arXiv:2307.08691): a tile of rows walks over the tiles
of keys with a running maximum and sum, and the backward pass computes the probabilities again from the sum's
logarithm. All sums are fp32; probabilities are rounded to the type of the tensors before they are multiplied,
as the flash kernel does.

A pack is divided into tiles of :data:`TILE` rows that never cross a boundary (:func:`tiles`), so that no
example reads another and no padding is computed except in an example's last tile.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

TILE = 64
WIDTHS = (64, 128)
"""Head widths that the kernels' tiles fit a card's shared memory with, and were measured at."""
_LOG2_E = 1.4426950408889634


def tiles(starts: torch.Tensor, tokens: int) -> torch.Tensor:
    """(tiles, 3) int32: first row, start and end of its example; ``starts`` as ``cu_seq_lens_q``.

    Their number is known without asking the card: as many as there may be, the last of them empty.
    """
    examples = len(starts) - 1
    counts = (starts[1:] - starts[:-1] + TILE - 1) // TILE
    ends = counts.cumsum(0)
    number = torch.arange(tokens // TILE + examples, device=starts.device)
    example = torch.searchsorted(ends, number, right=True).clamp_(max=examples - 1)
    first = starts[example] + (number - (ends - counts)[example]) * TILE
    return torch.stack([first, starts[example], starts[example + 1]], dim=1).to(torch.int32)


@triton.jit  # type: ignore[untyped-decorator]
def _rotate(x, cos, sin, stride, count,  # type: ignore[no-untyped-def]
            width: tl.constexpr, heads: tl.constexpr, back: tl.constexpr):  # fmt: skip
    """All heads of one row, in place; ``back`` turns the other way (the transposed rotation)."""
    row = tl.program_id(0).to(tl.int64)
    half: tl.constexpr = width // 2
    at = tl.arange(0, half)
    head = tl.arange(0, heads)[:, None]
    cos += row * width
    sin += row * width
    c1 = tl.load(cos + at).to(tl.float32)[None, :]
    c2 = tl.load(cos + half + at).to(tl.float32)[None, :]
    s1 = tl.load(sin + at).to(tl.float32)[None, :]
    s2 = tl.load(sin + half + at).to(tl.float32)[None, :]
    here = x + row * stride + head * width + at[None, :]
    x1 = tl.load(here, mask=head < count, other=0).to(tl.float32)
    x2 = tl.load(here + half, mask=head < count, other=0).to(tl.float32)
    if back:
        y1, y2 = x1 * c1 + x2 * s2, x2 * c2 - x1 * s1
    else:
        y1, y2 = x1 * c1 - x2 * s1, x2 * c2 + x1 * s2
    tl.store(here, y1.to(x.dtype.element_ty), mask=head < count)
    tl.store(here + half, y2.to(x.dtype.element_ty), mask=head < count)


@triton.jit  # type: ignore[untyped-decorator]
def _rotate_both(q, k, cos, sin, q_stride, k_stride, q_heads, k_heads, width: tl.constexpr,  # type: ignore[no-untyped-def]
                 q_room: tl.constexpr, k_room: tl.constexpr, back: tl.constexpr):  # fmt: skip
    _rotate(q, cos, sin, q_stride, q_heads, width, q_room, back)
    _rotate(k, cos, sin, k_stride, k_heads, width, k_room, back)


@triton.jit  # type: ignore[untyped-decorator]
def _scores(q, k, rows, keys, scale, masked: tl.constexpr):  # type: ignore[no-untyped-def]
    s = tl.dot(q, tl.trans(k)) * scale
    if masked:
        s = tl.where(keys[None, :] <= rows[:, None], s, float("-inf"))
    return s


@triton.jit  # type: ignore[untyped-decorator]
def _forward_step(q, k_at, v_at, kv_stride, rows, first, end, top, total, out, scale,  # type: ignore[no-untyped-def]
                  tile: tl.constexpr, width: tl.constexpr, masked: tl.constexpr):  # fmt: skip
    keys = first + tl.arange(0, tile)
    where = keys.to(tl.int64)[:, None] * kv_stride + tl.arange(0, width)[None, :]
    inside = keys[:, None] < end
    k = tl.load(k_at + where, mask=inside, other=0) if masked else tl.load(k_at + where)
    s = _scores(q, k, rows, keys, scale, masked)
    higher = tl.maximum(top, tl.max(s, 1))
    p = tl.exp2(s - higher[:, None])
    shrink = tl.exp2(top - higher)
    total = total * shrink + tl.sum(p, 1)
    v = tl.load(v_at + where, mask=inside, other=0) if masked else tl.load(v_at + where)
    out = tl.dot(p.to(v.dtype), v, out * shrink[:, None])
    return higher, total, out


@triton.jit(do_not_specialize=["tokens"])  # type: ignore[untyped-decorator]
def _forward(q, k, v, out, sums, table, q_stride, kv_stride, tokens, scale,  # type: ignore[no-untyped-def]
             groups: tl.constexpr, width: tl.constexpr, tile: tl.constexpr):  # fmt: skip
    """``sums`` (heads, tokens): log2 of the sum of exponentials of each row's scores."""
    at = table + tl.program_id(0) * 3
    first, start, end = tl.load(at), tl.load(at + 1), tl.load(at + 2)
    if first >= end:
        return
    head = tl.program_id(1)
    rows = first + tl.arange(0, tile)
    inside = rows[:, None] < end
    columns = tl.arange(0, width)[None, :]
    wide = rows.to(tl.int64)[:, None]
    query = tl.load(q + wide * q_stride + head * width + columns, mask=inside, other=0)
    k += head // groups * width
    v += head // groups * width
    top = tl.full((tile,), float("-inf"), tl.float32)
    total = tl.zeros((tile,), tl.float32)
    acc = tl.zeros((tile, width), tl.float32)
    for key in range(start, first, tile):  # whole tiles before this one
        top, total, acc = _forward_step(
            query, k, v, kv_stride, rows, key, end, top, total, acc, scale, tile, width, False
        )
    top, total, acc = _forward_step(
        query, k, v, kv_stride, rows, first, end, top, total, acc, scale, tile, width, True
    )
    acc = acc / total[:, None]
    here = out + wide * (tl.num_programs(1) * width) + head * width + columns
    tl.store(here, acc.to(out.dtype.element_ty), mask=inside)
    tl.store(sums + head.to(tl.int64) * tokens + rows, top + tl.log2(total), mask=rows < end)


@triton.jit  # type: ignore[untyped-decorator]
def _query_step(q, dy, k_at, v_at, kv_stride, rows, sums, delta, first, end, acc, scale,  # type: ignore[no-untyped-def]
                tile: tl.constexpr, width: tl.constexpr, masked: tl.constexpr):  # fmt: skip
    keys = first + tl.arange(0, tile)
    where = keys.to(tl.int64)[:, None] * kv_stride + tl.arange(0, width)[None, :]
    inside = keys[:, None] < end
    k = tl.load(k_at + where, mask=inside, other=0) if masked else tl.load(k_at + where)
    v = tl.load(v_at + where, mask=inside, other=0) if masked else tl.load(v_at + where)
    p = tl.exp2(_scores(q, k, rows, keys, scale, masked) - sums[:, None])
    ds = p * (tl.dot(dy, tl.trans(v)) - delta[:, None])
    return tl.dot(ds.to(k.dtype), k, acc)


@triton.jit(do_not_specialize=["tokens"])  # type: ignore[untyped-decorator]
def _query_gradient(q, k, v, out, d_out, sums, deltas, d_q, table, q_stride, kv_stride, d_stride,  # type: ignore[no-untyped-def]
                    tokens, scale, factor,
                    groups: tl.constexpr, width: tl.constexpr, tile: tl.constexpr):  # fmt: skip
    """``deltas`` (heads, tokens) receives the sum of out · d_out of each row, which the keys need too."""
    at = table + tl.program_id(0) * 3
    first, start, end = tl.load(at), tl.load(at + 1), tl.load(at + 2)
    if first >= end:
        return
    head = tl.program_id(1)
    rows = first + tl.arange(0, tile)
    inside = rows[:, None] < end
    columns = head * width + tl.arange(0, width)[None, :]
    wide = rows.to(tl.int64)[:, None]
    flat = wide * (tl.num_programs(1) * width) + columns
    dy = tl.load(d_out + flat, mask=inside, other=0)
    y = tl.load(out + flat, mask=inside, other=0)
    delta = tl.sum(y.to(tl.float32) * dy.to(tl.float32), 1)
    row_at = head.to(tl.int64) * tokens + rows
    tl.store(deltas + row_at, delta, mask=rows < end)
    total = tl.load(sums + row_at, mask=rows < end, other=0)
    query = tl.load(q + wide * q_stride + columns, mask=inside, other=0)
    k += head // groups * width
    v += head // groups * width
    acc = tl.zeros((tile, width), tl.float32)
    for key in range(start, first, tile):
        acc = _query_step(
            query, dy, k, v, kv_stride, rows, total, delta, key, end, acc, scale, tile, width, False
        )
    acc = _query_step(
        query, dy, k, v, kv_stride, rows, total, delta, first, end, acc, scale, tile, width, True
    )
    tl.store(d_q + wide * d_stride + columns, (acc * factor).to(d_q.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["tokens"])  # type: ignore[untyped-decorator]
def _key_gradient(q, k, v, d_out, sums, deltas, d_k, d_v, table,  # type: ignore[no-untyped-def]
                  q_stride, kv_stride, out_stride, d_stride, tokens, scale, factor,
                  groups: tl.constexpr, width: tl.constexpr, tile: tl.constexpr):  # fmt: skip
    """Of one tile of keys and values: all rows after it in its example, of all heads that read it.

    One loop over both, which the compiler overlaps with the loads of the next round; with a tile of 32
    rows, or a loop inside a loop, it is slower, and the former was wrong in some compilations.
    """
    at = table + tl.program_id(0) * 3
    first, end = tl.load(at), tl.load(at + 2)
    if first >= end:
        return
    head = tl.program_id(1)
    keys = first + tl.arange(0, tile)
    inside = keys[:, None] < end
    columns = tl.arange(0, width)[None, :]
    here = head * width + columns
    wide = keys.to(tl.int64)[:, None]
    key = tl.load(k + wide * kv_stride + here, mask=inside, other=0)
    value = tl.load(v + wide * kv_stride + here, mask=inside, other=0)
    acc_k = tl.zeros((tile, width), tl.float32)
    acc_v = tl.zeros((tile, width), tl.float32)
    steps = (end - first + tile - 1) // tile
    for step in range(groups * steps):
        query_head = head * groups + step // steps
        rows = first + step % steps * tile + tl.arange(0, tile)
        known = rows < end
        across = rows.to(tl.int64)[:, None]
        query = tl.load(q + across * q_stride + query_head * width + columns, mask=known[:, None], other=0)
        dy = tl.load(d_out + across * out_stride + query_head * width + columns, mask=known[:, None], other=0)
        row_at = query_head.to(tl.int64) * tokens + rows
        total = tl.load(sums + row_at, mask=known, other=0)
        delta = tl.load(deltas + row_at, mask=known, other=0)
        p = tl.exp2(_scores(query, key, rows, keys, scale, True) - total[:, None])
        acc_v = tl.dot(tl.trans(p.to(dy.dtype)), dy, acc_v)
        ds = p * (tl.dot(dy, tl.trans(value)) - delta[:, None])
        acc_k = tl.dot(tl.trans(ds.to(query.dtype)), query, acc_k)
    tl.store(d_k + wide * d_stride + here, (acc_k * factor).to(d_k.dtype.element_ty), mask=inside)
    tl.store(d_v + wide * d_stride + here, acc_v.to(d_v.dtype.element_ty), mask=inside)


def _turn(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, *, back: bool) -> None:
    width = cos.shape[-1]
    heads = [x.shape[-1] // width for x in (q, k)]
    rooms = [triton.next_power_of_2(count) for count in heads]
    _rotate_both[(q.shape[-2],)](
        q, k, cos, sin, q.stride(-2), k.stride(-2), *heads,
        width=width, q_room=rooms[0], k_room=rooms[1], back=back, num_warps=4,
    )  # fmt: skip


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        table: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        width, tokens = cos.shape[-1], q.shape[-2]
        heads, groups = q.shape[-1] // width, q.shape[-1] // k.shape[-1]
        _turn(q, k, cos, sin, back=False)
        out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
        sums = torch.empty(heads, tokens, dtype=torch.float32, device=q.device)
        _forward[(len(table), heads)](
            q, k, v, out, sums, table, q.stride(-2), k.stride(-2), tokens, scaling * _LOG2_E,
            groups=groups, width=width, tile=TILE, num_warps=4, num_stages=3,
        )  # fmt: skip
        ctx.save_for_backward(q, k, v, cos, sin, table, out, sums)
        ctx.scaling = scaling
        return out

    @staticmethod
    def backward(ctx: Any, d_out: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, cos, sin, table, out, sums = ctx.saved_tensors
        width, tokens = cos.shape[-1], q.shape[-2]
        heads, groups = q.shape[-1] // width, q.shape[-1] // k.shape[-1]
        sizes = [x.shape[-1] for x in (q, k, v)]
        d_out, deltas = d_out.contiguous(), torch.empty_like(sums)
        together = q.new_empty(*q.shape[:-1], sum(sizes))
        d_q, d_k, d_v = torch.split(together, sizes, dim=-1)
        scale, stride = ctx.scaling * _LOG2_E, together.stride(-2)
        _query_gradient[(len(table), heads)](
            q, k, v, out, d_out, sums, deltas, d_q, table, q.stride(-2), k.stride(-2), stride,
            tokens, scale, ctx.scaling,
            groups=groups, width=width, tile=TILE, num_warps=4, num_stages=2,
        )  # fmt: skip
        _key_gradient[(len(table), heads // groups)](
            q, k, v, d_out, sums, deltas, d_k, d_v, table, q.stride(-2), k.stride(-2), d_out.stride(-2),
            stride, tokens, scale, ctx.scaling,
            groups=groups, width=width, tile=TILE, num_warps=4, num_stages=2,
        )  # fmt: skip
        _turn(d_q, d_k, cos, sin, back=True)
        return d_q, d_k, d_v, None, None, None, None


def attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    table: torch.Tensor,
    scaling: float,
) -> torch.Tensor:
    """Attention of a pack, (1, tokens, heads · width): ``q`` and ``k`` come before their positions.

    ``q`` (1, tokens, heads · width), ``k`` and ``v`` (1, tokens, fewer heads · width, each for a group of
    neighbours) may be columns of one wider matrix, ``k`` and ``v`` with rows equally far apart. ``q`` and
    ``k`` are rotated where they lie, so nothing else may read them. ``cos`` and ``sin`` (1, tokens, width)
    are those of Llama's plan, halves rotated; ``table`` is :func:`tiles`. Width must be one of
    :data:`WIDTHS`, the type bf16 or fp16.
    """
    apply: Any = _Attention.apply
    if k.stride(-2) != v.stride(-2):
        k, v = k.contiguous(), v.contiguous()
    out: torch.Tensor = apply(q, k, v, cos.contiguous(), sin.contiguous(), table, scaling)
    return out
