"""Generation with a cache of fixed shape gives the answers of the plain decoder, whatever the lengths."""

from __future__ import annotations

from typing import Any

import pytest

from astra_learn_assets_tests.trainer.examples import line, write
from trainer.generate import generate
from trainer.model import load_tokenizer
from trainer.static_generate import allowed, generate_static


@pytest.fixture(scope="module")
def model(base: str) -> Any:
    from trainer.model import load_base, place

    return load_base(base, None, place("cpu", "fp32"), packed=False)


@pytest.fixture(scope="module")
def prompts(base: str, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, ...]]:
    from trainer.data import Template, read_records

    file = write(tmp_path_factory.mktemp("golden") / "g.jsonl", [line(i) for i in range(11)])
    template = Template(load_tokenizer(base, None))
    records = read_records(file, tenant_id="alfa")
    return [tuple(template.prompt_tokens(record)) for record in records] + [(5,)]


@pytest.mark.parametrize(("batch_size", "lookup"), [(4, True), (5, False), (64, True)])
def test_answers_equal_those_of_the_growing_cache(
    base: str, model: Any, prompts: list[tuple[int, ...]], batch_size: int, lookup: bool
) -> None:
    limits = [80, 3, 0, 1, *[60] * (len(prompts) - 4)]
    options: dict[str, Any] = {
        "eos": load_tokenizer(base, None).eos_token_id,
        "pad": 0,
        "batch_size": batch_size,
        "lookup": lookup,
    }
    expected = generate(model, prompts, limits, **options)
    assert any(0 < len(made) < limit for made, limit in zip(expected, limits, strict=True))
    assert generate_static(model, prompts, limits, **options) == expected
    assert model.config._attn_implementation == "sdpa"


def test_shared_key_heads_are_never_mixed_up() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(4)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2,
        )
    ).eval()  # fmt: skip
    model.set_attn_implementation("sdpa")
    draw = torch.Generator().manual_seed(5)
    prompts = [torch.randint(3, 60, (n,), generator=draw).tolist() for n in (9, 1, 17, 4, 12)]
    options: dict[str, Any] = {"eos": -1, "pad": 0, "batch_size": 3}
    limits = [20] * 5
    assert generate_static(model, prompts, limits, **options) == generate(model, prompts, limits, **options)


def test_models_with_windows_or_unknown_layers_are_not_allowed(model: Any) -> None:
    from types import SimpleNamespace

    assert allowed(model)
    for changes in (
        {"layer_types": ["sliding_attention", "full_attention"]},
        {"sliding_window": 128},
        {"model_type": "mamba"},
    ):
        config = SimpleNamespace(**({"model_type": "llama"} | changes))
        assert not allowed(SimpleNamespace(config=config))
