"""The page of a verdict shows what the verdict was reached with, loads nothing, and runs nothing."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from astra_learn_assets.evaluation import verdict_page
from astra_learn_assets.evaluation.predictions import Answer, Prediction, load_predictions
from astra_learn_assets.evaluation.verdict_page import Past
from astra_learn_assets_tests.evaluation.test_report_and_gate import BEST, CHAMPION, _file, _judge, _report

RATES = {"base": 0.10, "champion": 0.06, "best": 0.05, "candidate": 0.03}


def _row(document: str, draft: str, reference: str, answer: str) -> Prediction:
    return Prediction(
        example_id="0" * 64,
        document_id=document,
        input=draft,
        reference=reference,
        predictions={"candidate": Answer(text=answer)},
    )


class _Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_a_page_names_every_opponent_measure_interval_and_what_it_was_reached_with() -> None:
    report = _report(_file(**RATES), best=BEST)
    verdict = _judge(report)
    page = verdict_page.render(verdict, report, adapter_id="villaverde--0123456789abcdef")
    text = " ".join(_read(page).text)
    for name in ("Este adaptador", "El que está en servicio", "El mejor que hubo", "Modelo de base"):
        assert name in text
    rise = report.comparisons["champion"]["wer"]
    shown = f"{rise.difference:+.2f} [{rise.low:+.2f}, {rise.high:+.2f}]".replace(".", ",")
    assert shown in text
    assert len(re.findall("<circle", page)) == sum(len(measures) for measures in report.comparisons.values())
    for value in (verdict.digest, report.golden_hash, report.predictions_sha256, CHAMPION):
        assert value in text
    assert f"{report.words} palabras" in text


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (RATES, "Entra en servicio"),
        ({**RATES, "candidate": 0.30}, "Rechazado"),
    ],
)
def test_the_outcome_stands_first(rates: dict[str, float], said: str) -> None:
    report = _report(_file(**rates), best=BEST)
    page = verdict_page.render(_judge(report), report, adapter_id="a")
    assert re.search(r"<h1[^>]*>([^<]+)</h1>", page)[1] == said  # type: ignore[index]


def test_the_worst_and_the_best_examples_are_chosen_and_what_did_not_change_is_not() -> None:
    rows = [
        _row("same", "el pleno abre", "el pleno abre", "el pleno abre"),
        _row("little", "el pleno habre", "el pleno abre", "el pleno abre"),
        _row("much", "uno dos tres", "el pleno abre", "el pleno abre"),
        _row("damaged", "el pleno abre", "el pleno abre", "la plena habre"),
    ]
    shown = verdict_page.choose(rows)
    assert [(one.document_id, one.gained) for one in shown] == [("damaged", -3), ("much", 3), ("little", 1)]
    assert [one.document_id for one in verdict_page.choose(rows, number=1)] == ["damaged", "much"]


def test_changed_words_are_marked_and_all_text_is_escaped() -> None:
    report = _report(_file(**RATES), best=BEST)
    rows = [
        _row("<b>d</b>", "el <script>alert(1)</script> pleno", "el pleno abre & cierra", "el pleno habre")
    ]
    shown = verdict_page.choose(rows)
    page = verdict_page.render(_judge(report), report, adapter_id="<i>a</i>", shown=shown)
    assert "<script" not in page
    assert "<b>d</b>" not in page
    assert "abre &amp; cierra" in page
    assert "<del>&lt;script&gt;alert(1)&lt;/script&gt;</del>" in page


def test_a_page_loads_nothing_and_forbids_it() -> None:
    report = _report(_file(**RATES), best=BEST)
    past = [Past("villaverde--0", "hold", datetime(2026, 1, 2, tzinfo=UTC), 0.031, None)]
    page = verdict_page.render(
        _judge(report),
        report,
        adapter_id="a",
        shown=verdict_page.choose(load_predictions(_file(**RATES))),
        past=past,
    )
    read = _read(page)
    assert not {"src", "href", "onload"} & read.attributes.keys()
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert any("default-src 'none'" in value for value in read.attributes["content"])
    text = " ".join(read.text)
    assert "02/01/2026" in text
    assert "En espera" in text
    assert "3,10 %" in text


def test_a_report_with_problems_says_them() -> None:
    def lose_one(rows: list[dict[str, object]]) -> None:
        del rows[0]

    report = _report(_file(lose_one, **RATES), best=BEST)
    page = verdict_page.render(_judge(report), report, adapter_id="a")
    assert json.dumps(report.problems[0])[1:-1].split(" (")[0] in page
