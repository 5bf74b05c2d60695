"""How well and how fast paragraphs find each other again, against the usual tools.

    python benchmarks/diff.py --text DIR_OR_FILE.jsonl.xz --sizes 200,2000,20000

A generator edits Spanish paragraphs and writes the truth: which paragraph came from which, what was
moved, split, merged. ``--text`` takes JSON lines with a ``text`` field (plain or .xz, a file or a
folder of them); without it the simulated council's own minutes are used. Peers: difflib on
paragraphs, rapidfuzz opcodes with a full cdist over the leftovers, python-redlines (Docxodus) on
real DOCX files where it is installed. F1 over pairs of paragraphs; moves, splits and merges by draft
paragraph (mv+ed: those moved and edited, by pair); label = share of draft paragraphs with the right
operation. Milliseconds are processor time, the least of all runs, so that a busy machine disturbs
little; ``ratio`` is to "ours, no ids" in the same run. End to end is wall time, less start-up.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import json
import lzma
import math
import random
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from astra_learn_assets.comparator.alignment import align
from astra_learn_assets.comparator.chains import moved_positions
from astra_learn_assets.comparator.similarity import Vocabulary

BOILERPLATE = (
    "Se aprueba por unanimidad de los miembros presentes.",
    "No habiendo más intervenciones, se somete el asunto a votación.",
    "El señor alcalde agradece la intervención y da paso al siguiente punto del orden del día.",
    "Queda enterado el Pleno.",
    "Votos a favor: 12. Votos en contra: 5. Abstenciones: 2.",
    "La Presidencia abre el turno de intervenciones.",
    "Sí.",
    "Ruegos y preguntas.",
)


@dataclass
class Case:
    """A draft, its final and the truth."""

    before: list[str]
    after: list[str]
    before_ids: list[tuple[str, ...]]
    after_ids: list[tuple[str, ...]]
    pairs: set[tuple[int, int]] = field(default_factory=set)
    ops: dict[int, str] = field(default_factory=dict)
    edited_moves: set[int] = field(default_factory=set)


@dataclass
class Answer:
    """What a tool says: pairs of paragraphs and an operation for each draft paragraph."""

    pairs: set[tuple[int, int]]
    ops: dict[int, str]
    seconds: float


LIGHT = {
    "modify": 0.15,
    "move": 0.03,
    "move_edit": 0.02,
    "split": 0.02,
    "merge": 0.02,
    "delete": 0.03,
    "insert": 0.03,
}
MASSIVE = {
    "modify": 0.40,
    "move": 0.08,
    "move_edit": 0.10,
    "split": 0.05,
    "merge": 0.05,
    "delete": 0.10,
    "insert": 0.12,
}


def make_case(
    texts: list[str], size: int, rates: dict[str, float], depth: float, ids: float, seed: int
) -> Case:
    """Edit ``size`` paragraphs. ``depth``: largest share of a paragraph's words that an edit changes."""
    rng = random.Random(seed)
    pool = rng.sample(texts, min(len(texts), int(size * 1.3) + 50))
    before = [rng.choice(BOILERPLATE) if rng.random() < 0.06 else pool[i % len(pool)] for i in range(size)]
    # An inserted formula that is nearly one just deleted would leave the truth undecidable.
    openings = {opening(text) for text in before}
    spare = [text for text in texts if opening(text) not in openings][: size + 50] or pool
    words = [w for text in pool[:500] for w in text.split()]
    case = Case(before, [], [(f"k{i}",) for i in range(size)], [])
    rows: list[tuple[float, list[str], list[int], bool]] = []  # place, parts, draft indices, keeps id
    i = 0
    while i < size:
        roll, text = rng.random(), before[i]
        long = len(text.split()) >= 14

        def pick(name: str) -> bool:
            nonlocal roll
            chosen = roll < rates[name]
            roll -= rates[name]
            return chosen

        keeps = rng.random() < ids
        if pick("modify"):
            new = edit(text, words, rng, depth)
            case.ops[i] = "equal" if new == text else "modified"
            rows.append((i, [new], [i], keeps))
        elif pick("move") and long:
            case.ops[i] = "moved"
            rows.append((rng.uniform(0, size), [text], [i], keeps))
        elif pick("move_edit") and long:
            case.ops[i] = "moved"
            case.edited_moves.add(i)
            rows.append((rng.uniform(0, size), [edit(text, words, rng, depth)], [i], keeps))
        elif pick("split") and len(text.split()) >= 20:
            tokens = text.split()
            cut = rng.randint(len(tokens) // 4, 3 * len(tokens) // 4)
            case.ops[i] = "split"
            rows.append((i, [" ".join(tokens[:cut]), " ".join(tokens[cut:])], [i], keeps))
        elif pick("merge") and i + 1 < size and long and len(before[i + 1].split()) >= 8:
            joined = (
                edit(f"{text} {before[i + 1]}", words, rng, depth / 3)
                if rng.random() < 0.5
                else f"{text} {before[i + 1]}"
            )
            case.ops[i] = case.ops[i + 1] = "merged"
            rows.append((i, [joined], [i, i + 1], keeps))
            i += 1
        elif pick("delete"):
            case.ops[i] = "deleted"
        else:
            case.ops[i] = "equal"
            rows.append((i, [text], [i], keeps))
        if rng.random() < rates["insert"]:
            rows.append((i + 0.5, [rng.choice(spare)], [], False))
        i += 1
    rows.sort(key=lambda row: row[0])
    for _, parts, sources, keeps in rows:
        for part in parts:
            case.pairs.update((source, len(case.after)) for source in sources)
            case.after_ids.append(tuple(f"k{s}" for s in sources) if keeps and sources else ())
            case.after.append(part)
    return case


def opening(text: str) -> str:
    """The first three words: what formulas of minutes have in common."""
    return " ".join(text.casefold().split()[:3])


def edit(text: str, words: list[str], rng: random.Random, depth: float) -> str:
    """Replace, drop, insert words and misspell some, up to ``depth`` of the text."""
    tokens = text.split()
    for _ in range(max(1, int(len(tokens) * rng.uniform(0.02, depth)))):
        k = rng.randrange(len(tokens)) if tokens else 0
        what = rng.random()
        if what < 0.45 and tokens:
            tokens[k] = rng.choice(words)
        elif what < 0.65 and len(tokens) > 3:
            del tokens[k]
        elif what < 0.8:
            tokens.insert(k, rng.choice(words))
        elif tokens:
            letter = rng.randrange(len(tokens[k]))
            tokens[k] = tokens[k][:letter] + rng.choice("aeiosnrlt") + tokens[k][letter + 1 :]
    return " ".join(tokens)


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


def read_texts(path: Path | None, wanted: int) -> list[str]:
    """Distinct paragraphs of 8 to 120 words."""
    if path is None:
        return _council_texts(wanted)
    texts: dict[str, None] = {}
    for file in sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]:
        with lzma.open(file, "rt", encoding="utf-8") if file.suffix == ".xz" else file.open() as lines:
            for line in lines:
                text = " ".join(json.loads(line)["text"].split())
                if 8 <= len(text.split()) <= 120:
                    texts[text] = None
                if len(texts) >= wanted:
                    return list(texts)
    return list(texts)


def _council_texts(wanted: int) -> list[str]:
    from astra_learn_assets.comparator.reader import read_document
    from astra_learn_assets.council.simulator import make_council

    texts: dict[str, None] = {}
    index = 0
    while len(texts) < wanted and index < 400:
        council = make_council(f"banco-{index // 40}", seed=index)
        for block in read_document(council.session(index % 40).draft_docx).blocks:
            if 8 <= len(block.text.split()) <= 120:
                texts[block.text] = None
        index += 1
    return list(texts)


def docx_of(paragraphs: list[str]) -> bytes:
    """A plain DOCX of ``paragraphs``."""
    import docx

    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def end_to_end(case: Case) -> None:
    """Two DOCX files, everything included, against Docxodus where it is installed."""
    from astra_learn_assets.comparator.engine import compare

    before, after = docx_of(case.before), docx_of(case.after)
    seconds = math.inf
    for _ in range(4):
        start = time.perf_counter()
        compare(before, after, generated_id="draft", final_id="final")
        seconds = min(seconds, time.perf_counter() - start)
    print(f"\ntwo DOCX of {len(case.before):,} paragraphs end to end: {seconds:.2f} s", end="")
    try:
        engines = importlib.import_module("python_redlines.engines")
    except ImportError:
        print(" (python-redlines is not installed)")
        return
    engine = engines.XmlPowerToolsEngine()
    start = time.perf_counter()
    engine.run_redline("benchmark", before, after)
    theirs = time.perf_counter() - start
    print(f"; python-redlines {theirs:.2f} s, {theirs / seconds:.0f} times as long")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, default=None)
    parser.add_argument("--sizes", default="200,2000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peers-up-to", type=int, default=2000)
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
    columns = "".join(f" {name:>7}" for name in ("pair", "move", "mv+ed", "split", "merge", "label"))
    print(f"{'blocks':>7} {'change':8} {'tool':18} {'ms':>8} {'ratio':>7}{columns}")
    base = 1.0
    for size in sizes:
        for name, rates, depth in (("light", LIGHT, 0.25), ("massive", MASSIVE, 0.6)):
            cases = [make_case(texts, size, rates, depth, 0.95, seed) for seed in range(arguments.seeds)]
            for tool, run in tools:
                if size > arguments.peers_up_to and not tool.startswith("ours"):
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
