"""The evaluation report: every system's error rates on one golden version, and how far apart they are.

    report = evaluate(tenant_id="villaverde", golden=golden, predictions=data, candidate_digest=digest,
                      champion_digest=champion, seed=7)
    report.systems["candidate"].wer, report.comparisons["champion"].high

Systems are called ``base`` (the model without adapter, always there), ``candidate``, ``champion`` (what is
served now, if anything) and ``baseline`` (an adapter frozen by the operator, usually the first promoted one,
if there is one). The frozen baseline of the gate is ``baseline`` where given and ``base`` in any case.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from astra_learn_assets import ids
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.evaluation.bootstrap import paired_block_bootstrap
from astra_learn_assets.evaluation.predictions import (
    BASE,
    BASELINE,
    CANDIDATE,
    CHAMPION,
    Prediction,
    load_predictions,
    match,
)
from astra_learn_assets.evaluation.word_errors import NOTHING, TextCounts, compare
from astra_learn_assets.ids import TenantId


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SystemScores(_Frozen):
    """One system on the golden set. Rates are errors per reference word (or character), 0.021 = 2.1 %."""

    wer: float
    cer: float
    wer_strict: float
    errors: int
    substitutions: int
    deletions: int
    insertions: int
    exact: float
    """Share of examples answered exactly as the reference (strict words)."""
    perplexity: float | None


class Comparison(_Frozen):
    """Candidate minus another system, in WER points, with the 95 % interval over documents."""

    difference: float
    low: float
    high: float
    probability_worse: float
    strict_difference: float
    strict_low: float
    strict_high: float


class DocumentScores(_Frozen):
    """Headline words of one document and each system's errors on them."""

    document_id: str
    words: int
    errors: dict[str, int]


class EvaluationReport(_Frozen):
    """See the module's docstring. ``problems`` not empty: the gate will not pass."""

    tenant_id: TenantId
    candidate_digest: str
    champion_digest: str | None
    baseline_digest: str | None
    golden_hash: str
    predictions_sha256: str
    examples: int
    documents: int
    words: int
    systems: dict[str, SystemScores]
    comparisons: dict[str, Comparison]
    per_document: tuple[DocumentScores, ...]
    input_wer: float
    """WER of the uncorrected draft: what doing nothing scores."""
    problems: tuple[str, ...]
    samples: int
    seed: int

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
    predictions: bytes,
    candidate_digest: str,
    champion_digest: str | None = None,
    baseline_digest: str | None = None,
    seed: int,
    samples: int = 2_000,
) -> EvaluationReport:
    """Score a predictions file against the golden set it must have been made from.

    ``champion_digest`` and ``baseline_digest`` say which other adapters must have answered; None = none.

    Raises:
        BadJsonl: when the file is broken.
        InvalidId: for a malformed digest.
    """
    for name, value in (
        (CANDIDATE, candidate_digest),
        (CHAMPION, champion_digest),
        (BASELINE, baseline_digest),
    ):
        if value is not None:
            ids.digest(value, f"{name} digest")
    systems = [BASE, CANDIDATE]
    systems += [CHAMPION] if champion_digest is not None else []
    systems += [BASELINE] if baseline_digest is not None else []
    matched = match(golden, load_predictions(predictions), systems)
    problems = list(matched.problems)
    if strangers := {example.meta.tenant_id for example in golden.examples} - {tenant_id}:
        problems.append(f"the golden set is of another municipality ({min(strangers)})")

    counts: dict[str, dict[str, TextCounts]] = {system: defaultdict(lambda: NOTHING) for system in systems}
    exact = dict.fromkeys(systems, 0)
    untouched = NOTHING
    for row in matched.rows:
        untouched += compare(row.reference, row.input)
        for system in systems:
            answer = row.predictions[system]
            assert answer is not None  # match() keeps complete rows only
            one = compare(row.reference, answer.text)
            counts[system][row.document_id] += one
            exact[system] += one.strict.errors == 0
    documents = sorted({row.document_id for row in matched.rows})
    scores = {
        system: _scores(counts[system], exact[system], system, matched.rows, problems) for system in systems
    }
    return EvaluationReport(
        tenant_id=tenant_id,
        candidate_digest=candidate_digest,
        champion_digest=champion_digest,
        baseline_digest=baseline_digest,
        golden_hash=golden.golden_hash,
        predictions_sha256=hashlib.sha256(predictions).hexdigest(),
        examples=len(matched.rows),
        documents=len(documents),
        words=sum(counts[BASE][document].words.words for document in documents),
        systems=scores,
        comparisons={
            system: _comparison(counts, system, documents, samples, seed)
            for system in systems
            if system != CANDIDATE
        },
        per_document=tuple(
            DocumentScores(
                document_id=document,
                words=counts[BASE][document].words.words,
                errors={system: counts[system][document].words.errors for system in systems},
            )
            for document in documents
        ),
        input_wer=untouched.words.rate,
        problems=tuple(problems),
        samples=samples,
        seed=seed,
    )


def _scores(
    by_document: dict[str, TextCounts],
    exact: int,
    system: str,
    rows: Sequence[Prediction],
    problems: list[str],
) -> SystemScores:
    whole = NOTHING
    for one in by_document.values():
        whole += one
    answers = [answer for row in rows if (answer := row.predictions[system]) is not None]
    return SystemScores(
        wer=whole.words.rate,
        cer=whole.characters.rate,
        wer_strict=whole.strict.rate,
        errors=whole.words.errors,
        substitutions=whole.words.substitutions,
        deletions=whole.words.deletions,
        insertions=whole.words.insertions,
        exact=exact / max(len(rows), 1),
        perplexity=_perplexity([(answer.nll, answer.tokens) for answer in answers], system, problems),
    )


def _perplexity(
    values: list[tuple[float | None, int | None]], system: str, problems: list[str]
) -> float | None:
    """exp(summed NLL / tokens); None when a system reports none."""
    known = [(nll, tokens) for nll, tokens in values if nll is not None and tokens]
    if not known or len(known) < len(values):
        return None
    loss = sum(nll for nll, _ in known) / sum(tokens for _, tokens in known)
    if not math.isfinite(loss) or loss > 700:
        problems.append(f"{system} has a non-finite likelihood")
        return None
    return math.exp(loss)


def _comparison(
    counts: dict[str, dict[str, TextCounts]], system: str, documents: list[str], samples: int, seed: int
) -> Comparison:
    own, other = counts[CANDIDATE], counts[system]
    words = paired_block_bootstrap(
        [own[document].words.errors for document in documents],
        [other[document].words.errors for document in documents],
        [own[document].words.words for document in documents],
        samples=samples,
        seed=seed,
    )
    strict = paired_block_bootstrap(
        [own[document].strict.errors for document in documents],
        [other[document].strict.errors for document in documents],
        [own[document].strict.words for document in documents],
        samples=samples,
        seed=seed,
    )
    return Comparison(
        difference=words.difference,
        low=words.low,
        high=words.high,
        probability_worse=words.probability_worse,
        strict_difference=strict.difference,
        strict_low=strict.low,
        strict_high=strict.high,
    )
