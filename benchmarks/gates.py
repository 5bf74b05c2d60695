"""How often does the gate promote what is worse, and refuse what is better?

    python -m benchmarks.gates                # 400 gates a cell
    python -m benchmarks.gates --quick        # at most 5 minutes; exit 1 when a bound is broken

The cases are :mod:`benchmarks.gates_cases`, drawn without knowing the gate; the gate is the real one.
``point`` is what most pipelines do instead: promote unless the measured error rate rises by more than 2
points. Bounds: a candidate 3 points worse is promoted in at most 5 % of sets of any size, one 2 points better
is rejected in at most 5 % of sets of the recommended size, ten candidates of +1.5 end within 2 points of the
best (95th percentile), and the 95 % interval holds the truth in 93 % of sets of 10 documents or more.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from astra_learn_assets.evaluation.interval import paired_interval
from astra_learn_assets.evaluation.results import EvaluationReport, SystemScores, rise_of
from astra_learn_assets.evaluation.verdict_rules import GateLimits
from astra_learn_assets.evaluation.wer_gate import wer_gate
from astra_learn_assets.ids import TenantId
from astra_learn_assets.settings import Settings
from benchmarks.gates_cases import CHAMPION_RATE, Case, draw, true_effect

WORDS = (500, 1_000, 2_000, 5_000, 10_000)
DOCUMENTS = (4, 10, 20, 30)
EFFECTS = (3.0, 2.0, 1.0, 0.0, -2.0)
WRONG, COVERAGE, DRIFT = 0.05, 0.93, 2.0
DIGEST = "a" * 64
Gate = Callable[[Case], str]


def real_gate(case: Case) -> str:
    """``promote``, ``reject`` or ``hold``."""
    verdict = wer_gate(_report(case), limits=GateLimits(), digest=DIGEST, tenant_id=TenantId("town"))
    return str(verdict.details["outcome"])


def point_gate(case: Case) -> str:
    """The measured difference to the champion and a bound, and nothing else."""
    difference = sum(case.errors["candidate"]) - sum(case.errors["champion"])
    return "promote" if 100 * difference / sum(case.words) <= 2.0 else "reject"


def _report(case: Case) -> EvaluationReport:
    total = sum(case.words)
    comparisons = {}
    for name, errors in case.errors.items():
        if name != "candidate":
            rise = rise_of(paired_interval(case.errors["candidate"], errors, case.words), sum(errors))
            comparisons[name] = {"wer": rise, "strict": rise}
    return EvaluationReport(
        tenant_id=TenantId("town"),
        candidate_digest=DIGEST,
        champion_digest="b" * 64,
        best_digest="e" * 64 if "best" in case.errors else None,
        golden_hash="c" * 64,
        generic_hash="f" * 64,
        predictions_sha256="d" * 64,
        examples=len(case.words),
        documents=len(case.words),
        words=total,
        clean_words=0,
        systems={name: _scores(sum(errors), total) for name, errors in case.errors.items()},
        comparisons=comparisons,
        per_document=(),
        problems=(),
    )


def _scores(errors: int, words: int) -> SystemScores:
    return SystemScores(
        wer=errors / words,
        cer=0,
        wer_strict=errors / words,
        entity_error_rate=None,
        clean_wer=None,
        generic_wer=None,
        by_route={},
        errors=errors,
        substitutions=errors,
        deletions=0,
        insertions=0,
        exact=0,
        perplexity=None,
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
        interval = paired_interval(case.errors["candidate"], case.errors["champion"], case.words)
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
            if gate(case) == "promote":
                served += 0.015
        ends.append(100 * (served - best))
    return float(np.mean(ends)), float(np.quantile(ends, 0.95))


def main() -> int:
    """Print the tables; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer gates a cell")
    given = parser.parse_args()
    count = 80 if given.quick else 400
    started = time.monotonic()
    broken = [*_tables(count), *_coverages(10 * count), *_drifts(count)]
    print(f"\n{time.monotonic() - started:.0f} s")
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken else 0


def _tables(count: int) -> list[str]:
    """Promoted / rejected / held in per cent, for every size and effect."""
    broken = []
    fields = Settings.model_fields
    recommended = fields["golden_recommended_words"].default, fields["golden_recommended_documents"].default
    print("| words | documents | gate | " + " | ".join(f"{effect:+g}" for effect in EFFECTS) + " |")
    print("|---:|---:|---|" + "---:|" * len(EFFECTS))
    for words in WORDS:
        for documents in DOCUMENTS:
            enough = words >= recommended[0] and documents >= recommended[1]
            for name, gate in (("ours", real_gate), ("point", point_gate)):
                cells = []
                for effect in EFFECTS:
                    found = outcomes(gate, words, documents, effect, count)
                    shares = {said: found[said] / count for said in ("promote", "reject", "hold")}
                    cells.append(" / ".join(f"{100 * share:.0f}" for share in shares.values()))
                    if name == "ours" and effect == 3.0 and shares["promote"] > WRONG:
                        broken.append(f"+3 promoted in {shares['promote']:.1%} at {words} / {documents}")
                    if name == "ours" and effect == -2.0 and enough and shares["reject"] > WRONG:
                        broken.append(f"-2 rejected in {shares['reject']:.1%} at {words} / {documents}")
                print(f"| {words:,} | {documents} | {name} | " + " | ".join(cells) + " |", flush=True)
    return broken


def _coverages(count: int) -> list[str]:
    broken = []
    print("\n| words | documents | coverage of 95 % |\n|---:|---:|---:|")
    for words in (1_000, 5_000):
        for documents in DOCUMENTS:
            share = coverage(words, documents, 1.0, count)
            print(f"| {words:,} | {documents} | {100 * share:.1f} % |", flush=True)
            if documents >= 10 and share < COVERAGE:
                broken.append(f"coverage of {share:.1%} at {words} / {documents}")
    return broken


def _drifts(count: int) -> list[str]:
    broken = []
    print("\n| gate | words | documents | mean drift | 95th percentile |\n|---|---:|---:|---:|---:|")
    for words, documents in ((500, 4), (2_000, 10), (5_000, 20)):
        for name, gate in (("ours", real_gate), ("point", point_gate)):
            mean, tail = drift(gate, words, documents, count)
            print(f"| {name} | {words:,} | {documents} | {mean:.1f} | {tail:.1f} |", flush=True)
            if name == "ours" and tail > DRIFT:
                broken.append(f"drift of {tail:.1f} points at {words} / {documents}")
    return broken


if __name__ == "__main__":
    sys.exit(main())
