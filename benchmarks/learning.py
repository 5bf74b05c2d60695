"""What an adapter learns from N corrected paragraphs of a council it has not seen, beside honest opponents.

    python -m benchmarks.learning --text FOLDER_OF_JSONL_XZ              # curves, several councils
    python -m benchmarks.learning --text FOLDER_OF_JSONL_XZ --quick      # one council, 300 pairs, CPU
    python -m benchmarks.learning --quick                                # the same of the simulated council

Real minutes of 2020 (a year that the shipped base was never shown), made into drafts and finals by
:mod:`benchmarks.real_council`: whole sittings are learned from or tested on, and no tested paragraph is
repeated or nearly repeated on the other side. The corpus is the product's own (``datasets.corpus``), the
training and the answers are those of ``python -m trainer``. A tenth of the clerk's corrections is wrong; the
tests are scored against what is right. ``clean``: new errors in paragraphs that were right; ``generic``:
other recognizers, other sittings, no clerk's habits. ``served``: the adapter's answers with figures and
placeholders kept and its steady substitutions written (``serving.answers``); ``habits``: the base's answers
with those substitutions and no adapter, the opponent that tells what the training itself is worth.
Without ``--text`` the simulated council is used.

``--prepare FILE`` only writes what is to be trained and tested, ``--prepared FILE`` trains and tests it: for
a machine with a card and nothing else of the platform. ``--answers FOLDER`` keeps the answers there, and
takes those that are there: what is written after the model is measured without training again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.real_council.recognizer import KINDS, Unit
from benchmarks.real_council.score import NEW, errors_by_kind, interval, rate

REPOSITORY = Path(__file__).resolve().parent.parent
BASE = str(REPOSITORY / "trainer" / "base_model")
TENANT = "concejo"
SETS = ("council", "clean", "generic")
CLEAN_BOUND = 1.0  # wanted: .3
GENERIC_BOUND = 0.7
Line = dict[str, Any]


def prepare(options: argparse.Namespace, seed: int) -> Line:
    """What one council gives: a corpus for each number of pairs, three tests, and the table's answers."""
    from astra_learn_assets.contracts import Pair as ProductPair
    from astra_learn_assets.datasets import jsonl
    from astra_learn_assets.datasets.corpus import build_corpus
    from astra_learn_assets.datasets.instruct import make_example
    from astra_learn_assets.datasets.replay import load_replay
    from astra_learn_assets.simulation.substitutions import Table
    from benchmarks.real_council import council as councils
    from benchmarks.real_council import recognizer, simulated, text

    sizes = {"learn": max(options.pairs), "test": options.tests, "generic": options.tests // 2}
    if options.text is None:
        made = simulated.make_council(seed, **sizes)
    else:
        paragraphs = text.read(options.text, options.years)
        words = recognizer.lexicon(p.text for p in paragraphs)
        made = councils.make_council(seed, paragraphs, words, **sizes)

    def example(pair: councils.Pair, before: str, after: str) -> Any:
        return make_example(
            pair=ProductPair(chunk_id=None, route=1, before=before, after=after),
            before=before, after=after, entities={}, tenant_id=TENANT, document_id=f"pleno-{pair.sitting}",
            engine_version="bench",
        )  # fmt: skip

    # a test that is right already has no example of its own; it is asked all the same
    sets: dict[str, list[tuple[str, list[Unit]]]] = {
        "council": [(p.before, list(p.units)) for p in made.test],
        "clean": [(p.right, [Unit((w,), (w,)) for w in p.right.split()]) for p in made.test],
        "generic": [(p.before, list(p.units)) for p in made.generic],
    }
    golden = [example(p, p.before, p.right) for p in made.test]
    changed = [p for p in made.learn if p.before != p.after]
    corpora, tables = {}, {}
    for count in options.pairs:
        pairs = changed[:count]
        built = build_corpus(
            tenant_id=TENANT,
            examples=[example(p, p.before, p.after) for p in pairs],
            replay=load_replay(),
            golden=[g for g in golden if g.input != g.output],
            cap=20_000,
            replay_share=options.replay_share,
        )
        corpora[str(count)] = [json.loads(row) for row in jsonl.dump(jsonl.load(built.data)).splitlines()]
        table = Table([(p.before, p.after) for p in pairs])
        tables[str(count)] = {name: [table.apply(b) for b, _ in sets[name]] for name in SETS}
    return {
        "seed": seed,
        "corpora": corpora,
        "table": tables,
        "sets": {
            name: [[b, [[u.right, u.heard, u.kind] for u in units]] for b, units in rows]
            for name, rows in sets.items()
        },
    }


class Test:
    """The three tests of one council, and how any answers to them score."""

    def __init__(self, prepared: Line) -> None:
        self.rows: dict[str, list[tuple[str, list[Unit]]]] = {
            name: [(b, [Unit(tuple(r), tuple(h), k) for r, h, k in units]) for b, units in rows]
            for name, rows in prepared["sets"].items()
        }

    def right(self, name: str) -> list[str]:
        return [" ".join(w for u in units for w in u.right) for _, units in self.rows[name]]

    def score(self, name: str, answers: Sequence[str]) -> tuple[list[int], list[int], Counter[str]]:
        """(edits, words) of each paragraph, and edits by kind."""
        errors, sizes, kinds = [], [], Counter[str]()
        for (_, units), answer in zip(self.rows[name], answers, strict=True):
            found = errors_by_kind(units, answer)
            errors.append(sum(found.values()))
            sizes.append(sum(len(u.right) for u in units))
            kinds += found
        return errors, sizes, kinds


def write(file: Path, rows: Sequence[Line]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def answers(
    options: argparse.Namespace, test: Test, adapter: Path | None, folder: Path
) -> dict[str, list[str]]:
    """The base's answers, or the adapter's on it, to the three tests."""
    from trainer.data import Template, read_records
    from trainer.evaluate import load_adapted, predict
    from trainer.model import generation_config, load_tokenizer, place
    from trainer.options import EvaluateOptions

    placement = place(options.device, "fp32" if options.device == "cpu" else "auto")
    template = Template(load_tokenizer(options.base, None), generation_config(options.base, None))
    given = EvaluateOptions(data=folder, base=options.base, tenant=TENANT, out=folder, adapters={})
    model = load_adapted(given, placement, adapter)
    found = {}
    for name in SETS:
        rows = [
            {
                "instruction": "Corrige la transcripción del acta conservando el sentido y los marcadores.",
                "input": before, "output": right,
                "meta": {"example_id": f"{name}-{i}", "tenant_id": TENANT, "document_id": name},
            }
            for i, ((before, _), right) in enumerate(zip(test.rows[name], test.right(name), strict=True))
        ]  # fmt: skip
        records = read_records(write(folder / f"{name}.jsonl", rows), tenant_id=TENANT)
        encoded = [template.encode(record) for record in records]
        size = 128 if placement.device == "cuda" else 32
        found[name] = [p.text for p in predict(model, template, records, encoded, given, size)]
    return found


def kept(options: argparse.Namespace, key: str, make: Callable[[], dict[str, list[str]]]) -> Line:
    """What was answered under ``key`` before, else what ``make`` answers, kept where ``--answers`` says."""
    file: Path | None = options.answers and options.answers / f"{key}.json"
    if file is not None and file.exists():
        found: Line = json.loads(file.read_text(encoding="utf-8"))
        return found
    made = make()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return made


def as_shown(test: Test, given: dict[str, list[str]], corpus: Sequence[Line]) -> dict[str, list[str]]:
    """The answers as CORE shows them: the draft's figures and placeholders, the corpus's steady words."""
    from astra_learn_assets.contracts import Example
    from astra_learn_assets.datasets.steady import count_steady
    from astra_learn_assets.serving.answers import as_served

    steady = count_steady(Example.model_validate(row) for row in corpus)
    return {
        name: [
            as_served(before, a, {}, steady) for (before, _), a in zip(test.rows[name], texts, strict=True)
        ]
        for name, texts in given.items()
    }


def measure(options: argparse.Namespace, prepared: Line) -> Iterator[Line]:
    """One line a system: rates in percent, with intervals, and by kind on the council."""
    from trainer.options import TrainOptions
    from trainer.pipes import Signals
    from trainer.train_lora import train

    test = Test(prepared)

    def line(system: str, pairs: int, given: dict[str, list[str]], **more: Any) -> Line:
        row: Line = {"seed": prepared["seed"], "system": system, "pairs": pairs}
        for name in SETS:
            errors, sizes, kinds = test.score(name, given[name])
            row[name] = round(rate(errors, sizes), 2)
            if name == "council":
                row["interval"] = [round(x, 2) for x in interval(errors, sizes)]
                row["kinds"] = {k: round(100 * kinds[k] / sum(sizes), 3) for k in (*KINDS, NEW)}
                row["counts"] = [errors, sizes]
            else:
                row[f"{name}_interval"] = [round(x, 2) for x in interval(errors, sizes)]
        return row | more

    yield line("draft", 0, {name: [b for b, _ in test.rows[name]] for name in SETS})
    with tempfile.TemporaryDirectory() as place_of:
        folder = Path(place_of)
        began = time.monotonic()
        base = kept(options, f"{prepared['seed']}-base", lambda: answers(options, test, None, folder))
        yield line("base", 0, base, seconds=round(time.monotonic() - began, 1))
        for count in options.pairs:
            corpus = prepared["corpora"][str(count)]
            yield line("table", count, prepared["table"][str(count)])

            def adapted(corpus: Sequence[Line] = corpus, count: int = count) -> dict[str, list[str]]:
                data, out = write(folder / "corpus.jsonl", corpus), folder / f"adapter-{count}"
                chosen = {"recipe": options.recipe, "device": options.device}
                train(TrainOptions(data, options.base, TENANT, out, **chosen), Signals())
                return answers(options, test, out, folder)

            began = time.monotonic()
            given = kept(options, f"{prepared['seed']}-{count}", adapted)
            yield line("adapter", count, given, seconds=round(time.monotonic() - began, 1))
            if find_spec("pydantic") is not None:  # not on a machine with a card and nothing else
                yield line("habits", count, as_shown(test, base, corpus))
                yield line("served", count, as_shown(test, given, corpus))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(rows: Sequence[Line]) -> None:
    """The curve (mean of the councils; interval over all their paragraphs), then the kinds of error."""
    groups: dict[tuple[int, str], list[Line]] = {}
    order = ("draft", "table", "base", "habits", "adapter", "served")
    for row in rows:
        groups.setdefault((row["pairs"], row["system"]), []).append(row)
    base = groups[0, "base"]
    reference = sum(r["council"] for r in base) / len(base)
    say("\n| pairs | system | council | 95 % interval | against base | clean: new errors | generic |")
    say("|---:|---|---:|---:|---:|---:|---:|")
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    for (pairs, system), found in ordered:
        errors = [e for r in found for e in r["counts"][0]]
        sizes = [s for r in found for s in r["counts"][1]]
        low, high = interval(errors, sizes)
        mean = {name: sum(r[name] for r in found) / len(found) for name in SETS}
        say(
            f"| {pairs or ''} | {system} | {mean['council']:.2f} | {low:.2f} – {high:.2f} "
            f"| {100 * (mean['council'] / reference - 1):+.0f} % "
            f"| {mean['clean']:.2f} | {mean['generic']:.2f} |"
        )
    columns = [key for key, _ in ordered]
    say("\n| errors left, per 100 words | " + " | ".join(f"{s} {n or ''}".strip() for n, s in columns) + " |")
    say("|---|" + "---:|" * len(columns))
    for kind in (*KINDS, NEW):
        cells = [sum(r["kinds"][kind] for r in groups[key]) / len(groups[key]) for key in columns]
        say(f"| {kind} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")


def broken(rows: Sequence[Line]) -> list[str]:
    """The promises that do not hold, for each council and number of pairs."""
    found = []
    shown = "served" if any(row["system"] == "served" for row in rows) else "adapter"
    for row in (r for r in rows if r["system"] == shown):
        for other in rows:
            beside = other["pairs"] in (0, row["pairs"]) and other["seed"] == row["seed"]
            opponent = other["system"] in ("draft", "table", "base", "habits")
            if beside and opponent and row["council"] >= other["council"]:
                found.append(
                    f"council {row['seed']}, {row['pairs']} pairs: {row['council']} is no better than the "
                    f"{other['system']}'s {other['council']}"
                )
            if beside and other["system"] == "base" and row["generic"] > other["generic"] + GENERIC_BOUND:
                found.append(
                    f"council {row['seed']}: generic text rose from {other['generic']} to {row['generic']}"
                )
        if row["clean"] > CLEAN_BOUND:
            found.append(f"council {row['seed']}: {row['clean']} % new errors in clean text")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, help="folder of <year>.jsonl.xz with date and text")
    parser.add_argument("--years", nargs="+", default=["2020"])
    parser.add_argument("--quick", action="store_true", help="one council, 300 pairs, CPU, and the bounds")
    parser.add_argument("--pairs", type=int, nargs="+", default=[50, 100, 300, 1000, 2000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--tests", type=int, default=400)
    parser.add_argument("--replay-share", type=float, default=0.2)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--prepare", type=Path)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--answers", type=Path, help="folder of answers to keep and to take")
    parser.add_argument(
        "--recipe", nargs="*", default=[], metavar="NAME=NUMBER", help="differing from the trainer's own"
    )
    options = parser.parse_args()
    chosen = (entry.partition("=") for entry in options.recipe)
    options.recipe = {name: float(n) if "." in n or "e" in n else int(n) for name, _, n in chosen}
    if options.quick:
        options.pairs, options.seeds, options.tests, options.device = [300], options.seeds[:1], 50, "cpu"
    return options


def main() -> int:
    options = arguments()
    began = time.monotonic()
    if options.prepared is not None:
        councils = json.loads(options.prepared.read_text(encoding="utf-8"))
    else:
        councils = [prepare(options, seed) for seed in options.seeds]
        if options.prepare is not None:
            options.prepare.write_text(json.dumps(councils, ensure_ascii=False), encoding="utf-8")
            return 0
    from trainer.pipes import quiet_libraries

    quiet_libraries()
    rows = []
    for prepared in councils:
        options.pairs = [n for n in options.pairs if str(n) in prepared["corpora"]]
        for row in measure(options, prepared):
            rows.append(row)
            say(json.dumps({k: v for k, v in row.items() if k not in ("counts", "kinds")}))
    show(rows)
    say(f"\n{time.monotonic() - began:.0f} s")
    problems = broken(rows)
    for problem in problems:
        sys.stderr.write(f"broken: {problem}\n")
    return 1 if problems and options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
