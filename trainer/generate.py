"""Batched generation for any causal LM of transformers, greedy or sampled.

Rows that have ended leave the batch, with their part of the key-value cache: on a CPU the time goes
to the rows still running and not to the longest one. Batches are cut from the prompts sorted by
length, the same way for every model that is compared, because in low precision greedy output
depends on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def batches_by_length(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Indices in batches of at most ``size``, longest first (memory is needed most at the start)."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    return [order[first : first + size] for first in range(0, len(order), size)]


def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    *,
    eos: int,
    pad: int,
    batch_size: int,
    temperature: float | None = None,
    seed: int = 0,
) -> list[list[int]]:
    """New tokens of each prompt, without EOS; ``limits`` bounds them one by one. No temperature = greedy."""
    import torch

    made: list[list[int]] = [[] for _ in prompts]
    random = torch.Generator(device=model.device).manual_seed(seed)
    with torch.inference_mode():
        for batch in batches_by_length([len(p) for p in prompts], batch_size):
            _run_batch(model, prompts, limits, made, batch, eos, pad, temperature, random)
    return made


def _run_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    made: list[list[int]],
    rows: list[int],
    eos: int,
    pad: int,
    temperature: float | None,
    random: Any,
) -> None:
    import torch
    from transformers import DynamicCache

    device = model.device
    width = max(len(prompts[i]) for i in rows)
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for row, i in enumerate(rows):
        ids[row, width - len(prompts[i]) :] = torch.tensor(list(prompts[i]))
        mask[row, width - len(prompts[i]) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache: Any = DynamicCache(config=model.config)
    while True:
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        if temperature:
            chances = (logits.float() / temperature).softmax(-1)
            chosen = torch.multinomial(chances, 1, generator=random)[:, 0]
        else:
            chosen = logits.argmax(-1)
        keep = []
        for row, token in enumerate(chosen.tolist()):
            target = made[rows[row]]
            if token != eos:
                target.append(token)
                if len(target) < limits[rows[row]]:
                    keep.append(row)
        if not keep:
            return
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        if len(keep) < len(rows):
            kept = torch.tensor(keep, device=device)
            rows = [rows[row] for row in keep]
            cache.batch_select_indices(kept)
            ids, positions, mask = ids[kept], positions[kept], mask[kept]
        mask = torch.cat([mask, mask.new_ones((len(rows), 1))], dim=1)
