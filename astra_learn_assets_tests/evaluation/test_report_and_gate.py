"""The gate passes what is measurably better, holds what it cannot tell, and lets nothing else through."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.datasets.golden import GoldenSet
from astra_learn_assets.errors import BadJsonl
from astra_learn_assets.evaluation.results import EvaluationReport, evaluate
from astra_learn_assets.evaluation.verdict_rules import GateLimits
from astra_learn_assets.evaluation.wer_gate import wer_gate
from astra_learn_assets_tests.datasets.builders import documents, example, sentence, unchanged

DIGEST, CHAMPION, BEST = "a" * 64, "b" * 64, "c" * 64


def _worse(text: str, index: int, rate: float) -> str:
    """The text with about ``rate`` of all words wrong, spread evenly over the set."""
    words = text.split()
    for place in range(len(words)):
        if int((index * 14 + place + 1) * rate) > int((index * 14 + place) * rate):
            words[place] = "equis" + ("." if words[place].endswith(".") else "")
            words[place] = words[place].capitalize() if place == 0 else words[place]
    return " ".join(words)


TAUGHT = [item.output for item in documents(20, pairs=5)]
GOLDEN = GoldenSet.of(
    [
        example(_worse(text, n, 0.25), text, document=f"doc-{n // 5}", chunk=f"c{n}")
        for n, text in enumerate(TAUGHT)
    ]
    + [item for n in range(20) for item in unchanged(n, 5)]
)
GENERIC = GoldenSet.of(
    example(text.lower(), text, document=f"generic-{n}", tenant="replay")
    for n in range(12)
    if (text := sentence(random.Random(f"generic-{n}")))
)
WORDS = GOLDEN.words
Edit = Callable[[list[dict[str, Any]]], None]


def _file(edit: Edit | None = None, **rates: float) -> bytes:
    """Answers with these shares of wrong words; what was right is left alone, half of the words.

    The dictionary leaves the draft as it is.
    """
    rows: list[dict[str, Any]] = []
    for index, item in enumerate([*GOLDEN.examples, *GENERIC.examples]):
        answers = {
            system: {
                "text": _worse(item.output, index, rate if item.meta.route else 0.0),
                "nll": 3.0,
                "tokens": 10,
            }
            for system, rate in rates.items()
        }
        rows.append({
            "example_id": item.meta.example_id,
            "document_id": item.meta.document_id,
            "input": item.input,
            "reference": item.output,
            "predictions": {"dictionary": {"text": item.input}, **answers},
        })  # fmt: skip
    if edit:
        edit(rows)
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


@functools.cache
def _report(data: bytes, champion: str | None = CHAMPION, best: str | None = None) -> EvaluationReport:
    return evaluate(
        tenant_id="villaverde",
        golden=GOLDEN,
        generic=GENERIC,
        predictions=data,
        candidate_digest=DIGEST,
        champion_digest=champion,
        best_digest=best,
    )


def _judge(report: EvaluationReport, *, limits: GateLimits = GateLimits(), **changes: str) -> GateVerdict:
    arguments = {"digest": DIGEST, "tenant_id": "villaverde", **changes}
    return wer_gate(report, limits=limits, **arguments)


def test_a_better_candidate_passes_and_the_details_hold_the_table() -> None:
    verdict = _judge(_report(_file(base=0.10, champion=0.06, candidate=0.03)))
    assert verdict.passed
    assert verdict.digest == DIGEST
    details = verdict.details
    assert details["outcome"] == "promote"
    assert details["rules"] == ""
    assert details["base_wer"] == pytest.approx(0.05, abs=0.002)
    assert details["candidate_wer"] == pytest.approx(0.015, abs=0.002)
    assert details["vs_champion_points"] == pytest.approx(-1.5, abs=0.2)
    assert details["vs_champion_relative_percent"] == pytest.approx(-50, abs=3)
    assert details["vs_champion_low"] < -1.5 < details["vs_champion_high"]
    assert details["vs_base_probability_worse"] == 0.0
    assert details["base_perplexity"] == pytest.approx(1.3499, abs=1e-3)
    assert details["clean_words"] > 1_000
    assert details["candidate_generic"] == pytest.approx(0.03, abs=0.01)
    assert "Entra en servicio" in str(details["reason_es"])
    GateVerdict.model_validate_json(verdict.model_dump_json())


def test_every_opponent_stands_in_the_report_with_every_measure() -> None:
    report = _report(_file(base=0.1, champion=0.06, best=0.05, candidate=0.03), best=BEST)
    assert set(report.comparisons) == {"base", "champion", "best", "draft", "dictionary"}
    for rises in report.comparisons.values():
        assert set(rises) == {"wer", "strict", "cer", "entities", "clean", "generic"} - (
            set() if "entities" in rises else {"entities"}
        )
    assert report.systems["draft"].clean_wer == 0.0
    assert report.systems["draft"].wer == report.systems["dictionary"].wer > 0
    assert set(report.systems["candidate"].by_route) == {"0", "1"}


def test_two_points_worse_than_the_champion_is_rejected_though_better_than_the_base() -> None:
    verdict = _judge(_report(_file(base=0.20, champion=0.02, candidate=0.08)))
    assert verdict.details["outcome"] == "reject"
    assert "against the champion, more than the 2 allowed" in verdict.reason
    assert "base" not in verdict.reason
    assert "el modelo en servicio" in str(verdict.details["reason_es"])


def test_damage_to_correct_paragraphs_is_seen_though_corrections_are_better() -> None:
    def spoil(rows: list[dict[str, Any]]) -> None:
        for index, row in enumerate(rows):
            if row["input"] == row["reference"]:
                row["predictions"]["candidate"]["text"] = _worse(row["reference"], index, 0.04)

    verdict = _judge(_report(_file(spoil, base=0.10, champion=0.06, candidate=0.0)))
    assert "damages_clean_text" in str(verdict.details["rules"])
    assert not verdict.passed
    assert "paragraphs that were right" in verdict.reason


def test_what_an_adapter_has_forgotten_shows_on_text_of_no_municipality() -> None:
    def forget(rows: list[dict[str, Any]]) -> None:
        for index, row in enumerate(rows):
            if row["document_id"].startswith("generic"):
                row["predictions"]["candidate"]["text"] = _worse(row["reference"], index, 0.4)

    verdict = _judge(_report(_file(forget, base=0.10, champion=0.06, candidate=0.02)))
    assert verdict.details["rules"] == "forgets"
    assert "castellano general" in str(verdict.details["reason_es"])


def test_an_adapter_that_loses_numbers_is_rejected_though_its_words_are_right() -> None:
    golden = GoldenSet.of(
        example(f"se aprueva la partida {100 + n} del presupuesto de obras con cargo al capítulo {n}",
                f"Se aprueba la partida {100 + n} del presupuesto de obras con cargo al capítulo {n}.",
                document=f"acta-{n // 5}")
        for n in range(60)
    )  # fmt: skip
    rows = []
    for n, item in enumerate(golden.examples):
        good = item.output
        wrong = good.replace(str(100 + int(item.meta.document_id[5:]) * 5 + n % 5), "")
        texts = {"base": item.input, "champion": good.replace("Se", "se"), "candidate": wrong}
        rows.append({
            "example_id": item.meta.example_id, "document_id": item.meta.document_id, "input": item.input,
            "reference": good, "predictions": {
                "dictionary": {"text": item.input}, **{name: {"text": text} for name, text in texts.items()},
            },
        })  # fmt: skip
        rows[-1]["predictions"]["candidate"]["text"] = " ".join(
            word for word in good.split() if not word.isdigit() or int(word) < 100
        )
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    report = evaluate(
        tenant_id="villaverde", golden=golden, predictions=data, candidate_digest=DIGEST,
        champion_digest=CHAMPION,
    )  # fmt: skip
    assert report.systems["candidate"].entity_error_rate == pytest.approx(0.5, abs=0.05)
    rules = _judge(report, limits=GateLimits(tolerance_points=90, margin_points=90, cer_points=90)).details
    assert "entities_worse" in str(rules["rules"])


def test_slow_decay_over_promotions_is_stopped_by_the_best_there_was() -> None:
    drifted = _report(_file(base=0.20, best=0.02, champion=0.09, candidate=0.08), best=BEST)
    verdict = _judge(drifted)
    assert not verdict.passed
    assert "against the best adapter so far" in verdict.reason


def test_doing_nothing_is_an_opponent() -> None:
    verdict = _judge(_report(_file(base=0.40, champion=0.35, candidate=0.26)))
    assert not verdict.passed
    assert "beats_nothing" in str(verdict.details["rules"])
    assert "not better than the untouched draft" in verdict.reason
    assert "not better than the dictionary alone" in verdict.reason


def test_a_tie_keeps_what_serves() -> None:
    for rates in ({"champion": 0.03}, {}):
        base = 0.10 if rates else 0.03
        champion = CHAMPION if rates else None
        verdict = _judge(_report(_file(base=base, candidate=0.03, **rates), champion=champion))
        assert verdict.details["rules"] == "tie"
        assert "ties keep what serves" in verdict.reason


def test_lost_capitals_and_punctuation_are_a_rise_too() -> None:
    def lower(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            answers = row["predictions"]
            answers["candidate"]["text"] = answers["candidate"]["text"].lower().rstrip(".")

    verdict = _judge(_report(_file(lower, base=0.1, champion=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "strict WER" in verdict.reason


def test_a_first_adapter_is_judged_against_base_draft_and_dictionary() -> None:
    report = _report(_file(base=0.10, candidate=0.03), champion=None)
    assert set(report.comparisons) == {"base", "draft", "dictionary"}
    assert _judge(report).passed
    assert not _judge(_report(_file(base=0.03, candidate=0.10), champion=None)).passed


@pytest.mark.parametrize("system", ["base", "champion", "best", "draft", "dictionary", "candidate"])
@pytest.mark.parametrize("field", ["systems", "comparisons"])
def test_no_score_that_is_needed_may_be_missing(system: str, field: str) -> None:
    report = _report(_file(base=0.1, champion=0.1, best=0.1, candidate=0.0), best=BEST)
    kept = {name: value for name, value in getattr(report, field).items() if name != system}
    verdict = _judge(report.model_copy(update={field: kept}))
    if (system, field) == ("candidate", "comparisons"):  # it is not compared with itself
        assert verdict.passed
    else:
        assert verdict.reason == f"the report has no scores of the {system}"


def test_a_report_of_something_else_says_so_and_does_not_pass() -> None:
    report = _report(_file(base=0.1, champion=0.1, candidate=0.0))
    foreign = _judge(report, digest="e" * 64, tenant_id="otro", golden_hash="e" * 64)
    assert foreign.reason == (
        "the report is of 'villaverde', not of 'otro'; the report is of another adapter; "
        "the report was made on another golden version; evaluate again"
    )
    assert (foreign.tenant_id, foreign.digest) == ("otro", "e" * 64)
    assert _judge(report, golden_hash=GOLDEN.golden_hash).passed
    for changes in ({"digest": "e" * 64}, {"tenant_id": "otro"}, {"golden_hash": "e" * 64}):
        assert not _judge(report, **changes).passed


def _drop(rows: list[dict[str, Any]]) -> None:
    rows.pop()


def _repeat(rows: list[dict[str, Any]]) -> None:
    rows.append(rows[0])


def _stranger(rows: list[dict[str, Any]]) -> None:
    rows.append({**rows[0], "example_id": "f" * 64})


def _other_text(rows: list[dict[str, Any]]) -> None:
    rows[0]["reference"] = "otro texto"


def _no_answer(rows: list[dict[str, Any]]) -> None:
    rows[3]["predictions"] = {"base": {"text": "x"}, "champion": {"text": "x"}, "candidate": None}


def _empty(rows: list[dict[str, Any]]) -> None:
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
    verdict = _judge(
        _report(_file(edit, base=0.10, champion=0.06, candidate=0.0)), limits=GateLimits(minimum_words=0)
    )
    assert not verdict.passed
    assert words in verdict.reason


def test_a_champion_that_was_not_asked_never_promotes() -> None:
    verdict = _judge(_report(_file(base=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "champion has no answer" in verdict.reason


def test_empty_answers_are_all_deletions() -> None:
    def blank(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            answers = row["predictions"]
            answers["candidate"]["text"] = ""

    report = _report(_file(blank, base=0.1, champion=0.1, candidate=0.0))
    assert report.systems["candidate"].wer == 1.0
    assert not _judge(report).passed


def test_a_non_finite_likelihood_never_promotes() -> None:
    def broken(rows: list[dict[str, Any]]) -> None:
        answers = rows[0]["predictions"]
        answers["candidate"]["nll"] = 1e308

    verdict = _judge(_report(_file(broken, base=0.1, champion=0.1, candidate=0.0)))
    assert not verdict.passed
    assert "likelihood" in verdict.reason


def test_the_digest_of_a_report_is_that_of_its_content() -> None:
    data = _file(base=0.1, champion=0.1, candidate=0.0)
    report = _report(data)
    assert report.digest() == _report(data).digest()
    assert report.digest() != _report(_file(base=0.1, champion=0.1, candidate=0.1)).digest()
    assert sum(document.words for document in report.per_document) == report.words == WORDS


def test_a_broken_predictions_file_names_its_line() -> None:
    good = _file(base=0.1, champion=0.1, candidate=0.0)
    for bad in (b"{}\n", b"no\n", b'{"example_id": "x"}\n'):
        with pytest.raises(BadJsonl) as caught:
            _report(good + bad)
        assert caught.value.line == len(GOLDEN.examples) + len(GENERIC.examples) + 1


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", sorted(GateLimits.__dataclass_fields__))
def test_a_threshold_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name} of {value}: use 0 or more$"):
        GateLimits(**{name: value})
