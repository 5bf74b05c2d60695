"""Packs hold every example once and change no gradient."""

from __future__ import annotations

import random
from typing import Any

import pytest

from trainer.data import Encoded
from trainer.loss import label_losses, nll_by_example
from trainer.model import load_base, place
from trainer.packing import best_fit, collate, schedule


def test_best_fit_keeps_every_example_once_and_wastes_little() -> None:
    draw = random.Random(1)
    lengths = [draw.randint(10, 200) for _ in range(500)]
    packs = best_fit(lengths, 1024)
    assert sorted(i for pack in packs for i in pack) == list(range(500))
    assert max(sum(lengths[i] for i in pack) for pack in packs) <= 1024
    assert sum(lengths) / (1024 * len(packs)) > 0.97
    with pytest.raises(ValueError, match="does not fit"):
        best_fit([1025], 1024)


def test_the_schedule_shuffles_each_epoch_and_repeats_with_its_seed() -> None:
    lengths = [50] * 40
    packs = schedule(lengths, capacity=100, epochs=2.5, seed=3)
    assert packs == schedule(lengths, capacity=100, epochs=2.5, seed=3)
    assert len(packs) == 50
    assert packs[:20] != packs[20:40]
    assert sorted(i for pack in packs[:20] for i in pack) == list(range(40))


@pytest.fixture(scope="module")
def model(base: str) -> Any:
    return load_base(base, None, place("cpu", "fp32"), packed=True).requires_grad_(True)


@pytest.fixture(scope="module")
def examples() -> list[Encoded]:
    draw = random.Random(5)
    return [Encoded(tuple(draw.choices(range(4, 8000), k=n)), n // 2) for n in (9, 40, 23, 31)]


def _gradient(model: Any, packs: list[dict[str, Any]]) -> Any:
    import torch

    model.zero_grad(set_to_none=True)
    sum(label_losses(model, pack)[0].sum() for pack in packs).backward()  # type: ignore[union-attr]
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def test_a_pack_gives_the_gradient_of_its_examples_one_by_one(model: Any, examples: list[Encoded]) -> None:
    single = _gradient(model, [collate([e]) for e in examples])
    packed = _gradient(model, [collate(examples)])
    assert float((packed - single).norm() / single.norm()) < 1e-4


def test_without_the_boundaries_the_gradient_is_another(model: Any, examples: list[Encoded]) -> None:
    import torch

    single = _gradient(model, [collate([e]) for e in examples])
    pack = collate(examples)
    tokens = pack["input_ids"].shape[1]
    pack["cu_seq_lens_q"], pack["max_length_q"] = torch.tensor([0, tokens], dtype=torch.int32), tokens
    assert float((_gradient(model, [pack]) - single).norm() / single.norm()) > 0.05


def test_the_padded_layout_of_older_cards_equals_one_call_per_example() -> None:
    import torch

    from trainer.attention import _one_by_one, _padded_batch

    torch.manual_seed(1)
    q, k, v = (torch.randn(30, 2, 8) for _ in range(3))
    starts = torch.tensor([0, 11, 12, 30], dtype=torch.int32)
    expected = _one_by_one(q, k, v, starts, None)
    assert torch.allclose(_padded_batch(q, k, v, starts, 18, None), expected, atol=1e-6)


def test_losses_are_those_of_the_plain_model(base: str, model: Any, examples: list[Encoded]) -> None:
    import torch

    plain = load_base(base, None, place("cpu", "fp32"), packed=False)
    scores = nll_by_example(model, [collate(examples[:2]), collate(examples[2:])])
    for example, (nll, tokens) in zip(examples, scores, strict=True):
        ids = torch.tensor([example.tokens])
        with torch.inference_mode():
            chances = plain(ids).logits[0, :-1].log_softmax(-1)
        expected = -chances.gather(1, ids[0, 1:, None])[example.prompt - 1 :].sum()
        assert tokens == len(example) - example.prompt
        assert nll == pytest.approx(float(expected), rel=1e-4)
