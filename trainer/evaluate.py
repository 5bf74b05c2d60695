"""Golden-set predictions of the base and of adapters on it, made the same way for all of them.

Greedy, sorted by length and batched, with the key-value cache and guesses from the prompt; one
process, one dtype, the same batches: where memory is short, all models start again with smaller
batches, and where not even the base fits, with four-bit weights unless somebody named a precision. An
adapter is merged into a freshly loaded copy of the base (except on NF4 weights, where merging would round
it away) so that no model runs slower or differently than another.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.contamination import may_share_packs
from trainer.data import Encoded, Record, Template, read_records
from trainer.errors import BadBase, BadUsage, BaseTooLarge, DiskError, OutOfMemory
from trainer.generate import generate
from trainer.loss import nll_by_example
from trainer.model import (
    Placement,
    base_identity,
    generation_config,
    load_base,
    load_tokenizer,
    placements,
    release,
)
from trainer.options import EvaluateOptions
from trainer.packing import best_fit, collate
from trainer.static_generate import allowed, generate_static

log = logging.getLogger("trainer")
BASE = "base"


@dataclass(frozen=True)
class Prediction:
    """One model's answer; ``nll`` is summed over the ``tokens`` of the reference and its EOS, in nats."""

    text: str
    nll: float
    tokens: int


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Write one JSON line per example to ``options.out``; returns counts and seconds per model."""
    if BASE in options.adapters:
        raise BadUsage(f"{BASE!r} is the base model's own name; call the adapter something else")
    records = read_records(options.data, tenant_id=options.tenant, replay_allowed=True)
    for folder in options.adapters.values():
        _check_adapter(folder, options)
    choices = placements(options.device, options.precision, require_gpu=options.require_gpu)
    template = Template(
        load_tokenizer(options.base, options.base_revision),
        generation_config(options.base, options.base_revision),
    )
    encoded = [template.encode(record) for record in records]

    size = options.batch_size or batch_size_on(choices[0].device)
    while True:
        try:
            predictions, seconds = _predict_all(options, choices[0], template, records, encoded, size)
            break
        except OutOfMemory as error:
            if (isinstance(error, BaseTooLarge) or size == 1) and len(choices) > 1:
                choices.pop(0)  # a base that fits the card may leave no room for a single prompt
                size = options.batch_size or batch_size_on(choices[0].device)
            elif isinstance(error, BaseTooLarge) or size == 1:
                raise
            else:
                size //= 2
            log.warning("%s", error)
        log.warning("again in batches of %d, precision %s", size, choices[0].precision)
        release()
    write_predictions(options.out, records, predictions, choices[0].precision)
    return {
        "examples": len(records), "seconds": seconds, "batch_size": size, "precision": choices[0].precision,
    }  # fmt: skip


def batch_size_on(device: str) -> int:
    """Prompts at once, where nobody says how many."""
    return 128 if device == "cuda" else 32


def _predict_all(
    options: EvaluateOptions,
    placement: Placement,
    template: Template,
    records: Sequence[Record],
    encoded: Sequence[Encoded],
    batch_size: int,
) -> tuple[dict[str, list[Prediction]], dict[str, float]]:
    """Predictions and seconds of each model. Raises :class:`OutOfMemory` with nothing kept."""
    import torch

    predictions: dict[str, list[Prediction]] = {}
    seconds: dict[str, float] = {}
    models: dict[str, Path | None] = {**({BASE: None} if options.with_base else {}), **options.adapters}
    for name, place_of in models.items():
        began = time.monotonic()
        model = load_adapted(options, placement, place_of)
        try:
            predictions[name] = predict(model, template, records, encoded, options, batch_size)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"out of memory with batches of {batch_size}") from error
        del model
        release()
        seconds[name] = round(time.monotonic() - began, 2)
        log.info("%s: %d predictions in %.1f s", name, len(records), seconds[name])
    return predictions, seconds


def _check_adapter(folder: Path, options: EvaluateOptions) -> None:
    """Refuse an adapter that is not one, or was trained on another base."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadBase(f"{folder} holds no readable adapter_config.json") from error
    if not (folder / "adapter_model.safetensors").is_file():
        raise BadBase(f"{folder} holds no adapter_model.safetensors")
    name, revision = base_identity(options.base, options.base_revision)
    trained = (config.get("base_model_name_or_path"), config.get("revision"))
    if trained != (name, revision):
        raise BadBase(
            f"{folder.name} was trained on {trained[0]} at {trained[1]}, not on {name} at {revision}"
        )


def load_adapted(options: EvaluateOptions, placement: Placement, adapter: Path | None) -> Any:
    """The base, with ``adapter`` merged into it where the weights can hold it."""
    model = load_base(options.base, options.base_revision, placement, packed=False)
    return model if adapter is None else adapted(model, placement, adapter)


def adapted(model: Any, placement: Placement, adapter: Path) -> Any:
    """``model``, a base, with ``adapter`` merged into it where the weights can hold it."""
    import torch
    from peft import PeftModel
    from safetensors import SafetensorError

    from trainer.resident import own_weights

    try:
        both = PeftModel.from_pretrained(model, adapter)
        if getattr(model, "held", False):
            own_weights(both)
        return (both if placement.precision == "nf4" else both.merge_and_unload()).eval()
    except torch.OutOfMemoryError as error:
        raise BaseTooLarge(
            f"the base model in {placement.precision} leaves the card no memory for an adapter; "
            "use --precision nf4, a smaller base or a larger card"
        ) from error
    except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise BadBase(f"the adapter in {adapter} does not load: {error}") from error


def predict(
    model: Any,
    template: Template,
    records: Sequence[Record],
    encoded: Sequence[Encoded],
    options: EvaluateOptions,
    batch_size: int,
) -> list[Prediction]:
    """One model's answer to every record, and what it thinks of the reference."""
    window = getattr(model.config, "max_position_embeddings", None) or 1 << 30
    wanted = [
        min(options.max_new_tokens, int(1.5 * len(template.tokenizer(record.input)["input_ids"])) + 16)
        for record in records
    ]
    fitting = [
        i for i, example in enumerate(encoded) if max(len(example), example.prompt + wanted[i]) <= window
    ]
    chosen = generate_static if model.device.type == "cuda" and allowed(model) else generate
    made = chosen(
        model,
        [encoded[i].tokens[: encoded[i].prompt] for i in fitting],
        [wanted[i] for i in fitting],
        eos=template.stops,
        pad=template.pad,
        batch_size=batch_size,
    )
    scores = _reference_losses(model, [encoded[i] for i in fitting])
    predictions = [Prediction(record.input, 0.0, 0) for record in records]
    for i, tokens, (nll, count) in zip(fitting, made, scores, strict=True):
        predictions[i] = Prediction(template.decode(tokens), nll, count)
    if len(fitting) < len(records):
        log.warning("%d of %d inputs do not fit the base model", len(records) - len(fitting), len(records))
    return predictions


def _reference_losses(
    model: Any, encoded: Sequence[Encoded], capacity: int = 4096
) -> list[tuple[float, int]]:
    """NLL of each reference, computed in packs, in the order of ``encoded``."""
    from trainer.attention import register

    if not encoded:
        return []
    own = model.config._attn_implementation
    model.set_attn_implementation(register(model.device, model.dtype))
    together = may_share_packs(model)
    if together:
        packs = best_fit([len(e) for e in encoded], max([capacity, *map(len, encoded)]))
    else:
        model.set_attn_implementation(own)
        packs = [[i] for i in range(len(encoded))]
    batches = (collate([encoded[i] for i in pack], alone=not together) for pack in packs)
    found = nll_by_example(model, batches)
    model.set_attn_implementation(own)
    ordered: list[tuple[float, int]] = [(0.0, 0)] * len(encoded)
    for index, score in zip((i for pack in packs for i in pack), found, strict=True):
        ordered[index] = score
    return ordered


def write_predictions(
    out: Path, records: Sequence[Record], predictions: Mapping[str, Sequence[Prediction]], precision: str
) -> None:
    write_lines(
        out,
        (
            {
                "example_id": record.example_id,
                "document_id": record.document_id,
                "input": record.input,
                "reference": record.output,
                "precision": precision,
                "predictions": {
                    name: {"text": p[index].text, "nll": p[index].nll, "tokens": p[index].tokens}
                    for name, p in predictions.items()
                },
            }
            for index, record in enumerate(records)
        ),
        what="the predictions",
    )


def write_lines(out: Path, lines: Iterable[Mapping[str, Any]], *, what: str) -> None:
    """A line of JSON each, all of them or none; ``what`` they are, for the error.

    Raises:
        DiskError: they cannot be written.
    """
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, out)
    except OSError as error:
        raise DiskError(f"{what} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
