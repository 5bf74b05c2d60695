"""Pretrain the small Spanish base model that ships in ``trainer/base_model``.

    python -m trainer.making.pretrain_base --text 2015.jsonl.xz ... --heldout 2020.jsonl.xz --out DIR

A Llama of 17 M parameters learns two things at once: Spanish (plain minutes) and to restore noisy
transcripts (``<in>noisy<out>clean<eos>``), so that a LoRA of a few hundred pairs only has to learn
what is special about one municipality. The learning rate falls to zero over ``--seconds`` of wall
clock, not over a number of steps, so the run ends well on any card. About nine minutes on one
NVIDIA H200; it also runs, slowly, on a CPU. Ends with held-out figures and the model card.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.making.hearing import Hearing
from trainer.making.noise import Noise, confusable_words, word_counts, word_errors
from trainer.making.pretrain_data import (
    EOS,
    LONGEST,
    PAD,
    SPECIAL_TOKENS,
    PackStream,
    read_paragraphs,
    sentences,
)

log = logging.getLogger("pretrain")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<in>{{ message['content'] }}<out>"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] }}<eos>{% endif %}"
    "{% endfor %}"
)


@dataclass(frozen=True)
class Figures:
    """What the card reports, on held-out text: WER in percent over words, losses in nats a token."""

    steps: int
    tokens: int
    seconds: float
    heldout_plain_loss: float
    heldout_restore_loss: float
    wer_noisy_input: float
    wer_restored: float
    wer_speech_input: float
    wer_speech_restored: float
    wer_clean_copied: float
    heldout_sentences: int


def train_tokenizer(paragraphs: Sequence[str], noise: Noise, vocabulary: int) -> Any:
    """Byte-level BPE on the text, a part of it noisy and a part with placeholders; digits stay single."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    def texts() -> Iterator[str]:
        for i, text in enumerate(paragraphs):
            yield text
            if i % 4 == 0:
                yield noise.corrupt(text, 1.0)
            if i % 6 == 0:
                yield noise.rename(text, placeholder_share=0.5, invented_share=0.1)

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    fast_class: Any = PreTrainedTokenizerFast
    fast = fast_class(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        additional_special_tokens=["<in>", "<out>"],
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return fast


def build_model(vocabulary: int, width: int, layers: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=width // 64,
            num_key_value_heads=width // 64,
            intermediate_size=width * 8 // 3,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            rms_norm_eps=1e-5,
            pad_token_id=PAD,
            eos_token_id=EOS,
            bos_token_id=None,
            use_cache=True,
        )
    )


def train(model: Any, stream: PackStream, options: argparse.Namespace, ends_at: float) -> tuple[int, int]:
    """Train until ``ends_at`` (``time.monotonic`` seconds); returns (steps, tokens)."""
    import torch
    from torch.nn import functional

    from trainer.attention import register

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    model.set_attn_implementation(
        register(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    )
    torch.set_float32_matmul_precision("high")

    def loss_of(ids: Any, positions: Any, starts: Any, labels: Any) -> Any:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            hidden = model.model(
                input_ids=ids,
                position_ids=positions,
                use_cache=False,
                cu_seq_lens_q=starts,
                max_length_q=LONGEST,
            ).last_hidden_state
            logits = functional.linear(hidden[0], model.model.embed_tokens.weight)
        return functional.cross_entropy(logits.float(), labels, ignore_index=-100)

    step_loss = torch.compile(loss_of, dynamic=False) if device.type == "cuda" else loss_of
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        lr=options.learning_rate,
        betas=(0.9, 0.95),
        fused=device.type == "cuda",
    )
    model.train()
    started, step, tokens, running, since = time.monotonic(), 0, 0, 0.0, time.monotonic()
    saved_at = started
    losses: list[Any] = []
    while True:
        if step == 10:
            if device.type == "cuda":
                torch.cuda.synchronize()
            started = since = saved_at = time.monotonic()  # compilation does not count
        progress = (time.monotonic() - started) / max(1e-6, ends_at - started) if step >= 10 else 0.0
        if progress >= 1:
            break
        rate = options.learning_rate * min(1.0, (step + 1) / options.warmup) * (1 - progress)
        for group in optimizer.param_groups:
            group["lr"] = rate
        pack = stream.next()
        loss = step_loss(
            torch.from_numpy(pack.tokens).to(device, non_blocking=True).long().unsqueeze(0),
            torch.from_numpy(pack.positions).to(device, non_blocking=True).long().unsqueeze(0),
            torch.from_numpy(pack.starts).to(device, non_blocking=True),
            torch.from_numpy(pack.labels).to(device, non_blocking=True).long(),
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        step, tokens = step + 1, tokens + options.pack_tokens
        if step % options.log_every == 0:
            running = float(torch.stack(losses).mean())
            losses.clear()
            now = time.monotonic()
            log.info(
                "step %d  loss %.4f  lr %.2e  %.0f tok/s  reused %d  %.0f s left",
                step, running, rate, options.log_every * options.pack_tokens / (now - since),
                stream.reused, ends_at - now,
            )  # fmt: skip
            since = now
            if running != running:
                raise SystemExit("the loss is not finite")
            if now - saved_at > options.save_every:
                save_model(model, Path(options.out))
                saved_at = time.monotonic()
    return step, tokens


def save_model(model: Any, folder: Path) -> None:
    """Weights as bfloat16 safetensors beside the tokenizer; the model in hand keeps its precision."""
    import torch
    from transformers import GenerationConfig, LlamaForCausalLM

    copy: Any = LlamaForCausalLM(deepcopy(model.config))  # the live model keeps its attention
    copy = copy.to(torch.bfloat16)
    copy.load_state_dict({k: v.detach().to("cpu", torch.bfloat16) for k, v in model.state_dict().items()})
    copy.config._attn_implementation = "sdpa"
    generation: Any = GenerationConfig
    copy.generation_config = generation(
        do_sample=False, eos_token_id=EOS, pad_token_id=PAD, max_new_tokens=256
    )
    copy.save_pretrained(folder)


def measure(
    folder: Path, heldout: Sequence[str], hearing: Hearing, seed: int, count: int
) -> dict[str, float]:
    """Held-out losses and word error rates of the model as saved (rounded weights), greedy decoding."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = model.to(device).eval()
    picker = random.Random(seed)
    pool = [s for p in heldout for s in sentences(p) if 5 <= len(s.split()) <= 40]
    clean = picker.sample(pool, min(count, len(pool)))
    noise = Noise(seed + 1)
    noisy = [noise.corrupt(text, 0.9) for text in clean]
    heard = [hearing.transcribe(text, 0.9) for text in clean]

    @torch.inference_mode()
    def restore(texts: Sequence[str]) -> list[str]:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = [""] * len(texts)
        for first in range(0, len(order), 250):
            part = order[first : first + 250]
            batch = tokenizer(
                [f"<in>{texts[i]}<out>" for i in part],
                return_tensors="pt",
                padding=True,
                add_special_tokens=False,
            )
            batch = {k: v.to(device) for k, v in batch.items() if k != "token_type_ids"}
            width = batch["input_ids"].shape[1]
            made = model.generate(**batch, max_new_tokens=width + 24, do_sample=False)
            for i, ids in zip(part, made, strict=True):
                out[i] = tokenizer.decode(ids[width:], skip_special_tokens=True)
        return out

    @torch.inference_mode()
    def mean_loss(pairs: Sequence[tuple[str, str]]) -> float:
        total, tokens = 0.0, 0
        for prompt, answer in pairs:
            head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            tail = tokenizer(answer, add_special_tokens=False)["input_ids"]
            ids = torch.tensor([[*head, *tail][:1024]], device=device)
            logits = model(ids).logits[0, :-1].float().log_softmax(-1)
            picked = logits.gather(1, ids[0, 1:, None])[max(0, len(head) - 1) :]
            total, tokens = total - float(picked.sum()), tokens + len(picked)
        return total / max(1, tokens)

    def rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
        edits, words = map(sum, zip(*map(word_errors, references, hypotheses), strict=True))
        return round(100 * edits / words, 3)

    restored = restore(noisy)
    for before, after, truth in list(zip(noisy, restored, clean, strict=True))[:12]:
        log.info("IN  %s\nOUT %s\nREF %s", before, after, truth)
    few = min(300, len(clean))
    return {
        "heldout_plain_loss": round(mean_loss([("", text + "<eos>") for text in clean[:few]]), 4),
        "heldout_restore_loss": round(
            mean_loss(
                [(f"<in>{a}<out>", b + "<eos>") for a, b in zip(noisy[:few], clean[:few], strict=True)]
            ),
            4,
        ),
        "wer_noisy_input": rate(clean, noisy),
        "wer_restored": rate(clean, restored),
        "wer_speech_input": rate(clean, heard),
        "wer_speech_restored": rate(clean, restore(heard)),
        "wer_clean_copied": rate(clean, restore(clean)),
        "heldout_sentences": len(clean),
    }


def write_card(folder: Path, figures: Figures, options: argparse.Namespace) -> None:
    card = (Path(__file__).parents[1] / "base_card.md").read_text(encoding="utf-8")
    parts = {"seed": options.seed, "hardware": options.hardware, "years": options.years, **asdict(figures)}
    for key, value in parts.items():
        card = card.replace(
            "{" + key + "}", f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
        )
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "training_figures.json").write_text(
        json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8"
    )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.making.pretrain_base", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--text", nargs="+", type=Path, required=True, help="JSONL or JSONL.xz with a field 'text'"
    )
    parser.add_argument("--heldout", type=Path, required=True, help="text never trained on, for the figures")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="an earlier base of the same size to go on from")
    parser.add_argument(
        "--seconds", type=float, default=520, help="wall clock of the whole run, measuring included"
    )
    parser.add_argument("--measure-seconds", type=float, default=40, help="part of it kept for the figures")
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--pack-tokens", type=int, default=49_152)
    parser.add_argument(
        "--restore-share", type=float, default=0.85, help="share of examples of the restore task"
    )
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=300, help="steps")
    parser.add_argument("--log-every", type=int, default=100)
    parser.add_argument("--save-every", type=float, default=150, help="seconds between saves on the way")
    parser.add_argument("--heldout-sentences", type=int, default=1500)
    parser.add_argument("--limit", type=int, default=0, help="paragraphs read at most (a quick trial)")
    parser.add_argument("--hardware", default="one NVIDIA H200")
    parser.add_argument("--years", default="2015 to 2019")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments(argv)
    began = time.monotonic()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    options.out.mkdir(parents=True, exist_ok=True)
    paragraphs = read_paragraphs(options.text)
    heldout = read_paragraphs([options.heldout])
    if options.limit:
        paragraphs, heldout = paragraphs[: options.limit], heldout[: options.limit]
    log.info("%d paragraphs, %d characters", len(paragraphs), sum(map(len, paragraphs)))
    counts = word_counts(paragraphs)
    confusions, words = confusable_words(counts), frozenset(w for w, n in counts.items() if n >= 5)
    if options.start is None:
        tokenizer = train_tokenizer(paragraphs, Noise(options.seed, confusions), options.vocabulary)
    else:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(options.start / "tokenizer.json"))
    log.info("tokenizer of %d after %.0f s", tokenizer.get_vocab_size(), time.monotonic() - began)
    tokenizer.save(str(options.out / "tokenizer.json"))
    stream = PackStream(
        [sentences(p) for p in paragraphs],
        confusions,
        words,
        options.out / "tokenizer.json",
        size=options.pack_tokens,
        restore_share=options.restore_share,
        workers=options.workers,
        seed=options.seed,
    )
    import torch

    torch.manual_seed(options.seed)
    save_tokenizer(tokenizer, options.out)
    model = build_model(tokenizer.get_vocab_size(), options.width, options.layers)
    if options.start is not None:
        from safetensors.torch import load_file

        weights = load_file(options.start / "model.safetensors")
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
    log.info("%.1f M parameters", sum(p.numel() for p in model.parameters()) / 1e6)
    ends_at = began + options.seconds - options.measure_seconds
    try:
        steps, tokens = train(model, stream, options, ends_at)
    finally:
        stream.close()
    save_model(model, options.out)
    log.info("saved after %.0f s", time.monotonic() - began)
    hearing = Hearing(options.seed + 2, confusions, words)
    measured = measure(options.out, heldout, hearing, options.seed, options.heldout_sentences)
    figures = Figures(steps=steps, tokens=tokens, seconds=round(time.monotonic() - began, 1), **measured)  # type: ignore[arg-type]
    write_card(options.out, figures, options)
    log.info("%s", json.dumps(asdict(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
