"""The curve of errors as SVG: what clerks corrected each month, and how each adapter was measured.

    svg = draw(metrics, texts)        # markup, every text of it escaped

Two series on one scale, in errors of a hundred words. A line joins the months (what clerks changed of the
drafts), with a whisker for the 95 % interval over documents. A mark each is an adapter on its golden set,
with the interval of the gate; one that was promoted is a filled diamond with a line down to its day. Colours
and strokes are classes of the style sheet, so the dark form needs no other picture; shape and fill tell the
kinds apart for who sees no colour. The table beside it says the same to a screen reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from astra_learn_assets.learning.plain_words import Phrases
from astra_learn_assets.learning.trends import LearningMetrics, Month, Point

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 16, 34
MOST_POINTS = 60


@dataclass(frozen=True)
class _Scale:
    """Where a moment and a rate stand in the picture."""

    first: datetime
    last: datetime
    top: float

    def x(self, at: datetime) -> float:
        whole = max((self.last - self.first).total_seconds(), 1.0)
        share = min(max((at - self.first).total_seconds() / whole, 0.0), 1.0)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, rate: float) -> float:
        share = min(max(100 * rate / self.top, 0.0), 1.0)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def draw(metrics: LearningMetrics, texts: Phrases) -> str:
    """The picture; an empty text when there is nothing to show yet."""
    months = [month for month in metrics.months if month.corrected is not None]
    points = list(metrics.points[-MOST_POINTS:])
    if not months and not points:
        return ""
    scale = _scale(months, points)
    parts = [
        f'<svg class="curve" role="img" aria-labelledby="curve-title curve-desc" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<title id="curve-title">{escape(texts.text("curve.title"))}</title>',
        f'<desc id="curve-desc">{escape(texts.text("curve.desc"))}</desc>',
        *_grid(scale, texts),
        *_months(months, scale, texts),
        *_points(points, scale, texts),
        "</svg>",
    ]
    return "".join(parts)


def middle(month: str) -> datetime:
    """The middle of a month such as ``2026-03``, where its figure stands."""
    year, number = month.split("-")
    return datetime(int(year), int(number), 15, tzinfo=UTC)


def nice_top(rate: float) -> float:
    """The top of the scale in errors of a hundred: at or above ``rate``, with round quarters, at least 1."""
    wanted = max(100 * rate, 1.0)
    unit = 10.0 ** math.floor(math.log10(wanted))
    return next(step * unit for step in (1, 2, 4, 8, 10) if step * unit >= wanted - 1e-9)


def _scale(months: list[Month], points: list[Point]) -> _Scale:
    times = [middle(month.month) for month in months] + [point.at for point in points]
    rates = [month.corrected or 0.0 for month in months] + [point.wer for point in points]
    # an interval that is far wider than every figure must not flatten them all
    ends = [month.corrected_high or 0.0 for month in months] + [point.high or 0.0 for point in points]
    highest = max(rates)
    top = max(highest, min(max(ends), 2 * highest))
    first, last = min(times), max(times)
    return _Scale(first, last if last > first else first.replace(year=first.year + 1), nice_top(top))


def _grid(scale: _Scale, texts: Phrases) -> Iterator[str]:
    for number in range(5):
        rate = scale.top * number / 4
        y = scale.y(rate / 100)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
        label = texts.shown(round(rate, 2) if rate % 1 else int(rate))
        yield f'<text class="axis" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(label)} %</text>'
    for at, anchor in ((scale.first, "start"), (scale.last, "end")):
        yield (
            f'<text class="axis" x="{scale.x(at)}" y="{HEIGHT - 10}" text-anchor="{anchor}">{at:%m/%Y}</text>'
        )


def _months(months: list[Month], scale: _Scale, texts: Phrases) -> Iterator[str]:
    spots = [(scale.x(middle(month.month)), scale.y(month.corrected or 0.0)) for month in months]
    if len(spots) > 1:
        yield f'<polyline class="months" points="{" ".join(f"{x},{y}" for x, y in spots)}"/>'
    for month, (x, y) in zip(months, spots, strict=True):
        if month.corrected_low is not None and month.corrected_high is not None:
            yield _whisker("months", x, scale.y(month.corrected_low), scale.y(month.corrected_high))
        said = texts.text(
            "curve.month", month=month.month, percent=texts.shown(100.0 * (month.corrected or 0))
        )
        yield f'<circle class="months" cx="{x}" cy="{y}" r="3.5"><title>{escape(said)}</title></circle>'


def _points(points: list[Point], scale: _Scale, texts: Phrases) -> Iterator[str]:
    shape: dict[bool, Callable[[float, float], str]] = {True: _diamond, False: _ring}
    for point in points:
        x, y = scale.x(point.at), scale.y(point.wer)
        kind = "promoted" if point.promoted else "rejected"
        if point.promoted:
            yield f'<line class="promotion" x1="{x}" x2="{x}" y1="{y}" y2="{HEIGHT - _BOTTOM}"/>'
        if point.low is not None and point.high is not None:
            yield _whisker(kind, x, scale.y(point.low), scale.y(point.high))
        said = texts.text(f"curve.{kind}", day=f"{point.at:%d/%m/%Y}", percent=texts.shown(100.0 * point.wer))
        yield f'<g class="{kind}"><title>{escape(said)}</title>{shape[point.promoted](x, y)}</g>'


def _whisker(kind: str, x: float, low: float, high: float) -> str:
    return f'<line class="whisker {kind}" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x} {y - 7}l7 7l-7 7l-7 -7z"/>'


def _ring(x: float, y: float) -> str:
    return f'<circle cx="{x}" cy="{y}" r="5"/>'
