"""How a tenant's model is learning: status, trainings, the log of each, figures over time."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from astra_learn_assets.api import streaming
from astra_learn_assets.api.auth import Access, CanRead
from astra_learn_assets.api.problems import responses
from astra_learn_assets.learning import cursors, status, training_history, trends, uploads_shown
from astra_learn_assets.store import signs
from astra_learn_assets.store.pages import Order

router = APIRouter(prefix="/v1/tenants/{tenant}/learning", tags=["learning"])

RunPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:.-]*$", max_length=80)]
State = Literal["queued", "training", "evaluating", "promoted", "rejected", "failed"]
Cursor = Annotated[
    str | None,
    Query(max_length=cursors.LONGEST, description="`next_cursor` of the page before; without it the first."),
]
Days = Annotated[int, Query(ge=1, le=3650, description="How far back.")]


class TrainingsAnswer(BaseModel):
    """A page of trainings; `next_cursor` leads to the next one, null at the end."""

    tenant_id: str
    trainings: tuple[training_history.Training, ...]
    next_cursor: str | None


class UploadsAnswer(BaseModel):
    """The newest finals, newest first, from the moment they were received."""

    tenant_id: str
    uploads: tuple[uploads_shown.Upload, ...]


@router.get("/status", responses=responses(404))
def learning_status(access: CanRead) -> status.LearningStatus:
    """What happens now, what waits and why, the adapter in service, quota and GPU minutes."""
    return status.learning_status(access.platform, access.tenant_id)


@router.get("/uploads", responses=responses(404))
def list_uploads(access: CanRead, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> UploadsAnswer:
    """The newest corrected minutes and what became of each, before anything has prepared them as well."""
    found = uploads_shown.newest(access.platform, access.tenant_id, limit=limit)
    return UploadsAnswer(tenant_id=access.tenant_id, uploads=found)


@router.get("/trainings", responses=responses(404))
def list_trainings(
    access: CanRead,
    limit: Annotated[int, Query(ge=1, le=training_history.LARGEST_PAGE)] = 100,
    cursor: Cursor = None,
    state: Annotated[list[State] | None, Query(description="These states alone; may be repeated.")] = None,
    sort: Annotated[
        Order, Query(description="`best`: fewest errors first, judged trainings alone.")
    ] = "newest",
) -> TrainingsAnswer:
    """Trainings with the error rates before and after, page by page."""
    found = training_history.page(
        access.platform, access.tenant_id, states=state or (), order=sort, cursor=cursor, limit=limit
    )
    return TrainingsAnswer(
        tenant_id=access.tenant_id, trainings=found.trainings, next_cursor=found.next_cursor
    )


@router.get("/trainings/{run_id}", responses=responses(404))
def read_training(access: CanRead, run_id: RunPath) -> training_history.TrainingDetail:
    """One training: hyperparameters, hashes, metrics with intervals, verdicts with reasons, links."""
    return training_history.detail(access.platform, access.tenant_id, run_id)


@router.get(
    "/trainings/{run_id}/logs",
    responses={
        **responses(404),
        200: {"content": {streaming.MEDIA_TYPE: {"schema": {"type": "string"}}}},
    },
    response_model=training_history.TrainingLog,
)
def read_training_log(
    request: Request,
    access: CanRead,
    run_id: RunPath,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1, description="Steps behind this one alone.")] = -1,
    limit: Annotated[int, Query(ge=1, le=signs.LINES, description="Steps at most.")] = (
        training_history.LOG_PAGE
    ),
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> training_history.TrainingLog | Response:
    """The log of a training. With `Accept: text/event-stream` it is followed while it runs."""
    if streaming.MEDIA_TYPE not in request.headers.get("accept", ""):
        return training_history.log(access.platform, access.tenant_id, run_id, after=after, limit=limit)
    return followed(access, run_id, after=after, last_event_id=last_event_id)


def followed(access: Access, run_id: str, *, after: int, last_event_id: str | None) -> StreamingResponse:
    """The stream of a training's events; that it is there and ours is asked before it begins.

    Raises:
        NotFound: no such training, or it is of another tenant.
        TooManyRequests: the key follows enough of them already.
    """
    if last_event_id is not None and last_event_id.isdecimal():
        after = min(int(last_event_id), 2**31 - 1)

    def ask(step: int) -> training_history.Moment:
        return training_history.moment(access.platform, access.tenant_id, run_id, after=step)

    ask(2**31 - 1)
    done = access.state.followers.take(access.principal.key_id)
    return StreamingResponse(
        streaming.follow(ask, after=after, done=done),
        media_type=streaming.MEDIA_TYPE,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/metrics", responses=responses(404))
def read_metrics(access: CanRead, days: Days = 365) -> trends.LearningMetrics:
    """Errors over time by adapter and golden version, corrections a document, hotfixes, acceptance."""
    return trends.learning_metrics(access.platform, access.tenant_id, days=days)
