"""The layers walked by hand give what the library's own forward gives, or are not walked."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from trainer.attention import register
from trainer.body import learned_hidden
from trainer.data import Encoded
from trainer.packing import collate

SIZE = {
    "vocab_size": 60, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3,
    "num_attention_heads": 2, "num_key_value_heads": 1, "pad_token_id": 0,
}  # fmt: skip


def _model(name: str, **changes: Any) -> Any:
    import transformers

    torch.manual_seed(3)
    config = getattr(transformers, f"{name}Config")(**(SIZE | changes))
    model = getattr(transformers, f"{name}ForCausalLM")._from_config(
        config, attn_implementation=register(torch.device("cpu"), torch.float32)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)  # norms of ones and biases of zero hide much
    model.config.use_cache = False
    return model.eval()


def _pack() -> tuple[dict[str, Any], torch.Tensor]:
    batch = collate([Encoded(tuple(range(3, 12)), 4), Encoded((7, 8, 9), 1), Encoded((5, 4, 3, 2), 2)])
    rows = batch.pop("rows")
    del batch["labels"]
    return batch, rows


def _figures(model: Any, *, by_hand: bool) -> list[torch.Tensor]:
    batch, rows = _pack()
    model.zero_grad()
    if by_hand:
        out = learned_hidden(model.model, batch, rows)
    else:
        out = model.model(**batch, use_cache=False).last_hidden_state[0, rows]
    (out * torch.arange(1.0, 1 + out.numel()).view_as(out)).sum().backward()
    return [out.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("name", ["Llama", "Qwen2", "Qwen3", "Mistral"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_learned_positions_and_every_gradient_equal_the_librarys(name: str, checkpointing: bool) -> None:
    model = _model(name)
    expected = _figures(model, by_hand=False)
    if checkpointing:
        model.train().gradient_checkpointing_enable({"use_reentrant": False})
    found = _figures(model, by_hand=True)
    assert model.model.plain_plan
    assert len(found) == len(expected) > 10
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "changes"),
    [("Gemma2", {"head_dim": 8}), ("Olmo2", {}), ("Granite", {"residual_multiplier": 0.5})],
)
def test_a_model_of_another_plan_computes_as_its_library_wrote_it(name: str, changes: dict[str, Any]) -> None:
    """Granite has Llama's modules under Llama's names, and adds half of what they return."""
    model = _model(name, **changes)
    found, expected = _figures(model, by_hand=True), _figures(model, by_hand=False)
    assert not model.model.plain_plan
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_the_trial_leaves_training_mode_as_it_was() -> None:
    batch, rows = _pack()
    for training in (True, False):
        model = _model("Llama").train(training)
        learned_hidden(model.model, batch, rows)
        assert all(module.training is training for module in model.modules())


def test_a_small_departure_from_the_plan_is_seen_too() -> None:
    model = _model("Granite", residual_multiplier=0.98)
    batch, rows = _pack()
    learned_hidden(model.model, batch, rows)
    assert not model.model.plain_plan


def test_a_layer_that_does_not_fit_the_plan_is_left_to_its_library() -> None:
    """The experts of GptOss return two tensors."""
    model = _model("GptOss", num_local_experts=2, num_experts_per_tok=1, head_dim=8)
    batch, rows = _pack()
    out = learned_hidden(model.model, batch, rows)
    assert not model.model.plain_plan
    torch.testing.assert_close(out, model.model(**batch, use_cache=False).last_hidden_state[0, rows])
