"""Cross entropy on the learned positions only: the vocabulary is never multiplied with prompt rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional

from trainer.body import learned_hidden
from trainer.card import has_kernels

_OURS = ("labels", "rows", "weights", "alone")
_BOUNDARIES = ("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
_CHUNK_BYTES = 1 << 28  # of logits held at once, and of what is made of them


def to_device(batch: Mapping[str, Any], device: Any) -> dict[str, Any]:
    return {k: v.to(device) if hasattr(v, "to") else v for k, v in batch.items()}


def model_inputs(batch: Mapping[str, Any]) -> dict[str, Any]:
    """What of a pack the model reads: all but the answers to it, and the boundaries where there are any."""
    left_out = _BOUNDARIES if batch.get("alone") else ()
    return {name: value for name, value in batch.items() if name not in (*_OURS, *left_out)}


class _LinearCrossEntropy(torch.autograd.Function):
    """-log softmax(h Wᵀ)[label] of each row, a chunk of rows at a time.

    All logits of a pack at once would be its largest tensor by far (a vocabulary of 128,256: half a
    megabyte a row in fp32). W is frozen, so the gradient that a row may need, softmax minus one-hot times
    W, is known with its loss; the backward pass only scales it.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        losses = torch.empty(len(labels), dtype=torch.float32, device=hidden.device)
        needed = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if needed else None
        in_place = hidden.is_cuda and has_kernels()
        cross_entropy_ = _in_place if in_place else _cross_entropy
        each = hidden.element_size() if in_place else 2 * hidden.element_size() + 4
        chunk = max(1, _CHUNK_BYTES // (each * weight.shape[0]))
        for first in range(0, len(labels), chunk):
            rows = slice(first, first + chunk)
            logits = hidden[rows] @ weight.T
            losses[rows], change = cross_entropy_(logits, labels[rows])
            if gradient is not None:
                torch.mm(change, weight, out=gradient[rows])
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * scale.unsqueeze(1)).to(gradient.dtype), None, None


Scored = tuple[torch.Tensor, torch.Tensor]


def _in_place(logits: torch.Tensor, labels: torch.Tensor) -> Scored:
    """(loss of each row in fp32, gradient of the logits in their type and their place)."""
    from trainer.kernels import cross_entropy_

    return cross_entropy_(logits, labels), logits


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> Scored:
    """The same in torch's own operations, with a tensor of the logits' size in fp32 between."""
    wanted = labels.unsqueeze(1)
    chances = torch.log_softmax(logits, 1, dtype=torch.float32)
    losses = -chances.gather(1, wanted).squeeze(1)
    chances.exp_()
    chances.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=chances.dtype))
    return losses, chances.to(logits.dtype)


def label_losses(model: Any, batch: Mapping[str, Any]) -> tuple[Any, Any]:
    """(loss of each learned position in nats, its index in the pack); labels are already shifted."""
    inputs = model_inputs(batch)
    labels, rows = batch["labels"][0], batch["rows"]
    parts = body_and_head(model)
    if parts is None:
        logits = model(**inputs, logits_to_keep=rows, use_cache=False).logits[0]
        return functional.cross_entropy(logits.float(), labels[rows], reduction="none"), rows
    body, head = parts
    hidden = learned_hidden(body, inputs, rows)
    apply: Any = _LinearCrossEntropy.apply
    return apply(hidden.to(head.weight.dtype), head.weight, labels[rows]), rows


def body_and_head(model: Any) -> tuple[Any, Any] | None:
    """The layers below the vocabulary and the frozen linear layer onto it; None where that is not all.

    Some architectures scale or cap their logits, so it is tried out once: both ways must give the same.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    head, body = causal.get_output_embeddings(), getattr(causal, causal.base_model_prefix, None)
    if type(head) is not torch.nn.Linear or head.weight.requires_grad or body is None:
        return None
    if not hasattr(causal, "plain_head"):
        causal.plain_head = head.bias is None and _gives_the_logits(causal, body, head)
    return (body, head) if causal.plain_head else None


def _gives_the_logits(causal: Any, body: Any, head: Any) -> bool:
    probe = {"input_ids": torch.tensor([[0, 1]], device=causal.device), "use_cache": False}
    training = causal.training
    causal.eval()
    with torch.no_grad():
        same = torch.equal(causal(**probe).logits, head(body(**probe).last_hidden_state))
    causal.train(training)
    return same


def nll_by_example(model: Any, packs: Iterable[Mapping[str, Any]]) -> list[tuple[float, int]]:
    """(summed negative log likelihood, learned tokens) of each example, in the order they were packed."""
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
