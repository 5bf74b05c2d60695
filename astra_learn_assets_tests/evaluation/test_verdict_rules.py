"""Each rule of the gate, forced both ways by the figures of a report and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.evaluation.results import EvaluationReport, Measure, Rise, SystemScores
from astra_learn_assets.evaluation.verdict_rules import RULES, GateLimits, needed
from astra_learn_assets.evaluation.wer_gate import VERSION, wer_gate
from astra_learn_assets.ids import TenantId

DIGEST = "a" * 64
OPPONENTS = ("base", "best", "champion", "dictionary", "draft")
MEASURES: tuple[Measure, ...] = ("wer", "strict", "cer", "entities", "clean", "generic")
LIMITS = GateLimits()


def rise(difference: float, half: float = 0.5, *, documents: int = 25) -> Rise:
    """A rise with an interval of ``half`` on each side, as 24 degrees of freedom give it."""
    return Rise(
        difference=difference,
        low=difference - half,
        high=difference + half,
        standard_error=half / 2.0639,
        degrees=24.0,
        documents=documents,
        size=6_000,
        relative=None,
    )


def report(
    changes: dict[tuple[str, Measure], Rise] | None = None, *, words: int = 6_000, documents: int = 25
) -> EvaluationReport:
    """A candidate one point better than everybody, with ``changes`` put in."""
    scores = SystemScores(
        wer=0.05, cer=0.02, wer_strict=0.06, entity_error_rate=0.02, clean_wer=0.0, generic_wer=0.1,
        by_route={}, errors=300, substitutions=300, deletions=0, insertions=0, exact=0.5, perplexity=None,
    )  # fmt: skip
    comparisons = {name: {measure: rise(-1.0) for measure in MEASURES} for name in OPPONENTS}
    for (system, measure), value in (changes or {}).items():
        comparisons[system][measure] = value
    return EvaluationReport(
        tenant_id=TenantId("villaverde"),
        candidate_digest=DIGEST,
        champion_digest="b" * 64,
        best_digest="c" * 64,
        golden_hash="d" * 64,
        generic_hash="e" * 64,
        predictions_sha256="f" * 64,
        examples=300,
        documents=documents,
        words=words,
        clean_words=3_000,
        systems=dict.fromkeys(("candidate", *OPPONENTS), scores),
        comparisons=comparisons,
        per_document=(),
        problems=(),
    )


def judge(
    changes: dict[tuple[str, Measure], Rise] | None = None, limits: GateLimits = LIMITS, **size: int
) -> GateVerdict:
    return wer_gate(report(changes, **size), limits=limits, digest=DIGEST, tenant_id=TenantId("villaverde"))


def outcome(verdict: GateVerdict) -> tuple[object, object]:
    assert verdict.passed is (verdict.details["outcome"] == "promote")
    return verdict.details["outcome"], verdict.details["rules"]


def test_better_than_everybody_is_promoted() -> None:
    assert outcome(judge()) == ("promote", "")


@pytest.mark.parametrize("measure", ["wer", "strict"])
@pytest.mark.parametrize("system", OPPONENTS)
def test_two_points_above_any_opponent_are_too_much_whatever_the_interval(
    system: str, measure: Measure
) -> None:
    said = judge({(system, measure): rise(2.01, 9.0)})
    assert said.details["outcome"] == "reject"
    assert "worse" in str(said.details["rules"]).split(",")
    at_the_bound = judge({(system, measure): rise(2.0, 9.0)})
    assert "worse" not in str(at_the_bound.details["rules"]).split(",")


@pytest.mark.parametrize("measure", ["wer", "strict"])
@pytest.mark.parametrize("system", OPPONENTS)
def test_a_small_rise_that_is_no_chance_is_rejected(system: str, measure: Measure) -> None:
    assert "surely_worse" in str(judge({(system, measure): rise(1.0, 0.49)}).details["rules"])
    assert "surely_worse" not in str(judge({(system, measure): rise(1.0, 0.5)}).details["rules"])


@pytest.mark.parametrize(
    ("measure", "rule"),
    [
        ("cer", "characters_worse"),
        ("entities", "entities_worse"),
        ("clean", "damages_clean_text"),
        ("generic", "forgets"),
    ],
)
@pytest.mark.parametrize("system", ["base", "best", "champion"])
def test_other_measures_reject_when_they_rise_over_their_bound_and_surely(
    system: str, measure: Measure, rule: str
) -> None:
    assert outcome(judge({(system, measure): rise(2.5, 2.0)})) == ("reject", rule)
    assert outcome(judge({(system, measure): rise(2.5, 2.6)})) == ("promote", "")  # may be chance
    assert outcome(judge({(system, measure): rise(2.0, 0.1)})) == ("promote", "")  # within the bound


def test_generic_text_is_not_compared_with_leaving_it_noisy() -> None:
    assert outcome(judge({("draft", "generic"): rise(9.0)})) == ("promote", "")
    assert outcome(judge({("draft", "clean"): rise(9.0)})) == ("reject", "damages_clean_text")


@pytest.mark.parametrize("system", ["draft", "dictionary"])
def test_no_better_than_doing_nothing_is_rejected(system: str) -> None:
    assert outcome(judge({(system, "wer"): rise(0.0)})) == ("reject", "beats_nothing")
    assert outcome(judge({(system, "wer"): rise(-0.01)})) == ("promote", "")


def test_a_tie_with_the_champion_is_no_promotion_and_one_with_the_best_is() -> None:
    assert outcome(judge({("champion", "wer"): rise(0.0)})) == ("reject", "tie")
    assert outcome(judge({("champion", "wer"): rise(-0.01)})) == ("promote", "")
    assert outcome(judge({("best", "wer"): rise(0.4)})) == ("promote", "")
    assert outcome(judge({("base", "wer"): rise(0.4)})) == ("promote", "")


@pytest.mark.parametrize(("words", "documents"), [(499, 25), (6_000, 2)])
def test_a_golden_set_below_the_minimum_holds(words: int, documents: int) -> None:
    held = judge(words=words, documents=documents)
    assert outcome(held) == ("hold", "set_too_small")
    assert held.reason.startswith("on hold: ")
    assert outcome(judge(words=500, documents=3)) == ("promote", "")


def test_a_set_that_cannot_exclude_two_points_holds_and_says_what_would_be_needed() -> None:
    held = judge({("champion", "wer"): rise(-0.5, 3.0)})
    assert outcome(held) == ("hold", "cannot_see")
    power = held.details["vs_champion_power"]
    assert isinstance(power, float)
    assert 0 < power < 0.8
    assert int(held.details["vs_champion_needed_words"] or 0) > 12_000
    assert int(held.details["vs_champion_needed_documents"] or 0) > 50
    assert "would do" in held.reason
    assert "Se esperará a tener más actas" in str(held.details["reason_es"])


def test_power_is_asked_for_even_where_two_points_happen_to_be_excluded() -> None:
    assert outcome(judge({("champion", "wer"): rise(-0.5, 2.0)})) == ("hold", "cannot_see")
    lenient = replace(LIMITS, minimum_power=0.3)
    assert outcome(judge({("champion", "wer"): rise(-0.5, 2.0)}, lenient)) == ("promote", "")


def test_a_set_too_small_for_two_points_may_still_see_ten() -> None:
    assert outcome(judge({("champion", "wer"): rise(-10.0, 4.0)})) == ("promote", "")


def test_what_is_rejected_is_not_held() -> None:
    said = judge({("champion", "wer"): rise(3.0, 4.0)}, words=100)
    assert said.details["outcome"] == "reject"
    assert said.details["rules"] == "worse,tie,set_too_small,cannot_see"
    assert "on hold" not in said.reason


def test_a_broken_report_is_rejected() -> None:
    broken = report().model_copy(update={"problems": ("2 golden examples have no prediction",)})
    verdict = wer_gate(broken, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde"))
    assert outcome(verdict) == ("reject", "unfit_report")
    assert verdict.reason == "2 golden examples have no prediction"


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.__name__ for rule in RULES]
    assert len(set(names)) == len(names) == 11


def test_a_verdict_holds_every_figure_a_person_weighs_it_by() -> None:
    scores = SystemScores(
        wer=0.05123451, cer=0.0212345678, wer_strict=0.0612345678, entity_error_rate=0.0212345678,
        clean_wer=0.0012345678, generic_wer=0.1012345678, by_route={}, errors=300, substitutions=300,
        deletions=0, insertions=0, exact=0.5123456789, perplexity=2.123456,
    )  # fmt: skip
    judged = rise(-1.23456, 3.56787).model_copy(update={"relative": -20.1267})
    given = report({("champion", "wer"): judged, ("champion", "clean"): judged})
    given = given.model_copy(
        update={
            "systems": dict.fromkeys(given.systems, scores),
            "comparisons": {"champion": given.comparisons["champion"]},
        }
    )
    said = wer_gate(given, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde")).details
    assert {
        name: value
        for name, value in said.items()
        if not name.startswith(("vs_", *OPPONENTS)) or name.endswith("_digest")
    } == {
        "outcome": "reject",  # the other opponents are not compared
        "rules": "unfit_report,cannot_see",
        "reason_es": said["reason_es"],
        "gate_version": VERSION,
        "golden_hash": "d" * 64,
        "generic_hash": "e" * 64,
        "report_digest": given.digest(),
        "champion_digest": "b" * 64,
        "best_digest": "c" * 64,
        "examples": 300,
        "documents": 25,
        "words": 6_000,
        "clean_words": 3_000,
        **vars(LIMITS),
        "candidate_wer": 0.051235,
        "candidate_cer": 0.021235,
        "candidate_wer_strict": 0.061235,
        "candidate_entities": 0.021235,
        "candidate_clean": 0.001235,
        "candidate_generic": 0.101235,
        "candidate_exact": 0.512346,
        "candidate_perplexity": 2.1235,
    }
    words, documents = needed(given, LIMITS, "champion")
    points = {"points": -1.2346, "low": -4.8024, "high": 2.3333}
    assert {name: value for name, value in said.items() if name.startswith("vs_")} == {
        **{
            f"vs_champion{measure}_{name}": value
            for measure in ("", "_clean")
            for name, value in points.items()
        },
        **{
            f"vs_champion_{measure}_{name}": {"points": -1.0, "low": -1.5, "high": -0.5}[name]
            for measure in MEASURES
            if measure not in ("wer", "clean")
            for name in points
        },
        "vs_champion_relative_percent": -20.13,
        "vs_champion_probability_worse": round(judged.interval.probability_worse, 4),
        "vs_champion_power": round(judged.interval.power(2.0), 4),
        "vs_champion_needed_words": words,
        "vs_champion_needed_documents": documents,
    }
    assert 0.001 < judged.interval.power(2.0) < 0.5
    assert 6_000 < 240 * (documents - 1) < words <= 240 * documents


def test_what_was_not_measured_is_empty_in_the_verdict_and_not_nought() -> None:
    bare = (
        report()
        .systems["candidate"]
        .model_copy(update={"entity_error_rate": None, "clean_wer": None, "generic_wer": None})
    )
    given = report()
    given = given.model_copy(update={"systems": dict.fromkeys(given.systems, bare)})
    said = wer_gate(given, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde")).details
    measured = ("entities", "clean", "generic", "perplexity")
    assert [said[f"candidate_{name}"] for name in measured] == [None] * 4
    assert said["vs_champion_relative_percent"] is None


def test_reasons_are_told_one_after_another_and_once_in_spanish() -> None:
    broken = report().model_copy(update={"problems": ("one fault", "two faults")})
    verdict = wer_gate(broken, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde"))
    assert verdict.reason == "one fault; two faults"
    assert str(verdict.details["reason_es"]).count("La evaluación no es válida") == 1
    twice = judge({("champion", "wer"): rise(0.0), ("draft", "wer"): rise(0.0)}).details["reason_es"]
    assert twice == (
        "No mejora el borrador sin corregir: no aporta nada. "
        "No mejora el modelo en servicio, que sigue en servicio."
    )
    given = report()
    draft = given.systems["draft"].model_copy(update={"wer": 0.1234})
    passed = given.model_copy(update={"systems": {"candidate": given.systems["candidate"], "draft": draft}})
    passed = passed.model_copy(update={"systems": {**given.systems, **passed.systems}})
    verdict = wer_gate(passed, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde"))
    assert verdict.details["reason_es"] == (
        "Entra en servicio: de cada cien palabras quedan mal 5,0; en el borrador eran 12,3."
    )
    assert verdict.reason.startswith("WER on 6000 golden words: base 5.00%, best 5.00%, candidate 5.00%")


NO_VALID_REPORT = (
    "La evaluación no es válida y hay que repetirla: no corresponde a este modelo, a esta prueba "
    "o le faltan respuestas."
)


@pytest.mark.parametrize(
    ("changes", "rule", "english", "spanish"),
    [
        (
            {("champion", "strict"): rise(2.346, 9.0)},
            "worse",
            "strict WER rises by 2.35 points against the champion, more than the 2 allowed",
            "Comete 2,3 errores más por cada cien palabras y signos que el modelo en servicio; se admiten 2.",
        ),
        (
            {("best", "strict"): rise(1.0, 0.4)},
            "surely_worse",
            "strict WER rises against the best adapter so far by at least 0.60 points (95 % interval), "
            "and 0.5 may be chance",
            "Es peor que el mejor modelo que ha habido con seguridad: al menos 0,6 errores más por cada cien "
            "palabras y signos.",
        ),
        (
            {("base", "cer"): rise(3.0)},
            "characters_worse",
            "CER rises by 3.00 points against the base model, more than the 2 allowed",
            "Letras equivocadas: 3 por cada cien más que el modelo de base; se admiten 2.",
        ),
        (
            {("draft", "entities"): rise(3.25)},
            "entities_worse",
            "the error rate of names and numbers rises by 3.25 points against the untouched draft, "
            "more than the 2 allowed",
            "Nombres y números equivocados: 3,2 por cada cien más que el borrador sin corregir; "
            "se admiten 2.",
        ),
        (
            {("dictionary", "clean"): rise(3.0)},
            "damages_clean_text",
            "the error rate on paragraphs that were right rises by 3.00 points against the dictionary alone, "
            "more than the 2 allowed",
            "Estropea párrafos que estaban bien: 3 por cada cien más que el diccionario solo; se admiten 2.",
        ),
        (
            {("best", "generic"): rise(3.0)},
            "forgets",
            "WER on generic text rises by 3.00 points against the best adapter so far, "
            "more than the 2 allowed",
            "Olvida el castellano general: 3 por cada cien más que el mejor modelo que ha habido; "
            "se admiten 2.",
        ),
    ],
)
def test_a_rule_says_in_two_languages_against_whom_and_how_much(
    changes: dict[tuple[str, Measure], Rise], rule: str, english: str, spanish: str
) -> None:
    said = judge(changes)
    assert outcome(said) == ("reject", rule)
    assert (said.reason, said.details["reason_es"]) == (english, spanish)


def test_a_rise_in_the_measured_figures_alone_or_in_the_interval_alone_is_no_damage() -> None:
    for low, difference in ((0.0, 2.5), (0.5, 2.0)):
        measured = rise(difference).model_copy(update={"low": low})
        assert outcome(judge({("champion", "clean"): measured})) == ("promote", "")
    small = rise(2.001).model_copy(update={"low": 0.001})
    assert outcome(judge({("champion", "clean"): small})) == ("reject", "damages_clean_text")


def test_what_holds_says_what_would_be_needed_in_two_languages() -> None:
    held = judge({("champion", "wer"): rise(-0.5, 3.0)})
    words, documents = needed(report({("champion", "wer"): rise(-0.5, 3.0)}), LIMITS, "champion")
    power = rise(-0.5, 3.0).interval.power(2.0)
    assert held.reason == (
        "on hold: against the champion this golden set of 6000 words in 25 documents sees a rise of 2 points "
        f"with a power of {power:.0%} (80% are needed); about {words} words in {documents} documents would do"
    )
    assert held.details["reason_es"] == (
        "Con esta prueba (6000 palabras de 25 actas) no se distingue si es peor que el modelo en servicio: "
        f"harían falta unas {words} palabras de {documents} actas. Se esperará a tener más actas."
    )


def test_a_set_of_one_document_says_nothing_about_chance_and_asks_for_two() -> None:
    endless = rise(-0.5).model_copy(
        update={"low": -1e9, "high": 1e9, "standard_error": 1e9, "degrees": 0.0, "documents": 1}
    )
    assert needed(report({("best", "wer"): endless}), LIMITS, "best") == (0, 0)
    held = judge({("best", "wer"): endless})
    assert outcome(held) == ("hold", "cannot_see")
    assert "at least two documents would do" in held.reason
    assert "harían falta al menos dos actas." in str(held.details["reason_es"])


def test_each_opponent_is_asked_whether_the_set_can_see_and_not_the_first_alone() -> None:
    blurred = rise(-0.5, 3.0)
    held = judge({("base", "wer"): rise(-9.0, 4.0), ("draft", "wer"): blurred})
    assert outcome(held) == ("hold", "cannot_see")
    assert "against the untouched draft" in held.reason
    clear = rise(-0.2, 0.9)  # its end is below a point, and far below two
    assert outcome(judge({("base", "wer"): clear, ("draft", "wer"): blurred})) == ("hold", "cannot_see")
    # exactly the power that is asked for is enough
    barely = replace(LIMITS, minimum_power=blurred.interval.power(2.5), tolerance_points=2.5)
    assert outcome(judge({("draft", "wer"): blurred}, barely)) == ("promote", "")


def test_an_interval_that_ends_at_nought_or_just_above_is_not_plainly_better() -> None:
    for high in (0.0, 0.5):
        wide = rise(high - 9.0, 9.0)
        assert outcome(judge({("champion", "wer"): wide})) == ("hold", "cannot_see")


def test_a_report_without_scores_of_an_opponent_says_so_in_spanish_too() -> None:
    given = report()
    bare = given.model_copy(
        update={"comparisons": {name: {"wer": rises["wer"]} for name, rises in given.comparisons.items()}}
    )
    verdict = wer_gate(bare, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde"))
    assert verdict.reason == "; ".join(f"the report has no scores of the {name}" for name in OPPONENTS)
    assert verdict.details["reason_es"] == NO_VALID_REPORT
    headlines = {
        name: {measure: rises[measure] for measure in ("wer", "strict")}
        for name, rises in given.comparisons.items()
    }
    enough = given.model_copy(update={"comparisons": headlines})
    assert wer_gate(enough, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde")).passed


def test_an_opponent_without_a_name_is_told_by_its_own() -> None:
    given = report()
    more = given.model_copy(update={"comparisons": {**given.comparisons, "rival": {"wer": rise(5.0)}}})
    verdict = wer_gate(more, limits=LIMITS, digest=DIGEST, tenant_id=TenantId("villaverde"))
    assert "WER rises by 5.00 points against rival" in verdict.reason
