"""Edited minutes with the truth about every paragraph, for ``diff.py``."""

from __future__ import annotations

import json
import lzma
import random
from dataclasses import dataclass, field
from pathlib import Path

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
    from astra_learn_assets.comparator.docx.reader import read_document
    from astra_learn_assets.simulation.council.simulator import make_council

    texts: dict[str, None] = {}
    index = 0
    while len(texts) < wanted and index < 400:
        council = make_council(f"banco-{index // 40}", seed=index)
        for block in read_document(council.session(index % 40).draft_docx).blocks:
            if 8 <= len(block.text.split()) <= 120:
                texts[block.text] = None
        index += 1
    return list(texts)
