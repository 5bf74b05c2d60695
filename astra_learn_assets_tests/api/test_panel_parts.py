"""The pure parts of the panel: texts in two languages, the curve, CSV cells, how a training is told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

from astra_learn_assets.api.pages import curve, rendering
from astra_learn_assets.learning import csv_text, plain_words, trends
from astra_learn_assets.learning.plain_words import read
from astra_learn_assets.learning.training import policy
from astra_learn_assets.learning.training.policy import Decision, Facts, Rules
from astra_learn_assets.learning.trends import LearningMetrics, Month, Point

LEARNING = Path(plain_words.__file__).parent
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULES = Rules(
    threshold=500, minimum=50, max_age_hours=72, backoff_minutes=30, settle_minutes=15, weekly_quota=7
)


# -- texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [str(rendering.FOLDER / "texts_{}.txt"), str(LEARNING / "plain_words_{}.txt")]
)
def test_both_languages_say_the_same_with_the_same_values(name: str) -> None:
    spanish, english = (read(Path(name.format(language))) for language in ("es", "en"))
    assert spanish.keys() == english.keys()
    for key, text in spanish.items():
        assert _fields(text) == _fields(english[key]), key


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def test_every_text_that_a_template_names_is_there() -> None:
    known = read(rendering.FOLDER / "texts_es.txt")
    for template in (rendering.FOLDER / "templates").glob("*.html"):
        for key in re.findall(r"""\b[tn]\(["']([a-z_.]+)["'](?=[,)])""", template.read_text()):
            assert key in known, (template.name, key)


def test_every_reason_to_wait_and_every_end_has_its_sentence() -> None:
    known = read(LEARNING / "plain_words_es.txt")
    codes = policy.Code.__args__  # type: ignore[attr-defined]
    assert {f"why.{code}" for code in codes} <= known.keys()
    for fault in ("examples", "capacity", "worker", "permanent", "superseded"):
        assert plain_words.ended("failed", fault=fault, reason=None) == known[f"ended.{fault}"]


@pytest.mark.parametrize("lines", ["a = b\na = c", "no equals", "=", "a=b"])
def test_a_file_of_texts_that_says_a_thing_twice_or_badly_is_refused(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "texts.txt"
    path.write_text(lines)
    with pytest.raises(ValueError, match="line"):
        read(path)


# -- how it is told -----------------------------------------------------------------------------------------


def test_a_reason_in_spanish_counts_as_spanish_does() -> None:
    facts = Facts(pending=1_234, newest_seq=9, started_this_week=7)
    decision = policy.decide(facts, RULES, NOW)
    assert decision.code == "quota"
    said = "Se ha alcanzado el número de entrenamientos de esta semana: 7 de 7."
    assert plain_words.waiting(decision, facts, RULES) == said
    soon = plain_words.waiting(Decision(True, "threshold", ""), facts, RULES)
    assert soon.startswith("Hay 1.234 correcciones nuevas y bastan 500")
    assert plain_words.waiting(Decision(True, "threshold", ""), facts, RULES, language="en").startswith(
        "There are 1,234 new"
    )


@pytest.mark.parametrize(
    ("pending", "hours", "expected"),
    [(49, 10, None), (50, 10, 62), (50, 100, 0), (500, 1, 0)],
)
def test_the_next_training_is_possible_when_the_oldest_is_old_enough(
    pending: int, hours: float, expected: float | None
) -> None:
    facts = Facts(pending=pending, newest_seq=9, oldest_at=NOW - timedelta(hours=hours))
    found = plain_words.next_possible(policy.decide(facts, RULES, NOW), facts, RULES, NOW)
    assert found == (None if expected is None else NOW + timedelta(hours=expected))


def test_odd_times_are_said_and_ordinary_ones_are_not() -> None:
    hour = timedelta(hours=1)
    assert plain_words.odd_times(NOW - hour, NOW, NOW, running=False) is None
    assert plain_words.odd_times(NOW - hour, None, NOW, running=True) is None
    for began, ended in ((NOW + hour, None), (NOW - hour, NOW + hour), (NOW - hour, NOW - 2 * hour)):
        assert "adelantado" in str(plain_words.odd_times(began, ended, NOW, running=ended is None))
    assert "30 horas" in str(plain_words.odd_times(NOW - 30 * hour, None, NOW, running=True))
    assert plain_words.odd_times(NOW - 30 * hour, NOW - 29 * hour, NOW, running=False) is None


# -- hostile text -------------------------------------------------------------------------------------------


def test_what_cannot_be_seen_is_made_visible_and_what_is_long_is_cut() -> None:
    assert rendering.shown("Peña\u202eabc\u200f\x07") == "Peña⟨U+202E⟩abc⟨U+200F⟩⟨U+0007⟩"
    assert rendering.shown("x" * 10_000) == f"{'x' * rendering.LONGEST_TEXT}… (10000)"
    assert rendering.shown("Ñandú – «María»") == "Ñandú – «María»"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+34 600", "'+34 600"), ("-Peña", "'-Peña"), ("@x", "'@x"),
        ("\t=1", "'\t'=1"), ("\r=1", "'\r'=1"), ("  =1", "'  =1"), ("＝1", "'＝1"), ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"), ("a=1", "a=1"), ("Peña", "Peña"), ("", ""), ("a\x00b", "ab"), ("a-b", "a-b"),
    ],
)  # fmt: skip
def test_a_cell_that_would_run_is_taken_its_force(text: str, cell: str) -> None:
    assert csv_text.cell(text) == cell


def test_numbers_stay_numbers() -> None:
    assert [csv_text.cell(value) for value in (-1.5, 3, None, True)] == ["-1.5", "3", "", "true"]


# -- figures and the curve ----------------------------------------------------------------------------------


def test_an_interval_needs_two_documents_and_never_goes_below_nothing() -> None:
    assert trends.mean_interval(0.1, None, 1) == (None, None)
    low, high = trends.mean_interval(0.01, 0.02, 3)
    assert low == 0.0
    assert high == pytest.approx(0.01 + 4.3027 * 0.02 / 3**0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("rate", "top"), [(0, 1), (0.01, 1), (0.0101, 2), (0.11, 20), (0.35, 40), (0.81, 100), (1.7, 200)]
)
def test_the_scale_ends_at_a_round_number_above_everything(rate: float, top: float) -> None:
    assert curve.nice_top(rate) == top


def point(day: int, wer: float, *, promoted: bool, low: float | None = 0.0) -> Point:
    return Point(
        at=NOW - timedelta(days=day), run_id="r", adapter_id=None, golden_hash=None, promoted=promoted,
        wer=wer, cer=None, low=low, high=None if low is None else wer * 2, wer_draft=None, wer_champion=None,
        words=None,
    )  # fmt: skip


def month(name: str, corrected: float | None) -> Month:
    return Month(
        month=name, documents=1, quarantined=0, corrections=0, corrections_per_document=None,
        corrected=corrected, corrected_low=None, corrected_high=None, accepted=None, hotfixes=0,
        trainings_judged=0, trainings_promoted=0,
    )  # fmt: skip


def metrics(months: list[Month], points: list[Point]) -> LearningMetrics:
    return LearningMetrics(
        tenant_id="villaverde", since=NOW, trainings=0, promoted=0, rejected=0, failed=0, acceptance=None,
        months=tuple(months), points=tuple(points), points_cut=False,
    )  # fmt: skip


def test_the_curve_marks_promotions_and_stays_inside_its_picture() -> None:
    found = metrics(
        [month("2026-09", 0.12), month("2026-10", None), month("2026-11", 0.04)],
        [
            point(60, 0.2, promoted=True),
            point(10, 0.03, promoted=False),
            point(1, 0.02, promoted=True, low=None),
        ],
    )
    picture = ET.fromstring(curve.draw(found, rendering.texts("es")))
    kinds = [element.get("class") for element in picture.iter()]
    assert kinds.count("promoted") == 2
    assert kinds.count("promotion") == 2
    assert kinds.count("rejected") == 1
    assert kinds.count("whisker promoted") == 1, "one has no interval"
    titles = [element.text for element in picture.iter("title")]
    assert "29/11/2026: entra en servicio un modelo con 2,0 errores de cada cien palabras" in titles
    for element in picture.iter():
        assert "style" not in element.attrib
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(name, 0)) <= curve.WIDTH
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.get(name, 0)) <= curve.HEIGHT


@pytest.mark.parametrize("count", [0, 1, 500])
def test_nothing_one_thing_and_very_much_can_be_drawn(count: int) -> None:
    found = metrics([], [point(n, 0.1, promoted=n % 2 == 0) for n in range(count)])
    picture = curve.draw(found, rendering.texts("en"))
    assert bool(picture) is bool(count)
    assert picture.count('class="promoted"') + picture.count('class="rejected"') == min(count, 60)
