# ruff: noqa: E501  (tables: one row, one line)
"""Pairs through the pseudonymizer against stock Presidio, in turns and by processor time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from privacy_stock import by_stock, stock

from astra_learn_assets.making.ner import corpora
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer

Pair = tuple[str, str, str]


def throughput(name: str, pairs: Sequence[Pair]) -> None:
    """Pairs through the pseudonymizer against stock Presidio, one by one, with the same model.

    Ours finds and replaces, both sides and every further look at its own output counted; stock only finds.
    """
    fresh = Pseudonymizer(country="es")
    for _ in range(2):  # both have loaded their tables before the clock starts; no pair is seen twice
        by_stock(["Interviene Pedro Ruiz, con DNI 12345678Z."])
        Pseudonymizer(country="es").text("Interviene Pedro Ruiz, con DNI 12345678Z.", 0)
    slow = fast = 0.0
    for at in range(0, len(pairs), 128):  # in turns, so that a busy machine slows both
        part = pairs[at : at + 128]
        started = time.process_time()
        for before, after, _ in part:
            stock().analyze(before, language="es")
            stock().analyze(after, language="es")
        slow += time.process_time() - started
        started = time.process_time()
        fresh.pairs(part)
        fast += time.process_time() - started
    size = sum(len(b) + len(a) for b, a, _ in pairs)
    print(f"\nThroughput (CPU time), {name}, {len(pairs)} pairs, {size} characters: stock one by one {len(pairs) / slow:.1f} pairs/s, "
          f"ours (masking and replacing) {len(pairs) / fast:.1f} pairs/s, ratio {slow / fast:.1f}")  # fmt: skip


def council_pairs() -> list[Pair]:
    """The pairs two simulated councils give in 25 sessions each."""
    from astra_learn_assets.simulation.council.simulator import make_council

    councils = [make_council("villaverde", seed=3), make_council("altomar", seed=11)]
    found = [p for c in councils for n in range(25) for p in c.session(n).truth.pairs if p.before]
    return [(p.before, p.after, str(i)) for i, p in enumerate(found)]


def noisy(text: str, seed: int) -> str:
    """The draft of a text: a word or two misheard, the rest alike."""
    rng = random.Random(seed)
    words = text.split(" ")
    for _ in range(max(1, len(words) // 40)):
        at = rng.randrange(len(words))
        words[at] = words[at].replace("v", "b").replace("h", "").lower() or words[at]
    return " ".join(words)


def congress_pairs(path: Path) -> list[Pair]:
    """300 paragraphs of the minutes in ``path``, each with a draft of it."""
    records = islice(corpora.read_jsonl(path), 4000)
    texts = [str(r["text"]) for r in records if 400 < len(str(r["text"])) < 1200][:300]
    return [(noisy(text, i), text, str(i)) for i, text in enumerate(texts)]
