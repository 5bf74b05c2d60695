"""One recipe from corpus to adapter folder, read from top to bottom.

What it does, and why:

* Best-fit packs with attention boundaries: no padding, and gradients equal to those of single examples.
* Loss on the answer and its EOS only, computed on those rows only.
* Frozen weights in the card's precision, adapter weights in fp32: updates of bf16 adapters round to zero.
  No autocast: the layers of :mod:`trainer.fused` read the input as it is, where PEFT's own upcast it.
* On a GPU, passes over memory that plain torch makes several times are one (:mod:`trainer.kernels`, on
  Hopper :mod:`trainer.attention_kernels`); Liger's, where installed, serve what is left.
* One optimizer step sees ``batch_tokens`` tokens however small the packs must be for the memory.
* Memory is a budget (:mod:`trainer.trial`): halves of layers are computed again in the backward pass, and
  packs made smaller, as far as one trial before step 1 finds that they must; then, where nobody named a
  precision, four-bit weights; an error with the numbers at the floor.
* Validation split by hash, taken from the tenant's examples before replay is mixed in.
* A loss or gradient that is not finite ends the run. So does SIGTERM, after the step under way; with a
  folder for checkpoints the same command goes on from there later. Neither publishes anything.
* The saved adapter is loaded again and must give the same logits before its folder gets its name.
"""

from __future__ import annotations

import logging
import math
import resource
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from trainer import checkpoint
from trainer.again import NOTHING
from trainer.budget import GIB, Plan
from trainer.card import has_kernels
from trainer.clock import Clock
from trainer.contamination import load_for_training
from trainer.data import REPLAY_TENANT, Record, Template, read_records
from trainer.encode import Corpus, check_fits, encode
from trainer.errors import BadUsage, BaseTooLarge, DiskError, Interrupted, OutOfMemory
from trainer.fused import fuse
from trainer.model import (
    Placement,
    base_identity,
    load_tokenizer,
    placements,
    release,
    text_tower,
)
from trainer.options import EvaluateOptions, Recipe, TrainOptions, recipe_for
from trainer.packing import best_fit, collate, schedule
from trainer.pipes import Signals
from trainer.publish import publish, save_checked, write_json
from trainer.recipe import Checkpoints, Watch, liger_for, make_trainer
from trainer.trial import memory_limit, set_again, settle, walked

_PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers")  # they decide the weights
log = logging.getLogger("trainer")
_OF_A_PARAMETER = 16  # bytes: its gradient, two moments, the best so far


@dataclass(frozen=True)
class Job:
    """What was asked for, and what was settled for this base and card.

    ``apart``: examples may share a pack (:mod:`trainer.contamination`); else each is a pack of its own.
    """

    options: TrainOptions
    recipe: Recipe
    placement: Placement
    apart: bool = True


def train(options: TrainOptions, signals: Signals) -> dict[str, Any]:
    """Train and publish ``options.out``; returns the metrics. Raises a :class:`TrainerError` otherwise."""
    if options.out.exists():
        raise BadUsage(f"{options.out} exists; an adapter folder is never overwritten")
    if (options.judge is None) != (options.answers is None):
        raise BadUsage("--judge and --answers belong together")
    records = read_records(options.data, tenant_id=options.tenant)
    choices = placements(options.device, options.precision, require_gpu=options.require_gpu)
    while True:
        placement = choices.pop(0)
        try:
            return _train_placed(options, records, placement, signals)
        except OutOfMemory as error:
            if not choices:
                raise
            log.warning("%s", error)
        log.warning("again with precision %s", choices[0].precision)
        release()


def _train_placed(
    options: TrainOptions, records: Sequence[Record], placement: Placement, signals: Signals
) -> dict[str, Any]:
    clock = Clock()
    tokenizer = load_tokenizer(options.base, options.base_revision)
    model, apart = load_for_training(options.base, options.base_revision, placement)
    clock.lap("base")
    template = Template(tokenizer, model.generation_config)
    chosen = options.recipe
    if isinstance(chosen, Recipe):
        recipe = chosen
    else:
        recipe = recipe_for(
            model.num_parameters(),
            chosen,
            examples=sum(r.tenant_id != REPLAY_TENANT for r in records),
            tokens=sum(len(template.encode(r)) for r in records),
        )
    job = Job(options, recipe, placement, apart=apart)
    corpus = encode(
        records,
        template,
        recipe,
        model,
        file=options.data.name,
        skip_too_long=options.skip_too_long,
        validation_share=options.validation_share,
    )
    check_fits(model, tokenizer, corpus)
    clock.lap("corpus")
    partial = options.out.with_name(options.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run left behind
    try:
        partial.mkdir(parents=True)
        model, figures = train_within_memory(model, corpus, job, signals, partial, clock)
        metrics = _metrics(figures, model, corpus, job, clock.since("corpus")) | template.described()
        model = save_checked(model, corpus.train, partial, also_bin=options.bin, alone=not job.apart)
        clock.lap("checked")
        metrics |= clock.metrics()
        write_json(partial / "metrics.json", metrics)
        publish(partial, options.out)
        if options.checkpoints is not None:
            shutil.rmtree(options.checkpoints, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise DiskError(f"the adapter cannot be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    signals.result({k: v for k, v in metrics.items() if k != "hyperparameters"})
    return metrics | _judged(model, template, job, clock)


def _judged(model: Any, template: Template, job: Job, clock: Clock) -> dict[str, Any]:
    """The adapter's answers to the golden set, where one was given; not part of the adapter's own metrics."""
    options = job.options
    if options.judge is None or options.answers is None:
        return {}
    from trainer.judge import CANDIDATE, judge

    if getattr(model, "has_liger_kernels", False):
        log.warning("not judged here: kernels of Liger's are in the way; evaluate does it")
        return {"judged": False}
    release()
    given = EvaluateOptions(
        data=options.judge,
        base=options.base,
        base_revision=options.base_revision,
        tenant=options.tenant,
        out=options.answers,
        adapters={CANDIDATE: options.out},
    )
    figures = judge(model, template, job.placement, given)
    clock.lap("judged")
    return figures | clock.metrics()


def train_within_memory(
    model: Any, corpus: Corpus, job: Job, signals: Signals, folder: Path, clock: Clock | None = None
) -> tuple[Any, Watch]:
    """Run the recipe within the card's memory.

    The plan (:mod:`trainer.trial`) is settled before step 1. Should memory fail later all the same (others
    may have taken some), training starts again with a tenth less; the result is the same.
    """
    clock = clock or Clock()
    limit = memory_limit() if job.placement.device == "cuda" else 0
    while True:
        adapted = _try(model, corpus, job, signals, folder, limit, clock)
        if not isinstance(adapted, OutOfMemoryAt):
            return adapted
        limit = int(0.9 * min(limit, memory_limit()))
        log.warning("out of memory: again with %.1f GiB", limit / GIB)
        model = adapted.model
        del adapted
        release()


@dataclass(frozen=True)
class OutOfMemoryAt:
    """A try that ended for lack of memory; ``model`` is the base without the adapter."""

    model: Any


def _try(
    model: Any, corpus: Corpus, job: Job, signals: Signals, folder: Path, limit: int, clock: Clock
) -> tuple[Any, Watch] | OutOfMemoryAt:
    """One training in so much memory. The exception of a lack of it is left behind here: its traceback would
    keep every tensor of the try alive."""
    import torch
    from transformers import set_seed

    recipe, options = job.recipe, job.options
    lengths = [len(e) for e in corpus.train]
    set_seed(recipe.seed)  # before the adapter is made: lora_A is drawn here
    adapted = _with_adapter(model, job, clock)
    plan = _plan(adapted, corpus, job, limit)
    clock.lap("plan")
    filled = plan.pack_tokens if job.apart else max(1, sum(lengths) // len(lengths))
    accumulation = max(1, round(recipe.batch_tokens / filled))
    packs = schedule(
        lengths, capacity=plan.pack_tokens, epochs=recipe.epochs, seed=recipe.seed, together=job.apart
    )
    watch = Watch(
        signals, folder / "train_log.jsonl", recipe, accumulation, packs, corpus.train, corpus.validation,
        together=job.apart,
    )  # fmt: skip
    watch.plan = plan
    try:
        resumed = _resume(watch, job, plan)
        work = options.checkpoints or folder / "work"
        trainer = make_trainer(adapted, packs, corpus.train, watch, recipe, accumulation, job.placement, work)
        with _finish_the_step_first(watch):
            trainer.train(resume_from_checkpoint=resumed)
    except torch.OutOfMemoryError:
        return OutOfMemoryAt(adapted.unload())
    if watch.interrupted is not None:
        done = watch.entries[-1]["step"] if watch.entries else 0
        after = (
            "the same command goes on from there" if options.checkpoints else "no checkpoint was asked for"
        )
        raise Interrupted(
            f"interrupted by {watch.interrupted} after step {done} of {watch.steps}, {after}; "
            "nothing was published"
        )
    # Undo accelerate's autocast wrapper: the reload check compares with a model that never had one.
    adapted = trainer.accelerator.unwrap_model(adapted, keep_fp32_wrapper=False)
    watch.finish(adapted)
    clock.lap("steps")
    set_again(adapted, NOTHING)
    shutil.rmtree(folder / "work", ignore_errors=True)
    return adapted, watch


def _plan(adapted: Any, corpus: Corpus, job: Job, limit: int) -> Plan:
    """How large the packs are, and what of them is computed again; on a card by trying it out."""
    recipe, lengths = job.recipe, [len(e) for e in corpus.train]
    longest = max(lengths)
    largest = max(longest, min(recipe.batch_tokens, recipe.pack_tokens))
    if job.placement.device != "cuda":
        return Plan(largest)
    # without packs there is one size: the longest example's
    sizes = sorted({max(longest, largest >> n) for n in range(5)}, reverse=True) if job.apart else [longest]

    def batch_of(tokens: int) -> Mapping[str, Any]:
        if job.apart:
            capacity = max(tokens, min(lengths))
            packs = best_fit([n for n in lengths if n <= capacity], capacity)
            kept = [e for e in corpus.train if len(e) <= capacity]
        else:
            kept = [e for e in corpus.train if len(e) <= tokens] or [min(corpus.train, key=len)]
            packs = [[i] for i in range(len(kept))]
        sized = [(sum(len(kept[i]) for i in pack), max(len(kept[i]) for i in pack), pack) for pack in packs]
        return collate([kept[i] for i in max(sized)[2]], alone=not job.apart)

    import torch

    trainable = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    try:
        return settle(adapted, batch_of, sizes=sizes, reserve=_OF_A_PARAMETER * trainable, limit=limit)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory("out of memory before any pack; take a larger card or a smaller base") from error


def _resume(watch: Watch, job: Job, plan: Plan) -> str | None:
    """Tell ``watch`` where to write checkpoints; the folder of the one to go on from, if there is one."""
    options = job.options
    if options.checkpoints is None:
        return None
    training = checkpoint.identity(
        options.data.read_bytes(),
        base=base_identity(options.base, options.base_revision),
        recipe=asdict(job.recipe),
        validation_share=options.validation_share,
        precision=job.placement.precision,
        pack_tokens=plan.pack_tokens,
    )
    watch.checkpoints = Checkpoints(options.checkpoints, training, 60 * options.checkpoint_minutes)
    found = checkpoint.newest(options.checkpoints, training)
    if found is None:
        return None
    folder, state = found
    watch.restore(state)
    log.info("going on from %s", folder.name)
    return str(folder)


@contextmanager
def _finish_the_step_first(watch: Watch) -> Iterator[None]:
    """While the loop runs, SIGTERM and SIGINT wait for the end of a step; a second one does not."""

    def note(number: int, _: object) -> None:
        if watch.interrupted is not None:
            raise Interrupted(f"interrupted twice by {watch.interrupted}; nothing was published")
        watch.interrupted = signal.Signals(number).name

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _with_adapter(model: Any, job: Job, clock: Clock) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    recipe, options = job.recipe, job.options
    targets: Any = recipe.target_modules
    targets = text_tower(model) or targets if targets == "all-linear" else targets.split(",")
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=0.0,
        target_modules=targets,
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(model, config, autocast_adapter_dtype=True)
    except torch.OutOfMemoryError as error:
        raise BaseTooLarge(
            f"the base model in {job.placement.precision} leaves the card no memory for an adapter; "
            "use --precision nf4, a smaller base or a larger card"
        ) from error
    except ValueError as error:
        raise BadUsage(f"the adapter does not fit this base model: {error}") from error
    clock.lap("adapter")
    name, revision = base_identity(options.base, options.base_revision)
    clock.lap("identity")
    stored = adapted.peft_config["default"]
    stored.base_model_name_or_path, stored.revision = name, revision
    fuse(adapted)
    if job.placement.device == "cuda" and has_kernels() and find_spec("liger_kernel") and not walked(adapted):
        from transformers.integrations import liger

        apply: Any = liger.apply_liger_kernel
        model.has_liger_kernels = True
        # what is walked has kernels of its own, and its library's functions unchanged
        apply(adapted, liger_for(adapted))
    release()  # the weights that were moved
    clock.lap("layers")
    return adapted


def _metrics(watch: Watch, model: Any, corpus: Corpus, job: Job, seconds: float) -> dict[str, Any]:
    import torch

    placement = job.placement
    on_gpu = placement.device == "cuda"
    peak = (
        torch.cuda.max_memory_allocated()
        if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    losses = [entry["loss"] for entry in watch.entries]
    edge = max(1, len(losses) // 10)
    hyperparameters = asdict(job.recipe) | {
        "optimizer": "adamw", "schedule": "linear", "validation_share": job.options.validation_share,
        "pack_tokens": watch.plan.pack_tokens, "computed_again": asdict(watch.plan.again),
    }  # fmt: skip
    return {
        "train_loss_first": sum(losses[:edge]) / edge,
        "train_loss_last": sum(losses[-edge:]) / edge,
        "examples_apart": job.apart,
        "validation_loss_first": watch.validation[0] if watch.validation else None,
        "validation_loss_last": watch.validation[-1] if watch.validation else None,
        "perplexity": math.exp(min(50.0, watch.validation[-1])) if watch.validation else None,
        "steps": watch.entries[-1]["step"],
        "tokens": watch.tokens,
        "seconds": round(seconds, 2),
        "tokens_per_second": round(watch.tokens / max(1e-9, watch.seconds), 1),
        "train_examples": len(corpus.train),
        "validation_examples": len(corpus.validation),
        "replay_examples": corpus.replay_examples,
        "made_examples": corpus.made_examples,
        "too_long_examples": corpus.too_long,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "reload_equal": True,  # the folder is published only when it is
        "finite": True,  # likewise
        "peak_memory_bytes": int(peak),
        "device": placement.device if not on_gpu else torch.cuda.get_device_name(),
        "precision": placement.precision,
        "hyperparameters": hyperparameters,
        **{f"package.{name}": version(name) for name in _PACKAGES},
    }
