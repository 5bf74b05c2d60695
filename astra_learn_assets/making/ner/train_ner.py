"""Train the shipped entity model: ``python -m astra_learn_assets.making.ner.train_ner --data DIR --out DIR``.

One blank ``es`` pipeline: MultiHashEmbed (width 96, accent-blind NORM, PREFIX, SUFFIX and SHAPE), four
convolution layers, transition-based NER, no vectors; trained on one CPU core from clinical records,
silver minutes, minutes labelled by their speaker list, and generated municipal sentences (fresh ones
in every pass). The average of the weights is what is saved. Same seed, data and versions give the
same model; ``--words`` bounds the work.

Also writes the model card. Needs the dev extra (Faker).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_learn_assets.making.ner import corpora, grammar
from astra_learn_assets.making.ner.grammar import Sentence
from astra_learn_assets.making.ner.invented_names import NameFactory
from astra_learn_assets.privacy.ner.nlp import TOKENIZER, register

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.training import Example

NAME, VERSION = "astra_minutes_ner", "1.0.0"
WIDTH = 96
CONFIG: dict[str, Any] = {
    "nlp": {"lang": "es", "pipeline": ["ner"], "tokenizer": {"@tokenizers": TOKENIZER}},
    "components": {
        "ner": {
            "factory": "ner",
            "model": {
                "@architectures": "spacy.TransitionBasedParser.v2",
                "state_type": "ner",
                "extra_state_tokens": False,
                "hidden_width": 64,
                "maxout_pieces": 2,
                "use_upper": True,
                "tok2vec": {
                    "@architectures": "spacy.Tok2Vec.v2",
                    "embed": {
                        "@architectures": "spacy.MultiHashEmbed.v2",
                        "width": WIDTH,
                        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                        "rows": [7000, 2500, 2500, 500],
                        "include_static_vectors": False,
                    },
                    "encode": {
                        "@architectures": "spacy.MaxoutWindowEncoder.v2",
                        "width": WIDTH,
                        "depth": 4,
                        "window_size": 1,
                        "maxout_pieces": 3,
                    },
                },
            },
        }
    },
}


def build() -> Language:
    """The untrained pipeline."""
    from spacy.util import load_model_from_config

    register()
    return load_model_from_config(CONFIG, auto_fill=True)


def to_example(nlp: Language, sentence: Sentence) -> Example | None:
    """One training example, or None where a span does not fall on token borders."""
    from spacy.training import Example

    text, spans = sentence
    doc = nlp.make_doc(text)
    tags = ["O"] * len(doc)
    for start, end, label in sorted(spans):
        span = doc.char_span(start, end)
        if span is None or any(t != "O" for t in tags[span.start : span.end]):
            return None
        if label == corpora.UNKNOWN:
            tags[span.start : span.end] = [corpora.UNKNOWN] * len(span)
        elif len(span) == 1:
            tags[span.start] = f"U-{label}"
        else:
            tags[span.start : span.end] = [f"B-{label}", *[f"I-{label}"] * (len(span) - 2), f"L-{label}"]
    return Example.from_dict(doc, {"entities": tags})


def stream(data: Path, seed: int, *, synthetic: int, minutes: int) -> Iterator[list[Sentence]]:
    """Passes over the data, without end: real text with half the names swapped, new synthetic text each."""
    rng = random.Random(seed)
    names = NameFactory(rng)
    made = grammar.sentences(seed + 1)
    clinical = corpora.clinical(data / "ner" / "meddocan_train.jsonl.xz")
    silver = corpora.silver(data / "ner" / "parlamint_silver.jsonl.xz")
    distant = corpora.distant(data / "actas_congreso", minutes * 4, rng)
    while True:
        batch = [s if rng.random() < 0.5 else corpora.swap_names(s, names) for s in clinical]
        batch += [s if rng.random() < 0.6 else corpora.swap_names(s, names) for s in silver]
        batch += [
            s if rng.random() < 0.3 else corpora.swap_names(s, names) for s in rng.sample(distant, minutes)
        ]
        batch = [grammar.recase(rng, s) if rng.random() < 0.6 else s for s in batch]
        batch += list(islice(made, synthetic))
        rng.shuffle(batch)
        yield batch


def train(data: Path, *, seed: int, words: int, log: Any = sys.stderr) -> tuple[Language, dict[str, float]]:
    """Train for ``words`` words; returns the pipeline with averaged weights, and figures."""
    import spacy.util
    from thinc.api import Adam

    spacy.util.fix_random_seed(seed)  # type: ignore[attr-defined]
    nlp = build()
    started, seen, dropped, loss, shown = time.monotonic(), 0, 0, 0.0, 0
    passes = stream(data, seed, synthetic=26_000, minutes=18_000)
    optimizer = None
    for sentences in passes:
        examples = []
        for sentence in sentences:
            example = to_example(nlp, sentence)
            if example is None:
                dropped += 1
            else:
                examples.append(example)
        if optimizer is None:
            nlp.initialize(lambda: islice(examples, 3000))  # noqa: B023
            optimizer = Adam(learn_rate=0.0015, L2=0.01, grad_clip=1.0, use_averages=True)
        for batch in spacy.util.minibatch(examples, 48):  # type: ignore[no-untyped-call]
            losses: dict[str, float] = {}
            optimizer.learn_rate = 0.0015 * max(0.05, 1 - seen / words)
            nlp.update(batch, sgd=optimizer, drop=0.1, losses=losses)
            loss += losses["ner"]
            seen += sum(len(e.predicted) for e in batch)
            if seen - shown >= 100_000:
                log.write(f"{seen:>9} words  {time.monotonic() - started:5.0f} s  loss {loss:.0f}\n")
                shown, loss = seen, 0.0
                log.flush()
            if seen >= words:
                break
        if seen >= words:
            break
    if optimizer is not None:
        component: Any = nlp.get_pipe("ner")
        model = component.model
        with model.use_params(optimizer.averages):
            averaged = model.to_bytes()
        model.from_bytes(averaged)
    return nlp, {"words": seen, "seconds": round(time.monotonic() - started), "dropped_sentences": dropped}


def build_words(data: Path, folder: Path) -> dict[str, int]:
    """Write ``seen.txt`` and ``rare.txt`` from the minutes of 2015 to 2019; returns their sizes.

    Seen are lower-case forms met 3 times or more; rare those of four letters met once or twice, at
    least as often as with a capital, and no listed name. Both folded, to hold against the lexicon's tables.
    """
    from collections import Counter

    from astra_learn_assets.spanish.fold import fold
    from astra_learn_assets.spanish.lexicon import given_names, surnames
    from astra_learn_assets.spanish.word_tables import order

    counts: Counter[str] = Counter()
    capitals: Counter[str] = Counter()
    word = re.compile(r"(?<![\w.])[a-záéíóúüñ]{2,}(?!\w)")
    capital = re.compile(r"(?<![\w.])[A-ZÁÉÍÓÚÑ][a-záéíóúüñ]{3,}(?!\w)")
    for year in corpora.DISTANT_YEARS:
        for record in corpora.read_jsonl(data / "actas_congreso" / f"{year}.jsonl.xz"):
            text = str(record["text"])
            counts.update(fold(w) for w in word.findall(text))
            capitals.update(fold(w) for w in capital.findall(text))
    names = given_names() | surnames()
    lists = {
        "seen.txt": [w for w, n in counts.items() if n >= 3],
        "rare.txt": [
            w for w, n in counts.items() if n < 3 and len(w) > 3 and capitals[w] <= n and w not in names
        ],
    }
    for file, kept in lists.items():
        lines = ["# form: folded", *sorted(kept, key=order)]
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {file: len(kept) for file, kept in lists.items()}


def save(nlp: Language, out: Path, figures: dict[str, float], *, seed: int, command: str) -> None:
    """Write the model folder beside ``out`` and rename; ``training.json`` holds the figures."""
    nlp.meta.update(name=NAME, version=VERSION, license="CC-BY-4.0", description="Persons in Spanish minutes")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    nlp.to_disk(partial)
    card = out / "README.md"
    if card.is_file():
        shutil.copy(card, partial / "README.md")
    record = {"seed": seed, "command": command, **figures}
    (partial / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with ner/ and actas_congreso/")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--words", type=int, default=2_700_000, help="training length")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lexicon", type=Path, help="also write the lists of everyday words to this folder")
    arguments = parser.parse_args()
    if arguments.lexicon:
        sys.stderr.write(f"everyday words: {build_words(arguments.data, arguments.lexicon)}\n")
    nlp, figures = train(arguments.data, seed=arguments.seed, words=arguments.words)
    command = (
        f"python -m astra_learn_assets.making.ner.train_ner --words {arguments.words} --seed {arguments.seed}"
    )
    save(nlp, arguments.out, figures, seed=arguments.seed, command=command)


if __name__ == "__main__":
    main()
