"""The gate passes what is measurably no worse, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.evaluation.results import EvaluationReport, evaluate
from astra_learn_assets.evaluation.wer_gate import wer_gate
from astra_learn_assets_tests.datasets.builders import documents

DIGEST, CHAMPION, BASELINE = "a" * 64, "b" * 64, "c" * 64
GOLDEN = GoldenSet.of(documents(20, pairs=5))
WORDS = GOLDEN.words
Edit = Callable[[list[dict[str, object]]], None]


def _worse(text: str, index: int, rate: float) -> str:
    """The text with about ``rate`` of all words wrong, spread evenly over the set."""
    words = text.split()
    for place in range(len(words)):
        if int((index * 14 + place + 1) * rate) > int((index * 14 + place) * rate):
            words[place] = "equis" + ("." if words[place].endswith(".") else "")
            words[place] = words[place].capitalize() if place == 0 else words[place]
    return " ".join(words)


def _file(edit: Edit | None = None, **rates: float) -> bytes:
    rows: list[dict[str, object]] = []
    for index, item in enumerate(GOLDEN.examples):
        answers = {
            system: {"text": _worse(item.output, index, rate), "nll": 3.0, "tokens": 10}
            for system, rate in rates.items()
        }
        rows.append({
            "example_id": item.meta.example_id,
            "document_id": item.meta.document_id,
            "input": item.input,
            "reference": item.output,
            "predictions": answers,
        })  # fmt: skip
    if edit:
        edit(rows)
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _report(data: bytes, champion: str | None = CHAMPION, baseline: str | None = None) -> EvaluationReport:
    return evaluate(
        tenant_id="villaverde",
        golden=GOLDEN,
        predictions=data,
        candidate_digest=DIGEST,
        champion_digest=champion,
        baseline_digest=baseline,
        samples=200,
        seed=7,
    )


def _judge(
    report: EvaluationReport, tolerance: float = 2.0, minimum: int = 500, **changes: str
) -> GateVerdict:
    arguments = {"digest": DIGEST, "tenant_id": "villaverde", **changes}
    return wer_gate(report, tolerance_points=tolerance, minimum_words=minimum, **arguments)


def test_a_better_candidate_passes_and_the_details_hold_the_table() -> None:
    verdict = _judge(_report(_file(base=0.10, champion=0.06, candidate=0.03)))
    assert verdict.passed
    assert verdict.digest == DIGEST
    assert verdict.details["base_wer"] == pytest.approx(0.10, abs=0.002)
    assert verdict.details["candidate_wer"] == pytest.approx(0.03, abs=0.002)
    assert verdict.details["vs_champion_points"] == pytest.approx(-3, abs=0.2)
    low, high = verdict.details["vs_champion_low"], verdict.details["vs_champion_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low <= -3 + 0.2
    assert high >= -3 - 0.2
    assert verdict.details["vs_base_probability_worse"] == 0.0
    assert verdict.details["base_perplexity"] == pytest.approx(1.3499, abs=1e-3)
    GateVerdict.model_validate_json(verdict.model_dump_json())


def test_the_verdict_holds_every_figure_a_person_weighs_it_by() -> None:
    report = _report(
        _file(base=0.10, champion=0.06, baseline=0.08, candidate=0.03), champion=CHAMPION, baseline=BASELINE
    )
    verdict = _judge(report, golden_hash=GOLDEN.golden_hash)
    details: dict[str, object] = {
        "golden_hash": GOLDEN.golden_hash,
        "report_digest": report.digest(),
        "champion_digest": CHAMPION,
        "examples": len(GOLDEN.examples),
        "documents": 20,
        "words": WORDS,
        "minimum_words": 500,
        "tolerance_points": 2.0,
        "input_wer": round(report.input_wer, 6),
    }
    for system in ("base", "champion", "baseline", "candidate"):
        scores = report.systems[system]
        assert scores.perplexity is not None
        details |= {
            f"{system}_wer": round(scores.wer, 6),
            f"{system}_cer": round(scores.cer, 6),
            f"{system}_wer_strict": round(scores.wer_strict, 6),
            f"{system}_exact": round(scores.exact, 6),
            f"{system}_perplexity": round(scores.perplexity, 4),
        }
    for system in ("base", "champion", "baseline"):
        rise = report.comparisons[system]
        details |= {
            f"vs_{system}_points": round(rise.difference, 4),
            f"vs_{system}_low": round(rise.low, 4),
            f"vs_{system}_high": round(rise.high, 4),
            f"vs_{system}_probability_worse": round(rise.probability_worse, 4),
            f"vs_{system}_strict_points": round(rise.strict_difference, 4),
        }
    wer = {name: f"{scores.wer:.2%}" for name, scores in report.systems.items()}
    assert verdict == GateVerdict(
        gate="wer_gate",
        tenant_id="villaverde",
        digest=DIGEST,
        passed=True,
        reason=f"WER on {WORDS} golden words: base {wer['base']}, baseline {wer['baseline']}, "
        f"candidate {wer['candidate']}, champion {wer['champion']}",
        details=details,
    )


def test_a_report_keeps_more_digits_than_a_verdict_shows() -> None:
    report = _report(_file(base=0.10, champion=0.06, candidate=0.03))
    odd = report.model_copy(
        update={
            "input_wer": 0.123456789,
            "systems": {
                name: scores.model_copy(
                    update={
                        "wer": 0.123456789,
                        "cer": 0.123456789,
                        "wer_strict": 0.123456789,
                        "exact": 0.123456789,
                        "perplexity": 1.23456789 if name == "base" else None,
                    }
                )
                for name, scores in report.systems.items()
            },
            "comparisons": {
                name: item.model_copy(
                    update={
                        "difference": -1.23456789,
                        "low": -1.23456789,
                        "high": -1.23456789,
                        "probability_worse": 0.123456789,
                        "strict_difference": -1.23456789,
                    }
                )
                for name, item in report.comparisons.items()
            },
        }
    )
    details = _judge(odd).details
    assert details["input_wer"] == details["base_wer"] == details["champion_cer"] == 0.123457
    assert details["candidate_wer_strict"] == details["candidate_exact"] == 0.123457
    assert (details["base_perplexity"], details["champion_perplexity"]) == (1.2346, None)
    assert details["vs_base_points"] == details["vs_base_low"] == details["vs_base_high"] == -1.2346
    assert details["vs_champion_strict_points"] == -1.2346
    assert details["vs_champion_probability_worse"] == 0.1235


def test_the_reasons_are_sentences_that_name_what_is_wrong() -> None:
    data = _file(base=0.20, champion=0.03, candidate=0.06)
    report = _report(data)
    worse = report.comparisons["champion"]
    rises = (
        f"WER rises by {worse.difference:.2f} points against the champion, more than the 2 allowed; "
        f"strict WER rises by {worse.strict_difference:.2f} points against the champion, "
        "more than the 2 allowed"
    )
    assert _judge(report).reason == rises
    held = _judge(report, tolerance=50.0, minimum=WORDS + 1).reason
    assert held == (
        f"on hold: the golden set has {WORDS} words, at least {WORDS + 1} are needed "
        "to tell a rise from chance"
    )
    foreign = _judge(report, tolerance=50.0, digest="e" * 64, tenant_id="otro", golden_hash="e" * 64)
    assert foreign.reason == (
        "the report is of 'villaverde', not of 'otro'; the report is of another adapter; "
        "the report was made on another golden version; evaluate again"
    )
    assert (foreign.tenant_id, foreign.digest) == ("otro", "e" * 64)


@pytest.mark.parametrize("system", ["base", "champion", "baseline", "candidate"])
@pytest.mark.parametrize("field", ["systems", "comparisons"])
def test_no_score_that_is_needed_may_be_missing(system: str, field: str) -> None:
    report = _report(_file(base=0.1, champion=0.1, baseline=0.1, candidate=0.0), baseline=BASELINE)
    kept = {name: value for name, value in getattr(report, field).items() if name != system}
    verdict = _judge(report.model_copy(update={field: kept}))
    if (system, field) == ("candidate", "comparisons"):  # it is not compared with itself
        assert verdict.passed
    else:
        assert verdict.reason == f"the report has no scores of the {system}"


def test_two_points_worse_than_the_champion_is_rejected_though_better_than_the_base() -> None:
    verdict = _judge(_report(_file(base=0.20, champion=0.03, candidate=0.06)))
    assert not verdict.passed
    assert "champion" in verdict.reason
    assert "base" not in verdict.reason


def test_slow_decay_over_promotions_is_stopped_by_the_baselines() -> None:
    drifted = _report(_file(base=0.05, champion=0.07, candidate=0.08))
    assert "base" in _judge(drifted).reason
    first = _report(_file(base=0.20, baseline=0.03, champion=0.05, candidate=0.06), baseline=BASELINE)
    verdict = _judge(first)
    assert not verdict.passed
    assert "against the baseline" in verdict.reason


def test_a_rise_of_exactly_the_tolerance_passes_and_a_hair_more_does_not() -> None:
    report = _report(_file(base=0.10, champion=0.10, candidate=0.12))
    rise = report.comparisons["champion"].difference
    strict = max(rise, report.comparisons["champion"].strict_difference)
    assert rise > 1.5
    assert _judge(report, tolerance=strict).passed
    assert not _judge(report, tolerance=strict - 1e-6).passed
    assert not _judge(report, tolerance=0.0).passed


def test_lost_capitals_and_punctuation_are_a_rise_too() -> None:
    def lower(rows: list[dict[str, object]]) -> None:
        for row in rows:
            answers = row["predictions"]
            assert isinstance(answers, dict)
            answers["candidate"]["text"] = answers["candidate"]["text"].lower().rstrip(".")

    verdict = _judge(_report(_file(lower, base=0.1, champion=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "strict WER" in verdict.reason


def test_a_first_adapter_is_judged_against_the_base_alone() -> None:
    report = _report(_file(base=0.10, candidate=0.03), champion=None)
    assert set(report.comparisons) == {"base"}
    assert _judge(report).passed
    assert not _judge(_report(_file(base=0.03, candidate=0.10), champion=None)).passed


def test_a_small_golden_set_holds() -> None:
    report = _report(_file(base=0.10, champion=0.06, candidate=0.0))
    assert _judge(report, minimum=WORDS).passed
    held = _judge(report, minimum=WORDS + 1)
    assert not held.passed
    assert "on hold" in held.reason


def _drop(rows: list[dict[str, object]]) -> None:
    rows.pop()


def _repeat(rows: list[dict[str, object]]) -> None:
    rows.append(rows[0])


def _stranger(rows: list[dict[str, object]]) -> None:
    rows.append({**rows[0], "example_id": "f" * 64})


def _other_text(rows: list[dict[str, object]]) -> None:
    rows[0]["reference"] = "otro texto"


def _no_answer(rows: list[dict[str, object]]) -> None:
    rows[3]["predictions"] = {"base": {"text": "x"}, "champion": {"text": "x"}, "candidate": None}


def _empty(rows: list[dict[str, object]]) -> None:
    rows.clear()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_drop, "no prediction"),
        (_repeat, "twice"),
        (_stranger, "another golden set"),
        (_other_text, "another text"),
        (_no_answer, "candidate has no answer"),
        (_empty, "no prediction"),
    ],
)
def test_predictions_that_do_not_fit_the_golden_set_never_promote(edit: Edit, words: str) -> None:
    verdict = _judge(_report(_file(edit, base=0.10, champion=0.06, candidate=0.0)), minimum=0)
    assert not verdict.passed
    assert words in verdict.reason


def test_a_champion_that_was_not_asked_never_promotes() -> None:
    verdict = _judge(_report(_file(base=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "champion has no answer" in verdict.reason


def test_a_report_of_another_adapter_tenant_or_golden_version_never_promotes() -> None:
    report = _report(_file(base=0.1, champion=0.1, candidate=0.0))
    assert _judge(report, golden_hash=GOLDEN.golden_hash).passed
    for changes in ({"digest": "e" * 64}, {"tenant_id": "otro"}, {"golden_hash": "e" * 64}):
        assert not _judge(report, **changes).passed


def test_a_report_with_scores_taken_out_never_promotes() -> None:
    report = _report(_file(base=0.1, champion=0.0, candidate=0.1))
    for field in ("systems", "comparisons"):
        kept = {name: value for name, value in getattr(report, field).items() if name != "champion"}
        assert not _judge(report.model_copy(update={field: kept})).passed


def test_empty_answers_are_all_deletions() -> None:
    def blank(rows: list[dict[str, object]]) -> None:
        for row in rows:
            answers = row["predictions"]
            assert isinstance(answers, dict)
            answers["candidate"]["text"] = ""

    report = _report(_file(blank, base=0.1, champion=0.1, candidate=0.0))
    assert report.systems["candidate"].wer == 1.0
    assert not _judge(report).passed


def test_a_non_finite_likelihood_never_promotes() -> None:
    def broken(rows: list[dict[str, object]]) -> None:
        answers = rows[0]["predictions"]
        assert isinstance(answers, dict)
        answers["candidate"]["nll"] = 1e308

    verdict = _judge(_report(_file(broken, base=0.1, champion=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "likelihood" in verdict.reason


def test_the_digest_of_a_report_is_that_of_its_content() -> None:
    data = _file(base=0.1, champion=0.1, candidate=0.0)
    report = _report(data)
    assert report.digest() == _report(data).digest()
    assert report.digest() != _report(_file(base=0.1, champion=0.1, candidate=0.1)).digest()
    assert report.input_wer > 0
    assert sum(document.words for document in report.per_document) == report.words == WORDS


def test_a_broken_predictions_file_names_its_line() -> None:
    good = _file(base=0.1, champion=0.1, candidate=0.0)
    for bad in (b"{}\n", b"no\n", b'{"example_id": "x"}\n'):
        with pytest.raises(BadJsonl) as caught:
            _report(good + bad)
        assert caught.value.line == len(GOLDEN.examples) + 1


def test_a_negative_tolerance_is_refused() -> None:
    report = _report(_file(base=0.1, champion=0.1, candidate=0.0))
    for tolerance in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=rf"^tolerance of {tolerance} points: use 0 or more$"):
            _judge(report, tolerance=tolerance)
