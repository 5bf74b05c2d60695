"""The panel of a municipality, for people: what is shown. What a form does is in :mod:`panel_forms`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from astra_learn_assets.api.pages import curve, rendering
from astra_learn_assets.api.privacy_page import report_page
from astra_learn_assets.api.routes.blocklist import listed_terms
from astra_learn_assets.api.routes.dictionary import found_entries
from astra_learn_assets.api.routes.exports import exported
from astra_learn_assets.api.routes.learning import followed
from astra_learn_assets.api.visitors import Visitor, paper, shown
from astra_learn_assets.errors import NotFound
from astra_learn_assets.learning import (
    examples_shown,
    exports,
    kept,
    name_history,
    review,
    status,
    training_history,
    trends,
    uploads_shown,
    verdict_pages,
)
from astra_learn_assets.learning.plain_words import Phrases
from astra_learn_assets.learning.privacy_report import privacy_report
from astra_learn_assets.learning.training import progress
from astra_learn_assets.store import signs, trainings

router = APIRouter(include_in_schema=False)

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.-]{0,79}")
_STATES = ("queued", "training", "evaluating", "promoted", "rejected", "failed")
_ORDERS = ("newest", "oldest", "best")
_ROWS, _LOG_ROWS, _ENTRIES = 50, 200, 50
_YEAR = 365
Text = Annotated[str, Query(max_length=2_000)]


@router.get("/panel/{tenant}")
def show(request: Request, tenant: str) -> Response:
    """The overview: state, curve, newest uploads and trainings."""

    def of(visitor: Visitor) -> Response:
        access, language = visitor.access, visitor.language
        tenant_id, settings = access.tenant_id, access.platform.settings
        with access.platform.database.session() as session:
            found = status.status_in(session, settings, tenant_id, language=language)
            metrics = trends.metrics_in(session, tenant_id, days=_YEAR)
            newest = training_history.newest_in(session, settings, tenant_id, limit=5, language=language)
            uploads = uploads_shown.newest_in(session, tenant_id, limit=5)
        return visitor.page(
            "overview.html",
            "overview",
            status=found,
            metrics=metrics,
            curve=curve.draw(metrics, rendering.texts(language)),
            uploads=uploads,
            trainings=newest,
            exports=exports.NAMES,
        )

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/trainings")
def show_trainings(
    request: Request, tenant: str, state: Text = "", sort: Text = "newest", cursor: Text = ""
) -> Response:
    """All trainings, page by page."""

    def of(visitor: Visitor) -> Response:
        access = visitor.access
        order: Any = sort if sort in _ORDERS else "newest"
        wanted = [state] if state in _STATES else []
        found = training_history.page(
            access.platform,
            access.tenant_id,
            states=wanted,
            order=order,
            cursor=cursor or None,
            limit=_ROWS,
            language=visitor.language,
        )
        here = f"?state={wanted[0] if wanted else ''}&sort={order}"
        return visitor.page(
            "trainings.html",
            "trainings",
            trainings=found.trainings,
            states=_STATES,
            state=state,
            sort=order,
            following=f"{here}&cursor={found.next_cursor}" if found.next_cursor else None,
            first=here if cursor else None,
        )

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/trainings/{run_id}")
def show_training(request: Request, tenant: str, run_id: str) -> Response:
    """One training: how it ended and why, what it was measured at, its log."""

    def of(visitor: Visitor) -> Response:
        access, run = visitor.access, _run(run_id)
        found = training_history.detail(access.platform, access.tenant_id, run, language=visitor.language)
        lines = training_history.last_lines(access.platform, access.tenant_id, run, limit=_LOG_ROWS + 1)
        with access.platform.database.session() as session:
            sign = progress.shown(signs.of_training(session, run))
        texts = rendering.texts(visitor.language)
        return visitor.page(
            "training.html",
            "trainings",
            training=found,
            ended=found.state in trainings.ENDED,
            progress={"progress": sign},
            lines=lines[-_LOG_ROWS:],
            cut=len(lines) > _LOG_ROWS,
            figure=lambda value: _figure(value, texts),
            signed=lambda value: _signed(value, texts),
        )

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/trainings/{run_id}/events")
def follow_training(
    request: Request,
    tenant: str,
    run_id: str,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """The events of a running training, for the page's script."""
    return shown(
        request,
        tenant,
        lambda visitor: followed(visitor.access, _run(run_id), after=after, last_event_id=last_event_id),
    )


@router.get("/panel/{tenant}/verdicts/{report}")
def show_verdict(request: Request, tenant: str, report: str) -> Response:
    """Who was compared with whom, how sure that is, and what got better and worse."""

    def of(visitor: Visitor) -> Response:
        access = visitor.access
        return paper(verdict_pages.read(access.platform, access.tenant_id, report).decode())

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/examples")
def show_examples(request: Request, tenant: str) -> Response:
    """Before and after, anonymized."""

    def of(visitor: Visitor) -> Response:
        found = examples_shown.newest(visitor.access.platform, visitor.access.tenant_id)
        return visitor.page("examples.html", "examples", examples=found)

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/dictionary")
def show_dictionary(
    request: Request,
    tenant: str,
    q: Text = "",
    start: Annotated[int, Query(ge=0, le=10**9)] = 0,
    older: Text = "",
) -> Response:
    """The names, to be undone one by one, and their history."""

    def of(visitor: Visitor) -> Response:
        access, wanted = visitor.access, q[:200]
        total, entries = found_entries(access, wanted, start=start, limit=_ENTRIES)
        changes, following = name_history.page(
            access.platform,
            access.tenant_id,
            cursor=older or None,
            limit=_ROWS,
            language=visitor.language,
        )
        asked = rendering.query(q=wanted)
        return visitor.page(
            "dictionary.html",
            "dictionary",
            q=wanted,
            total=total,
            entries=entries,
            following=f"{asked}&start={start + _ENTRIES}" if start + _ENTRIES < total else None,
            first=asked if start else None,
            changes=changes,
            older=f"?older={following}#history" if following else None,
            newer="?#history" if older else None,
            may_edit=visitor.may("edit"),
        )

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/quarantine")
def show_quarantine(request: Request, tenant: str, dropped: Text = "", cursor: Text = "") -> Response:
    """What is kept out and why, to be released or dropped."""

    def of(visitor: Visitor) -> Response:
        access, also = visitor.access, dropped == "1"
        found, following = review.page(
            access.platform, access.tenant_id, dropped=also, cursor=cursor or None, limit=_ROWS
        )
        here = "?dropped=1" if also else "?dropped="
        return visitor.page(
            "quarantine.html",
            "quarantine",
            documents=found,
            dropped=also,
            following=f"{here}&cursor={following}" if following else None,
            first=here if cursor else None,
            may_review=visitor.may("administer"),
        )

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/blocklist")
def show_blocklist(request: Request, tenant: str) -> Response:
    """Names that are always masked, and what never is; an administrator's."""

    def of(visitor: Visitor) -> Response:
        allowed = visitor.may("administer")
        terms = listed_terms(visitor.access) if allowed else ()
        return visitor.page("blocklist.html", "blocklist", terms=terms, may_administer=allowed)

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/privacy")
def show_privacy(request: Request, tenant: str) -> Response:
    """What is kept, what was masked, how it is erased."""

    def of(visitor: Visitor) -> Response:
        found = kept.privacy_counts(visitor.access.platform, visitor.access.tenant_id)
        held = {**found.held, "examples": found.examples["total"]}
        return visitor.page("privacy.html", "privacy", counted=found, held=held)

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/privacy/report")
def show_privacy_report(request: Request, tenant: str) -> Response:
    """The evidence as one page to be kept."""

    def of(visitor: Visitor) -> Response:
        return paper(report_page(privacy_report(visitor.access.platform, visitor.access.tenant_id)))

    return shown(request, tenant, of)


@router.get("/panel/{tenant}/exports/{name}.csv")
def export(request: Request, tenant: str, name: str) -> Response:
    """A table as CSV, with the mark by which a spreadsheet reads the accents right."""

    def of(visitor: Visitor) -> Response:
        known = next((one for one in exports.NAMES if one == name), None)
        if known is None:
            raise NotFound("no such table")
        return exported(visitor.access, known, bom=True)

    return shown(request, tenant, of)


def _run(run_id: str) -> str:
    if not _RUN.fullmatch(run_id):
        raise NotFound("no such training")
    return run_id


def _figure(value: object, texts: Phrases) -> str:
    """A figure of a log with four significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    text = f"{value:.4g}"
    return text.replace(".", ",") if texts.language == "es" else text


def _signed(value: float, texts: Phrases) -> str:
    """A difference in points; an interval without an end is said to have none."""
    if abs(value) >= 1e6:
        return "−∞" if value < 0 else "+∞"
    text = f"{value:+.2f}".replace("-", "−")
    return text.replace(".", ",") if texts.language == "es" else text
