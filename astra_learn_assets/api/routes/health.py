"""Whether the service lives, whether it can work, and its figures."""

from __future__ import annotations

import time
from typing import Literal

import redis
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from obstore.exceptions import BaseError as ObjectStoreError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from astra_learn_assets.api.state import AppState, Readiness, app_state
from astra_learn_assets.errors import AstraError

router = APIRouter(tags=["health"])
_FRESH_SECONDS = 0.5


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


@router.get("/healthz")
def healthz() -> Health:
    """The process lives; says nothing of what it depends on."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Database or store is down"}})
def readyz(request: Request) -> JSONResponse:
    """Ask database, Redis and object store. 503 when uploads cannot be taken; Redis away is ``degraded``."""
    answer = _asked_lately(app_state(request))
    return JSONResponse(answer.model_dump(), status_code=503 if answer.status == "down" else 200)


def _asked_lately(state: AppState) -> Readiness:
    """Nobody needs a key here, so all callers together cost one question each :data:`_FRESH_SECONDS`."""
    with state.readiness_lock:
        if state.readiness is None or time.monotonic() - state.readiness[0] > _FRESH_SECONDS:
            answer = _ask(state)
            state.readiness = (time.monotonic(), answer)
        return state.readiness[1]


def _ask(state: AppState) -> Readiness:
    database, cache, store = _database(state), _redis(state), _objects(state)
    works = database == "ok" and store == "ok"
    return Readiness(
        status="down" if not works else "ready" if cache == "ok" else "degraded",
        database=database,
        redis=cache,
        object_store=store,
    )


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format; no tenant and no text in them."""
    return Response(
        generate_latest(app_state(request).telemetry.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _database(state: AppState) -> Literal["ok", "down"]:
    try:
        state.platform.database.ping()
    except AstraError:
        return "down"
    return "ok"


def _redis(state: AppState) -> Literal["ok", "down"]:
    try:
        state.platform.redis.ping()
    except (redis.RedisError, AstraError, OSError):
        return "down"
    return "ok"


def _objects(state: AppState) -> Literal["ok", "down"]:
    try:
        state.platform.objects.exists(f"health/{int(time.time()) // 3600}")
    except (AstraError, ObjectStoreError, OSError):
        return "down"
    return "ok"
