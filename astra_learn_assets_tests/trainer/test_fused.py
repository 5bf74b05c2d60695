"""The fused LoRA layer and the loss on the vocabulary compute what PEFT and torch compute, gradients too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from trainer.fused import _joined, fuse
from trainer.loss import label_losses


class Attention(nn.Module):
    def __init__(self, *, bias: bool = False) -> None:
        super().__init__()
        self.q_proj = nn.Linear(12, 8, bias=bias)
        self.k_proj = nn.Linear(12, 4, bias=bias)
        self.v_proj = nn.Linear(12, 4, bias=bias)
        self.o_proj = nn.Linear(8, 12, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        return self.o_proj(torch.cat([k.tanh(), v], dim=-1) * q.sigmoid())


def _adapted(model: nn.Module, **config: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    adapted = get_peft_model(
        model,
        LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], **config),
    )
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    return adapted


def _figures(model: Any, call: Callable[[Any, torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
    x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(2), requires_grad=True)
    model.zero_grad()
    out = call(model, x)
    out.square().sum().backward()
    assert x.grad is not None
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return [out.detach(), x.grad, *gradients]


@pytest.mark.parametrize("bias", [False, True])
def test_outputs_and_every_gradient_equal_those_of_peft(bias: bool) -> None:
    torch.manual_seed(0)
    adapted = _adapted(Attention(bias=bias))
    expected = _figures(adapted, lambda m, x: m(x))
    assert fuse(adapted) == 4
    found = _figures(adapted, lambda m, x: m(x))
    assert len(found) == len(expected) == 2 + 8
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_siblings_called_with_different_inputs_or_alone_are_computed_apart() -> None:
    def crossed(model: Any, x: torch.Tensor) -> torch.Tensor:
        inner = model.base_model.model
        other = x * 2
        first, second = inner.q_proj(x), inner.k_proj(other)  # v_proj is never called
        again = inner.q_proj(other)  # its siblings are never asked for
        return (first * again).sum() + second.square().sum() + inner.v_proj(x + 1).sum()

    torch.manual_seed(0)
    adapted = _adapted(Attention())
    expected = _figures(adapted, crossed)
    fuse(adapted)
    for mine, theirs in zip(_figures(adapted, crossed), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_siblings_that_cannot_be_one_product_are_computed_apart() -> None:
    """A layer kept in another precision, as some checkpoints have; or without a bias beside one with."""

    def mixed(model: Any, x: torch.Tensor) -> torch.Tensor:
        inner = model.base_model.model
        return torch.cat([inner.q_proj(x), inner.k_proj(x.double()).float(), inner.v_proj(x)], dim=-1)

    torch.manual_seed(0)
    odd = Attention()
    odd.k_proj = nn.Linear(12, 4).double()
    adapted = _adapted(odd)
    expected = _figures(adapted, mixed)
    assert fuse(adapted) == 4
    for mine, theirs in zip(_figures(adapted, mixed), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)

    torch.manual_seed(0)
    odd = Attention(bias=True)
    odd.k_proj.bias = None
    adapted = _adapted(odd)
    expected = _figures(adapted, lambda m, x: m(x))
    assert fuse(adapted) == 4
    for mine, theirs in zip(_figures(adapted, lambda m, x: m(x)), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_frozen_weights_are_laid_together_once_and_keep_their_values() -> None:
    torch.manual_seed(0)
    adapted = _adapted(Attention())
    before = {n: p.clone() for n, p in adapted.named_parameters()}
    fuse(adapted)
    inner = adapted.base_model.model
    bases = [getattr(inner, f"{n}_proj").base_layer.weight for n in "qkv"]
    assert len({weight.untyped_storage().data_ptr() for weight in bases}) == 1
    where = [weight.data_ptr() for weight in bases]
    fuse(adapted)  # the reload check does it once more: no second copy of the model
    assert where == [getattr(inner, f"{n}_proj").base_layer.weight.data_ptr() for n in "qkv"]
    assert all(torch.equal(p, before[n]) for n, p in adapted.named_parameters())


def test_a_base_that_is_moved_after_it_was_fused_computes_with_its_weights() -> None:
    torch.manual_seed(0)
    adapted = _adapted(Attention())
    expected = _figures(adapted, lambda m, x: m(x))
    fuse(adapted)
    for parameter in adapted.parameters():
        parameter.data = parameter.data.clone()  # what .to() does: each by itself
    for mine, theirs in zip(_figures(adapted, lambda m, x: m(x)), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_matrices_are_joined_without_a_copy_only_where_they_lie_together() -> None:
    whole = torch.arange(60.0).view(5, 12)
    left, right = whole.split([5, 7], dim=1)
    top, bottom = whole.split([2, 3])
    apart = [
        ([right, left], 1),  # the wrong order
        ([left, whole[:, 6:]], 1),  # a gap
        ([left, right.clone()], 1),
        ([whole[:, :7], whole[:, 6:]], 1),  # an overlap
        ([bottom, top], 0),
        ([whole[:2], whole[3:]], 0),
        ([whole.view(-1)[:5].view(1, 5), whole.view(-1)[5:12].view(1, 7)], 1),
        ([whole[:, :12], whole.view(-1)[12:24].view(1, 12).expand(5, 12)], 1),  # runs into the next row
    ]
    for parts, dim in [([left, right], 1), ([top, bottom], 0)]:
        joined = _joined(parts, dim)
        assert joined.data_ptr() == whole.data_ptr()
        assert torch.equal(joined, whole)
    for parts, dim in apart:
        assert torch.equal(_joined(parts, dim), torch.cat(parts, dim))


def test_gradients_are_the_same_when_the_layer_is_computed_again_for_its_checkpoint() -> None:
    from torch.utils.checkpoint import checkpoint

    torch.manual_seed(0)
    adapted = _adapted(Attention())
    expected = _figures(adapted, lambda m, x: m(x))
    fuse(adapted)

    def checkpointed(model: Any, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = checkpoint(model, x, use_reentrant=False)
        return out

    for mine, theirs in zip(_figures(adapted, checkpointed), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_a_layer_that_is_not_plain_lora_stays_as_it_is() -> None:
    assert fuse(_adapted(Attention(), lora_dropout=0.1)) == 0
    assert fuse(_adapted(Attention(), use_dora=True)) == 0
    assert fuse(_adapted(Attention(bias=True), lora_bias=True)) == 0
    merged = _adapted(Attention())
    merged.merge_adapter()
    assert fuse(merged) == 0
    off = _adapted(Attention())
    with off.disable_adapter():
        assert fuse(off) == 0
    another = _adapted(Attention())
    another.add_adapter("other", another.peft_config["default"])
    another.set_adapter("other")
    assert fuse(another) == 0


def test_without_room_to_move_the_weights_the_layers_are_computed_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError

    torch.manual_seed(0)
    adapted = _adapted(Attention())
    expected = _figures(adapted, lambda m, x: m(x))
    with monkeypatch.context() as patch:
        patch.setattr(torch, "cat", full)
        assert fuse(adapted) == 4
    for mine, theirs in zip(_figures(adapted, lambda m, x: m(x)), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def _causal(**changes: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=50, tie_word_embeddings=False, **size, **changes)
    return LlamaForCausalLM(config).eval()


def _loss_and_gradient(model: Any, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    model.model.norm.weight.requires_grad_(True)
    model.zero_grad()
    batch = {
        "input_ids": torch.arange(9).unsqueeze(0),
        "labels": torch.tensor([[-100, 4, 2, -100, 7, 7, 0, 49, -100]]),
        "rows": torch.tensor([1, 2, 4, 5, 6, 7]),
    }
    losses, rows = label_losses(model, batch)
    assert rows.tolist() == [1, 2, 4, 5, 6, 7]
    (losses * weights).sum().backward()
    return losses.detach(), model.model.norm.weight.grad.clone()


def test_the_loss_in_chunks_equals_that_on_all_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = torch.tensor([1.0, 0.5, 2.0, 0.0, -1.0, 3.0])
    model = _causal()
    expected = _loss_and_gradient(model, weights)  # the head's weights want a gradient: torch's own loss
    model.requires_grad_(False)
    for held in (1, 4 * 50 * 4, 1 << 28):  # one row, four rows, all rows at a time
        monkeypatch.setattr("trainer.loss._CHUNK_BYTES", held)
        for mine, theirs in zip(_loss_and_gradient(model, weights), expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_a_model_that_scales_its_logits_keeps_its_own_head() -> None:
    class Scaled(type(_causal())):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            out = super().forward(*args, **kwargs)
            out.logits = out.logits * 0.5
            return out

    weights = torch.ones(6)
    model = _causal().requires_grad_(False)
    plain = _loss_and_gradient(model, weights)[0]
    del model.plain_head
    model.__class__ = Scaled
    scaled = _loss_and_gradient(model, weights)[0]
    assert not torch.allclose(plain, scaled)
    assert not model.plain_head


def test_weights_that_an_optimizer_writes_without_raising_their_version_are_used() -> None:
    """The fused AdamW does; with the copies of the step before, nothing would ever be learned."""
    torch.manual_seed(0)
    adapted = _adapted(Attention())
    fuse(adapted)
    x = torch.randn(2, 5, 12)
    learned = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=0.3, fused=True)
    adapted(x).square().sum().backward()
    versions = [p._version for p in learned]
    optimizer.step()
    assert versions == [p._version for p in learned]
    found = adapted(x)
    for module in adapted.modules():
        module.__dict__.pop("forward", None)  # PEFT's own layers again
    torch.testing.assert_close(found, adapted(x), rtol=1e-4, atol=1e-4)


def test_no_order_of_layers_and_no_idle_layer_leaves_old_weights_in_use() -> None:
    """Phi3 declares its output projection before the input's; a vision tower may never be called."""

    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = Attention()  # declared first, never called
            self.text = Attention()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.text(x)
            return out

    torch.manual_seed(0)
    adapted = _adapted(Idle())
    fuse(adapted)
    x = torch.randn(2, 5, 12)
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=0.3, fused=True)
    for _ in range(2):
        adapted(x).square().sum().backward()
        optimizer.step()
    found = adapted(x)
    for module in adapted.modules():
        module.__dict__.pop("forward", None)
    torch.testing.assert_close(found, adapted(x), rtol=1e-4, atol=1e-4)
