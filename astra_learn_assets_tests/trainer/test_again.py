"""What is computed again in the backward pass gives the gradients of what is kept, and is not kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from astra_learn_assets_tests.trainer.test_body import _model, _pack
from trainer import again
from trainer.again import NOTHING, Again
from trainer.body import learned_hidden
from trainer.data import Encoded
from trainer.fused import fuse, group_of
from trainer.packing import collate

PLANS = [
    Again(cheap=True),
    Again(cheap=True, units=1),
    Again(cheap=True, units=3),
    Again(cheap=True, attentions=2),
    Again(cheap=True, units=3, attentions=3),
    Again(units=2, attentions=1),
]


def _adapted(name: str, targets: Any = "all-linear") -> Any:
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(_model(name), LoraConfig(r=3, lora_alpha=6, target_modules=targets))
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter_name, parameter in adapted.named_parameters():
            if "lora_B" in parameter_name:
                parameter.normal_(std=0.2)
    fuse(adapted)
    return adapted.train()


def _gradients(adapted: Any, plan: Again) -> list[torch.Tensor]:
    body = adapted.get_base_model().model
    body.again = plan
    adapted.zero_grad()
    batch, rows = _pack()
    out = learned_hidden(body, batch, rows)
    assert body.plain_plan
    (out * torch.arange(1.0, 1 + out.numel()).view_as(out)).sum().backward()
    found = {n: p.grad.clone() for n, p in adapted.named_parameters() if p.grad is not None}
    return [out.detach(), *(found[n] for n in sorted(found))]


@pytest.mark.parametrize("name", ["Llama", "Qwen2", "Qwen3"])
@pytest.mark.parametrize("plan", PLANS)
def test_every_gradient_equals_that_of_a_pass_that_keeps_everything(name: str, plan: Again) -> None:
    adapted = _adapted(name)
    expected = _gradients(adapted, NOTHING)
    found = _gradients(adapted, plan)
    assert len(found) == len(expected) == 1 + 3 * 7 * 2
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("plan", PLANS)
def test_units_without_adapters_of_their_own_are_computed_again_whole(plan: Again) -> None:
    adapted = _adapted("Llama", ["q_proj", "o_proj"])
    unit = adapted.get_base_model().model.layers[0].mlp
    assert group_of(unit.gate_proj, unit.up_proj) is None
    expected = _gradients(adapted, NOTHING)
    for mine, theirs in zip(_gradients(adapted, plan), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def _saved(adapted: Any, plan: Again) -> int:
    """Bytes of the storages that the graph of one pass holds on to."""
    body = adapted.get_base_model().model
    body.again = plan
    batch, rows = _pack()
    learned_hidden(body, batch, rows)
    held: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    fixed = {p.untyped_storage().data_ptr() for p in adapted.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = learned_hidden(body, batch, rows)
    held = {pointer: size for pointer, size in held.items() if pointer not in fixed}
    del out
    return sum(held.values())


def test_each_further_half_of_a_layer_that_is_computed_again_keeps_less() -> None:
    adapted = _adapted("Llama")
    plans = [
        NOTHING,
        Again(cheap=True),
        *(Again(cheap=True, units=n) for n in (1, 2, 3)),
        *(Again(cheap=True, units=3, attentions=n) for n in (1, 2, 3)),
    ]
    sizes = [_saved(adapted, plan) for plan in plans]
    assert sizes == sorted(set(sizes), reverse=True), sizes
    assert sizes[-1] < sizes[0] / 3


def test_a_units_gradient_is_given_once_where_it_writes_over_gate_and_up() -> None:
    adapted = _adapted("Llama")
    unit = adapted.get_base_model().model.layers[1].mlp
    x = torch.randn(1, 4, 16, requires_grad=True)
    out = again.gated_unit(unit, x, keep=True)
    assert out is not None
    out.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="once"):
        out.sum().backward()


def test_nothing_is_computed_again_where_nothing_is_learned() -> None:
    adapted = _adapted("Llama").eval()
    body = adapted.get_base_model().model
    batch, rows = _pack()
    with torch.no_grad():
        plain = learned_hidden(body, batch, rows)
        body.again = Again(cheap=True, units=3, attentions=3)
        assert torch.equal(learned_hidden(body, batch, rows), plain)


def test_weights_copied_for_a_forward_pass_are_not_copied_again_inside_a_backward_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapted = _adapted("Llama")
    copied: list[int] = []
    plain = torch._foreach_copy_

    def counting(into: Any, out_of: Any) -> Any:
        copied.append(len(into))
        return plain(into, out_of)

    _gradients(adapted, NOTHING)
    monkeypatch.setattr(torch, "_foreach_copy_", counting)
    _gradients(adapted, Again(cheap=True, units=3, attentions=3))
    assert len(copied) == 2  # A and B, once


def test_a_model_that_is_not_walked_has_as_many_whole_layers_computed_again_as_it_is_told() -> None:
    from peft import LoraConfig, get_peft_model

    from trainer.loss import label_losses
    from trainer.trial import set_again, walked

    plain = _model("Olmo2")
    adapted: Any = get_peft_model(plain, LoraConfig(r=3, lora_alpha=6, target_modules="all-linear"))
    adapted.train()
    assert not walked(adapted)
    pack = collate([Encoded(tuple(range(3, 12)), 4), Encoded((7, 8, 9), 1)])

    def gradients(units: int) -> list[torch.Tensor]:
        set_again(adapted, Again(units=units))
        layers = plain.model.layers
        assert [layer.gradient_checkpointing for layer in layers] == [n < units for n in range(3)]
        adapted.zero_grad()
        label_losses(adapted, pack)[0].sum().backward()
        return [p.grad.clone() for p in adapted.parameters() if p.grad is not None]

    expected = gradients(0)
    for units in (1, 2, 3, 0):
        found = gradients(units)
        assert len(found) == len(expected)
        for mine, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
