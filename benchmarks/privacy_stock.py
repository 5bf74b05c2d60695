# ruff: noqa: E501  (tables: one row, one line)
"""What anonymization is measured against: stock Presidio with the same entity model; and how leaks count."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from astra_learn_assets.privacy.scan.canary import clopper_pearson
from astra_learn_assets.spanish.fold import fold_chars

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

Spans = list[tuple[int, int, str]]
Detect = Callable[[Sequence[str]], list[Spans]]
WORD = re.compile(r"[^\W_]{3,}")
PARTICLES = frozenset(["del", "las", "los", "san", "santa", "van", "der", "nhc"])


@lru_cache(maxsize=1)
def stock() -> AnalyzerEngine:
    """Presidio's engine with its own recognizers for Spanish and the shipped entity model."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    from astra_learn_assets.privacy.ner.nlp import SHIPPED_MODEL, register

    register()
    mapping = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"}
    engine = SpacyNlpEngine(
        models=[{"lang_code": "es", "model_name": str(SHIPPED_MODEL)}],
        ner_model_configuration=NerModelConfiguration(model_to_presidio_entity_mapping=mapping),
    )
    engine.load()
    registry = RecognizerRegistry(supported_languages=["es"])
    registry.load_predefined_recognizers(languages=["es"], nlp_engine=engine)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())  # stock asks the network
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["es"])


def by_stock(texts: Sequence[str]) -> list[Spans]:
    """What stock Presidio would mask, places and dates left out."""
    left_out = ("LOCATION", "ORGANIZATION", "DATE_TIME", "NRP")
    out = []
    for text in texts:
        results = stock().analyze(text, language="es")
        out.append(
            [
                (r.start, r.end, "PERSONA" if r.entity_type == "PERSON" else r.entity_type)
                for r in results
                if r.entity_type not in left_out
            ]
        )
    return out


def leaks(text: str, span: tuple[int, int], masked: Sequence[tuple[int, int, str]]) -> bool:
    """Whether a word of ``span`` is not inside a masked span."""
    return any(
        not any(s <= m.start() and m.end() <= e for s, e, _ in masked)
        for m in WORD.finditer(text, *span)
        if fold_chars(m[0]) not in PARTICLES
    )


class Tally:
    """Leaks of both systems by kind, and how many of their persons were none."""

    def __init__(self, name: str, verbose: int) -> None:
        self.name, self.verbose = name, verbose
        self.leaked: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
        self.persons = {"ours": [0, 0], "stock": [0, 0]}

    def add(self, text: str, kinds: Iterable[str], span: tuple[int, int], ours: Spans, theirs: Spans) -> bool:
        """Count one annotated mention under each of ``kinds``; whether we leak it."""
        verdict = leaks(text, span, ours), leaks(text, span, theirs)
        for kind in kinds:
            self.leaked[kind].append(verdict)
        if verdict[0] and self.verbose > 0 and not any("street" in kind for kind in kinds):
            self.verbose -= 1
            start, end = span
            print(
                "  leak",
                *kinds,
                repr(text[max(0, start - 40) : start]),
                f"[{text[start:end]}]",
                repr(text[end : end + 15]),
            )
        return verdict[0]

    def count_persons(self, gold: Sequence[tuple[int, int]], ours: Spans, theirs: Spans) -> None:
        """Count masked persons, and those that touch an annotated one."""
        for system, masked in (("ours", ours), ("stock", theirs)):
            found = [(s, e) for s, e, kind in masked if kind == "PERSONA"]
            self.persons[system][0] += len(found)
            self.persons[system][1] += sum(any(a < e and s < b for a, b in gold) for s, e in found)

    def show(self) -> None:
        """Print the table."""
        print(
            f"\n{self.name}\n{'kind':<34}{'mentions':>9}{'leaked':>8}{'leak %':>8}   {'95 % interval':<17}{'recall %':>9}{'stock recall %':>16}"
        )
        for kind, verdicts in self.leaked.items():
            count, leaked, theirs = len(verdicts), sum(a for a, _ in verdicts), sum(b for _, b in verdicts)
            low, high = clopper_pearson(leaked, count)
            print(f"{kind:<34}{count:>9}{leaked:>8}{100 * leaked / count:>8.2f}   {f'{low:.2%} - {high:.2%}':<17}"
                  f"{100 - 100 * leaked / count:>9.2f}{100 - 100 * theirs / count:>16.2f}")  # fmt: skip
        for system, (found, right) in self.persons.items():
            if found:
                print(f"precision of persons, {system}: {100 * right / found:.1f} % of {found}")
