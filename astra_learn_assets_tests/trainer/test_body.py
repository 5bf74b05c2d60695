"""The layers walked by hand give what the library's own forward gives, or are not walked."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from trainer import body
from trainer.again import NOTHING, Again
from trainer.attention import register
from trainer.body import learned_hidden
from trainer.data import Encoded
from trainer.errors import BadBase
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
@pytest.mark.parametrize("again", [NOTHING, Again(cheap=True), Again(cheap=True, units=2, attentions=3)])
def test_learned_positions_and_every_gradient_equal_the_librarys(name: str, again: Again) -> None:
    model = _model(name)
    expected = _figures(model, by_hand=False)
    model.train().model.again = again
    found = _figures(model, by_hand=True)
    assert model.model.plain_plan
    assert len(found) == len(expected) > 10
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Gemma2", {"head_dim": 8, "attn_logit_softcapping": None}),
        ("Olmo2", {}),
        ("Granite", {"residual_multiplier": 0.5}),
    ],
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
    """A unit that returns two tensors, as experts with their router do."""
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaMLP

    class Unit(LlamaMLP):  # type: ignore[misc]
        def forward(self, x: torch.Tensor) -> Any:
            return super().forward(x), x

    class Layer(LlamaDecoderLayer):  # type: ignore[misc]
        def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> Any:
            normed = self.input_layernorm(hidden_states)
            hidden_states = hidden_states + self.self_attn(hidden_states=normed, **kwargs)[0]
            return hidden_states + self.mlp(self.post_attention_layernorm(hidden_states))[0]

    model = _model("Llama")
    for layer in model.model.layers:
        layer.__class__, layer.mlp.__class__ = Layer, Unit
    batch, rows = _pack()
    out = learned_hidden(model.model, batch, rows)
    assert not model.model.plain_plan
    torch.testing.assert_close(out, model.model(**batch, use_cache=False).last_hidden_state[0, rows])


def test_one_odd_layer_among_many_is_seen() -> None:
    model = _model("Llama", num_hidden_layers=6)
    layer = model.model.layers[4]
    whole = layer.forward
    layer.forward = lambda *args, **kwargs: whole(*args, **kwargs) * 1.001
    batch, rows = _pack()
    learned_hidden(model.model, batch, rows)
    assert not model.model.plain_plan


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_an_odd_layer_is_seen_beside_a_first_token_of_huge_values(kind: torch.dtype) -> None:
    """Pretrained models carry values of thousands on it through nearly all layers."""

    def judged(factor: float) -> bool:
        model = _model("Llama", num_hidden_layers=6).to(kind)
        second, odd = model.model.layers[1].mlp, model.model.layers[4]
        unit, whole = second.forward, odd.forward

        def huge(x: torch.Tensor) -> torch.Tensor:
            out = unit(x).clone()
            out[:, 0, 3] += 2000
            return out

        def scaled(stream: torch.Tensor, **kwargs: Any) -> torch.Tensor:
            return stream + factor * (whole(stream, **kwargs) - stream)

        second.forward, odd.forward = huge, scaled
        batch, rows = _pack()
        with torch.no_grad():
            learned_hidden(model.model, batch, rows)
        return bool(model.model.plain_plan)

    assert judged(1.0)
    assert not judged(1.5)


def test_where_only_attention_differs_the_rest_is_walked_still(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(body: Any, stream: torch.Tensor, shared: Any) -> Any:
        if body.own_attention:
            return lambda attention, normed: attention(hidden_states=normed, **shared)[0] * 1.5
        return plain(body, stream, shared)

    plain = body._attention
    monkeypatch.setattr(body, "_attention", other)
    monkeypatch.setattr(body, "_may_use_attention_kernels", lambda _: True)
    model = _model("Llama")
    batch, rows = _pack()
    found = learned_hidden(model.model, batch, rows)
    assert (model.model.plain_plan, model.model.own_attention) == (True, False)
    torch.testing.assert_close(found, model.model(**batch, use_cache=False).last_hidden_state[0, rows])


@pytest.mark.parametrize("name", ["Qwen3", "Gemma2", "DeepseekV2", "GptOss"])
def test_attention_that_is_not_known_keeps_its_librarys_on_any_card(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "has_attention_kernels", lambda *_: True)
    monkeypatch.setattr(body, "attention_kernels_agree", lambda *_: True)
    changes = {"DeepseekV2": {"first_k_dense_replace": 9, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4}}
    assert not body._may_use_attention_kernels(_model(name, **changes.get(name, {})).model)


@pytest.mark.parametrize(
    ("name", "changes", "gated"),
    [
        ("Llama", {}, True), ("Mistral", {}, True), ("Qwen2", {}, True), ("Qwen3", {}, True),
        ("Granite", {}, True), ("Olmo", {}, True), ("Llama", {"hidden_act": "gelu"}, False),
        ("Gemma2", {}, False), ("Phi3", {}, False), ("GptOss", {}, False),
    ],
)  # fmt: skip
def test_llamas_unit_is_known_by_what_it_does(name: str, changes: dict[str, Any], gated: bool) -> None:
    assert body._is_gated_by_silu(_model(name, **changes).model.layers[0].mlp) is gated


@pytest.mark.parametrize(
    ("name", "changes", "asked"),
    [
        ("GptOss", {"num_local_experts": 2, "num_experts_per_tok": 1, "head_dim": 8}, "s_aux"),
        ("Gemma2", {"head_dim": 8}, "softcap"),
    ],
)
def test_a_model_whose_attention_does_more_is_refused_by_name(
    name: str, changes: dict[str, Any], asked: str
) -> None:
    batch, rows = _pack()
    with pytest.raises(BadBase, match=asked):
        learned_hidden(_model(name, **changes).model, batch, rows)
