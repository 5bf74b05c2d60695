"""``python -m benchmarks.heavy_rewriting``: samples, counts and a check (exit 1: an invariant is broken)."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from benchmarks.heavy_rewriting import KINDS, check, generate
from benchmarks.heavy_rewriting.labels import check_labels, load
from benchmarks.heavy_rewriting.lexicon import phrase_rules, rows, templates
from benchmarks.heavy_rewriting.model import Rewriting


def main() -> int:
    """Prints what the material holds; answers 1 when an invariant is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heavy_rewriting", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100, help="how many cases (default 100)")
    parser.add_argument(
        "--real", type=Path, help="folder of *.jsonl.xz with real paragraphs, for half of the cases"
    )
    parser.add_argument("--samples", type=int, default=1, help="how many short cases to print (default 1)")
    given = parser.parse_args()

    cases = generate(given.seed, given.count, given.real)
    short = sorted(cases, key=lambda case: (len(case.draft) > 40, -case.intensity))
    for case in short[: given.samples]:
        _print_case(case)
    _print_counts(cases)
    problems = [*(problem for case in cases for problem in check(case)), *check_labels()]
    for problem in problems[:40]:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} invariants broken")
    return 1 if problems else 0


def _print_case(case: Rewriting) -> None:
    texts = {paragraph.id: paragraph.text for paragraph in case.draft}
    kind = f"intensity {case.intensity}, ids {case.ids}, {case.origin}"
    print(f"case {case.id}: {kind}, {len(case.draft)} paragraphs")
    for paragraph in case.final:
        marks = [name for name in ("moved", "teaches", "content_change") if getattr(paragraph, name)]
        print(f"\n  {paragraph.kind} {' '.join(marks)} {', '.join(paragraph.operations)}".rstrip())
        if paragraph.kind != "equal":
            for source in paragraph.sources or ((paragraph.replaces,) if paragraph.replaces else ()):
                print(f"    - {source} {texts[source]}")
        print(f"    + {paragraph.carried_id or 'no id'} {paragraph.text}")
    print(f"\n  deleted: {', '.join(sorted(case.deleted)) or 'none'}\n")


def _print_counts(cases: list[Rewriting]) -> None:
    columns = ("cases", "draft", *KINDS, "deleted", "moved", "teaches", "content_change", "kept_id", "twins")
    print("level " + " ".join(f"{column[:9]:>9}" for column in columns))
    for level in sorted({case.intensity for case in cases}):
        counts: Counter[str] = Counter()
        for case in (case for case in cases if case.intensity == level):
            counts.update(cases=1, draft=len(case.draft), deleted=len(case.deleted))
            counts.update(twins=sum(map(len, case.twins)))
            for paragraph in case.final:
                counts[paragraph.kind] += 1
                counts.update({flag: getattr(paragraph, flag) for flag in columns if flag in _FLAGS})
        print(f"{level:5} " + " ".join(f"{counts[column]:9}" for column in columns))
    changes = load()
    entities = Counter(entity.kind for change in changes for entity in change.entities)
    print(
        f"{len(templates())} templates ({len(rows('utterance_pairs.tsv', 4))} in both registers), "
        f"{len(phrase_rules())} phrase rules; {len(changes)} labelled changes of names, "
        f"{sum(bool(change.entities) for change in changes)} with entities, "
        f"{sum(change.unsafe for change in changes)} unsafe; "
        + ", ".join(f"{kind} {count}" for kind, count in sorted(entities.items()))
    )


_FLAGS = ("moved", "teaches", "content_change", "kept_id")

if __name__ == "__main__":
    sys.exit(main())
