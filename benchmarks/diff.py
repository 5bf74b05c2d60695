"""How well and how fast paragraphs find each other again, against the usual tools.

    python benchmarks/diff.py --text DIR_OR_FILE.jsonl.xz --sizes 200,2000,20000

A generator edits Spanish paragraphs and writes the truth: which paragraph came from which, what was
moved, split, merged. ``--text`` takes JSON lines with a ``text`` field (plain or .xz, a file or a
folder of them); without it the simulated council's own minutes are used. Peers: difflib on
paragraphs, rapidfuzz opcodes with a full cdist over the leftovers, and on real DOCX files Docxodus
(python-redlines) and LibreOffice where they are installed (:mod:`diff_peers`; their milliseconds are
those of a whole comparison, not of the alignment alone). F1 over pairs of paragraphs; moves, splits and
merges by draft paragraph (mv+ed: those moved and edited, by pair); label = share of draft paragraphs
with the right operation. Milliseconds are processor time, the least of all runs, so that a busy machine
disturbs little; ``ratio`` is to "ours, no ids" in the same run. The last lines compare two DOCX files
end to end.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import io
import math
import time
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

import diff_peers
import numpy as np
from diff_cases import BOILERPLATE, LIGHT, MASSIVE, Case, make_case, read_texts
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from astra_learn_assets.comparator.align.alignment import align
from astra_learn_assets.comparator.align.chains import moved_positions
from astra_learn_assets.comparator.align.similarity import Vocabulary


@dataclass
class Answer:
    """What a tool says: pairs of paragraphs and an operation for each draft paragraph."""

    pairs: set[tuple[int, int]]
    ops: dict[int, str]
    seconds: float


def ours(case: Case, *, with_ids: bool = False) -> Answer:
    """The comparator's alignment, text preparation included."""
    start = time.process_time()
    vocabulary = Vocabulary()
    alignment = align(
        vocabulary.units(case.before),
        vocabulary.units(case.after),
        case.before_ids if with_ids else None,
        case.after_ids if with_ids else None,
        vocabulary=vocabulary,
    )
    seconds = time.process_time() - start
    pairs = {(i, j) for g in alignment.groups for i in g.before for j in g.after}
    ops = dict.fromkeys(alignment.deleted, "deleted")
    for g in alignment.groups:
        same = " ".join(case.before[i] for i in g.before) == " ".join(case.after[j] for j in g.after)
        op = (
            "split"
            if len(g.after) > 1
            else "merged"
            if len(g.before) > 1
            else "moved"
            if g.moved
            else "equal"
            if same
            else "modified"
        )
        ops.update(dict.fromkeys(g.before, op))
    return Answer(pairs, ops, seconds)


def by_difflib(case: Case) -> Answer:
    """difflib over whole paragraphs; what it replaces is paired in order."""
    start = time.process_time()
    opcodes = difflib.SequenceMatcher(None, case.before, case.after, autojunk=False).get_opcodes()
    return _from_opcodes([(tag, a, b, c, d) for tag, a, b, c, d in opcodes], start)


def by_rapidfuzz(case: Case) -> Answer:
    """Levenshtein opcodes for equal paragraphs, then the best partners of a full matrix of the leftovers."""
    start = time.process_time()
    codes: dict[str, int] = {}
    left = [codes.setdefault(t, len(codes)) for t in case.before]
    right = [codes.setdefault(t, len(codes)) for t in case.after]
    pairs: set[tuple[int, int]] = set()
    for op in Levenshtein.opcodes(left, right):
        if op.tag == "equal":
            pairs.update(zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True))
    free_a = sorted(set(range(len(left))) - {i for i, _ in pairs})
    free_b = sorted(set(range(len(right))) - {j for _, j in pairs})
    if free_a and free_b:
        matrix = cdist(
            [case.before[i] for i in free_a],
            [case.after[j] for j in free_b],
            scorer=fuzz.ratio,
            score_cutoff=50,
            dtype=np.uint8,
        )
        order = np.argsort(-matrix.astype(np.int16), axis=None, kind="stable")
        used_a: set[int] = set()
        used_b: set[int] = set()
        for flat in order[: 20 * (len(free_a) + len(free_b))]:
            x, y = divmod(int(flat), len(free_b))
            if matrix[x, y] and x not in used_a and y not in used_b:
                used_a.add(x)
                used_b.add(y)
                pairs.add((free_a[x], free_b[y]))
    seconds = time.process_time() - start
    return Answer(pairs, _ops_of_pairs(case, pairs), seconds)


def _from_opcodes(opcodes: list[tuple[str, int, int, int, int]], start: float) -> Answer:
    pairs: set[tuple[int, int]] = set()
    ops: dict[int, str] = {}
    for tag, a, b, c, d in opcodes:
        if tag in ("equal", "replace"):
            pairs.update(zip(range(a, b), range(c, d), strict=False))
        for k, i in enumerate(range(a, b)):
            ops[i] = (
                "equal" if tag == "equal" else "modified" if tag == "replace" and c + k < d else "deleted"
            )
    return Answer(pairs, ops, time.process_time() - start)


def _ops_of_pairs(case: Case, pairs: set[tuple[int, int]]) -> dict[int, str]:
    ops = dict.fromkeys(range(len(case.before)), "deleted")
    ordered = sorted(pairs)
    moved = moved_positions([j for _, j in ordered])
    for position, (i, j) in enumerate(ordered):
        same = case.before[i] == case.after[j]
        ops[i] = "moved" if position in moved else "equal" if same else "modified"
    return ops


def f1(found: Set[object], true: Set[object]) -> float:
    """Harmonic mean of precision and recall; 1 when there is nothing to find and nothing found."""
    if not found and not true:
        return 1.0
    return 2 * len(found & true) / (len(found) + len(true))


def text_equivalent(case: Case, pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Forgive swaps between identical paragraphs: pair each by its text and rank, not its position."""
    seen: dict[tuple[str, str], int] = {}
    keyed: set[tuple[int, int]] = set()
    for i, j in sorted(pairs):
        if case.before[i] in BOILERPLATE and case.after[j] == case.before[i]:
            key = (case.before[i], case.after[j])
            seen[key] = seen.get(key, 0) + 1
            keyed.add((-1 - BOILERPLATE.index(case.before[i]), seen[key]))
        else:
            keyed.add((i, j))
    return keyed


def score(case: Case, answer: Answer) -> dict[str, float]:
    """The table's columns."""
    true, found = case.ops, answer.ops

    def of(op: str) -> float:
        return f1({i for i, o in found.items() if o == op}, {i for i, o in true.items() if o == op})

    edited = {(i, j) for i, j in answer.pairs if found.get(i) == "moved" and case.before[i] != case.after[j]}
    truly_edited = {
        (i, j) for i, j in case.pairs if i in case.edited_moves and case.before[i] != case.after[j]
    }
    return {
        "pair": f1(text_equivalent(case, answer.pairs), text_equivalent(case, case.pairs)),
        "move": of("moved"),
        "moved and edited": f1(edited, truly_edited),
        "split": of("split"),
        "merge": of("merged"),
        "label": sum(found.get(i) == op for i, op in true.items()) / len(true),
    }


def docx_of(paragraphs: list[str]) -> bytes:
    """A plain DOCX of ``paragraphs``."""
    import docx

    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def by_redline(case: Case, redline: diff_peers.Redline) -> Answer:
    """What a word processor's comparison takes for the same paragraph."""
    draft, final = docx_of(case.before), docx_of(case.after)
    result, seconds = redline(draft, final)
    found = diff_peers.paragraphs_of_redline(result)
    here, there = diff_peers.places(found.draft, case.before), diff_peers.places(found.final, case.after)
    pairs = {(here[i], there[j]) for i, j in found.pairs if i in here and j in there}
    moved = {here[i] for i in found.moved if i in here}
    ops = _ops_of_pairs(case, _one_each(pairs))
    partners_before, partners_after = Counter(i for i, _ in pairs), Counter(j for _, j in pairs)
    for i, j in pairs:
        if i in ops and partners_before[i] > 1:
            ops[i] = "split"
        elif i in ops and partners_after[j] > 1:
            ops[i] = "merged"
    ops.update(dict.fromkeys(moved & ops.keys(), "moved"))
    return Answer(pairs, ops, seconds)


def _one_each(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The first partner of each paragraph, for the question of order."""
    chosen: dict[int, int] = {}
    used: set[int] = set()
    for i, j in sorted(pairs):
        if i not in chosen and j not in used:
            chosen[i] = j
            used.add(j)
    return set(chosen.items())


def end_to_end(case: Case) -> None:
    """Two DOCX files, everything included, against Docxodus and LibreOffice where installed."""
    from astra_learn_assets.comparator.engine import compare

    before, after = docx_of(case.before), docx_of(case.after)
    seconds = processor = math.inf
    for _ in range(6):
        start, start_processor = time.perf_counter(), time.process_time()
        compare(before, after, generated_id="draft", final_id="final")
        seconds = min(seconds, time.perf_counter() - start)
        processor = min(processor, time.process_time() - start_processor)
    print(f"\ntwo DOCX of {len(case.before):,} paragraphs end to end")
    print(f"  ours         {seconds:6.2f} s, {processor:.2f} s of a processor")
    small = docx_of(case.before[:2]), docx_of(case.after[:2])
    for name, peer in (("Docxodus", diff_peers.docxodus()), ("LibreOffice", diff_peers.libreoffice())):
        if isinstance(peer, str):
            print(f"  {name:12} {peer}")
            continue
        theirs = min(diff_peers.wall(peer, before, after) for _ in range(3))
        start_up = min(diff_peers.wall(peer, *small) for _ in range(3))
        print(
            f"  {name:12} {theirs:6.2f} s, {theirs / seconds:.0f} times as long"
            f" ({start_up:.2f} s of it to compare two paragraphs; without them "
            f"{(theirs - start_up) / seconds:.0f} times)"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, default=None)
    parser.add_argument("--sizes", default="200,2000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peers-up-to", type=int, default=2000)
    parser.add_argument("--redlines-up-to", type=int, default=2000, help="blocks for Docxodus, LibreOffice")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours on each case, for its time")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    texts = read_texts(arguments.text, int(max(sizes) * 1.8) + 2000)
    tools: list[tuple[str, Callable[[Case], Answer]]] = [
        ("ours, no ids", ours),
        ("ours, 95 % ids", lambda case: ours(case, with_ids=True)),
        ("difflib", by_difflib),
        ("rapidfuzz + cdist", by_rapidfuzz),
    ]
    redlines = (("Docxodus", diff_peers.docxodus()), ("LibreOffice", diff_peers.libreoffice()))
    for tool, peer in redlines:
        if isinstance(peer, str):
            print(f"{tool}: {peer}")
        else:
            tools.append((tool, functools.partial(by_redline, redline=peer)))
    columns = "".join(f" {name:>7}" for name in ("pair", "move", "mv+ed", "split", "merge", "label"))
    print(f"{'blocks':>7} {'change':8} {'tool':18} {'ms':>8} {'ratio':>7}{columns}")
    base = 1.0
    for size in sizes:
        for name, rates, depth in (("light", LIGHT, 0.25), ("massive", MASSIVE, 0.6)):
            cases = [make_case(texts, size, rates, depth, 0.95, seed) for seed in range(arguments.seeds)]
            for tool, run in tools:
                if size > arguments.peers_up_to and not tool.startswith("ours"):
                    continue
                if size > arguments.redlines_up_to and tool in dict(redlines):
                    continue
                answers = [run(case) for case in cases]
                times = [answer.seconds for answer in answers]
                if tool.startswith("ours"):
                    times += [run(case).seconds for case in cases for _ in range(arguments.repeat - 1)]
                    base = min(times) if tool == "ours, no ids" else base
                scores = [score(case, answer) for case, answer in zip(cases, answers, strict=True)]
                means = [sum(s[key] for s in scores) / len(scores) for key in scores[0]]
                print(
                    f"{size:>7,} {name:8} {tool:18} {1000 * min(times):8.1f} {min(times) / base:7.1f} "
                    + " ".join(f"{m:7.4f}" for m in means)
                )
    end_to_end(make_case(texts, 2000, LIGHT, 0.25, 0.95, 1))


if __name__ == "__main__":
    main()
