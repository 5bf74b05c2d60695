# ruff: noqa: E501  (tables: one row, one line)
"""Measure anonymization: leak, false positives and speed; ``python benchmarks/privacy.py [DATA_DIR]``.

A mention leaks when a word of it of three letters or more (or a digit run) is still readable. Parts
that need data the machine does not have are skipped and say so. DATA_DIR holds ``ner/`` and
``actas_congreso/`` (see ``astra_learn_assets/privacy/model/README.md``); 2020 and MEDDOCAN dev were
never trained on, and generated minutes use names training never saw.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from astra_learn_assets.privacy.canary import clopper_pearson
from astra_learn_assets.privacy.cleaning import fold_chars
from astra_learn_assets.privacy.countries import COUNTRIES, find_identities
from astra_learn_assets.privacy.lexicon import given_names
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.residual import ResidualScanner
from astra_learn_assets.privacy.rules import Finding
from astra_learn_assets.privacy.training import corpora, grammar, identifiers

Row = tuple[str, str, int, int]
_WORD = re.compile(r"[^\W_]{3,}")
_PARTICLES = frozenset(["del", "las", "los", "san", "santa", "van", "der", "nhc"])
_CLINICAL = {
    "NOMBRE_SUJETO_ASISTENCIA": "persons",
    "NOMBRE_PERSONAL_SANITARIO": "persons",
    "CORREO_ELECTRONICO": "e-mail",
    "NUMERO_TELEFONO": "phone",
    "NUMERO_FAX": "phone",
    "ID_SUJETO_ASISTENCIA": "ids",
    "ID_ASEGURAMIENTO": "ids",
    "ID_TITULACION_PERSONAL_SANITARIO": "ids",
    "ID_CONTACTO_ASISTENCIAL": "ids",
    "CALLE": "street (as annotated)",
}


def leaks(text: str, span: tuple[int, int], masked: Sequence[tuple[int, int, str]]) -> bool:
    """Whether a word of ``span`` is not inside a masked span."""
    return any(
        not any(s <= m.start() and m.end() <= e for s, e, _ in masked)
        for m in _WORD.finditer(text, *span)
        if fold_chars(m[0]) not in _PARTICLES
    )


def table(title: str, rows: Iterable[Row]) -> None:
    """Print kind, mentions, leaked, share and 95 % interval."""
    print(f"\n{title}\n{'part':<34}{'kind':<24}{'mentions':>9}{'leaked':>8}{'leak %':>8}   95 % interval")
    for part, kind, count, leaked in rows:
        low, high = clopper_pearson(leaked, count)
        print(
            f"{part:<34}{kind:<24}{count:>9}{leaked:>8}{100 * leaked / max(1, count):>8.2f}   {low:.2%} - {high:.2%}"
        )


def clinical(pseudonymizer: Pseudonymizer, path: Path, verbose: int) -> list[Row]:
    """MEDDOCAN records by kind."""
    found: dict[str, list[bool]] = defaultdict(list)
    shown = 0
    for record in corpora.read_jsonl(path):
        text = str(record["text"])
        masked = pseudonymizer.findings(text)
        for start, end, label in record["spans"]:  # type: ignore[attr-defined]
            if label in _CLINICAL and (_CLINICAL[label] != "ids" or re.search(r"\d", text[start:end])):
                leaked = leaks(text, (start, end), masked)
                found[_CLINICAL[label]].append(leaked)
                if leaked and shown < verbose and label != "CALLE":
                    shown += 1
                    print(
                        "  leak",
                        label,
                        repr(text[max(0, start - 40) : start]),
                        "[",
                        text[start:end],
                        "]",
                        repr(text[end : end + 15]),
                    )
    return [("MEDDOCAN dev", kind, len(v), sum(v)) for kind, v in sorted(found.items())]


def generated(pseudonymizer: Pseudonymizer, count: int, verbose: int) -> list[Row]:
    """Generated minutes with held-out and invented names, by way of writing; last row: past both detectors."""
    scanner = ResidualScanner(country="es")
    past_both = 0
    rows: Counter[str] = Counter()
    leaked: Counter[str] = Counter()
    for text, spans in islice(grammar.sentences(20_201, held_out=True), count):
        masked = pseudonymizer.findings(text)
        way = "capitals" if text.isupper() else "lower case" if text.islower() else "as printed"
        for start, end, label in spans:
            if label == "PER" and any(len(w) > 2 for w in text[start:end].split()):
                rows[way] += 1
                if leaks(text, (start, end), masked):
                    leaked[way] += 1
                    past_both += not scanner.scan_text(pseudonymizer.text(text, 0)[0])
                    if sum(leaked.values()) <= verbose:
                        print(
                            "  leak",
                            way,
                            repr(text[max(0, start - 40) : start]),
                            "[",
                            text[start:end],
                            "]",
                            repr(text[end : end + 15]),
                        )
    total = ("all", sum(rows.values()), sum(leaked.values()))
    return [
        ("generated, unseen names", k, n, m)
        for k, n, m in [
            *((w, rows[w], leaked[w]) for w in sorted(rows)),
            total,
            ("all, past both detectors", total[1], past_both),
        ]
    ]


def congress(pseudonymizer: Pseudonymizer, path: Path, share: float, verbose: int) -> tuple[list[Row], str]:
    """Minutes of 2020: speakers' surnames after a title, and what was masked though it names nobody known."""
    rng = random.Random(5)
    records = list(corpora.read_jsonl(path))
    words = corpora.speaker_words(str(r["who"]) for r in records)
    texts = [str(r["text"]) for r in records if rng.random() < share]
    mentions = leaked = characters = shown = 0
    unknown: list[str] = []
    for text in texts:
        characters += len(text)
        masked = pseudonymizer.findings(text)
        for run in re.finditer(r"(?:señor|señora|don|doña)\s+((?:[A-ZÁÉÍÓÚÑ][\wáéíóúñü·’'-]+[ ]?)+)", text):
            first = run[1].split()[0].split("-")[0]
            if fold_chars(first) in words:
                mentions += 1
                span = run.start(1), run.start(1) + len(first)
                if leaks(text, span, masked):
                    leaked += 1
                    if shown < verbose:
                        shown += 1
                        print("  leak", repr(text[max(0, run.start() - 30) : run.end() + 20]))
        for start, end, kind in masked:
            if kind != "PERSONA":
                unknown.append(f"{kind}: {text[max(0, start - 25) : end + 10]!r}")
            elif not any(
                fold_chars(w) in words or fold_chars(w) in given_names()
                for w in _WORD.findall(text[start:end])
            ):
                unknown.append(f"{text[max(0, start - 25) : start]!r}[{text[start:end]}]")
    for line in random.Random(1).sample(unknown, min(verbose, len(unknown))):
        print("  unknown", line)
    note = f"masked without a known speaker or given name: {len(unknown)} in {characters} characters (1 in {characters // max(1, len(unknown))}); real persons included"
    return [("ParlaMint 2020", "titled speakers", mentions, leaked)], note


def validators(number: int, verbose: int) -> None:
    """Valid identifiers of each country in five spellings, alone and in context, and random digits.

    The random digits come as 7 to 13 in a row, with dots, spaces or a hyphen before the last: what a
    sum, a file or an invoice looks like. "alone" counts only spellings the rule promises to find so.
    """
    print(f"\nIdentifiers, {number} of each kind in 5 spellings\n{'country':<9}{'kind':<10}{'alone':>8}{'missed':>8}{'masked %':>10}"
          f"{'in context':>12}{'missed':>8}{'masked %':>10}   random digits masked")  # fmt: skip
    for country in COUNTRIES:
        rng = random.Random(country)
        find = partial(find_identities, country=country)
        noise = sum(bool(find(f"El importe anotado fue {_random_number(rng)} según consta.")) for _ in range(4000))
        for kind, word, strong, make in identifiers.makers(country):
            alone: list[bool] = []
            told: list[bool] = []
            for _ in range(number):
                for spelling in identifiers.spellings(make(rng)):
                    if identifiers.may_stand_alone(strong, spelling):
                        alone.append(_covered(f"Consta {spelling} en el escrito", spelling, find))
                    told.append(_covered(f"Consta {word} {spelling} en el escrito", spelling, find))
                    if not told[-1] and told.count(False) <= verbose // 10:
                        print("  missed", word, spelling)
                    if alone and not alone[-1] and alone.count(False) <= verbose // 10:
                        print("  missed alone", spelling)
            print(f"{country:<9}{kind:<10}{len(alone) or '-':>8}{alone.count(False) if alone else '-':>8}{_share(alone):>10}"
                  f"{len(told):>12}{told.count(False):>8}{_share(told):>10}   {noise / 40:.2f} %")  # fmt: skip


def _random_number(rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(7, 13)))
    form = rng.randrange(4)
    if form == 1:
        return f"{int(digits):,}".replace(",", ".")
    if form == 2:
        return f"{int(digits):,}".replace(",", " ")
    return f"{digits[:-1]}-{digits[-1]}" if form == 3 else digits


def _covered(text: str, value: str, find: Callable[[str], Sequence[Finding]]) -> bool:
    """Whether findings cover every letter and digit of ``value``."""
    at = text.index(value)
    found = find(text)
    return all(
        any(f.start <= i < f.end for f in found) for i in range(at, at + len(value)) if text[i].isalnum()
    )


def _share(masked: Sequence[bool]) -> str:
    return f"{100 * sum(masked) / len(masked):.3f}" if masked else "-"


def residual() -> None:
    """How often the last scan stops ordinary minutes that hold no person."""
    scanner = ResidualScanner(country="es")
    made = [
        t
        for t, spans in islice(grammar.sentences(77, held_out=True), 6000)
        if not any(s[2] == "PER" for s in spans)
    ]
    made = [t for t in made if "@" not in t and not re.search(r"\d{6}|, \d|nº| \d{1,3}\b", t)]
    hits = sum(bool(scanner.scan_text(t)) for t in made)
    print(
        f"\nresidual scan on {len(made)} generated sentences without persons: {hits} stopped ({100 * hits / max(1, len(made)):.2f} %)"
    )


def throughput(name: str, pairs: Sequence[tuple[str, str, str]]) -> None:
    """Pairs through the pseudonymizer against stock Presidio, one by one, with the same model."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    from astra_learn_assets.privacy.nlp import SHIPPED_MODEL, register

    register()
    engine = SpacyNlpEngine(
        models=[{"lang_code": "es", "model_name": str(SHIPPED_MODEL)}],
        ner_model_configuration=NerModelConfiguration(
            model_to_presidio_entity_mapping={"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"}
        ),
    )
    engine.load()
    registry = RecognizerRegistry(supported_languages=["es"])
    registry.load_predefined_recognizers(languages=["es"], nlp_engine=engine)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())  # stock asks the network
    stock = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["es"])
    stock.analyze(pairs[0][0], language="es")
    started = time.process_time()
    for before, after, _ in pairs:
        stock.analyze(before, language="es")
        stock.analyze(after, language="es")
    slow = time.process_time() - started
    fresh = Pseudonymizer(country="es")
    started = time.process_time()
    for at in range(0, len(pairs), 128):
        fresh.pairs(pairs[at : at + 128])
    fast = time.process_time() - started
    size = sum(len(b) + len(a) for b, a, _ in pairs)
    print(f"\nThroughput (CPU time), {name}, {len(pairs)} pairs, {size} characters: stock one by one {len(pairs) / slow:.1f} pairs/s, "
          f"ours (masking and replacing) {len(pairs) / fast:.1f} pairs/s, ratio {slow / fast:.1f}")  # fmt: skip


def council_pairs() -> list[tuple[str, str, str]]:
    """The pairs two simulated councils give in 25 sessions each."""
    from astra_learn_assets.council.simulator import make_council

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="folder with ner/ and actas_congreso/")
    parser.add_argument(
        "--only", default="", help="comma-separated: clinical,generated,congress,validators,residual,speed"
    )
    parser.add_argument("--verbose", type=int, default=0, help="show so many leaks of each part")
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--identifiers", type=int, default=400, help="valid identifiers of each kind")
    parser.add_argument("--share", type=float, default=0.1, help="share of the 2020 paragraphs read")
    arguments = parser.parse_args()
    only = set(filter(None, arguments.only.split(",")))

    def wanted(part: str, *needs: str) -> bool:
        if only and part not in only:
            return False
        missing = [n for n in needs if arguments.data is None or not (arguments.data / n).is_file()]
        if missing:
            sys.stdout.write(f"skipped {part}: no {', '.join(missing)}\n")
        return not missing

    pseudonymizer = Pseudonymizer(country="es")
    dev, year = "ner/meddocan_dev.jsonl.xz", "actas_congreso/2020.jsonl.xz"
    if wanted("clinical", dev):
        table("Clinical records", clinical(pseudonymizer, arguments.data / dev, arguments.verbose))
    if wanted("generated"):
        table("Generated minutes", generated(pseudonymizer, arguments.sentences, arguments.verbose))
    if wanted("congress", year):
        rows, note = congress(pseudonymizer, arguments.data / year, arguments.share, arguments.verbose)
        table("Congress 2020", rows)
        print(note)
    if wanted("validators"):
        validators(arguments.identifiers, arguments.verbose)
    if wanted("residual"):
        residual()
    if wanted("speed"):
        throughput("pairs of simulated councils", council_pairs())
    if wanted("speed", year):
        records = corpora.read_jsonl(arguments.data / year)
        texts = [str(r["text"]) for r in islice(records, 4000) if 400 < len(str(r["text"])) < 1200][:300]
        throughput("Congress 2020", [(noisy(text, i), text, str(i)) for i, text in enumerate(texts)])


if __name__ == "__main__":
    main()
