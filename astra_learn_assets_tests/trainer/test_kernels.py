"""Each kernel gives what plain torch gives in double precision, gradients too. Run with ``pytest -m gpu``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(240)]


@pytest.fixture(scope="module", autouse=True)
def _card() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")


def test_the_loss_kernel_equals_log_softmax_and_its_gradient() -> None:
    import torch

    from trainer.kernels import cross_entropy_

    torch.manual_seed(0)
    for rows, columns in ((1, 3), (7, 8192), (65, 128_256)):
        logits = (torch.randn(rows, columns, device="cuda") * 6).bfloat16()
        labels = torch.randint(columns, (rows,), device="cuda")
        labels[0] = columns - 1
        wide = logits.double().requires_grad_(True)
        expected = torch.nn.functional.cross_entropy(wide, labels, reduction="none")
        expected.sum().backward()  # type: ignore[no-untyped-call]
        losses = cross_entropy_(logits, labels)
        torch.testing.assert_close(losses.double(), expected, rtol=1e-5, atol=1e-5)
        assert wide.grad is not None
        torch.testing.assert_close(logits.double(), wide.grad, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("keep_stream", [True, False])
def test_the_norm_kernel_equals_addition_and_norm_and_their_gradients(keep_stream: bool) -> None:
    import torch

    from trainer.kernels import add_norm

    torch.manual_seed(0)
    for rows, columns in ((3, 384), (40, 4096), (5, 3000)):
        stream, branch = torch.randn(2, 1, rows, columns, device="cuda").bfloat16()
        weight = (1 + 0.3 * torch.randn(columns, device="cuda")).bfloat16()
        wide = [x.double().requires_grad_(True) for x in (stream, branch)]
        mine = [x.clone().requires_grad_(True) for x in (stream, branch)]
        total = wide[0] + wide[1]
        expected = total * (total.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * weight.double()
        found, added = add_norm(mine[0], mine[1], weight, 1e-5)
        torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0.02)
        torch.testing.assert_close(added.double(), total, rtol=0.01, atol=0.01)
        draw = torch.randn(2, *found.shape, device="cuda").bfloat16()
        (found * draw[0] + (added * draw[1] if keep_stream else 0)).sum().backward()
        (expected * draw[0] + (total * draw[1] if keep_stream else 0)).sum().backward()
        for a, b in zip(mine, wide, strict=True):
            assert a.grad is not None
            assert b.grad is not None
            torch.testing.assert_close(a.grad.double(), b.grad, rtol=0.03, atol=0.03)


@pytest.mark.parametrize("together", [True, False])
def test_the_gate_kernel_equals_silu_times_up_and_writes_the_gradients_over_both(together: bool) -> None:
    import torch

    from trainer.kernels import swiglu

    torch.manual_seed(0)
    for rows, columns in ((1, 24), (33, 2048), (7, 14336)):
        whole = (3 * torch.randn(1, rows, 2 * columns, device="cuda")).bfloat16()
        gate, up = whole.split(columns, dim=-1) if together else (x.clone() for x in whole.split(columns, -1))
        wide = [x.double().requires_grad_(True) for x in (gate, up)]
        expected = torch.nn.functional.silu(wide[0]) * wide[1]
        draw = torch.randn(1, rows, columns, device="cuda").bfloat16()
        (expected * draw).sum().backward()
        leaves = [x.requires_grad_(True) for x in (gate.detach(), up.detach())]
        found = swiglu(*leaves)
        torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0.02)
        gradients = torch.autograd.grad(found, leaves, draw, retain_graph=True)
        for mine, leaf, theirs in zip(gradients, leaves, wide, strict=True):
            assert mine.data_ptr() == leaf.data_ptr()
            assert theirs.grad is not None
            torch.testing.assert_close(mine.double(), theirs.grad, rtol=0.02, atol=0.02)
        with pytest.raises(RuntimeError, match="asked for once"):
            torch.autograd.grad(found, leaves, draw)


def _turned(x: Any, cos: Any, sin: Any) -> Any:
    import torch

    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


def _alone(q: Any, k: Any, v: Any, cos: Any, sin: Any, lengths: list[int], scaling: float) -> Any:
    """One example after another, heads one after another, in the tensors' own precision."""
    import torch

    width = cos.shape[-1]
    outs, first = [], 0
    for length in lengths:
        part = slice(first, first + length)
        first += length
        turn = cos[0, part, None], sin[0, part, None]
        heads = [x[0, part].unflatten(-1, (-1, width)) for x in (q, k, v)]
        rotated = [_turned(heads[0], *turn), _turned(heads[1], *turn), heads[2]]
        queries, keys, values = (x.transpose(0, 1) for x in rotated)
        groups = queries.shape[0] // keys.shape[0]
        keys, values = keys.repeat_interleave(groups, 0), values.repeat_interleave(groups, 0)
        scores = queries @ keys.transpose(1, 2) * scaling
        hidden = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
        outs.append(
            (scores.masked_fill(hidden, float("-inf")).softmax(-1) @ values).transpose(0, 1).flatten(1)
        )
    return torch.cat(outs).unsqueeze(0)


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("heads", [(1, 1), (6, 2), (32, 8), (14, 2), (8, 1)])
@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("lengths", [[1], [64], [65, 1, 128, 63], [700, 3, 200, 64, 31]])
def test_the_attention_kernels_equal_each_example_alone_with_its_positions_turned(
    width: int, heads: tuple[int, int], kind: str, lengths: list[int]
) -> None:
    import torch

    from trainer.attention_kernels import attend, tiles

    torch.manual_seed(sum(lengths))
    tokens, (many, few) = sum(lengths), heads
    sizes = [many * width, few * width, few * width]
    whole = torch.randn(1, tokens, sum(sizes), device="cuda").to(getattr(torch, kind))
    angle = torch.randn(1, tokens, width // 2, device="cuda").repeat(1, 1, 2)
    cos, sin = (x.to(whole.dtype) for x in (angle.cos(), angle.sin()))
    starts = torch.tensor([0, *lengths], device="cuda").cumsum(0).to(torch.int32)
    wide = [x.double().requires_grad_(True) for x in whole.split(sizes, dim=-1)]
    expected = _alone(*wide, cos.double(), sin.double(), lengths, 0.11)
    draw = torch.randn_like(expected)
    (expected * draw).sum().backward()
    leaves = [x.detach().requires_grad_(True) for x in whole.split(sizes, dim=-1)]
    found = attend(*leaves, cos, sin, tiles(starts, tokens), 0.11)
    gradients = torch.autograd.grad(found, leaves, draw.to(whole.dtype))
    allowed = 8 * torch.finfo(whole.dtype).eps / 2
    pairs = [(found, expected), *((g, w.grad) for g, w in zip(gradients, wide, strict=True))]
    for mine, theirs in pairs:
        apart = (mine.detach().double() - theirs.detach()).norm()
        # a row that reads itself alone has no gradient of its scores: rounding is all there is
        assert float(apart) < allowed * float(theirs.detach().norm()) + 1e-4
    starts_at = [g.data_ptr() - gradients[0].data_ptr() for g in gradients]
    assert starts_at == [0, 2 * sizes[0], 2 * (sizes[0] + sizes[1])]  # side by side: no copy to join them


def test_an_example_of_many_thousand_tokens_attends_to_itself_alone() -> None:
    test_the_attention_kernels_equal_each_example_alone_with_its_positions_turned(
        128, (6, 2), "bfloat16", [70, 6000, 1]
    )


def test_kernels_that_a_compiler_got_wrong_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from trainer import attention_kernels
    from trainer.card import attention_kernels_agree, has_attention_kernels

    if not has_attention_kernels(torch.device("cuda"), torch.bfloat16):
        pytest.skip("no Hopper card")
    agree = attention_kernels_agree.__wrapped__
    assert all(agree(width, groups, torch.bfloat16) for width in (64, 128) for groups in (1, 4, 7))
    own = attention_kernels.attend
    monkeypatch.setattr(attention_kernels, "attend", lambda *a: own(*a) * 1.1)
    assert not agree(128, 4, torch.bfloat16)


def test_no_tile_crosses_a_boundary_and_every_row_is_in_one() -> None:
    import torch

    from trainer.attention_kernels import TILE, tiles

    lengths = [1, 64, 0, 65, 300, 5]
    starts = torch.tensor([0, *lengths], device="cuda").cumsum(0).to(torch.int32)
    seen = []
    for first, start, end in tiles(starts, sum(lengths)).tolist():
        assert (start, end) in list(zip(starts.tolist(), starts[1:].tolist(), strict=False))
        assert (first - start) % TILE == 0
        seen += range(first, min(first + TILE, end))
    assert sorted(seen) == list(range(sum(lengths)))


def _fused(precision: str, call: Callable[[Any, Any], Any], *, plain: bool) -> list[Any]:
    """(output, input gradient, adapter gradients) of three layers of a Llama shape's first block."""
    import torch
    from peft import LoraConfig, get_peft_model

    from trainer.fused import fuse

    torch.manual_seed(0)
    names = ["q_proj", "k_proj", "v_proj"]
    layers = {
        n: torch.nn.Linear(256, w, bias=n == "q_proj") for n, w in zip(names, (256, 64, 64), strict=True)
    }
    model: Any = torch.nn.ModuleDict(layers).to("cuda", torch.bfloat16)
    if precision == "nf4":
        import bitsandbytes

        for name, layer in list(model.items()):
            packed = bitsandbytes.nn.Linear4bit(
                256, layer.out_features, bias=layer.bias is not None, compute_dtype=torch.bfloat16,
                quant_type="nf4",
            )  # fmt: skip
            packed.load_state_dict(layer.state_dict())
            model[name] = packed.to("cuda")
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=names))
    with torch.no_grad():
        for parameter in (p for n, p in sorted(adapted.named_parameters()) if "lora_B" in n):
            parameter.normal_()
    if not plain:
        assert fuse(adapted) == 3
    x = torch.randn(1, 40, 256, device="cuda").bfloat16().requires_grad_(True)
    out = call(adapted.base_model.model, x)
    out.float().square().sum().backward()
    learned = [p.grad for _, p in sorted(adapted.named_parameters()) if p.requires_grad]
    return [out, x.grad, *learned]


@pytest.mark.parametrize("precision", ["bf16", "nf4"])
def test_a_group_of_layers_on_the_card_equals_pefts_own_layers(precision: str) -> None:
    import torch

    if precision == "nf4":
        pytest.importorskip("bitsandbytes")

    def call(model: Any, x: Any) -> Any:
        return torch.cat([model["q_proj"](x), model["k_proj"](x), model["v_proj"](x)], dim=-1)

    def with_one_unused(model: Any, x: Any) -> Any:
        first = model["q_proj"](x)
        model["k_proj"](x)
        return torch.cat([first, model["v_proj"](x)], dim=-1)

    for way in (call, with_one_unused):
        expected, found = (_fused(precision, way, plain=plain) for plain in (True, False))
        for mine, theirs in zip(found, expected, strict=True):
            if theirs is None:
                assert mine is None or not mine.any()
                continue
            apart = (mine.detach().float() - theirs.detach().float()).norm()
            assert float(apart / theirs.detach().float().norm()) < 0.02


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_a_deep_model_of_random_weights_is_walked_and_attends_by_the_kernels(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its roundings add up over the layers: they must not be taken for another plan."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from trainer import attention_kernels
    from trainer.attention import register
    from trainer.body import learned_hidden
    from trainer.card import attention_kernels_agree, has_attention_kernels

    dtype = getattr(torch, kind)
    device = torch.device("cuda")
    if not has_attention_kernels(device, dtype):
        pytest.skip("no Hopper card")
    config = LlamaConfig(
        vocab_size=500, hidden_size=1024, intermediate_size=2048, num_hidden_layers=32,
        num_attention_heads=8, num_key_value_heads=2,
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM._from_config(config, attn_implementation=register(device, dtype), dtype=dtype)
    body = model.to(device).eval().model
    assert attention_kernels_agree(128, 4, dtype)
    calls: list[int] = []
    own = attention_kernels.attend
    monkeypatch.setattr(attention_kernels, "attend", lambda *a: calls.append(1) or own(*a))
    starts = torch.tensor([0, 90, 200], dtype=torch.int32, device=device)
    pack = {
        "input_ids": torch.randint(500, (1, 200), device=device),
        "position_ids": torch.cat([torch.arange(90), torch.arange(110)]).unsqueeze(0).to(device),
        "cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": 110, "max_length_k": 110,
    }  # fmt: skip
    rows = torch.arange(200, device=device)
    with torch.no_grad():
        found = learned_hidden(body, pack, rows).float()
        expected = body(**pack, use_cache=False).last_hidden_state[0].float()
    assert body.plain_plan
    assert len(calls) == 2 * 32  # the trial, and the pack
    assert float((found - expected).norm() / expected.norm()) < 24 * torch.finfo(dtype).eps
