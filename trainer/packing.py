"""Best-fit packing: whole examples end to end in rows of bounded length, and the rows' tensors.

A pack is one row without padding. The boundaries travel beside it (``cu_seq_lens_q``), and
:mod:`trainer.attention` keeps every example to itself. ``labels[i]`` is the token after
``input_ids[i]`` when that token is to be learned, else -100: already shifted, so that no example's
last position is asked for the next example's first token.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

from trainer.data import IGNORED, Encoded


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Indices in packs of at most ``capacity`` tokens; each example goes where it leaves least room.

    Keeps the given order inside and between packs as far as it can, so a shuffled list stays
    shuffled. Raises ValueError for an example longer than a pack.
    """
    packs: list[list[int]] = []
    open_packs: list[tuple[int, int]] = []  # (room left, pack), ascending
    for index, length in enumerate(lengths):
        if length > capacity:
            raise ValueError(f"an example of {length} tokens does not fit a pack of {capacity}")
        at = bisect_left(open_packs, (length, -1))
        if at < len(open_packs):
            room, pack = open_packs.pop(at)
        else:
            room, pack = capacity, len(packs)
            packs.append([])
        packs[pack].append(index)
        if room - length > 0:
            insort(open_packs, (room - length, pack))
    return packs


def schedule(
    lengths: Sequence[int], *, capacity: int, epochs: float, seed: int, together: bool = True
) -> list[list[int]]:
    """All packs of a training in order, shuffled anew each epoch.

    A fraction of an epoch takes its first packs. Not ``together``: each example is a pack.
    """
    order = list(range(len(lengths)))
    draw = random.Random(seed)
    packs: list[list[int]] = []
    left = epochs
    while left > 1e-9:
        draw.shuffle(order)
        found = (
            best_fit([lengths[i] for i in order], capacity) if together else [[i] for i in range(len(order))]
        )
        epoch = [[order[i] for i in pack] for pack in found]
        draw.shuffle(epoch)  # the last packs opened are the emptiest; spread them
        packs += epoch if left >= 1 else epoch[: max(1, round(len(epoch) * left))]
        left -= 1
    return packs


def collate(examples: Sequence[Encoded], *, alone: bool = False) -> dict[str, Any]:
    """One pack as tensors: ``input_ids``, ``labels``, ``position_ids`` (1, tokens) and the boundaries.

    ``alone``: it is one example, and the model, which may not know what to do with them, gets no boundaries.
    ``weights``, where an example has any, of the learned positions in their order.
    ``rows`` are the positions that are learned: counted here, since a card that is asked for them has to
    finish all that it was given before.
    """
    import torch

    tokens: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    starts = [0]
    for example in examples:
        tokens += example.tokens
        positions += range(len(example))
        labels += [IGNORED] * (example.prompt - 1) + list(example.tokens[example.prompt :]) + [IGNORED]
        starts.append(len(tokens))
    weighted = {}
    if any(example.weights for example in examples):
        weights = [w for e in examples for w in e.weights or (1.0,) * (len(e) - e.prompt)]
        weighted["weights"] = torch.tensor(weights)
    return (
        weighted
        | ({"alone": True} if alone else {})
        | {
            "input_ids": torch.tensor([tokens]),
            "labels": torch.tensor([labels]),
            "rows": torch.tensor([i for i, label in enumerate(labels) if label != IGNORED]),
            "position_ids": torch.tensor([positions]),
            "cu_seq_lens_q": torch.tensor(starts, dtype=torch.int32),
            "cu_seq_lens_k": torch.tensor(starts, dtype=torch.int32),
            "max_length_q": max(map(len, examples)),
            "max_length_k": max(map(len, examples)),
        }
    )
