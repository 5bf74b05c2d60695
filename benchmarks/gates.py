"""How often does the gate promote what is worse, and refuse what is better?

    python -m benchmarks.gates                # 400 gates a cell
    python -m benchmarks.gates --quick        # at most 5 minutes; exit 1 when a bound is broken

The cases are :mod:`benchmarks.gates_cases`, drawn without knowing the gate; the gate is the real one. ``point``
is what most pipelines do instead: promote unless the measured error rate rises by more than 2 points.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from astra_learn_assets.evaluation.bootstrap import paired_block_bootstrap
from astra_learn_assets.evaluation.results import Comparison, DocumentScores, EvaluationReport, SystemScores
from astra_learn_assets.evaluation.wer_gate import wer_gate
from benchmarks.gates_cases import CHAMPION_RATE, Case, draw, true_effect

WORDS = (500, 1_000, 2_000, 5_000, 10_000)
DOCUMENTS = (4, 10, 20, 30)
EFFECTS = (3.0, 2.0, 1.0, 0.0, -2.0)
Gate = Callable[[Case], str]


def real_gate(case: Case) -> str:
    """``promoted``, ``rejected`` or ``held``."""
    report = _report(case)
    verdict = wer_gate(report, tolerance_points=2.0, minimum_words=500, digest="a" * 64, tenant_id="town")
    if verdict.passed:
        return "promoted"
    return "held" if verdict.reason.startswith("on hold") else "rejected"


def point_gate(case: Case) -> str:
    """The measured difference to the champion and a bound, and nothing else."""
    difference = sum(case.errors["candidate"]) - sum(case.errors["champion"])
    return "promoted" if 100 * difference / sum(case.words) <= 2.0 else "rejected"


def _report(case: Case) -> EvaluationReport:
    systems = {name: errors for name, errors in case.errors.items() if name not in ("draft", "dictionary")}
    total = sum(case.words)
    comparisons = {}
    for name, errors in systems.items():
        if name != "candidate":
            interval = paired_block_bootstrap(
                case.errors["candidate"], errors, case.words, samples=500, seed=7
            )
            low, high, worse = interval.low, interval.high, interval.probability_worse
            comparisons[name] = Comparison(
                difference=interval.difference, low=low, high=high, probability_worse=worse,
                strict_difference=interval.difference, strict_low=low, strict_high=high,
            )  # fmt: skip
    return EvaluationReport(
        tenant_id="town",
        candidate_digest="a" * 64,
        champion_digest="b" * 64,
        baseline_digest=None,
        golden_hash="c" * 64,
        predictions_sha256="d" * 64,
        examples=len(case.words),
        documents=len(case.words),
        words=total,
        systems={
            name: SystemScores(
                wer=sum(errors) / total,
                cer=0,
                wer_strict=0,
                errors=sum(errors),
                substitutions=0,
                deletions=0,
                insertions=0,
                exact=0,
                perplexity=None,
            )
            for name, errors in systems.items()
        },  # fmt: skip
        comparisons=comparisons,
        per_document=tuple(
            DocumentScores(document_id=str(n), words=words, errors={}) for n, words in enumerate(case.words)
        ),
        input_wer=0.16,
        problems=(),
        samples=500,
        seed=7,
    )


def outcomes(gate: Gate, words: int, documents: int, effect: float, count: int) -> Counter[str]:
    """What ``count`` independent gates of one cell said."""
    rng = np.random.default_rng([7, words, documents, int(effect * 10 + 100)])
    return Counter(gate(draw(rng, words=words, documents=documents, effect=effect)) for _ in range(count))


def coverage(words: int, documents: int, effect: float, count: int) -> float:
    """How often the 95 % interval holds the truth."""
    rng = np.random.default_rng([8, words, documents, int(effect * 10 + 100)])
    truth = true_effect(effect)
    held = 0
    for _ in range(count):
        case = draw(rng, words=words, documents=documents, effect=effect)
        interval = paired_block_bootstrap(
            case.errors["candidate"], case.errors["champion"], case.words, samples=1_000, seed=7
        )
        held += interval.low <= truth <= interval.high
    return held / count


def drift(gate: Gate, words: int, documents: int, count: int, *, steps: int = 10) -> tuple[float, float]:
    """Points above the best ever after ``steps`` candidates of +1.5 each: mean and 95th percentile."""
    rng = np.random.default_rng([9, words, documents])
    ends = []
    for _ in range(count):
        served = best = CHAMPION_RATE
        for _ in range(steps):
            case = draw(rng, words=words, documents=documents, effect=1.5, champion=served, best=best)
            if gate(case) == "promoted":
                served += 0.015
        ends.append(100 * (served - best))
    return float(np.mean(ends)), float(np.quantile(ends, 0.95))


def main() -> int:
    """Print the tables; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer gates a cell, and the bounds")
    given = parser.parse_args()
    count = 120 if given.quick else 400
    started = time.monotonic()
    print("| words | documents | gate | " + " | ".join(f"{e:+g}" for e in EFFECTS) + " |")
    print("|---:|---:|---|" + "---:|" * len(EFFECTS))
    for words in WORDS:
        for documents in DOCUMENTS:
            for name, gate in (("ours", real_gate), ("point", point_gate)):
                cells = []
                for effect in EFFECTS:
                    found = outcomes(gate, words, documents, effect, count)
                    cells.append(
                        " / ".join(f"{100 * found[o] / count:.0f}" for o in ("promoted", "rejected", "held"))
                    )
                print(f"| {words:,} | {documents} | {name} | " + " | ".join(cells) + " |", flush=True)
    print("\n| words | documents | coverage of 95 % |\n|---:|---:|---:|")
    for words in (1_000, 5_000):
        for documents in DOCUMENTS:
            print(f"| {words:,} | {documents} | {100 * coverage(words, documents, 1.0, 4 * count):.1f} % |")
    print("\n| gate | words | documents | mean drift | 95th percentile |\n|---|---:|---:|---:|---:|")
    for words, documents in ((500, 4), (2_000, 10), (5_000, 20)):
        for name, gate in (("ours", real_gate), ("point", point_gate)):
            mean, tail = drift(gate, words, documents, count)
            print(f"| {name} | {words:,} | {documents} | {mean:.1f} | {tail:.1f} |")
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
