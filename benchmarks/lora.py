"""LoRA training and generation on one GPU, beside TRL and a plain Trainer script, in one call.

    python benchmarks/lora.py                       # every row; needs a card of 80 GB, trl, liger-kernel
    python benchmarks/lora.py --rows ours ours-nf4 --seconds 10 --layers 8
    python benchmarks/lora.py --rows none --memory 15 22    # ours and TRL in NF4, on so many GiB of the card

An 8B Llama shape with random weights; 2,000 examples of 60 to 500 tokens of which half are learned;
r = 16 on all linear layers. Tokens are counted without padding, and not before the third step. "share" is
the useful arithmetic (recomputation by checkpointing is not) over the rate of an 8192³ bf16 matrix
product on the same card, measured for two seconds before the first row and after the last.
The gradient error is that of one pack's adapter gradient against one example at a time in fp32.
``--memory`` gives the process so many GiB of the card (``set_per_process_memory_fraction``), ours and TRL
alike, and says which plan the trainer found.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import trainer  # noqa: E402, F401, I001  # before torch, which reads once how to ask for memory

import torch  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments  # noqa: E402

from trainer.again import NOTHING, Again  # noqa: E402
from trainer.data import Encoded  # noqa: E402
from trainer.encode import Corpus  # noqa: E402
from trainer.errors import TrainerError  # noqa: E402
from trainer.model import Placement, load_base, release  # noqa: E402
from trainer.options import Recipe, TrainOptions  # noqa: E402
from trainer.pipes import Signals  # noqa: E402
from trainer.train_lora import Job, train_within_memory  # noqa: E402
from trainer.trial import set_again  # noqa: E402

VOCABULARY, RANK = 128_256, 16


@dataclass
class Row:
    """One line of the table; ``tokens_per_second`` is None where the row did not run, ``why`` says so."""

    name: str
    tokens_per_second: float | None = None
    peak_gib: float = 0.0
    why: str = ""


def shape(layers: int) -> LlamaConfig:
    """Llama 3.1 8B's; fewer layers for a quick look."""
    return LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=4096, intermediate_size=14336, num_hidden_layers=layers,
        num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=131_072, rope_theta=500_000.0,
        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip


def make_base(folder: Path, layers: int) -> None:
    """Random weights on disk, beside the tokenizer of the shipped base, so that every row really loads."""
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = LlamaForCausalLM._from_config(shape(layers), dtype=torch.bfloat16)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(REPOSITORY / "trainer" / "base_model" / name, folder / name)
    del model
    release()


def make_examples(count: int, seed: int = 3) -> list[Encoded]:
    draw = random.Random(seed)
    lengths = [draw.randint(60, 500) for _ in range(count)]
    return [Encoded(tuple(draw.choices(range(4, 8000), k=n)), n // 2) for n in lengths]


def flops_per_token(examples: Sequence[Encoded], layers: int) -> float:
    """Useful operations of a training step for each token, forward and backward, weights frozen.

    Linear layers: 2 forward, 2 for the input's gradient, for each weight; LoRA 2 more for its own
    gradient; the vocabulary on learned rows only; causal attention half of a full square, thrice.
    """
    hidden, wide, narrow = 4096, 14336, 1024
    linear = layers * (2 * hidden * hidden + 2 * hidden * narrow + 3 * hidden * wide)
    lora = layers * RANK * (2 * (hidden + hidden) + 2 * (hidden + narrow) + 3 * (hidden + wide))
    tokens = sum(map(len, examples))
    learned = sum(len(e) - e.prompt for e in examples)
    attention = layers * sum(2 * hidden * len(e) ** 2 for e in examples) * 3
    return 4 * linear + 6 * lora + 4 * hidden * VOCABULARY * learned / tokens + attention / tokens


def matmul_rate(seconds: float = 2.0) -> float:
    """Operations a second of an 8192³ bf16 product on random data, for so long that the card is warm."""
    size = 8192
    left, right = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    out = left @ right
    torch.cuda.synchronize()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(20):
            torch.mm(left, right, out=out)
        torch.cuda.synchronize()
        done += 20
    return 2.0 * size**3 * done / (time.perf_counter() - began)


@contextmanager
def row(name: str, rows: list[Row]) -> Iterator[Row]:
    """Collects one row; a peer that fails (memory, a missing package) is a result, not the end."""
    release()
    torch.cuda.reset_peak_memory_stats()
    result = Row(name)
    held = torch.cuda.memory_reserved() / 2**30
    try:
        yield result
    except (RuntimeError, ImportError, ValueError, TypeError, AttributeError, TrainerError) as error:
        result.tokens_per_second, result.why = None, f"{type(error).__name__}: {error}".splitlines()[0][:80]
        sys.stderr.write(f"{name}: {held:.2f} GiB held before it; {error!r}, from {error.__cause__!r}\n")
    result.peak_gib = torch.cuda.max_memory_allocated() / 2**30
    rows.append(result)
    sys.stderr.write(f"{result}\n")


@contextmanager
def card_of(gib: float) -> Iterator[None]:
    """A smaller card: this process may hold ``gib`` GiB."""
    release()
    torch.cuda.set_per_process_memory_fraction(gib * 2**30 / torch.cuda.get_device_properties(0).total_memory)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def ours(
    base: Path,
    examples: Sequence[Encoded],
    precision: str,
    seconds: float,
    *,
    pack: int,
    around: AbstractContextManager[Any] | None = None,
    told: Row | None = None,
) -> float:
    """The recipe itself, as ``python -m trainer train`` runs it, on as many packs as fill ``seconds``."""
    placement = Placement("cuda", precision)
    model = load_base(str(base), None, placement, packed=True)
    options = TrainOptions(data=base, base=str(base), tenant="bench", out=base / "out")
    recipe = Recipe(rank=RANK, learning_rate=2e-4, batch_tokens=pack, pack_tokens=pack, patience=0)
    few = list(examples[: int(16_000 * seconds / 280)])
    with tempfile.TemporaryDirectory() as name, around or nullcontext():
        _, watch = train_within_memory(
            model, Corpus(few, [], 0), Job(options, recipe, placement), Signals(), Path(name)
        )
    if told is not None:
        told.why = str(watch.plan)
    tokens, times, total = [], [], 0
    for size, entry in zip(watch.step_tokens, watch.entries, strict=False):
        total += size
        tokens.append(total)
        times.append(total / entry["tokens_per_second"])
    return (tokens[-1] - tokens[2]) / (times[-1] - times[2])


class Meter(TrainerCallback):  # type: ignore[misc]
    """Tokens a second of someone else's trainer after its third step; ends it after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.tokens, self.began, self.rate = seconds, 0, 0.0, 0.0
        self.steps: list[int] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:  # noqa: ARG002
        if state.global_step < 3:
            return control
        torch.cuda.synchronize()
        now = time.perf_counter()
        if state.global_step == 3:
            self.began, self.tokens = now, 0
            self.steps.clear()
            return control
        self.rate = sum(self.steps) / (now - self.began)
        control.should_training_stop = now - self.began > self.seconds
        return control


def counting(collate: Callable[..., Any], meter: Meter, pad: int) -> Callable[..., Any]:
    """The trainer's own collator, its tokens counted (packs hold none of the padding token)."""

    def call(features: Any) -> Any:
        batch = collate(features)
        mask = batch.get("attention_mask")
        meter.steps.append(int(mask.sum() if mask is not None else (batch["input_ids"] != pad).sum()))
        return batch

    return call


def lora(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model, LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def rows_of(examples: Sequence[Encoded]) -> list[dict[str, list[int]]]:
    return [
        {
            "input_ids": list(e.tokens),
            "labels": [-100] * e.prompt + list(e.tokens[e.prompt :]),
            "completion_mask": [0] * e.prompt + [1] * (len(e) - e.prompt),
        }
        for e in examples
    ]


def plain_trainer(base: Path, examples: Sequence[Encoded], precision: str, seconds: float) -> float:
    """What a tutorial shows: padded batches of eight, PEFT, bf16 autocast."""
    from transformers import AutoTokenizer, DataCollatorForSeq2Seq

    model = load_base(str(base), None, Placement("cuda", precision), packed=False)
    tokenizer = AutoTokenizer.from_pretrained(base)
    meter = Meter(seconds)
    collate = counting(DataCollatorForSeq2Seq(tokenizer, padding=True), meter, tokenizer.pad_token_id)
    data = [{k: v for k, v in r.items() if k != "completion_mask"} for r in rows_of(examples)]
    with tempfile.TemporaryDirectory() as name:
        arguments = TrainingArguments(
            output_dir=name, per_device_train_batch_size=8, bf16=True, learning_rate=2e-4, report_to="none",
            save_strategy="no", logging_strategy="no", disable_tqdm=True, remove_unused_columns=False,
        )  # fmt: skip
        Trainer(
            model=lora(model), args=arguments, train_dataset=data, data_collator=collate, callbacks=[meter]
        ).train()
    return meter.rate


def trl(base: Path, examples: Sequence[Encoded], precision: str, seconds: float, **options: Any) -> float:
    """TRL's SFTTrainer; for packs it gets the same attention kernel as we use."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    packing = bool(options.get("packing"))
    model = load_base(str(base), None, Placement("cuda", precision), packed=packing)
    tokenizer = AutoTokenizer.from_pretrained(base)
    meter = Meter(seconds)
    data = Dataset.from_list([{k: v for k, v in r.items() if k != "labels"} for r in rows_of(examples)])
    with tempfile.TemporaryDirectory() as name:
        settings: dict[str, Any] = {"per_device_train_batch_size": 1, "max_length": 8192} if packing else {}
        arguments = SFTConfig(
            output_dir=name, learning_rate=2e-4, report_to="none", save_strategy="no", disable_tqdm=True,
            logging_strategy="no", completion_only_loss=True, **(settings | options),
        )  # fmt: skip
        trainer = SFTTrainer(
            model=model, args=arguments, train_dataset=data, processing_class=tokenizer, callbacks=[meter],
            peft_config=LoraConfig(
                r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
        )  # fmt: skip
        trainer.data_collator = counting(trainer.data_collator, meter, tokenizer.pad_token_id)
        trainer.train()
    return meter.rate


def gradient_error(base: Path, examples: Sequence[Encoded], kind: str) -> float:
    """Relative error of one pack's adapter gradient against one example at a time in fp32.

    ``kind``: packed (the recipe), again (with all that can be computed again), fp16 (with the loss scaled, as
    cards without bf16 train), padded (PEFT, bf16 autocast, one batch), unbounded (the recipe with the
    boundaries between examples dropped: what must fail).
    """
    return float((_gradient(base, examples, kind) - _gradient(base, examples, "reference")).norm()) / float(
        _gradient(base, examples, "reference").norm()
    )


_KNOWN: dict[tuple[Path, str], torch.Tensor] = {}


def _gradient(base: Path, examples: Sequence[Encoded], kind: str) -> torch.Tensor:
    if (base, kind) not in _KNOWN:
        _KNOWN[base, kind] = _compute_gradient(base, examples, kind)
        release()
    return _KNOWN[base, kind]


def _compute_gradient(base: Path, examples: Sequence[Encoded], kind: str) -> torch.Tensor:
    from torch.nn import functional

    from trainer.fused import fuse
    from trainer.loss import label_losses, to_device
    from trainer.packing import collate

    ours = kind in ("packed", "again", "fp16", "unbounded")
    precision = "fp16" if kind == "fp16" else "bf16"
    model = load_base(str(base), None, Placement("cuda", precision), packed=ours)
    adapted = lora(model.float() if kind == "reference" else model)
    draw = torch.Generator(device="cuda").manual_seed(5)
    with torch.no_grad():
        for name, parameter in sorted(adapted.named_parameters()):
            if "lora_B" in name:
                parameter.normal_(0, 0.01, generator=draw)
            elif "lora_A" in name:
                parameter.uniform_(-0.015, 0.015, generator=draw)
    if ours:
        fuse(adapted.train())
        layers = adapted.config.num_hidden_layers
        set_again(adapted, Again(cheap=True, units=layers, attentions=layers) if kind == "again" else NOTHING)
        scale = 2.0**16 / sum(len(e) - e.prompt for e in examples) if kind == "fp16" else 1.0
        batch = collate(examples)
        if kind == "unbounded":
            batch["cu_seq_lens_q"] = batch["cu_seq_lens_q"][[0, -1]]
            batch["max_length_q"] = int(batch["cu_seq_lens_q"][-1])
        (label_losses(adapted, to_device(batch, "cuda"))[0].sum() * scale).backward()
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.grad is not None:
                    parameter.grad /= scale
    else:
        size = 1 if kind == "reference" else 8
        for first in range(0, len(examples), size):
            part = examples[first : first + size]
            longest = max(map(len, part))
            ids = torch.tensor([[*e.tokens, *[0] * (longest - len(e))] for e in part], device="cuda")
            labels = torch.tensor(
                [[-100] * e.prompt + [*e.tokens[e.prompt :]] + [-100] * (longest - len(e)) for e in part],
                device="cuda",
            )
            mask = torch.tensor([[1] * len(e) + [0] * (longest - len(e)) for e in part], device="cuda")
            with torch.autocast("cuda", torch.bfloat16, enabled=kind == "padded"):
                logits = adapted(input_ids=ids, attention_mask=mask, use_cache=False).logits
            functional.cross_entropy(
                logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), reduction="sum"
            ).backward()
    return torch.cat(
        [p.grad.flatten().cpu() for _, p in sorted(adapted.named_parameters()) if p.grad is not None]
    )


def generation(base: Path, batch: int) -> list[Row]:
    """200 prompts, 128 new tokens each, of three models in turn; and ``generate`` of transformers."""
    from trainer.static_generate import generate_static

    rows: list[Row] = []
    prompts = [e.tokens for e in make_examples(200, seed=9)]
    for name in ("base", "champion", "candidate"):
        with row(f"generate, {name}", rows) as result:
            model = load_base(str(base), None, Placement("cuda", "bf16"), packed=False)
            if name != "base":
                model = lora(model).merge_and_unload()
            times = []
            for _ in range(2 if name == "base" else 1):
                torch.cuda.synchronize()
                began = time.perf_counter()
                made = generate_static(model, prompts, [128] * 200, eos=-1, pad=0, batch_size=batch)
                torch.cuda.synchronize()
                times.append(time.perf_counter() - began)
            result.tokens_per_second = sum(map(len, made)) / times[-1]
            result.why = f"first run {times[0]:.1f} s"
            del model
    with row("transformers generate, batches of 64", rows) as result:
        model = load_base(str(base), None, Placement("cuda", "bf16"), packed=False)
        model.config.use_cache = True
        order = sorted(prompts, key=len)[:64]
        longest = max(map(len, order))
        ids = torch.tensor([[*[0] * (longest - len(p)), *p] for p in order], device="cuda")
        mask = (torch.arange(longest) >= longest - torch.tensor([len(p) for p in order])[:, None]).long()
        options: dict[str, Any] = {"attention_mask": mask.cuda(), "do_sample": False, "eos_token_id": None}
        model.generate(ids, max_new_tokens=4, **options)
        began = time.perf_counter()
        model.generate(ids, max_new_tokens=128, min_new_tokens=128, **options)
        torch.cuda.synchronize()
        result.tokens_per_second = 64 * 128 / (time.perf_counter() - began)
        del model
    return rows


def profile(base: Path, examples: Sequence[Encoded], precision: str, pack: int) -> None:
    """Where the time of a few steps goes, on the card and before it."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    seen = record(activities=[ProfilerActivity.CUDA])
    rate = ours(base, examples, precision, 2.5, pack=pack, around=seen)
    table = seen.key_averages()
    for key in ("self_cuda_time_total",):
        sys.stdout.write(table.table(sort_by=key, row_limit=60, max_name_column_width=90) + "\n")
    sys.stdout.write(f"{rate:,.0f} tokens/s while profiled\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--rows", nargs="+", default=["all"], help="ours, ours-nf4, trl-…, gradient, generation …, none"
    )
    parser.add_argument(
        "--seconds", type=float, default=12.0, help="measured for each row, after its third step"
    )
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--pack", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=200, help="prompts generated together")
    parser.add_argument(
        "--memory", nargs="+", type=float, default=[], metavar="GIB", help="rows on so much of the card"
    )
    parser.add_argument("--base", type=Path, help="folder for the random base model; default: temporary")
    options = parser.parse_args()
    everything = options.rows == ["all"]
    examples, seconds = make_examples(2000), options.seconds
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        base = options.base or Path(name) / "base"
        if not (base / "config.json").exists():
            make_base(base, options.layers)
        rates = [matmul_rate()]

        def plain(precision: str) -> Callable[[], float]:
            return lambda: plain_trainer(base, examples, precision, seconds)

        def peer(precision: str, **settings: Any) -> Callable[[], float]:
            return lambda: trl(base, examples, precision, seconds, **settings)

        packed = {"packing": True}
        plan: dict[str, tuple[str, Callable[[], float]]] = {
            "ours": ("ours, bf16", lambda: ours(base, examples, "bf16", seconds, pack=options.pack)),
            "trainer": ("Trainer, padded, batch 8", plain("bf16")),
            "trl": ("TRL defaults", peer("bf16")),
            "trl-packing": ("TRL packing, as documented", peer("bf16", **packed)),
            "trl-packing-nocp": (
                "TRL packing, no checkpointing",
                peer("bf16", gradient_checkpointing=False, **packed),
            ),
            "trl-packing-liger": (
                "TRL packing, no checkpointing, Liger",
                peer("bf16", gradient_checkpointing=False, use_liger_kernel=True, **packed),
            ),
            "ours-fp16": ("ours, fp16", lambda: ours(base, examples, "fp16", seconds, pack=options.pack)),
            "ours-nf4": ("ours, NF4", lambda: ours(base, examples, "nf4", seconds, pack=options.pack)),
            "trainer-nf4": ("NF4 Trainer, padded, batch 8", plain("nf4")),
            "trl-nf4-packing": ("NF4 TRL packing, as documented", peer("nf4", **packed)),
        }
        for key, (label, measure) in plan.items():
            if everything or key in options.rows:
                with row(label, rows) as result:
                    result.tokens_per_second = measure()
        for gib in options.memory:
            with row(f"ours, NF4, {gib:g} GiB", rows) as result, card_of(gib):
                result.tokens_per_second = ours(
                    base, examples, "nf4", seconds, pack=options.pack, told=result
                )
            with row(f"NF4 TRL packing, as documented, {gib:g} GiB", rows) as result, card_of(gib):
                result.tokens_per_second = trl(base, examples, "nf4", seconds, **packed)
        if "profile" in options.rows:
            profile(base, examples, "bf16", options.pack)
        errors = {}
        if everything or "gradient" in options.rows:
            errors = {
                kind: gradient_error(base, examples[:24], kind)
                for kind in ("packed", "again", "fp16", "padded", "unbounded")
            }
            _KNOWN.clear()
        rates.append(matmul_rate())
        made = generation(base, options.batch) if everything or "generation" in options.rows else []
    rate = sum(rates) / len(rates)
    useful = flops_per_token(examples, options.layers)
    out = [
        f"{torch.cuda.get_device_name()}; bf16 product of 8192^3: {rates[0] / 1e12:.0f} TFLOP/s before, "
        f"{rates[-1] / 1e12:.0f} after"
    ]
    out += ["", "| recipe | tokens/s | share | peak GiB | |", "|---|---:|---:|---:|---|"]
    for r in rows:
        speed = r.tokens_per_second
        figures = f"{speed:,.0f} | {useful * speed / rate:.1%}" if speed else "- | -"
        out.append(f"| {r.name} | {figures} | {r.peak_gib:.1f} | {r.why} |")
    if errors:
        out += ["", "gradient error: " + ", ".join(f"{kind} {value:.4f}" for kind, value in errors.items())]
    if made:
        out += ["", "| generation | new tokens/s | peak GiB | |", "|---|---:|---:|---|"]
        out += [f"| {r.name} | {r.tokens_per_second or 0:,.0f} | {r.peak_gib:.1f} | {r.why} |" for r in made]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
