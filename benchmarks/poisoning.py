"""What of a hostile editor's work is learned, and what of an honest one's is lost.

    python -m benchmarks.poisoning            # 3 towns
    python -m benchmarks.poisoning --quick    # 1 town; both exit 1 when a bound is broken

For each kind of :mod:`benchmarks.poisoning_cases` a town of four honest clerks (30 documents) and twenty
documents of one hostile account go into a corpus as they do in a training. ``kept out``: bad pairs that did
not come in; ``clean lost``: honest pairs of honest clerks that are left out for any reason but being
repeated. A patient attacker sends one bad pair in twelve instead of every second one. The peer learns what
passes the quality rules for one pair: a pipeline without all this.

The second table is of the dictionary (:mod:`benchmarks.poisoning_names`): thirty honest finals and twenty of
one account arrive in turns, each is compared and its name fixes go through the rules of an upload. ``kept
out``: of the different false entries that the comparison offers, those that were never live. ``true lost``:
true entries that were offered and never live. A pipeline without these rules keeps none out and loses none.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from types import ModuleType

from astra_learn_assets.comparator import engine
from astra_learn_assets.comparator.docx.blocks import Block, Document
from astra_learn_assets.comparator.names.given_names import KnownPeople
from astra_learn_assets.contracts import DictionaryEntry, Example, Pair
from astra_learn_assets.datasets import corpus, jsonl, quality
from astra_learn_assets.datasets.instruct import make_example
from astra_learn_assets.datasets.replay import load_replay
from astra_learn_assets.hotpath import second_voice
from astra_learn_assets.hotpath.intake import live_entities
from astra_learn_assets.hotpath.written_names import names_in
from astra_learn_assets.ids import TenantId
from astra_learn_assets.spanish.fold import entry_key
from benchmarks import poisoning_names, poisoning_names_apart
from benchmarks.poisoning_cases import KINDS, CaseDocument, attack, town

TENANT = TenantId("villaverde")
KEPT_OUT, CLEAN_LOST, FALSE_ENTRIES = 0.95, 0.02, 0.99
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


@dataclass
class Names:
    """What one account's name fixes came to; entries are (wrong, right)."""

    false_offered: set[tuple[str, ...]] = field(default_factory=set)
    false_live: set[tuple[str, ...]] = field(default_factory=set)
    true_offered: set[tuple[str, ...]] = field(default_factory=set)
    true_live: set[tuple[str, ...]] = field(default_factory=set)


def judge_names(cases: ModuleType, kind: str, seed: int, *, known: bool) -> Names:
    """Thirty honest finals and twenty hostile ones, as uploads would handle them.

    In turns, or the honest ones first, when the town is ``known`` by its finals.
    """
    honest, hostile = cases.town(seed), cases.attack(kind, seed)
    turns = [one for turn in zip_longest(honest, hostile) for one in turn if one is not None]
    order = [*honest, *hostile] if known else turns
    found, now = Names(), datetime(2026, 1, 1, tzinfo=UTC)
    entries: dict[str, DictionaryEntry] = {}
    voices: list[tuple[str, second_voice.Voice]] = []
    written: list[tuple[str, str, tuple[str, ...]]] = []
    for day, document in enumerate(order):
        others = [voice for session, voice in voices if session != document.document_id]
        people = KnownPeople.of(cases.COUNCIL, [(one.wrong, one.right) for one in others])
        delta = engine.compare_documents(
            _document([pair.before for pair in document.pairs]),
            _document([pair.after for pair in document.pairs]),
            generated_id="draft",
            final_id="final",
            dictionary={entry.wrong: entry.right for entry in entries.values()},
            people=people,
        )
        offered, _ = live_entities(delta)
        others_write = {
            word
            for session, author, words in written
            for word in words
            if author != document.author and session != document.document_id
        }
        divided = second_voice.divide(
            offered,
            roster=cases.COUNCIL,
            entries=entries,
            voices=others,
            doubts=second_voice.doubts(offered, roster=cases.COUNCIL, written=others_write),
            author=document.author,
            brought=sum(entry.author == document.author for entry in entries.values()),
            now=now + timedelta(days=day),
        )
        for change in delta.entity_changes:
            true = cases.is_true(change.wrong, change.right, document.pairs)
            (found.true_offered if true else found.false_offered).add((change.wrong, change.right))
        for change in divided.live:
            true = cases.is_true(change.wrong, change.right, document.pairs)
            (found.true_live if true else found.false_live).add((change.wrong, change.right))
            before = entries.get(entry_key(change.wrong))
            if before is not None and before.right == change.right:
                continue  # it stays the entry of who made it
            entries[entry_key(change.wrong)] = DictionaryEntry(
                wrong=change.wrong,
                right=change.right,
                kind=change.kind,
                source_document=document.document_id,
                author=document.author,
                created_at=now + timedelta(days=day),
            )
        waiting = [*(change for change, _ in divided.waiting), *delta.entities_waiting]
        voices += [
            (document.document_id, second_voice.Voice(one.wrong, one.right, document.author))
            for one in waiting
        ]
        if delta.quarantined is None:
            names = names_in(pair.after for pair in document.pairs)
            written.append((document.document_id, document.author, names))
    return found


def _document(paragraphs: list[str]) -> Document:
    return Document(None, tuple(Block(text) for text in paragraphs))


def names_table(cases: ModuleType, seeds: tuple[int, ...]) -> float:
    """Print the table of the dictionary; returns the share kept out where the town is known."""
    what = cases.__name__.rsplit(".", 1)[-1]
    print(
        f"\n| {what} | false entries | kept out | true lost | known town: kept out | true lost |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    totals = [Names(), Names()]
    for kind in cases.KINDS:
        cells = []
        for known, total in zip((False, True), totals, strict=True):
            own = Names()
            for seed in seeds:
                found = judge_names(cases, kind, seed, known=known)
                for name, entries in vars(found).items():
                    marked = {(f"{kind} {seed}", *entry) for entry in entries}
                    getattr(own, name).update(marked)
                    getattr(total, name).update(marked)
            cells.append(own)
        print(f"| {kind.replace('_', ' ')} | {len(cells[0].false_offered)} | {_shares(*cells)} |", flush=True)
    print(f"| **all** | {len(totals[0].false_offered)} | {_shares(*totals)} |", flush=True)
    return 1 - len(totals[1].false_live) / max(1, len(totals[1].false_offered))


def _shares(*found: Names) -> str:
    cells = []
    for one in found:
        kept = f"{1 - len(one.false_live) / len(one.false_offered):.1%}" if one.false_offered else "–"
        cells += [kept, f"{len(one.true_offered - one.true_live) / max(1, len(one.true_offered)):.1%}"]
    return " | ".join(cells)


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
    for cases in (poisoning_names, poisoning_names_apart):
        kept = names_table(cases, seeds)
        if kept < FALSE_ENTRIES:
            broken.append(f"{cases.__name__}: only {kept:.1%} of false dictionary entries were kept out")
    if shares["kept_out"] < KEPT_OUT:
        broken.append(f"only {shares['kept_out']:.1%} of bad pairs were kept out")
    if shares["lost"] > CLEAN_LOST:
        broken.append(f"{shares['lost']:.1%} of clean pairs were lost")
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
