"""``wer_gate``: may the candidate replace the champion?

    verdict = wer_gate(report, limits=GateLimits(), digest=digest, tenant_id="villaverde")
    verdict.passed, verdict.details["outcome"], verdict.details["rules"], verdict.details["reason_es"]

Every rule of :mod:`verdict_rules` looks at the report. One that rejects settles it; one that holds keeps
the champion until the golden set has grown; with neither the candidate is promoted. The reason lists what
was found, the details hold every figure that a person weighs it by, and what golden set would have been
needed.
"""

from __future__ import annotations

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.evaluation import verdict_rules
from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.evaluation.verdict_rules import Asked, GateLimits
from astra_learn_assets.ids import TenantId

VERSION = 2
"""Grows when a rule or a figure changes its meaning; part of every verdict."""
Details = dict[str, float | int | str | bool | None]


def wer_gate(
    report: EvaluationReport,
    *,
    limits: GateLimits,
    digest: str,
    tenant_id: TenantId,
    golden_hash: str | None = None,
) -> GateVerdict:
    """Judge the candidate whose adapter has content ``digest``.

    A rise of exactly the tolerance is not too much. ``golden_hash``: the golden version that is current;
    when given, a report on another one does not pass.
    """
    asked = Asked(limits, digest, tenant_id, golden_hash)
    findings = [finding for rule in verdict_rules.RULES for finding in rule(report, asked)]
    rejected = [finding for finding in findings if finding.outcome == "reject"]
    held = [finding for finding in findings if finding.outcome == "hold"]
    outcome = "reject" if rejected else "hold" if held else "promote"
    shown = rejected or held
    english = "; ".join(finding.english for finding in shown) or _summary(report)
    spanish = " ".join(dict.fromkeys(finding.spanish for finding in shown)) or _spanish_summary(report)
    return GateVerdict(
        gate="wer_gate",
        tenant_id=tenant_id,
        digest=digest,
        passed=outcome == "promote",
        reason=f"on hold: {english}" if outcome == "hold" else english,
        details={
            "outcome": outcome,
            "rules": ",".join(dict.fromkeys(finding.rule for finding in findings)),
            "reason_es": spanish,
            **_details(report, limits),
        },
    )


def _summary(report: EvaluationReport) -> str:
    parts = [f"{system} {scores.wer:.2%}" for system, scores in sorted(report.systems.items())]
    return f"WER on {report.words} golden words: " + ", ".join(parts)


def _spanish_summary(report: EvaluationReport) -> str:
    draft, own = report.systems["draft"].wer, report.systems["candidate"].wer
    was, now = (f"{100 * rate:.1f}".replace(".", ",") for rate in (draft, own))
    return f"Entra en servicio: de cada cien palabras quedan mal {now}; en el borrador eran {was}."


def _details(report: EvaluationReport, limits: GateLimits) -> Details:
    details: Details = {
        "gate_version": VERSION,
        "golden_hash": report.golden_hash,
        "generic_hash": report.generic_hash,
        "report_digest": report.digest(),
        "champion_digest": report.champion_digest,
        "best_digest": report.best_digest,
        "examples": report.examples,
        "documents": report.documents,
        "words": report.words,
        "clean_words": report.clean_words,
        **limits.__dict__,
    }
    for system, scores in report.systems.items():
        details |= {
            f"{system}_wer": round(scores.wer, 6),
            f"{system}_cer": round(scores.cer, 6),
            f"{system}_wer_strict": round(scores.wer_strict, 6),
            f"{system}_entities": _rounded(scores.entity_error_rate, 6),
            f"{system}_clean": _rounded(scores.clean_wer, 6),
            f"{system}_generic": _rounded(scores.generic_wer, 6),
            f"{system}_exact": round(scores.exact, 6),
            f"{system}_perplexity": _rounded(scores.perplexity, 4),
        }
    for system, rises in report.comparisons.items():
        for measure, rise in rises.items():
            name = f"vs_{system}" if measure == "wer" else f"vs_{system}_{measure}"
            details |= {
                f"{name}_points": round(rise.difference, 4),
                f"{name}_low": round(rise.low, 4),
                f"{name}_high": round(rise.high, 4),
            }
        if (rise_ := rises.get("wer")) is not None:
            words, documents = verdict_rules.needed(report, limits, system)
            details |= {
                f"vs_{system}_relative_percent": _rounded(rise_.relative, 2),
                f"vs_{system}_probability_worse": round(rise_.interval.probability_worse, 4),
                f"vs_{system}_power": round(rise_.interval.power(limits.tolerance_points), 4),
                f"vs_{system}_needed_words": words,
                f"vs_{system}_needed_documents": documents,
            }
    return details


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
