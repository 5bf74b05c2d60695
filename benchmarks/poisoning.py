"""What of a hostile editor's work is learned, and what of an honest one's is lost.

    python -m benchmarks.poisoning            # 3 towns
    python -m benchmarks.poisoning --quick    # 1 town; both exit 1 when a bound is broken

For each kind of :mod:`benchmarks.poisoning_cases` a town of four honest clerks (30 documents) and twenty
documents of one hostile account go into a corpus as they do in a training. ``kept out``: bad pairs that did
not come in; ``clean lost``: honest pairs of honest clerks that are left out for any reason but being
repeated. A patient attacker sends one bad pair in twelve instead of every second one. The peer learns what
passes the quality rules for one pair: a pipeline without all this.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from astra_learn_assets.contracts import Example, Pair
from astra_learn_assets.datasets import corpus, jsonl, quality
from astra_learn_assets.datasets.instruct import make_example
from astra_learn_assets.datasets.replay import load_replay
from astra_learn_assets.ids import TenantId
from benchmarks.poisoning_cases import KINDS, CaseDocument, attack, town

TENANT = TenantId("villaverde")
KEPT_OUT, CLEAN_LOST = 0.95, 0.02
_COLUMNS = ("kept_out", "patient", "peer", "lost")


def examples_of(documents: list[CaseDocument]) -> tuple[list[Example], set[str]]:
    """Every pair as an example, and the ids of the bad ones."""
    made, bad = [], set()
    for document in documents:
        for number, pair in enumerate(document.pairs):
            example = make_example(
                pair=Pair(chunk_id=f"c{number}", route=1, before=pair.before, after=pair.after),
                before=pair.before,
                after=pair.after,
                entities={},
                tenant_id=TENANT,
                document_id=document.document_id,
                engine_version="benchmark",
            )
            made.append(example)
            if pair.bad and example.output != pair.truth:  # what nobody can see is gone by now
                bad.add(example.meta.example_id)
    return made, bad


def judge(kind: str, seed: int, every: int) -> dict[str, float]:
    """Shares of bad pairs kept out (ours, peer) and of clean pairs lost."""
    honest, hostile = town(seed), attack(kind, seed, every=every)
    clean, _ = examples_of(honest)
    sent, bad = examples_of(hostile)
    everything = [*clean, *sent]
    built = corpus.build_corpus(
        tenant_id=TENANT,
        examples=everything,
        replay=load_replay(),
        golden=(),
        cap=10_000,
        replay_share=0.0,
        contributors={document.document_id: document.author for document in (*honest, *hostile)},
    )
    kept = {(item.input, item.output) for item in jsonl.load(built.data)}
    bad = bad or {"none"}
    learned = sum((item.input, item.output) in kept for item in sent if item.meta.example_id in bad)
    fit = [item for item in clean if quality.assess(item) is None]
    lost = sum((item.input, item.output) not in kept for item in fit)
    passing = sum(quality.assess(item) is None for item in sent if item.meta.example_id in bad)
    return {
        "kept_out": 1 - learned / len(bad),
        "peer": 1 - passing / len(bad),
        "lost": lost / len(fit),
    }


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one town")
    given = parser.parse_args()
    seeds = (1,) if given.quick else (1, 2, 3)
    totals: Counter[str] = Counter()
    print(
        "| attack | bad pairs kept out | one in twelve bad | peer | clean lost |\n|---|---:|---:|---:|---:|"
    )
    for kind in KINDS:
        found = [judge(kind, seed, 2) for seed in seeds]
        means = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
        means["patient"] = sum(judge(kind, seed, 12)["kept_out"] for seed in seeds) / len(seeds)
        totals.update(means)
        cells = " | ".join(f"{means[name]:.1%}" for name in _COLUMNS)
        print(f"| {kind.replace('_', ' ')} | {cells} |", flush=True)
    shares = {name: value / len(KINDS) for name, value in totals.items()}
    figures = " | ".join(f"{shares[name]:.1%}" for name in _COLUMNS)
    print(f"| **all** | {figures} |")
    broken = []
    if shares["kept_out"] < KEPT_OUT:
        broken.append(f"only {shares['kept_out']:.1%} of bad pairs were kept out")
    if shares["lost"] > CLEAN_LOST:
        broken.append(f"{shares['lost']:.1%} of clean pairs were lost")
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
