"""Batched generation for any causal LM of transformers, greedy or sampled.

Rows that have ended leave the batch, with their part of the key-value cache: on a CPU the time goes
to the rows still running and not to the longest one. Batches are cut from the prompts sorted by
length, the same way for every model that is compared, because in low precision greedy output
depends on the batch.

A corrected text mostly repeats its input, so the greedy decoder guesses that the answer goes on as
the prompt does after the same last words, and checks several guessed tokens in one forward pass
(prompt lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding). Only tokens that the
model itself would have chosen are kept: the answer is that of plain greedy decoding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

_LONGEST_GUESS = 8
_ASK_AGAIN = 16
_NGRAMS = (3, 2, 1)


def batches_by_length(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Indices in batches of at most ``size``, longest first (memory is needed most at the start)."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    return [order[first : first + size] for first in range(0, len(order), size)]


def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    *,
    eos: int | Collection[int],
    pad: int,
    batch_size: int,
    temperature: float | None = None,
    seed: int = 0,
    lookup: bool = True,
) -> list[list[int]]:
    """New tokens of each prompt, without what ended them (``eos``: one token or several); ``limits`` bounds
    them one by one. No temperature = greedy.

    ``lookup`` guesses from the prompt; sampling never does.
    """
    import torch

    made: list[list[int]] = [[] for _ in prompts]
    random = torch.Generator(device=model.device).manual_seed(seed)
    with torch.inference_mode():
        for batch in batches_by_length([len(p) for p in prompts], batch_size):
            width = Width(_LONGEST_GUESS if lookup and not temperature else 0)
            _run_batch(model, prompts, limits, made, batch, eos, pad, temperature, random, width)
    return made


def guess(prompt: Sequence[int], made: Sequence[int], *, near: int, longest: int) -> tuple[list[int], int]:
    """Up to ``longest`` tokens that may follow, and where in ``prompt`` they stand.

    The last tokens made (three, then two, then one) are looked for in the prompt; of several places
    the one closest to ``near`` counts, for a correction goes through its input in order.
    """
    if not made or longest < 1:
        return [], near
    for size in _NGRAMS:
        if len(made) < size:
            continue
        last = list(made[-size:])
        places = [
            start + size
            for start in range(len(prompt) - size)
            if prompt[start + size - 1] == last[-1] and list(prompt[start : start + size]) == last
        ]
        if places:
            place = min(places, key=lambda p: (abs(p - near), p))
            return list(prompt[place : place + longest]), place
    return [], near


class Width:
    """How many tokens are worth guessing: what was right lately and a little more.

    Where guesses fail, it stops guessing and asks again after some steps.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._lately = float(longest)
        self._idle = 0

    def now(self) -> int:
        if self._longest and self._lately < 0.5:
            self._idle += 1
            return 2 if self._idle % _ASK_AGAIN == 0 else 0
        return min(self._longest, round(self._lately * 1.5) + 1) if self._longest else 0

    def learn(self, right: Sequence[int]) -> None:
        """``right``: how many guessed tokens were right, for each row that had a guess."""
        if right:
            self._lately = 0.7 * self._lately + 0.3 * sum(right) / len(right)


def _run_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    made: list[list[int]],
    rows: list[int],
    eos: int | Collection[int],
    pad: int,
    temperature: float | None,
    random: Any,
    width: Width,
) -> None:
    import torch
    from transformers import DynamicCache

    device = model.device
    longest = max(len(prompts[i]) for i in rows)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for row, i in enumerate(rows):
        ids[row, longest - len(prompts[i]) :] = torch.tensor(list(prompts[i]))
        mask[row, longest - len(prompts[i]) :] = 1
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache: Any = DynamicCache(config=model.config)
    places = [0] * len(rows)
    guesses: list[list[int]] = [[] for _ in rows]
    asked = 1
    while True:
        logits = model(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            position_ids=positions.to(device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=asked,
        ).logits
        if temperature:
            chances = (logits[:, -1].float() / temperature).softmax(-1)
            chosen = torch.multinomial(chances, 1, generator=random).cpu()
        else:
            chosen = logits.argmax(-1).cpu()
        keep, right = [], []
        for row, answer in enumerate(chosen.tolist()):
            kept = agreed(guesses[row], answer)
            if guesses[row]:
                right.append(kept - 1)
            # The columns of guesses that were wrong stay in the cache and are never looked at again.
            mask[row, mask.shape[1] - asked + kept :] = 0
            if take(answer[:kept], made[rows[row]], limits[rows[row]], eos):
                keep.append(row)
            places[row] += kept
        width.learn(right)
        if not keep:
            return
        if len(keep) < len(rows):
            cache.batch_select_indices(torch.tensor(keep, device=device))
            mask = mask[keep]
            rows, places = [rows[row] for row in keep], [places[row] for row in keep]
        asked, guesses = 1, []
        wanted = width.now()
        for row, i in enumerate(rows):
            room = min(wanted, limits[i] - len(made[i]) - 1)
            found, places[row] = guess(prompts[i], made[i], near=places[row], longest=room)
            guesses.append(found)
            asked = max(asked, len(found) + 1)
        ids = torch.full((len(rows), asked), pad, dtype=torch.long)
        fresh = torch.zeros((len(rows), asked), dtype=torch.long)
        for row, i in enumerate(rows):
            tokens = [made[i][-1], *guesses[row]]
            ids[row, : len(tokens)] = torch.tensor(tokens)
            fresh[row, : len(tokens)] = 1
        positions = mask.sum(1, keepdim=True) + torch.arange(asked)
        mask = torch.cat([mask, fresh], dim=1)


def take(tokens: Sequence[int], made: list[int], limit: int, eos: int | Collection[int]) -> bool:
    """Add ``tokens`` to ``made`` up to an end or the limit; whether there is more to ask for."""
    ends = (eos,) if isinstance(eos, int) else eos
    for token in tokens:
        if token in ends or len(made) == limit:
            return False
        made.append(token)
    return len(made) < limit


def agreed(guessed: Sequence[int], answer: Sequence[int]) -> int:
    """How many tokens of ``answer`` stand: those whose guesses before them were right, at least one."""
    kept = 1
    for token, chosen in zip(guessed, answer, strict=False):
        if token != chosen:
            break
        kept += 1
    return kept
