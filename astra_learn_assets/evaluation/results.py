"""The evaluation report: every system's error rates on one golden version, and how far apart they are.

    report = evaluate(tenant_id="villaverde", golden=golden, generic=generic, predictions=data,
                      candidate_digest=digest, champion_digest=champion)
    report.systems["candidate"].wer, report.comparisons["champion"]["wer"].high

Systems: ``candidate``; ``champion`` (what is served now, if anything); ``best`` (the adapter that was best of
all that were served, if it is another); ``base`` (the model without adapter); ``draft`` (do nothing) and
``dictionary`` (put right the proper nouns that are known, and do nothing else).

Measures, all in points (100 * errors / size): ``wer`` and ``strict`` and ``cer`` on the golden set, unchanged
paragraphs in their real share included; ``entities`` on its names and numbers; ``clean`` on its unchanged
paragraphs alone, where every error is damage; ``generic`` on text of no municipality, where forgetting shows.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from astra_learn_assets import ids
from astra_learn_assets.datasets.golden import UNCHANGED, GoldenSet
from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.evaluation.interval import Interval, paired_interval
from astra_learn_assets.evaluation.predictions import (
    BASE,
    BEST,
    CANDIDATE,
    CHAMPION,
    DICTIONARY,
    DRAFT,
    Prediction,
    load_predictions,
    match,
)
from astra_learn_assets.evaluation.word_errors import NOTHING, Counts, TextCounts, compare
from astra_learn_assets.ids import TenantId

Measure = Literal["wer", "strict", "cer", "entities", "clean", "generic"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
EMPTY = GoldenSet.of(())


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SystemScores(_Frozen):
    """One system. Rates are errors per reference word (character, entity), 0.021 = 2.1 %; None = no text."""

    wer: float
    cer: float
    wer_strict: float
    entity_error_rate: float | None
    clean_wer: float | None
    generic_wer: float | None
    by_route: dict[str, float]
    """WER of each route of the golden examples; ``"0"`` are unchanged paragraphs."""
    errors: int
    substitutions: int
    deletions: int
    insertions: int
    exact: float
    """Share of golden examples answered exactly as the reference (strict words)."""
    perplexity: float | None


class Rise(_Frozen):
    """Candidate minus another system in points, with the 95 % interval over documents.

    ``relative``: the same in per cent of the other system's rate; None where that rate is zero.
    """

    difference: float
    low: float
    high: float
    standard_error: float
    degrees: float
    documents: int
    size: int
    relative: float | None

    @property
    def interval(self) -> Interval:
        """The same as what the interval's questions (power, growth) are asked of."""
        values = self.model_dump(exclude={"relative"})
        return Interval(**values)


class DocumentScores(_Frozen):
    """Headline words of one golden document and each system's errors on them."""

    document_id: str
    words: int
    errors: dict[str, int]


class EvaluationReport(_Frozen):
    """See the module's docstring. ``problems`` not empty: the gate will not pass."""

    tenant_id: TenantId
    candidate_digest: str
    champion_digest: str | None
    best_digest: str | None
    golden_hash: str
    generic_hash: str
    predictions_sha256: str
    examples: int
    documents: int
    words: int
    clean_words: int
    systems: dict[str, SystemScores]
    comparisons: dict[str, dict[Measure, Rise]]
    per_document: tuple[DocumentScores, ...]
    problems: tuple[str, ...]

    def to_json(self) -> bytes:
        """Canonical JSON with a final newline."""
        return canonical_json(self.model_dump(mode="json")).encode() + b"\n"

    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json()).hexdigest()


def evaluate(
    *,
    tenant_id: TenantId,
    golden: GoldenSet,
    generic: GoldenSet = EMPTY,
    predictions: bytes,
    candidate_digest: str,
    champion_digest: str | None = None,
    best_digest: str | None = None,
) -> EvaluationReport:
    """Score a predictions file against the golden and generic sets it must have been made from.

    ``champion_digest`` and ``best_digest`` say which other adapters must have answered; None = none.

    Raises:
        BadJsonl: when the file is broken.
        InvalidId: for a malformed digest.
    """
    given = {CANDIDATE: candidate_digest, CHAMPION: champion_digest, BEST: best_digest}
    for name, value in given.items():
        if value is not None:
            ids.digest(value, f"{name} digest")
    asked = [BASE, DICTIONARY, *(name for name, value in given.items() if value is not None)]
    matched = match([*golden.examples, *generic.examples], load_predictions(predictions), asked)
    problems = list(matched.problems)
    if strangers := {example.meta.tenant_id for example in golden.examples} - {tenant_id}:
        problems.append(f"the golden set is of another municipality ({min(strangers)})")
    general = {example.meta.example_id for example in generic.examples}
    route = {example.meta.example_id: example.meta.route for example in golden.examples}
    rows = [row for row in matched.rows if row.example_id not in general]
    scored: dict[str, _Scored] = {}
    for system in (*asked, DRAFT):
        own = _Scored()
        for row in matched.rows:
            one = compare(row.reference, _text(row, system))
            if row.example_id in general:
                own.add_generic(row.document_id, one)
            else:
                own.add(row.document_id, route[row.example_id], one)
        scored[system] = own
    base = scored[BASE]
    return EvaluationReport(
        tenant_id=tenant_id,
        candidate_digest=candidate_digest,
        champion_digest=champion_digest,
        best_digest=best_digest,
        golden_hash=golden.golden_hash,
        generic_hash=generic.golden_hash,
        predictions_sha256=hashlib.sha256(predictions).hexdigest(),
        examples=len(rows),
        documents=len(base.all),
        words=_total(base.all.values()).words.words,
        clean_words=_total(base.clean.values()).words.words,
        systems={
            system: own.scores(len(rows), _perplexity(rows, system, problems))
            for system, own in scored.items()
        },
        comparisons={
            system: _rises(scored[CANDIDATE], own) for system, own in scored.items() if system != CANDIDATE
        },
        per_document=tuple(
            DocumentScores(
                document_id=document,
                words=base.all[document].words.words,
                errors={system: own.all[document].words.errors for system, own in scored.items()},
            )
            for document in sorted(base.all)
        ),
        problems=tuple(problems),
    )


class _Scored:
    """One system's counts by document: on everything golden, on its unchanged part, on generic text."""

    def __init__(self) -> None:
        self.all: defaultdict[str, TextCounts] = defaultdict(lambda: NOTHING)
        self.clean: defaultdict[str, TextCounts] = defaultdict(lambda: NOTHING)
        self.generic: defaultdict[str, TextCounts] = defaultdict(lambda: NOTHING)
        self.by_route: defaultdict[int, TextCounts] = defaultdict(lambda: NOTHING)
        self.exact = 0

    def add(self, document_id: str, route: int, one: TextCounts) -> None:
        self.all[document_id] += one
        self.by_route[route] += one
        self.exact += one.strict.errors == 0
        if route == UNCHANGED:
            self.clean[document_id] += one

    def add_generic(self, document_id: str, one: TextCounts) -> None:
        self.generic[document_id] += one

    def scores(self, examples: int, perplexity: float | None) -> SystemScores:
        whole = _total(self.all.values())
        return SystemScores(
            wer=whole.words.rate,
            cer=whole.characters.rate,
            wer_strict=whole.strict.rate,
            entity_error_rate=_rate(whole.entities),
            clean_wer=_rate(_total(self.clean.values()).strict),
            generic_wer=_rate(_total(self.generic.values()).words),
            by_route={str(route): counts.words.rate for route, counts in sorted(self.by_route.items())},
            errors=whole.words.errors,
            substitutions=whole.words.substitutions,
            deletions=whole.words.deletions,
            insertions=whole.words.insertions,
            exact=self.exact / max(examples, 1),
            perplexity=perplexity,
        )


_OF: Mapping[
    Measure, tuple[Callable[[_Scored], Mapping[str, TextCounts]], Callable[[TextCounts], Counts]]
] = {
    "wer": (lambda system: system.all, lambda counts: counts.words),
    "strict": (lambda system: system.all, lambda counts: counts.strict),
    "cer": (lambda system: system.all, lambda counts: counts.characters),
    "entities": (lambda system: system.all, lambda counts: counts.entities),
    # damage is what a clerk sees: a lost capital or full stop on a correct paragraph is one as well
    "clean": (lambda system: system.clean, lambda counts: counts.strict),
    "generic": (lambda system: system.generic, lambda counts: counts.words),
}


def _rises(candidate: _Scored, other: _Scored) -> dict[Measure, Rise]:
    """What there is text for; a measure without any is left out."""
    found: dict[Measure, Rise] = {}
    for measure, (part, counts_of) in _OF.items():
        own, theirs = part(candidate), part(other)
        documents = sorted(own)
        mine = [counts_of(own[document]) for document in documents]
        others = [counts_of(theirs[document]) for document in documents]
        if not sum(counts.words for counts in mine):
            continue
        interval = paired_interval(
            [counts.errors for counts in mine],
            [counts.errors for counts in others],
            [counts.words for counts in mine],
        )
        found[measure] = rise_of(interval, sum(counts.errors for counts in others))
    return found


def rise_of(interval: Interval, other_errors: int) -> Rise:
    """An interval as the report writes it; ``other_errors``: of the system compared with, all documents."""
    rate = 100 * other_errors / max(interval.size, 1)
    return Rise(
        difference=interval.difference,
        low=interval.low,
        high=interval.high,
        standard_error=interval.standard_error,
        degrees=interval.degrees,
        documents=interval.documents,
        size=interval.size,
        relative=100 * interval.difference / rate if rate else None,
    )


def _text(row: Prediction, system: str) -> str:
    if system == DRAFT:
        return row.input
    answer = row.predictions[system]
    assert answer is not None  # match() keeps complete rows only
    return answer.text


def _total(counts: Iterable[TextCounts]) -> TextCounts:
    whole = NOTHING
    for one in counts:
        whole += one
    return whole


def _rate(counts: Counts) -> float | None:
    return counts.rate if counts.words else None


def _perplexity(rows: Sequence[Prediction], system: str, problems: list[str]) -> float | None:
    """exp(summed NLL / tokens) on the golden set; None when a system reports none."""
    answers = [row.predictions.get(system) for row in rows]
    known = [(a.nll, a.tokens) for a in answers if a is not None and a.nll is not None and a.tokens]
    if not known or len(known) < len(rows):
        return None
    loss = sum(nll for nll, _ in known) / sum(tokens for _, tokens in known)
    if not math.isfinite(loss) or loss > 700:
        problems.append(f"{system} has a non-finite likelihood")
        return None
    return math.exp(loss)
