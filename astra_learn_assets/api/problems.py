"""Every failure leaves the API in one shape: ``{code, message, request_id}`` and a fitting status.

Nothing of Python shows: an unexpected error is 500 with a request id, logged by type and place.
"""

from __future__ import annotations

from typing import Any

import redis
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from astra_learn_assets.api.limits import TooManyRequests
from astra_learn_assets.api.state import app_state
from astra_learn_assets.errors import AstraError, Unauthorized, Unavailable
from astra_learn_assets.hotpath import wording
from astra_learn_assets.store.db import is_away


class Problem(BaseModel):
    """What a failed request answers. ``code`` is stable; ``message`` says in Spanish what to do."""

    code: str
    message: str
    request_id: str
    reason: str | None = Field(None, description="Finer machine-readable reason, for refused uploads.")
    detail: str | None = Field(None, description="In English, for those who build against the API.")


_MEANING = {
    400: "The body cannot be read",
    401: "No valid key",
    403: "The key may not do this, or belongs to another municipality",
    404: "Unknown id",
    409: "The present state does not allow it",
    410: "The municipality's data was destroyed",
    413: "Too many bytes",
    422: "Something in the request is wrong; nothing was stored",
    429: "Too many requests; see Retry-After",
    503: "A service we depend on does not answer; try again",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the failures a route can answer with; the common ones are always there."""
    wanted = sorted({400, 401, 403, 422, 429, 503, *statuses})
    return {status: {"model": Problem, "description": _MEANING[status]} for status in wanted}


def problem(
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    headers: dict[str, str] | None = None,
    **more: str,
) -> JSONResponse:
    """A JSON answer in the shape of :class:`Problem`."""
    request_id = getattr(request.state, "request_id", "")
    # a field name of the caller may be in the message, and half a surrogate pair cannot be sent
    body = {"code": code, "message": message, "request_id": request_id, **more}
    body = {name: str(text).encode("utf-8", "replace").decode() for name, text in body.items()}
    return JSONResponse(body, status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Register the handlers on ``app``."""

    @app.exception_handler(AstraError)
    async def _astra(request: Request, error: AstraError) -> JSONResponse:
        return _deliberate(request, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        app_state(request).telemetry.refused.labels("validation").inc()
        message = f"{wording.INVALID}: {place}"
        return problem(request, 422, "validation", message, detail=f"{place}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, AstraError):  # FastAPI wraps what happens while it reads a body
            return _deliberate(request, error.__cause__)
        code = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}.get(
            error.status_code, "http"
        )
        headers = dict(error.headers) if error.headers else None
        message = wording.sentence_of_status(error.status_code)
        return problem(request, error.status_code, code, message, headers=headers, detail=error.detail)

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, _error: ClientDisconnect) -> JSONResponse:
        return problem(
            request, 400, "truncated", "el envío se cortó; no se ha guardado nada: vuelva a enviarlo"
        )

    @app.exception_handler(redis.RedisError)
    async def _redis(request: Request, _error: redis.RedisError) -> JSONResponse:
        return _deliberate(request, Unavailable("Redis does not answer"))

    @app.exception_handler(sa.exc.DBAPIError)
    async def _database(request: Request, error: sa.exc.DBAPIError) -> JSONResponse:
        if is_away(error):
            return _deliberate(request, Unavailable("Postgres does not answer"))
        raise error


def _deliberate(request: Request, error: AstraError) -> JSONResponse:
    state = app_state(request)
    state.telemetry.refused.labels(error.code).inc()
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "2"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    more: dict[str, str] = {}
    if error.http_status >= 500:
        # hosts, key files, URLs: the log gets them, the caller only what to do
        request_id = getattr(request.state, "request_id", "")
        state.logger.error("refused", code=error.code, message=str(error), request_id=request_id)
    elif not error.for_people:
        more["detail"] = str(error)
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        more["reason"] = reason
    message = wording.sentence(error)
    return problem(request, error.http_status, error.code, message, headers=headers, **more)
