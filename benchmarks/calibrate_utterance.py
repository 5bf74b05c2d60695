"""Fits the weights of ``comparator/utterance.py`` on edited minutes of the simulated council; prints them.

    python benchmarks/calibrate_utterance.py

Each sentence meets itself as a clerk may have left it (misheard, with fillers, said formally, clauses in
another order: corrected; shortened, lengthened, another number, name or a negation: the same utterance, not
only corrected) and other utterances (any, or one with the same opening). Half of the councils fit, the other
half give the reliability. Logistic regression with a small ridge, by Newton's method.
"""

from __future__ import annotations

import random
import re

import numpy as np
import numpy.typing as npt

from astra_learn_assets.comparator.align.similarity import Vocabulary, similarity
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.names.word_diff import difference
from astra_learn_assets.comparator.utterance import FEATURES, features
from astra_learn_assets.simulation.council.simulator import make_council

FILLERS = ("eh", "bueno", "este", "o sea", "digamos", "¿no?", "a ver", "la verdad", "pues")
FORMAL = (
    (r"\bdice que\b", "manifiesta que"), (r"\bpide\b", "solicita"), (r"\bhay que\b", "procede"),
    (r"\bquiere\b", "desea"), (r"\bestá\b", "se encuentra"), (r"\bpregunta\b", "consulta"),
    (r"\bexplica\b", "expone"), (r"\btambién\b", "asimismo"), (r"\bpero\b", "no obstante"),
    (r"\bporque\b", "dado que"), (r"\bhacer\b", "realizar"), (r"\bse va a\b", "se procederá a"),
    (r"\bel señor\b", "don"), (r"\bsobre\b", "acerca de"), (r"\bdar\b", "otorgar"),
    (r"\btiene\b", "dispone de"),
    (r"\bla obra\b", "los trabajos"), (r"\bvecinos\b", "residentes"), (r"\bpueblo\b", "municipio"),
    (r"\baprueba\b", "acuerda aprobar"), (r"\bmucho\b", "de forma notable"), (r"\bpara\b", "con el fin de"),
)  # fmt: skip
SAME_SHARE, CORRECTED_SHARE = 0.97, 0.8
"""What the aligner hands on: about one changed pair in thirty is another utterance, one in five not only
corrected. The rows are made half and half, and counted so that they have these shares."""
SURNAMES = ("Barrantes", "Olmedo", "Quiroga", "Fuentes", "Zabaleta", "Perdomo", "Ibáñez", "Rocha")


def main() -> None:
    """Fit, print the weights and the reliability of the other half."""
    fit, test = (gather(range(14)), gather(range(14, 22)))
    for name, column, share in (("_SAME", 0, SAME_SHARE), ("_CORRECTED", 1, CORRECTED_SHARE)):
        weights = logistic(fit[0], fit[1][:, column], share)
        listed = ", ".join(f"{w:.3f}" for w in weights)
        print(f"{name}: tuple[float, ...] = (\n    {listed},\n)")
        believed = 1 / (1 + np.exp(-test[0] @ weights))
        counts = counted(test[1][:, column], share)
        print(f"# reliability of {name} on councils it was not fitted on: believed, true, pairs")
        for low in np.arange(0, 1, 0.1):
            chosen = (believed >= low) & (believed < low + 0.1)
            if chosen.any():
                true = np.average(test[1][chosen, column], weights=counts[chosen])
                print(f"#   {believed[chosen].mean():.2f}  {true:.2f}  {chosen.sum()}")


def gather(seeds: range) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Features and truths (same, corrected) of edited sentences."""
    rows: list[tuple[float, ...]] = []
    truths: list[tuple[float, float]] = []
    for seed in seeds:
        rng = random.Random(f"utterance:{seed}")
        council = make_council(f"calibracion-{seed}", seed=seed)
        texts = [
            block.text
            for number in range(3)
            for block in read_document(council.session(number).draft_docx).blocks
            if 3 <= len(block.text.split()) <= 80
        ]
        for text in texts:
            for before, after, same, corrected in variants(text, texts, rng):
                if before == after:
                    continue
                vocabulary = Vocabulary()
                alike = similarity(vocabulary.unit(before), vocabulary.unit(after))
                # Where ids survived they are believed nearly always; a typed-over block may keep one too.
                known = rng.random() < (0.45 if same else 0.12)
                lost = not known and rng.random() < (0.05 if same else 0.5)
                beside = rng.choice((0, 1, 2, 2, 2) if same else (0, 1, 1, 2, 2))
                rows.append(
                    features(
                        difference(before, after),
                        similarity=alike,
                        shared_id=known,
                        lost_id=lost,
                        neighbours=beside,
                        far=beside == 0 and rng.random() < 0.5,
                    )
                )
                truths.append((same, corrected))
    return np.array(rows), np.array(truths, dtype=np.float64)


def variants(text: str, texts: list[str], rng: random.Random) -> list[tuple[str, str, bool, bool]]:
    """(draft, final, same utterance, only corrected)."""
    heard = misheard(text, rng)
    made = [(heard, text, True, True), (fill(heard, rng), text, True, True)]
    formal = formally(text, rng)
    made += [(fill(heard, rng), formal, True, True), (heard, reordered(formal), True, True)]
    words = text.split()
    if len(words) >= 8:
        cut = rng.randrange(len(words) // 3, 2 * len(words) // 3 + 1)
        made.append((heard, " ".join(words[:cut]) + ".", True, False))
        made.append((fill(heard, rng), " ".join(formal.split()[cut:]), True, False))
        made.append((heard, f"{formal} {rng.choice(texts)}", True, False))
        made.append((heard, f"{text} {' '.join(rng.choice(texts).split()[:9])}", True, False))
        made.append((f"{heard} {misheard(rng.choice(texts), rng)}", text, True, False))
    if re.search(r"\d", text):
        made.append(
            (heard, re.sub(r"\d+", lambda m: str(int(m[0][:6]) + rng.randrange(1, 60)), text), True, False)
        )
    name = re.search(r"(?<=[a-záéíóú] )[A-ZÁÉÍÓÚ][a-záéíóúñ]{3,}", text)
    if name:
        other = rng.choice(SURNAMES)
        made.append((heard, text.replace(name[0], other), True, False))
    if re.search(r"\b(se|es|está|ha|hay)\b", text):
        made.append((heard, re.sub(r"\b(se|es|está|ha|hay)\b", r"no \1", text, count=1), True, False))
    strangers = rng.sample(texts, 3)
    made += [(heard, stranger, False, False) for stranger in strangers if stranger != text]
    opening = rng.randrange(2, 6)
    typed = " ".join(words[:opening] + rng.choice(texts).split()[opening:])
    if typed.split()[opening:] != words[opening:]:
        made.append((heard, typed, False, False))
    best = max(
        (t for t in rng.sample(texts, 12) if t != text), key=lambda t: len(set(t.split()) & set(words))
    )
    made.append((fill(heard, rng), best, False, False))
    return made


def misheard(text: str, rng: random.Random) -> str:
    """Accents, capitals, b/v, h, ll/y and signs lost here and there."""
    rate = rng.choice((0.03, 0.08, 0.16))
    swaps = (("v", "b"), ("ll", "y"), ("h", ""), ("z", "s"), ("á", "a"), ("é", "e"), ("í", "i"), ("ó", "o"))
    words = []
    for word in text.split():
        if rng.random() < rate:
            old, new = rng.choice(swaps)
            word = word.replace(old, new, 1) if old in word else word.lower().strip(",.;")
        words.append(word)
    return " ".join(words)


def fill(text: str, rng: random.Random) -> str:
    """Fillers and doubled words, as people speak."""
    words: list[str] = []
    for word in text.split():
        roll = rng.random()
        words += [rng.choice(FILLERS), word] if roll < 0.08 else [word, word] if roll < 0.11 else [word]
    return " ".join(words)


def formally(text: str, rng: random.Random) -> str:
    """Some phrases as they are written, some words by longer ones."""
    for pattern, formal in FORMAL:
        if rng.random() < 0.7:
            text = re.sub(pattern, formal, text)
    return text


def reordered(text: str) -> str:
    """Two clauses in the other order."""
    head, comma, tail = text.rstrip(".").partition(", ")
    return f"{tail[:1].upper()}{tail[1:]}, {head[:1].lower()}{head[1:]}." if comma else text


def counted(y: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """How much each row counts so that ``share`` of all are true."""
    counts: npt.NDArray[np.float64] = np.where(y > 0, share / y.mean(), (1 - share) / (1 - y.mean()))
    return counts


def logistic(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """Weights of a logistic regression with a ridge of 1, by Newton's method."""
    counts = counted(y, share)
    weights = np.zeros(len(FEATURES))
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (counts * (y - p)) - weights
        curvature = (x.T * (counts * p * (1 - p))) @ x + np.eye(len(FEATURES))
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return weights


if __name__ == "__main__":
    main()
