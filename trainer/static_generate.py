"""Greedy generation on a GPU: key-value cache of fixed shape, each step replayed as one CUDA graph.

Decoding a few rows keeps a GPU waiting for Python: a step of an 8B model launches a thousand kernels that
take microseconds each. Here the step is recorded once and replayed, which needs fixed shapes:

* A row's token at position p lies in column p of the cache, so a query at p sees the columns up to p and
  no padding mask is needed. Tokens guessed wrongly (see :mod:`trainer.generate`) are written over.
* Keys and values keep their own number of heads; the queries that share a head become rows of one product,
  so that the cache is read once and never repeated.
* Rows that have ended are computed until their batch has, and thrown away.

Models whose layers do not all look at everything before them (sliding windows, state spaces) are not for
this module: :func:`allowed` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import Cache

from trainer.generate import Width, agreed, batches_by_length, guess, take

_GUESSES = 7
_ROUND = 256  # columns: batches of about the same length share a graph
_PREFILL_TOKENS = 16_384


def allowed(model: Any) -> bool:
    """Whether every layer of ``model`` attends to all earlier positions, as the cache here assumes."""
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    # Only architectures that call the attention interface with (key, value, position) as Llama does.
    known = config.model_type in ("llama", "mistral", "qwen2", "qwen3", "phi3", "granite", "olmo2", "smollm3")
    return known and kinds == {"full_attention"} and not window


def attend(
    module: torch.nn.Module,  # noqa: ARG001 - the signature is transformers'
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,  # noqa: ARG001
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """(rows, heads, tokens, width) -> (rows, tokens, heads, width); causal where there is no mask."""
    if attention_mask is None:
        out = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=scaling, enable_gqa=query.shape[1] != key.shape[1]
        )
        return out.transpose(1, 2), None
    rows, heads, tokens, width = query.shape
    shared = heads // key.shape[1]
    grouped = query.reshape(rows, key.shape[1], shared * tokens, width)
    mask = attention_mask.expand(rows, shared, tokens, -1).reshape(rows, 1, shared * tokens, -1)
    out = functional.scaled_dot_product_attention(
        grouped, key, value, attn_mask=mask.expand(-1, key.shape[1], -1, -1), scale=scaling
    )
    return out.reshape(rows, heads, tokens, width).transpose(1, 2), None


class _Columns(Cache):  # type: ignore[misc]
    """Keys and values of fixed shape (rows, heads, columns, width) per layer, written at ``positions``."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(layers=[])
        self._shape = (rows, columns)
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self.positions: torch.Tensor | None = None

    def fill(self, rows: slice, prefilled: Any) -> None:
        """Copy what a plain cache holds of some rows, from column 0 on."""
        for index, layer in enumerate(prefilled.layers):
            for mine, theirs in ((self.keys, layer.keys), (self.values, layer.values)):
                if len(mine) == index:
                    count, columns = self._shape
                    mine.append(theirs.new_zeros((count, theirs.shape[1], columns, theirs.shape[3])))
                mine[index][rows, :, : theirs.shape[2]] = theirs

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.positions is not None
        where = self.positions[:, None, :, None].expand_as(key_states)
        self.keys[layer_idx].scatter_(2, where, key_states)
        self.values[layer_idx].scatter_(2, where, value_states)
        return self.keys[layer_idx], self.values[layer_idx]

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002
        return self._shape[1]


class _Step:
    """The model on ``width`` tokens of every row, recorded on its first call where the device can."""

    def __init__(self, model: Any, cache: _Columns, rows: int, columns: int, width: int) -> None:
        device = model.device
        self._model, self._cache = model, cache
        self._columns = torch.arange(columns, device=device)
        self._ids = torch.zeros((rows, width), dtype=torch.long, device=device)
        self._positions = torch.zeros_like(self._ids)
        self._answer = torch.zeros_like(self._ids)
        self._graph: Any = None

    def __call__(self, ids: torch.Tensor, positions: torch.Tensor) -> list[list[int]]:
        self._ids.copy_(ids)
        self._positions.copy_(positions)
        self._cache.positions = self._positions
        if self._ids.is_cuda and self._graph is None:
            self._record()
        if self._graph is not None:
            self._graph.replay()
        else:
            self._run()
        answer: list[list[int]] = self._answer.tolist()
        return answer

    def _run(self) -> None:
        seen = self._columns[None, None, None, :] <= self._positions[:, None, :, None]
        logits = self._model(
            input_ids=self._ids,
            attention_mask=seen,
            position_ids=self._positions,
            past_key_values=self._cache,
            use_cache=True,
        ).logits
        self._answer.copy_(logits.argmax(-1))

    def _record(self) -> None:
        make_stream: Any = torch.cuda.Stream
        stream = make_stream(self._ids.device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # lazy set-up of libraries must not be recorded
                self._run()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._run()


def generate_static(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    *,
    eos: int | Collection[int],
    pad: int,
    batch_size: int,
    lookup: bool = True,
) -> list[list[int]]:
    """New tokens of each prompt, without EOS: those of :func:`trainer.generate.generate`, greedily.

    ``limits`` bounds them one by one. Every batch has ``batch_size`` rows, the last one filled up.
    """
    AttentionInterface.register("astra_static", attend)
    before = model.config._attn_implementation
    model.set_attn_implementation("astra_static")
    made: list[list[int]] = [[] for _ in prompts]
    batches = [
        b
        for b in batches_by_length([len(p) for p in prompts], min(batch_size, max(1, len(prompts))))
        if any(limits[i] for i in b)
    ]
    try:
        with torch.inference_mode():
            for batch in batches:
                _run_batch(model, prompts, limits, made, batch, len(batches[0]), eos, pad, lookup)
    finally:
        model.set_attn_implementation(before)
    return made


def _run_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    made: list[list[int]],
    batch: Sequence[int],
    rows: int,
    eos: int | Collection[int],
    pad: int,
    lookup: bool,
) -> None:
    room = max(len(prompts[i]) + limits[i] for i in batch) + _GUESSES + 1
    columns = -(-room // _ROUND) * _ROUND
    cache = _Columns(rows, columns)
    _prefill(model, cache, [prompts[i] for i in batch], pad)
    steps: dict[int, _Step] = {}
    width = Width(_GUESSES if lookup else 0)
    running = [index for index, i in enumerate(batch) if limits[i]]
    places = [0] * len(batch)
    guesses: list[list[int]] = [[] for _ in batch]
    ids = torch.full((rows, 1), pad)
    positions = torch.zeros((rows, 1), dtype=torch.long)
    for index, i in enumerate(batch):
        ids[index, 0], positions[index, 0] = prompts[i][-1], len(prompts[i]) - 1
    while running:
        asked = ids.shape[1]
        if asked not in steps:
            steps[asked] = _Step(model, cache, rows, columns, asked)
        answers = steps[asked](ids, positions)
        right, still = [], []
        for index in running:
            i = batch[index]
            kept = agreed(guesses[index], answers[index])
            if guesses[index]:
                right.append(kept - 1)
            if take(answers[index][:kept], made[i], limits[i], eos):
                still.append(index)
            places[index] += kept
        width.learn(right)
        running = still
        wanted = width.now()
        guesses = [[] for _ in batch]
        ids = torch.full((rows, 1 + (_GUESSES if wanted else 0)), pad)
        # A row that has ended, and a place nobody guesses for, writes into columns that are written again
        # before anyone looks at them, or never.
        positions = (positions[:, :1] + torch.arange(ids.shape[1])).clamp(max=columns - 1)
        for index in running:
            i = batch[index]
            if wanted:
                most = min(_GUESSES, limits[i] - len(made[i]) - 1)
                guesses[index], places[index] = guess(prompts[i], made[i], near=places[index], longest=most)
            tokens = [made[i][-1], *guesses[index]]
            ids[index, : len(tokens)] = torch.tensor(tokens)
            first = len(prompts[i]) + len(made[i]) - 1
            positions[index] = torch.arange(first, first + ids.shape[1])


def _prefill(model: Any, cache: _Columns, prompts: Sequence[Sequence[int]], pad: int) -> None:
    """All tokens of every prompt but the last, padded to the right: what is padding there is written over."""
    together = max(1, _PREFILL_TOKENS // max(map(len, prompts)))
    for first in range(0, len(prompts), together):
        some = prompts[first : first + together]
        longest = max(1, max(map(len, some)) - 1)
        ids = torch.full((len(some), longest), pad)
        for row, prompt in zip(ids, some, strict=True):
            row[: len(prompt) - 1] = torch.tensor(list(prompt[:-1]), dtype=torch.long)
        plain: Any = DynamicCache(config=model.config)
        model(
            input_ids=ids.to(model.device),
            position_ids=torch.arange(longest, device=model.device).expand(len(some), -1),
            past_key_values=plain,
            use_cache=True,
            logits_to_keep=1,
        )
        cache.fill(slice(first, first + len(some)), plain)
