"""What an adapter learns from N corrected paragraphs of a simulated council, and what it forgets.

    python benchmarks/learning.py --pairs 50 100 350 --council villaverde --no-replay

For each N: word error rate on unseen sessions of the same council before and after, on generic
noise (forgetting), and on clean text (invented errors). Trains and predicts with the same code
as ``python -m trainer``. Prints one JSON line per training and a Markdown table at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.__main__ import _quiet
from trainer.data import Template, read_records
from trainer.evaluate import EvaluateOptions, load_adapted, predict
from trainer.making.noise import Noise, word_errors
from trainer.model import load_tokenizer, place
from trainer.pipes import Signals
from trainer.recipe import Recipe
from trainer.train_lora import TrainOptions, train

REPOSITORY = Path(__file__).resolve().parent.parent
BASE = str(REPOSITORY / "trainer" / "base_model")
REPLAY = REPOSITORY / "astra_learn_assets" / "datasets" / "replay_es.jsonl"


def example(tenant: str, document: str, number: int, before: str, after: str) -> dict[str, Any]:
    return {
        "instruction": "Corrige la transcripción del acta conservando el sentido y los marcadores.",
        "input": before,
        "output": after,
        "meta": {
            "example_id": hashlib.sha256(f"{tenant}/{document}/{number}".encode()).hexdigest(),
            "tenant_id": tenant,
            "document_id": document,
            "route": 1,
        },
    }


def council_pairs(tenant: str, seed: int, wanted: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(training pairs, golden pairs) from the truth of honest sessions; every fifth session is golden."""
    from astra_learn_assets.simulation.council.simulator import make_council

    council = make_council(tenant, seed=seed)
    train_pairs: list[dict[str, Any]] = []
    golden: list[dict[str, Any]] = []
    index = 0
    while len(train_pairs) < wanted or len(golden) < 100:
        session = council.session(index)
        index += 1
        if session.editor != "clerk" or session.truth.expected_quarantine:
            continue
        pairs = [p for p in session.truth.pairs if p.route == 1]
        target = golden if index % 5 == 0 else train_pairs
        target += [example(tenant, f"s{index}", i, p.before, p.after) for i, p in enumerate(pairs)]
    return train_pairs[:wanted], golden[:100]


def write(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def word_error_rates(adapter: Path | None, sets: dict[str, Path], tenant: str) -> dict[str, float]:
    """WER in percent on each set; greedy, merged, fp32 on a CPU."""
    placement = place("auto", "auto")
    template = Template(load_tokenizer(BASE, None))
    rates = {}
    for name, file in sets.items():
        options = EvaluateOptions(data=file, base=BASE, tenant=tenant, out=file, adapters={})
        records = read_records(file, tenant_id=tenant)
        model = load_adapted(options, placement, adapter)
        answers = predict(model, template, records, [template.encode(r) for r in records], options, 32)
        counts = [word_errors(r.output, a.text) for r, a in zip(records, answers, strict=True)]
        rates[name] = round(100 * sum(e for e, _ in counts) / sum(w for _, w in counts), 2)
    return rates


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[50, 100, 350])
    parser.add_argument("--council", default="villaverde")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--epochs", type=float, default=Recipe.epochs)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--batch-tokens", type=int, default=Recipe.batch_tokens)
    parser.add_argument("--rank", type=int, default=Recipe.rank)
    parser.add_argument("--no-replay", action="store_true", help="also train each without replay")
    parser.add_argument(
        "--pairs-file",
        type=Path,
        help="written if missing, and nothing trained; else read: for a machine without the simulator",
    )
    options = parser.parse_args()
    _quiet()
    replay = [json.loads(text) for text in REPLAY.read_text(encoding="utf-8").splitlines()]
    if options.pairs_file is None or not options.pairs_file.exists():
        own, golden = council_pairs(options.council, options.seed, max(options.pairs))
        if options.pairs_file is not None:
            options.pairs_file.write_text(json.dumps([own, golden], ensure_ascii=False), encoding="utf-8")
            return 0
    else:
        own, golden = json.loads(options.pairs_file.read_text(encoding="utf-8"))
    recipe = Recipe(
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch_tokens=options.batch_tokens,
        rank=options.rank,
        alpha=2 * options.rank,
    )
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The last replay lines are never trained on here, so they can show what is forgotten.
        unseen = [row["output"] for row in replay[-120:]]
        noise = Noise(options.seed)
        sets = {
            "council": write(folder / "golden.jsonl", golden),
            "generic noise": write(
                folder / "generic.jsonl",
                [example(options.council, "g", i, noise.corrupt(t, 0.9), t) for i, t in enumerate(unseen)],
            ),
            "clean text": write(
                folder / "clean.jsonl",
                [
                    example(options.council, "c", i, r["output"], r["output"])
                    for i, r in enumerate(golden[:60])
                ],
            ),
        }
        rows.append({"pairs": 0, "replay": False} | word_error_rates(None, sets, options.council))
        sys.stdout.write(json.dumps(rows[-1]) + "\n")
        sys.stdout.flush()
        for count in options.pairs:
            for with_replay in (True, False) if options.no_replay else (True,):
                mixed = own[:count] + (replay[: count // 4] if with_replay else [])
                out = folder / f"adapter-{count}-{with_replay}"
                data = write(folder / "corpus.jsonl", mixed)
                metrics = train(TrainOptions(data, BASE, options.council, out, recipe=recipe), Signals())
                rows.append(
                    {"pairs": count, "replay": with_replay}
                    | word_error_rates(out, sets, options.council)
                    | {"steps": metrics["steps"], "tokens": metrics["tokens"], "seconds": metrics["seconds"]}
                )
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
    columns = list(rows[-1])
    sys.stdout.write("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|\n")
    for row in rows:
        sys.stdout.write("| " + " | ".join(str(row.get(c, "")) for c in columns) + " |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
