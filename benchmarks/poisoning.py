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
*Asked again*: the same in turns with the second look (:mod:`hotpath.second_look`) after each final; what went
back to waiting and is not live at the end was kept out, or lost.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
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
from astra_learn_assets.hotpath import second_look, second_voice
from astra_learn_assets.hotpath.intake import live_entities
from astra_learn_assets.hotpath.written_names import names_in
from astra_learn_assets.ids import TenantId
from astra_learn_assets.spanish.fold import entry_key
from benchmarks import poisoning_names, poisoning_names_apart
from benchmarks.poisoning_cases import KINDS, CaseDocument, attack, town

TENANT = TenantId("villaverde")
KEPT_OUT, CLEAN_LOST = 0.95, 0.02
FALSE_ENTRIES, TRUE_LOST = 0.99, 0.02
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

    @property
    def kept_out(self) -> float:
        """The share of false entries that is not live."""
        return 1 - len(self.false_live) / max(1, len(self.false_offered))

    @property
    def lost(self) -> float:
        """The share of true entries that is not live."""
        return len(self.true_offered - self.true_live) / max(1, len(self.true_offered))


def judge_names(cases: ModuleType, kind: str, seed: int, *, known: bool, again: bool = False) -> Names:
    """Thirty honest finals and twenty hostile ones, as uploads would handle them.

    In turns, or the honest ones first, when the town is ``known`` by its finals. ``again``: with the second
    look after each.
    """
    honest, hostile = cases.town(seed), cases.attack(kind, seed)
    turns = [one for turn in zip_longest(honest, hostile) for one in turn if one is not None]
    order = [*honest, *hostile] if known else turns
    found, now = Names(), datetime(2026, 1, 1, tzinfo=UTC)
    entries: dict[str, DictionaryEntry] = {}
    finals: list[second_look.Final] = []
    for day, document in enumerate(order):
        others = [
            second_voice.Voice(wrong, right, final.author)
            for final in finals
            if final.session_id != document.document_id
            for wrong, right in final.waiting
        ]
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
            for final in finals
            if final.author != document.author and final.session_id != document.document_id
            for word in final.names
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
        for offer in delta.entity_changes:
            true = cases.is_true(offer.wrong, offer.right, document.pairs)
            (found.true_offered if true else found.false_offered).add((offer.wrong, offer.right))
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
        waiting = [(one.wrong, one.right) for one, _ in divided.waiting]
        waiting += [(one.wrong, one.right) for one in delta.entities_waiting]
        names = names_in(pair.after for pair in document.pairs) if delta.quarantined is None else ()
        finals.append(
            second_look.Final(
                document_id=document.document_id,
                session_id=document.document_id,
                author=document.author,
                names=names,
                live=[(one.wrong, one.right) for one in divided.live],
                waiting=waiting,
            )
        )
        if again and names:
            _look_again(cases.COUNCIL, entries, finals, now + timedelta(days=day))
    if again:
        live = {pair for final in finals for pair in final.live}
        found.false_live &= live
        found.true_live &= live
    return found


def _look_again(
    roster: Sequence[str],
    entries: dict[str, DictionaryEntry],
    finals: list[second_look.Final],
    now: datetime,
) -> None:
    """The second look after the newest final; what it doubts waits in the final that brought it."""
    by_author = Counter(final.author for final in finals if final.names)
    if by_author[finals[-1].author] > second_look.OF_ONE:
        return
    counted = Counter({author: min(count, second_look.OF_ONE) for author, count in by_author.items()})
    others = {entry.author: counted.total() - counted[entry.author] for entry in entries.values()}
    authors = second_look.authors_asked(others, finals[-1].author)
    for key in second_look.doubted(entries, authors, finals, roster=roster, now=now):
        taken = entries.pop(key)
        finals[:] = [second_look.sent_back(final, taken) for final in finals]


def _document(paragraphs: list[str]) -> Document:
    return Document(None, tuple(Block(text) for text in paragraphs))


_TOWNS = ({"known": False}, {"known": False, "again": True}, {"known": True})


def names_table(cases: ModuleType, seeds: tuple[int, ...]) -> list[Names]:
    """Print the table of the dictionary; returns what came of all kinds in each of the towns."""
    what = cases.__name__.rsplit(".", 1)[-1]
    print(
        f"\n| {what} | false entries | kept out | true lost | asked again: kept out | true lost "
        "| known town: kept out | true lost |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    totals = [Names() for _ in _TOWNS]
    for kind in cases.KINDS:
        cells = []
        for how, total in zip(_TOWNS, totals, strict=True):
            own = Names()
            for seed in seeds:
                found = judge_names(cases, kind, seed, **how)
                for name, entries in vars(found).items():
                    marked = {(f"{kind} {seed}", *entry) for entry in entries}
                    getattr(own, name).update(marked)
                    getattr(total, name).update(marked)
            cells.append(own)
        print(f"| {kind.replace('_', ' ')} | {len(cells[0].false_offered)} | {_shares(*cells)} |", flush=True)
    print(f"| **all** | {len(totals[0].false_offered)} | {_shares(*totals)} |", flush=True)
    return totals


def _shares(*found: Names) -> str:
    cells = []
    for one in found:
        cells += [f"{one.kept_out:.1%}" if one.false_offered else "–", f"{one.lost:.1%}"]
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
        in_turns, again, known = names_table(cases, seeds)
        if known.kept_out < FALSE_ENTRIES:
            broken.append(f"{cases.__name__}: only {known.kept_out:.1%} of false entries were kept out")
        if again.kept_out < in_turns.kept_out:
            broken.append(f"{cases.__name__}: asked again, more false entries come in")
        if again.lost > TRUE_LOST:
            broken.append(f"{cases.__name__}: asked again, {again.lost:.1%} of true entries were lost")
    if shares["kept_out"] < KEPT_OUT:
        broken.append(f"only {shares['kept_out']:.1%} of bad pairs were kept out")
    if shares["lost"] > CLEAN_LOST:
        broken.append(f"{shares['lost']:.1%} of clean pairs were lost")
    for problem in broken:
        print(f"broken: {problem}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
