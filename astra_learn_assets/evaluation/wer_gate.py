"""``wer_gate``: may the candidate replace the champion?

The candidate is rejected when its WER rises by more than the tolerance (2 points) against the champion
**or** against a frozen baseline. The champion alone is not enough: ten promotions each within the
tolerance add up to twenty points. Both the headline and the strict WER are held to it.

The decision uses the measured difference, not the interval: at a WER of 10 %, 2 points need some 5,600
golden words before the interval excludes zero, which small towns never have. The interval is in the
details, with the probability that the candidate is worse, so a person sees how much the verdict weighs. A
golden set below the minimum of words holds: nothing is promoted on a guess.
"""

from __future__ import annotations

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.evaluation.predictions import BASE, CANDIDATE
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.ids import TenantId

_EPSILON = 1e-9


def wer_gate(
    report: EvaluationReport,
    *,
    tolerance_points: float,
    minimum_words: int,
    digest: str,
    tenant_id: TenantId,
    golden_hash: str | None = None,
) -> GateVerdict:
    """Judge the candidate whose adapter has content ``digest``.

    A rise of exactly ``tolerance_points`` (100 * WER) passes. ``golden_hash``: the golden version that is
    current; when given, a report on another one does not pass.

    Raises:
        ValueError: for a tolerance that is negative or not a number.
    """
    if not tolerance_points >= 0:
        raise ValueError(f"tolerance of {tolerance_points} points: use 0 or more")
    faults = list(report.problems)
    if report.tenant_id != tenant_id:
        faults.append(f"the report is of {report.tenant_id!r}, not of {tenant_id!r}")
    if report.candidate_digest != digest:
        faults.append("the report is of another adapter")
    if golden_hash is not None and report.golden_hash != golden_hash:
        faults.append("the report was made on another golden version; evaluate again")
    faults += _missing(report)
    if report.words < minimum_words:
        faults.append(
            f"on hold: the golden set has {report.words} words, at least {minimum_words} are needed "
            "to tell a rise from chance"
        )
    rises = []
    for system, comparison in sorted(report.comparisons.items()):
        for label, rise in (("WER", comparison.difference), ("strict WER", comparison.strict_difference)):
            if not rise <= tolerance_points + _EPSILON:
                rises.append(
                    f"{label} rises by {rise:.2f} points against the {system}, "
                    f"more than the {tolerance_points:g} allowed"
                )
    faults += rises
    return GateVerdict(
        gate="wer_gate",
        tenant_id=tenant_id,
        digest=digest,
        passed=not faults,
        reason="; ".join(faults) if faults else _summary(report),
        details=_details(report, tolerance_points, minimum_words),
    )


def _missing(report: EvaluationReport) -> list[str]:
    needed = {BASE, CANDIDATE}
    needed |= {"champion"} if report.champion_digest is not None else set()
    needed |= {"baseline"} if report.baseline_digest is not None else set()
    lacking = needed - report.systems.keys() | (needed - {CANDIDATE}) - report.comparisons.keys()
    return [f"the report has no scores of the {system}" for system in sorted(lacking)]


def _summary(report: EvaluationReport) -> str:
    parts = [f"{system} {scores.wer:.2%}" for system, scores in sorted(report.systems.items())]
    return f"WER on {report.words} golden words: " + ", ".join(parts)


def _details(
    report: EvaluationReport, tolerance_points: float, minimum_words: int
) -> dict[str, float | int | str | bool | None]:
    details: dict[str, float | int | str | bool | None] = {
        "golden_hash": report.golden_hash,
        "report_digest": report.digest(),
        "champion_digest": report.champion_digest,
        "examples": report.examples,
        "documents": report.documents,
        "words": report.words,
        "minimum_words": minimum_words,
        "tolerance_points": tolerance_points,
        "input_wer": round(report.input_wer, 6),
    }
    for system, scores in report.systems.items():
        details |= {
            f"{system}_wer": round(scores.wer, 6),
            f"{system}_cer": round(scores.cer, 6),
            f"{system}_wer_strict": round(scores.wer_strict, 6),
            f"{system}_exact": round(scores.exact, 6),
            f"{system}_perplexity": scores.perplexity and round(scores.perplexity, 4),
        }
    for system, comparison in report.comparisons.items():
        details |= {
            f"vs_{system}_points": round(comparison.difference, 4),
            f"vs_{system}_low": round(comparison.low, 4),
            f"vs_{system}_high": round(comparison.high, 4),
            f"vs_{system}_probability_worse": round(comparison.probability_worse, 4),
            f"vs_{system}_strict_points": round(comparison.strict_difference, 4),
        }
    return details
