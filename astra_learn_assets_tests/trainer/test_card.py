"""What the attention kernels are judged by, as far as a processor can show it."""

from __future__ import annotations

import math

import pytest
import torch

from trainer import attention
from trainer.card import _apart, _plain_attention


@pytest.mark.parametrize("padded", [False, True])  # a processor's way, a card's way
def test_the_reference_is_each_example_alone_with_its_positions_turned(
    padded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if padded:
        monkeypatch.setattr(
            attention,
            "_one_by_one",
            lambda q, k, v, starts, scale: attention._padded_batch(q, k, v, starts, 9, scale),
        )
    lengths, width, groups = [3, 9, 1], 8, 2
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 13, heads * width, dtype=torch.float64) for heads in (2 * groups, 2, 2))
    angle = torch.randn(1, 13, width // 2, dtype=torch.float64).repeat(1, 1, 2)
    cos, sin = angle.cos(), angle.sin()
    starts = torch.tensor([0, 3, 12, 13], dtype=torch.int32)
    found = _plain_attention([q, k, v], cos, sin, starts, max(lengths))
    assert found.shape == q.shape

    def turned(x: torch.Tensor, row: int, head: int) -> torch.Tensor:
        one = x[0, row, head * width : (head + 1) * width]
        first, second = one.chunk(2)
        return one * cos[0, row] + torch.cat([-second, first]) * sin[0, row]

    for start, end in zip(starts.tolist(), starts[1:].tolist(), strict=False):
        for row in range(start, end):
            for head in range(2 * groups):
                keys = torch.stack([turned(k, at, head // groups) for at in range(start, row + 1)])
                part = slice(head // groups * width, (head // groups + 1) * width)
                chances = (keys @ turned(q, row, head) / math.sqrt(width)).softmax(0)
                expected = chances @ v[0, start : row + 1, part]
                torch.testing.assert_close(found[0, row, head * width : (head + 1) * width], expected)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_value_that_is_no_number_counts_wherever_it_stands(where: int) -> None:
    wanted = [torch.ones(4) for _ in range(3)]
    found = [x.clone() for x in wanted]
    assert _apart(found, wanted) == 0
    found[where][1] = math.nan
    assert math.isnan(_apart(found, wanted))
    found[where][1] = 2
    assert _apart(found, wanted) == 0.5
