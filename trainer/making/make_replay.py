"""Make the replay file: general Spanish restore pairs that keep an adapter from forgetting the general task.

    python -m trainer.making.make_replay --base trainer/base_model --text 2015.jsonl.xz ... --out FILE

The sentences are sampled from the base model, not taken from the minutes: nothing of a person can
be in them. Kept are sentences without a capital after the first letter, without digits and
placeholders, of 6 to 40 words, not found in the training text, and among the more fluent half.
Seven in ten get a noisy input; the rest stay as they are on both sides, because a corrector that
is never shown clean text starts to invent errors.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trainer.making.noise import Noise, confusable_words, word_counts
from trainer.making.pretrain_data import read_paragraphs, sentences

INSTRUCTION = "Corrige la transcripción del acta conservando el sentido y los marcadores."
ENGINE = "replay-1"
PROMPTS = (
    "La comisión", "El municipio", "Se aprueba", "En este punto", "Los vecinos", "El presupuesto",
    "Por tanto",
    "Queremos", "La propuesta", "El acuerdo", "Se trata de", "Hay que", "Las obras", "El servicio", "Además",
    "Nosotros", "La gestión", "El expediente", "Es necesario", "La cuenta", "Quiero", "Se ha presentado",
    "El informe", "La ordenanza", "Las ayudas", "Pedimos", "El contrato", "Vamos a", "La moción",
    "No podemos",
    "Desde luego", "Con respecto a", "La ciudadanía", "El transporte", "La vivienda",
    "Los servicios sociales",
    "El agua", "La limpieza", "Tenemos que", "Se propone", "La convocatoria", "Después de", "El pleno",
    "Las familias", "La seguridad", "El empleo", "Creo que", "En primer lugar", "A continuación",
    "Sin embargo",
)  # fmt: skip
_WORD = re.compile(r"\w+")


def acceptable(sentence: str) -> bool:
    """No capital after the first letter, no digit, no placeholder, 6 to 40 words, one whole sentence."""
    words = sentence.split()
    return (
        6 <= len(words) <= 40
        and sentence[:1].isupper()
        and sentence[-1:] in ".?!"
        and not any(c.isupper() or c.isdigit() for c in sentence[1:])
        and not any(c in sentence for c in "<>[]()«»\"'-–—�")
        and all(words[i] != words[i - 1] for i in range(1, len(words)))
        and len(set(words)) > 0.6 * len(words)
    )


def found_in(texts: Iterable[str], candidates: Sequence[str], run: int = 6) -> set[int]:
    """Indices of the candidates whose words occur, all and in order, somewhere in ``texts``."""
    wanted: dict[tuple[str, ...], list[tuple[int, list[str]]]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        words = _WORD.findall(candidate.lower())
        wanted[tuple(words[:run])].append((index, words))
    found: set[int] = set()
    for text in texts:
        words = _WORD.findall(text.lower())
        for at in range(len(words) - run + 1):
            for index, other in wanted.get(tuple(words[at : at + run]), ()):
                if words[at : at + len(other)] == other:
                    found.add(index)
    return found


def sample_sentences(folder: Path, count: int, seed: int) -> list[tuple[str, float]]:
    """(sentence, mean loss per token) of ``count`` samples at temperature 0.8."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainer.generate import generate

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = model.to(device).eval()
    starts = [
        tokenizer(PROMPTS[i % len(PROMPTS)], add_special_tokens=False)["input_ids"] for i in range(count)
    ]
    made = generate(
        model, starts, [64] * count, eos=tokenizer.eos_token_id, pad=tokenizer.pad_token_id,
        batch_size=250, temperature=0.8, seed=seed,
    )  # fmt: skip
    firsts = [sentences(tokenizer.decode([*a, *b]))[0].strip() for a, b in zip(starts, made, strict=True)]
    kept = list(dict.fromkeys(s for s in firsts if acceptable(s)))
    scored = []
    with torch.inference_mode():
        for text in kept:
            ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]], device=device)
            chances = model(ids).logits[0, :-1].float().log_softmax(-1)
            scored.append((text, -float(chances.gather(1, ids[0, 1:, None]).mean())))
    return scored


def example(number: int, before: str, after: str) -> dict[str, Any]:
    content = json.dumps([INSTRUCTION, before, after, ENGINE, number], ensure_ascii=False)
    return {
        "instruction": INSTRUCTION,
        "input": before,
        "output": after,
        "meta": {
            "example_id": hashlib.sha256(content.encode()).hexdigest(),
            "tenant_id": "replay",
            "document_id": "replay",
            "chunk_id": None,
            "route": 1,
            "audio_uri": None,
            "start_ms": None,
            "end_ms": None,
            "entities": {},
            "engine_version": ENGINE,
        },
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.making.make_replay", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--base", type=Path, default=Path(__file__).parents[1] / "base_model")
    parser.add_argument("--text", nargs="+", type=Path, required=True, help="the base model's training text")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--keep", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)

    scored = sample_sentences(options.base, options.samples, options.seed)
    paragraphs = read_paragraphs(options.text)
    copied = found_in(paragraphs, [text for text, _ in scored])
    new = [pair for i, pair in enumerate(scored) if i not in copied]
    fluent = sorted(new, key=lambda pair: pair[1])[: options.keep]
    noise = Noise(options.seed, confusable_words(word_counts(paragraphs)))
    noise.random.shuffle(fluent)
    lines = []
    for number, (text, _) in enumerate(fluent):
        before = text
        if noise.random.random() < 0.7:
            before = noise.corrupt(text, noise.random.uniform(0.5, 1.4))
        lines.append(json.dumps(example(number, before, text), ensure_ascii=False, separators=(",", ":")))
    partial = options.out.with_name(options.out.name + ".partial")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(partial, options.out)
    changed = sum(1 for line in lines if (value := json.loads(line))["input"] != value["output"])
    sys.stderr.write(
        f"{options.samples} sampled, {len(scored)} acceptable, {len(copied)} found in the text, "
        f"{len(lines)} written, {changed} with a noisy input\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
