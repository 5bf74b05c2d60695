"""What is learned from minutes that a clerk rewrote: pairs, lessons, names, and documents held back.

    python -m benchmarks.rewriting                  # 300 cases of the seeds below, 303 name changes
    python -m benchmarks.rewriting --quick          # at most 5 minutes; exit 1 when a bound is broken

The material is :mod:`benchmarks.heavy_rewriting`, written by a hand that has not read the engine. Each case
becomes a draft and a final with the Builder's hidden ids; the engine reads and compares the files, once with
the ids that the clerk's editor left and once with none. ``precision`` and ``recall`` are of pairs of
paragraphs (``changed``: recall of those that are not equal). Of the lessons (pairs for training and name
fixes), ``wrong`` holds a part that is not the other side's, ``partial`` lacks a part, ``content`` has all
parts, but the clerk did more than correct; ``learned`` is the share of the true corrections that was
learned. A document is rightly held back when less than half of its changed words were corrections.
Peers learn from every pair they change.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.comparator.names.breadth import too_broad
from benchmarks import rewriting_score as score
from benchmarks.heavy_rewriting import Rewriting, generate, labels
from benchmarks.rewriting_cases import docx, files_of

TUNED_SEEDS, HELD_OUT_SEEDS = (1, 2), (1001, 1002)
BOUNDS = {"with": 0.005, "without": 0.01}
NAME_PRECISION, NAME_RECALL = 0.97, 0.93


def main() -> int:
    """Print the tables; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer cases, and the bounds")
    parser.add_argument("--part", choices=("tuned", "held-out", "both"), default="both")
    parser.add_argument("--count", type=int, default=150, help="cases of each seed")
    parser.add_argument("--real", type=Path, help="folder of *.jsonl.xz: half of the cases of real sentences")
    given = parser.parse_args()
    count = 60 if given.quick else given.count
    started = time.process_time()
    broken: list[str] = []
    for name, seeds in (("tuned", TUNED_SEEDS), ("held-out", HELD_OUT_SEEDS)):
        if given.part in (name, "both"):
            cases = [case for seed in seeds for case in generate(seed, count, given.real)]
            broken += _documents(name, cases)
            broken += _names(name)
    print(f"\n{time.process_time() - started:.0f} s of a processor")
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken and given.quick else 0


def _documents(part: str, cases: Sequence[Rewriting]) -> list[str]:
    print(f"\n{part}: {len(cases)} documents, {sum(len(c.draft) for c in cases):,} paragraphs")
    tallies: dict[str, score.Tally] = {}
    levels: dict[tuple[str, str], score.Tally] = {}
    peers: dict[str, Callable[[Rewriting], score.Answer]] = {
        "rapidfuzz + moves": score.by_rapidfuzz,
        "difflib": score.by_difflib,
    }
    for case in cases:
        for ids in ("with", "without"):
            truth = score.Truth(case, with_ids=ids == "with")
            files = files_of(case, with_ids=ids == "with")
            delta = compare(
                files.draft, files.final, generated_id="draft", final_id="final", manifest=files.manifest
            )
            answer = score.of_delta(case, delta, files.chunk_ids)
            tallies.setdefault(f"ours, {ids} ids", score.Tally()).add(truth, answer)
            level = "light" if case.intensity < 3 else "middle" if case.intensity < 7 else "heavy"
            levels.setdefault((ids, level), score.Tally()).add(truth, answer)
        for name, peer in peers.items():
            tallies.setdefault(name, score.Tally()).add(score.Truth(case, with_ids=False), peer(case))
    print(f"{'tool':24}" + "".join(f"{key:>10}" for key in tallies["difflib"].row()))
    for name, tally in tallies.items():
        _print_row(name, tally)
    for (ids, level), tally in levels.items():
        _print_row(f"  {ids}, {level}", tally)
    print(
        "held back            documents   heavy    held  rightly   their lessons: right wrong partial content"
    )
    for (ids, level), tally in levels.items():
        h = tally.held
        print(
            f"  {ids + ', ' + level:18}{tally.counts['cases']:10}{h['heavy']:8}{h['held']:8}{h['rightly']:9}"
            f"{h['held_right']:17}{h['held_wrong']:6}{h['held_partial']:8}{h['held_content']:8}"
        )
    print("reliability (changed pairs): believed, and how many are the same utterance")
    for ids in ("with", "without"):
        bins = tallies[f"ours, {ids} ids"].bins
        print(
            f"  {ids + ' ids':12}"
            + " ".join(f"{total / n:.2f}:{right / n:.2f} ({n})" for n, right, total in bins if n)
        )
    broken = []
    for ids, bound in BOUNDS.items():
        wrong = tallies[f"ours, {ids} ids"].row()["wrong"]
        if wrong > bound:
            broken.append(f"{part}: {wrong:.2%} wrong lessons {ids} ids, at most {bound:.1%}")
    return broken


def _print_row(name: str, tally: score.Tally) -> None:
    row = tally.row()
    print(
        f"{name:24}"
        + "".join(f"{value:10.0f}" if key == "lessons" else f"{value:10.4f}" for key, value in row.items())
    )


def _names(part: str) -> list[str]:
    """Labels with an even number are the tuned half, those with an odd one the held-out."""
    odd = part == "held-out"
    changes = [change for change in labels.load() if int(change.id[1:]) % 2 == odd]
    said = right = true = found = alive = alive_right = alive_found = 0
    for change in changes:
        paragraphs = [[(text, None)] for text in (change.before, change.after)]
        delta = compare(*(docx(p, None) for p in paragraphs), generated_id="draft", final_id="final")
        pairs = [(e.wrong, e.right) for e in delta.entity_changes]
        live = [(e.wrong, e.right) for e in delta.entity_changes if too_broad(e) is None]
        true += len(change.entities)
        for entries, counts in ((pairs, "all"), (live, "live")):
            good = sum(any(labels.is_right(*e, entity) for entity in change.entities) for e in entries)
            hit = sum(any(labels.is_right(*e, entity) for e in entries) for entity in change.entities)
            if counts == "all":
                said, right, found = said + len(entries), right + good, found + hit
            else:
                alive, alive_right, alive_found = alive + len(entries), alive_right + good, alive_found + hit
    precision, recall = right / max(1, said), found / true
    live_precision, live_recall = alive_right / max(1, alive), alive_found / true
    print(f"names: {len(changes)} changes, {true} entities")
    print(f"  shown by compare   precision {precision:.3f}  recall {recall:.3f}")
    print(f"  taken by the dictionary      {live_precision:.3f}         {live_recall:.3f}")
    if live_precision < NAME_PRECISION or live_recall < NAME_RECALL:
        return [f"{part}: names {live_precision:.3f} and {live_recall:.3f}"]
    return []


if __name__ == "__main__":
    sys.exit(main())
