"""Cross entropy on the learned positions only: the vocabulary is never multiplied with prompt rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trainer.data import IGNORED


def to_device(batch: Mapping[str, Any], device: Any) -> dict[str, Any]:
    return {k: v.to(device) if hasattr(v, "to") else v for k, v in batch.items()}


def label_losses(model: Any, batch: Mapping[str, Any]) -> tuple[Any, Any]:
    """(loss of each learned position in nats, its index in the pack); labels are already shifted."""
    from torch.nn import functional

    inputs = {k: v for k, v in batch.items() if k != "labels"}
    labels = batch["labels"][0]
    rows = (labels != IGNORED).nonzero()[:, 0]
    logits = model(**inputs, logits_to_keep=rows, use_cache=False).logits[0]
    return functional.cross_entropy(logits.float(), labels[rows], reduction="none"), rows


def nll_by_example(model: Any, packs: Iterable[Mapping[str, Any]]) -> list[tuple[float, int]]:
    """(summed negative log likelihood, learned tokens) of each example, in the order they were packed."""
    import torch

    found: list[tuple[float, int]] = []
    with torch.inference_mode():
        for pack in packs:
            losses, rows = label_losses(model, to_device(pack, model.device))
            ends = pack["cu_seq_lens_q"][1:].to(torch.int64)
            owner = torch.bucketize(rows.cpu(), ends, right=True)
            sums = torch.zeros(len(ends), dtype=torch.float64).index_add(0, owner, losses.double().cpu())
            found += zip(sums.tolist(), torch.bincount(owner, minlength=len(ends)).tolist(), strict=True)
    return found


def mean_loss(parts: Iterable[tuple[float, int]]) -> float:
    """Nats per learned token over all examples."""
    total, tokens = 0.0, 0
    for nll, count in parts:
        total, tokens = total + nll, tokens + count
    return total / max(1, tokens)
