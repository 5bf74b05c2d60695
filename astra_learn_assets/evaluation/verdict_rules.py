"""The rules of ``wer_gate``, one function a rule, each with its name and its sentence in two languages.

A rule looks at a finished report and says what it found; nothing is decided anywhere else. *Reject* is for
what was measured to be worse or useless, *hold* for what this golden set is too small to tell.

| rule | outcome | when |
|---|---|---|
| ``unfit_report`` | reject | predictions or report do not belong to this candidate, golden set or tenant |
| ``worse`` | reject | WER or strict WER is more than 2 points above any opponent's |
| ``surely_worse`` | reject | the interval of WER or strict WER lies above half a point |
| ``characters_worse`` | reject | CER is more than 2 points above any opponent's, and surely above it |
| ``entities_worse`` ``damages_clean_text`` | reject | so are names and numbers, unchanged paragraphs |
| ``forgets`` | reject | so is generic text, against champion, best and base |
| ``beats_nothing`` | reject | not better than the untouched draft, or than the dictionary alone |
| ``tie`` | reject | not better than what serves now: ties keep the champion (the base model, without one) |
| ``set_too_small`` | hold | fewer words or documents than the minimum |
| ``cannot_see`` | hold | a rise of 2 points is not excluded, or would not be seen in 80 % of such sets |

A set that cannot see 2 points may still see 20: where the whole interval lies below zero the candidate is
better, and ``cannot_see`` has nothing to say. "2 %" is read as 2 points of error rate, not as 2 % of it: a
relative bound of 2 % at an error rate of 8 % is .16 points, which needs a golden set of 900,000 words. The
relative change stands beside the points in every report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from astra_learn_assets.evaluation.predictions import BASE, BEST, CANDIDATE, CHAMPION, DICTIONARY, DRAFT
from astra_learn_assets.evaluation.results import EvaluationReport, Measure, Rise
from astra_learn_assets.ids import TenantId

Outcome = Literal["promote", "reject", "hold"]
_EPSILON = 1e-9

NAMES = {
    CHAMPION: ("the champion", "el modelo en servicio"),
    BEST: ("the best adapter so far", "el mejor modelo que ha habido"),
    BASE: ("the base model", "el modelo de base"),
    DRAFT: ("the untouched draft", "el borrador sin corregir"),
    DICTIONARY: ("the dictionary alone", "el diccionario solo"),
}


@dataclass(frozen=True)
class GateLimits:
    """Thresholds; points are 100 * error rate, ``minimum_power`` a share.

    Raises:
        ValueError: for one that is negative or not a number.
    """

    tolerance_points: float = 2.0
    margin_points: float = 0.5
    cer_points: float = 2.0
    entity_points: float = 2.0
    clean_points: float = 2.0
    generic_points: float = 2.0
    minimum_words: int = 500
    minimum_documents: int = 3
    minimum_power: float = 0.8

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} of {value}: use 0 or more")


@dataclass(frozen=True)
class Asked:
    """The thresholds, and what the report has to be of."""

    limits: GateLimits
    digest: str
    tenant_id: TenantId
    golden_hash: str | None = None


@dataclass(frozen=True)
class Finding:
    """What one rule says: its name, the outcome it asks for, and why, for both readers."""

    rule: str
    outcome: Outcome
    english: str
    spanish: str


Rule = Callable[[EvaluationReport, Asked], Iterator[Finding]]


def unfit_report(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """Fail closed: a report that is of something else, or lacks a score, decides nothing."""
    faults = list(report.problems)
    if report.tenant_id != asked.tenant_id:
        faults.append(f"the report is of {report.tenant_id!r}, not of {asked.tenant_id!r}")
    if report.candidate_digest != asked.digest:
        faults.append("the report is of another adapter")
    if asked.golden_hash is not None and report.golden_hash != asked.golden_hash:
        faults.append("the report was made on another golden version; evaluate again")
    opponents = {BASE, DRAFT, DICTIONARY}
    opponents |= {CHAMPION} if report.champion_digest is not None else set()
    opponents |= {BEST} if report.best_digest is not None else set()
    lacking = ({CANDIDATE} | opponents) - report.systems.keys()
    lacking |= {
        name for name in opponents if not {"wer", "strict"} <= report.comparisons.get(name, {}).keys()
    }
    faults += [f"the report has no scores of the {system}" for system in sorted(lacking)]
    for fault in faults:
        yield Finding(
            "unfit_report",
            "reject",
            fault,
            "La evaluación no es válida y hay que repetirla: no corresponde a este modelo, a esta prueba "
            "o le faltan respuestas.",
        )


def worse(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """The measured difference, whatever the interval: doubt does not favour what is measured worse."""
    for system, rises in sorted(report.comparisons.items()):
        for measure, label in _HEADLINES:
            rise = rises.get(measure)
            if rise is not None and not rise.difference <= asked.limits.tolerance_points + _EPSILON:
                english, spanish = _names(system)
                yield Finding(
                    "worse",
                    "reject",
                    f"{label} rises by {rise.difference:.2f} points against {english}, "
                    f"more than the {asked.limits.tolerance_points:g} allowed",
                    f"Comete {_es(rise.difference)} errores más por cada cien {_SPANISH_UNIT[measure]} que "
                    f"{spanish}; se admiten {_es(asked.limits.tolerance_points)}.",
                )


def surely_worse(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """A small rise that is no chance: the lower end of the interval is above the margin."""
    for system, rises in sorted(report.comparisons.items()):
        for measure, label in _HEADLINES:
            rise = rises.get(measure)
            if rise is not None and rise.low > asked.limits.margin_points + _EPSILON:
                english, spanish = _names(system)
                yield Finding(
                    "surely_worse",
                    "reject",
                    f"{label} rises against {english} by at least {rise.low:.2f} points "
                    f"(95 % interval), and {asked.limits.margin_points:g} may be chance",
                    f"Es peor que {spanish} con seguridad: al menos {_es(rise.low)} errores más por cada "
                    f"cien {_SPANISH_UNIT[measure]}.",
                )


def characters_worse(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """Words may be as right as before while letters are not."""
    bound = asked.limits.cer_points
    for system, rise in _surely_over(report, "cer", bound, _ALL):
        yield _over_bound("characters_worse", "CER", "Letras equivocadas", system, rise, bound)


def entities_worse(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """A wrong name is worse than a wrong word, and there are too few of them for the WER to tell."""
    bound = asked.limits.entity_points
    label = "the error rate of names and numbers"
    for system, rise in _surely_over(report, "entities", bound, _ALL):
        yield _over_bound("entities_worse", label, "Nombres y números equivocados", system, rise, bound)


def damages_clean_text(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """What was right has to stay right."""
    bound = asked.limits.clean_points
    label = "the error rate on paragraphs that were right"
    for system, rise in _surely_over(report, "clean", bound, _ALL):
        spanish = "Estropea párrafos que estaban bien"
        yield _over_bound("damages_clean_text", label, spanish, system, rise, bound)


def forgets(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """Generic text; the draft of it is noise that any model mends, so only models can have forgotten."""
    bound = asked.limits.generic_points
    for system, rise in _surely_over(report, "generic", bound, _MODELS):
        spanish = "Olvida el castellano general"
        yield _over_bound("forgets", "WER on generic text", spanish, system, rise, bound)


def _surely_over(
    report: EvaluationReport, measure: Measure, bound: float, against: frozenset[str]
) -> Iterator[tuple[str, Rise]]:
    """A measure with few words: the difference is over its bound, and the interval says that it rises."""
    for system, rises in sorted(report.comparisons.items()):
        rise = rises.get(measure)
        if rise is not None and system in against and rise.difference > bound + _EPSILON and rise.low > 0:
            yield system, rise


def _over_bound(
    rule: str, english_label: str, spanish_label: str, system: str, rise: Rise, bound: float
) -> Finding:
    english, spanish = _names(system)
    return Finding(
        rule,
        "reject",
        f"{english_label} rises by {rise.difference:.2f} points against {english}, "
        f"more than the {bound:g} allowed",
        f"{spanish_label}: {_es(rise.difference)} por cada cien más que {spanish}; se admiten {_es(bound)}.",
    )


def beats_nothing(report: EvaluationReport, _: Asked) -> Iterator[Finding]:
    """An adapter that leaves as many errors as there were is a cost and a risk for nothing."""
    for system in (DRAFT, DICTIONARY):
        rise = report.comparisons.get(system, {}).get("wer")
        if rise is not None and rise.difference >= -_EPSILON:
            english, spanish = _names(system)
            yield Finding(
                "beats_nothing",
                "reject",
                f"not better than {english} ({rise.difference:+.2f} points): there is nothing to gain",
                f"No mejora {spanish}: no aporta nada.",
            )


def tie(report: EvaluationReport, _: Asked) -> Iterator[Finding]:
    """What serves is known from use; a newcomer has to be measured better."""
    incumbent = CHAMPION if report.champion_digest is not None else BASE
    rise = report.comparisons.get(incumbent, {}).get("wer")
    if rise is not None and rise.difference >= -_EPSILON:
        english, spanish = _names(incumbent)
        yield Finding(
            "tie",
            "reject",
            f"not better than {english} ({rise.difference:+.2f} points): ties keep what serves",
            f"No mejora {spanish}, que sigue en servicio.",
        )


def set_too_small(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """Below this no interval is worth reading."""
    least = asked.limits
    if report.words < least.minimum_words or report.documents < least.minimum_documents:
        yield Finding(
            "set_too_small",
            "hold",
            f"the golden set has {report.words} words in {report.documents} documents, at least "
            f"{least.minimum_words} in {least.minimum_documents} are needed to tell a rise from chance",
            f"La prueba tiene {report.words} palabras de {report.documents} actas y hacen falta al menos "
            f"{least.minimum_words} de {least.minimum_documents}: se esperará a tener más actas.",
        )


def cannot_see(report: EvaluationReport, asked: Asked) -> Iterator[Finding]:
    """The set must be able to see the rise that is not allowed, unless the candidate is plainly better."""
    for system, rises in sorted(report.comparisons.items()):
        rise = rises.get("wer")
        if rise is None or rise.high < 0:
            continue
        power = rise.interval.power(asked.limits.tolerance_points)
        if rise.high <= asked.limits.tolerance_points + _EPSILON and power >= asked.limits.minimum_power:
            continue
        english, spanish = _names(system)
        words, documents = needed(report, asked.limits, system)
        more = f"about {words} words in {documents} documents" if words else "at least two documents"
        mas = f"unas {words} palabras de {documents} actas" if words else "al menos dos actas"
        yield Finding(
            "cannot_see",
            "hold",
            f"against {english} this golden set of {report.words} words in {report.documents} documents sees "
            f"a rise of {asked.limits.tolerance_points:g} points with a power of {power:.0%} "
            f"({asked.limits.minimum_power:.0%} are needed); {more} would do",
            f"Con esta prueba ({report.words} palabras de {report.documents} actas) no se distingue si es "
            f"peor que {spanish}: harían falta {mas}. Se esperará a tener más actas.",
        )


def needed(report: EvaluationReport, limits: GateLimits, system: str) -> tuple[int, int]:
    """Words and documents with which a rise of the tolerance would be seen; (0, 0) when nothing is known."""
    rise = report.comparisons[system]["wer"]
    growth = rise.interval.growth(limits.tolerance_points, limits.minimum_power)
    if not math.isfinite(growth):
        return 0, 0
    return math.ceil(rise.size * growth), math.ceil(rise.documents * growth)


_HEADLINES: tuple[tuple[Measure, str], ...] = (("wer", "WER"), ("strict", "strict WER"))
_SPANISH_UNIT: dict[Measure, str] = {"wer": "palabras", "strict": "palabras y signos"}
_ALL = frozenset(NAMES)
_MODELS = frozenset({CHAMPION, BEST, BASE})

RULES: tuple[Rule, ...] = (
    unfit_report,
    worse,
    surely_worse,
    characters_worse,
    entities_worse,
    damages_clean_text,
    forgets,
    beats_nothing,
    tie,
    set_too_small,
    cannot_see,
)


def _names(system: str) -> tuple[str, str]:
    """For both readers; a system that has no name here is told by its own."""
    return NAMES.get(system, (system, system))


def _es(value: float) -> str:
    """A figure as people write it in Spanish: 2,5 and not 2.50."""
    return f"{value:.1f}".removesuffix(".0").replace(".", ",")
