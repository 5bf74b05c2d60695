# ruff: noqa: E501  (tables: one row, one line)
"""Measure anonymization: leak, precision and speed beside stock Presidio with the same entity model.

    python benchmarks/privacy.py [DATA_DIR]          everything the data allows
    python benchmarks/privacy.py --ids               10,000 valid identifiers of each kind, 5 spellings

A mention leaks when a word of it of three letters or more (or a digit run) is still readable; recall is
what does not leak, precision the share of masked persons that touch an annotated one. Stock means
``AnalyzerEngine`` with Presidio's own recognizers for ``es`` and the shipped model, in the same run over
the same texts. Parts that need data the machine does not have are skipped and say so. DATA_DIR holds
``ner/`` and ``actas_congreso/`` (see ``astra_learn_assets/privacy/ner/model/README.md``); 2020 and MEDDOCAN
dev were never trained on, and generated minutes use names training never saw. One BLAS thread for both.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: spinning threads count as CPU time

import identifier_rules
from privacy_speed import congress_pairs, council_pairs, throughput
from privacy_stock import PARTICLES, WORD, Detect, Spans, Tally, by_stock

from astra_learn_assets.making.ner import corpora, grammar
from astra_learn_assets.privacy.detector import Detector
from astra_learn_assets.privacy.identifiers.countries import country_packs
from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.identifiers.samples import spellings
from astra_learn_assets.privacy.ner.nlp import Entity
from astra_learn_assets.privacy.people.persons import is_name_word, is_ordinary
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names

_TITLED = re.compile(
    r"(?i)(?<!\w)(?:señor(?:a|es|as)?|don|doña|president[ea]|ministr[oa]|alcald(?:e|esa)|conseller[a]?|lehendakari|colega|compañer[oa]|diputad[oa])\s+$"
)
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


def clinical(ours: Detect, path: Path, verbose: int) -> None:
    """MEDDOCAN records by kind."""
    tally = Tally("Clinical records (MEDDOCAN dev)", verbose)
    records = list(corpora.read_jsonl(path))
    texts = [str(r["text"]) for r in records]
    for record, text, masked, theirs in zip(records, texts, ours(texts), by_stock(texts), strict=True):
        spans: Spans = record["spans"]  # type: ignore[assignment]
        for start, end, label in sorted(spans, key=lambda s: _CLINICAL.get(s[2], "")):
            if label in _CLINICAL and (_CLINICAL[label] != "ids" or re.search(r"\d", text[start:end])):
                tally.add(text, [_CLINICAL[label]], (start, end), masked, theirs)
        named = ("NOMBRE_SUJETO_ASISTENCIA", "NOMBRE_PERSONAL_SANITARIO", "FAMILIARES_SUJETO_ASISTENCIA")
        tally.count_persons([(s, e) for s, e, label in spans if label in named], masked, theirs)
    tally.show()


def hard_cases(text: str, name: str) -> list[str]:
    """The rows of the table a generated mention counts in."""
    words = [fold_chars(w) for w in re.findall(r"[^\W\d_]+", name)]
    cases = ["all", "capitals" if text.isupper() else "lower case" if text.islower() else "as printed"]
    if len(words) == 1:
        cases.append("one word")
    if "," in name:
        cases.append("surname, name")
    if PARTICLES & set(words) or " de " in f" {name.lower()} ":
        cases.append("with particle")
    if any(is_ordinary(w) for w in words if len(w) > 3):
        cases.append("with an everyday word")
    if not any(is_name_word(w) for w in words):
        cases.append("no word in any list")
    if name.islower() and not text.islower():
        cases.append("lower case in printed text")
    return cases


def generated(ours: Pseudonymizer, count: int, seed: int, verbose: int) -> None:
    """Generated minutes with held-out and invented names, by hard case; last line: past both detectors."""
    scanner = ResidualScanner(country="es")
    tally = Tally(f"Generated minutes, names unseen in training, seed {seed}", verbose)
    past_both = 0
    made = list(islice(grammar.sentences(seed, held_out=True), count))
    texts = [text for text, _ in made]
    for (text, spans), masked, theirs in zip(made, ours.findings_of(texts), by_stock(texts), strict=True):
        people = [
            (s, e) for s, e, label in spans if label == "PER" and any(len(w) > 2 for w in text[s:e].split())
        ]
        for span in people:
            if tally.add(text, hard_cases(text, text[slice(*span)]), span, masked, theirs):
                past_both += not scanner.scan_text(ours.text(text, 0)[0])
        tally.count_persons([(s, e) for s, e, label in spans if label == "PER"], masked, theirs)
    tally.show()
    print(f"past both detectors: {past_both}")


def congress(ours: Detect, path: Path, share: float, verbose: int) -> None:
    """Minutes of 2020: speakers' surnames after a title, and what was masked though it names nobody known."""
    rng = random.Random(5)
    records = list(corpora.read_jsonl(path))
    words = corpora.speaker_words(str(r["who"]) for r in records)
    texts = [str(r["text"]) for r in records if rng.random() < share]
    named = _named_in(str(r["text"]) for r in records)
    tally = Tally("Congress 2020 (ParlaMint)", verbose)
    unknown: list[str] = []
    untitled = nobody = 0
    for text, masked, theirs in zip(texts, ours(texts), by_stock(texts), strict=True):
        for run in re.finditer(r"(?:señor|señora|don|doña)\s+((?:[A-ZÁÉÍÓÚÑ][\wáéíóúñü·’'-]+[ ]?)+)", text):
            first = run[1].split()[0].split("-")[0]
            if fold_chars(first) in words:
                tally.add(
                    text,
                    ["speakers after a title"],
                    (run.start(1), run.start(1) + len(first)),
                    masked,
                    theirs,
                )
        for start, end, kind in masked:
            known = kind == "PERSONA" and any(
                fold_chars(w) in words or fold_chars(w) in given_names()
                for w in WORD.findall(text[start:end])
            )
            if not known:
                unknown.append(f"{kind} {text[max(0, start - 25) : start]!r}[{text[start:end]}]")
                untitled += not _TITLED.search(text[max(0, start - 16) : start])
                nobody += kind != "PERSONA" or not any(
                    fold_chars(w) in named for w in WORD.findall(text[start:end])
                )
    tally.show()
    for line in random.Random(1).sample(unknown, min(verbose, len(unknown))):
        print("  unknown", line)
    size = sum(map(len, texts))
    print(f"masked without the name of a speaker or a listed given name: {len(unknown)} in {size} characters (1 in {size // max(1, len(unknown))}); "
          f"of these not after a person's title: {untitled} (1 in {size // max(1, untitled)}); real persons are among both; "
          f"no word of it names somebody elsewhere in the minutes (\"el señor X\", twice or more): {nobody} (1 in {size // max(1, nobody)})")  # fmt: skip


def _named_in(texts: Iterable[str]) -> frozenset[str]:
    """Surnames the minutes put behind "señor" or "señora" twice or more: Rajoy and Ayuso never spoke there."""
    counts: Counter[str] = Counter()
    for text in texts:
        for run in re.finditer(r"(?:señor|señora) ((?:[A-ZÁÉÍÓÚÑ][\wáéíóúñü·’'-]+ ?)+)", text):
            counts.update({fold_chars(w) for w in WORD.findall(run[1])})
    return frozenset(word for word, count in counts.items() if count > 1 and not is_ordinary(word))


def validators(number: int, verbose: int) -> None:
    """Valid identifiers of each country in five spellings, alone and in context, and random digits.

    The random digits come as 7 to 13 in a row, with dots, spaces or a hyphen before the last: what a
    sum, a file or an invoice looks like. "alone" counts only spellings the rule promises to find so. The
    identifiers come from ``identifier_rules``, which shares no code with the checks that judge them. They
    are read by the pseudonymizer's detector, its entity model left out; a phone is no identity.
    """
    print(f"\nIdentifiers, {number} of each kind in 5 spellings\n{'country':<9}{'kind':<10}{'alone':>8}{'missed':>8}{'masked %':>10}"
          f"{'in context':>12}{'missed':>8}{'masked %':>10}   random digits masked")  # fmt: skip
    for country, pack in country_packs().items():
        rng = random.Random(country)
        find = partial(_numbers, Detector(NoNames(), country=country))
        noise = sum(
            any(
                f.kind != "TELEFONO"
                for f in find(f"El importe anotado fue {_random_number(rng)} según consta.")
            )
            for _ in range(4000)
        )
        for sample in pack.samples:
            kind, word = sample.kind, sample.word
            alone: list[bool] = []
            told: list[bool] = []
            for _ in range(number):
                made = identifier_rules.make(country, kind, rng)
                for spelling in spellings(made.printed):
                    if made.alone and sample.stands_alone(spelling):
                        alone.append(_covered(f"Consta {spelling} en el escrito", spelling, find))
                    told.append(_covered(f"Consta {word} {spelling} en el escrito", spelling, find))
                    if not told[-1] and told.count(False) <= verbose // 10:
                        print("  missed", word, spelling)
                    if alone and not alone[-1] and alone.count(False) <= verbose // 10:
                        print("  missed alone", spelling)
            print(f"{country:<9}{kind:<10}{len(alone) or '-':>8}{alone.count(False) if alone else '-':>8}{_share(alone):>10}"
                  f"{len(told):>12}{told.count(False):>8}{_share(told):>10}   {noise / 40:.2f} %")  # fmt: skip


class NoNames:
    """An entity model that loads nothing and finds nobody."""

    name = "nobody"

    def entities(self, texts: Iterable[str]) -> Iterator[list[Entity]]:
        """No entities."""
        return iter([[] for _ in texts])


def _numbers(detector: Detector, text: str) -> list[Finding]:
    return [f for f in detector.find([text])[0] if f.kind != "PERSONA"]


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="folder with ner/ and actas_congreso/")
    parser.add_argument(
        "--only", default="", help="comma-separated: clinical,generated,congress,validators,residual,speed"
    )
    parser.add_argument("--ids", action="store_true", help="only the identifiers, 10,000 of each kind")
    parser.add_argument("--verbose", type=int, default=0, help="show so many leaks of each part")
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20_201, help="of the generated minutes")
    parser.add_argument("--identifiers", type=int, default=400, help="valid identifiers of each kind")
    parser.add_argument("--share", type=float, default=0.1, help="share of the 2020 paragraphs read")
    arguments = parser.parse_args()
    if arguments.ids:
        validators(10_000, arguments.verbose)
        return
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
        clinical(pseudonymizer.findings_of, arguments.data / dev, arguments.verbose)
    if wanted("generated"):
        generated(pseudonymizer, arguments.sentences, arguments.seed, arguments.verbose)
    if wanted("congress", year):
        congress(pseudonymizer.findings_of, arguments.data / year, arguments.share, arguments.verbose)
    if wanted("validators"):
        validators(arguments.identifiers, arguments.verbose)
    if wanted("residual"):
        residual()
    if wanted("speed"):
        throughput("pairs of simulated councils", council_pairs())
    if wanted("speed", year):
        throughput("Congress 2020", congress_pairs(arguments.data / year))


if __name__ == "__main__":
    main()
