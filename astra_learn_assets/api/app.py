"""The FastAPI application: ``uvicorn --factory astra_learn_assets.api.app:create_app --no-access-log``.

The server's own access log stays off: paths carry ids, ours (:mod:`telemetry`) logs route templates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from astra_learn_assets.api import problems
from astra_learn_assets.api.limits import BodyLimit, RateLimiter
from astra_learn_assets.api.openapi import Documented
from astra_learn_assets.api.routes import (
    blocklist,
    dictionary,
    documents,
    exports,
    front,
    health,
    learning,
    operation,
    panel,
    panel_forms,
    privacy,
    quarantine,
    tenancy,
)
from astra_learn_assets.api.state import AppState, OutboxRelay
from astra_learn_assets.api.telemetry import RequestLog, Telemetry, make_logger
from astra_learn_assets.errors import Unavailable
from astra_learn_assets.hotpath import second_voice
from astra_learn_assets.hotpath.workers import CompareWorkers
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings, get_settings

_SMALL_BODY = 1_000_000
_FORM_OVERHEAD = 100_000

DESCRIPTION = """
Corrected council minutes in, name fixes live at once, better models later.

Every route below `/v1` needs a bearer key (`astra-learn key issue`). Keys belong to one municipality and
a role (`viewer`, `editor`, `admin`) or have platform scope (for CORE, ORCHESTRATOR and BUILDER). Failures
have one shape: `{code, message, request_id}`.
"""


def create_app(settings: Settings | None = None, *, platform: Platform | None = None) -> FastAPI:
    """The API over ``settings`` (default: the process's); opened and closed with the app's life span.

    ``platform``: an open one to share (``Platform.open(settings, for_api=True)``), which then stays open
    when the app ends.
    """
    settings = settings or (platform.settings if platform else get_settings())
    telemetry, logger = Telemetry(), make_logger()
    state = AppState(
        settings=settings,
        telemetry=telemetry,
        logger=logger,
        limiter=RateLimiter(settings.api_rate_per_second, 2 * settings.api_rate_per_second),
        failures=RateLimiter(1, 20),
    )

    workers = CompareWorkers(settings.api_compare_processes) if settings.api_compare_processes else None
    if workers is not None:
        state.compare = workers

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        opened: Platform
        opened = (
            platform
            if platform is not None
            else await run_in_threadpool(Platform.open, settings, for_api=True)
        )
        await run_in_threadpool(_check_role, opened)
        state.opened = opened
        telemetry.learning.of(opened.database)
        state.relay = OutboxRelay(opened, telemetry, logger)
        state.relay.start()
        if workers is not None:
            await run_in_threadpool(workers.start)
        await run_in_threadpool(second_voice.warm)
        try:
            yield
        finally:
            await run_in_threadpool(state.relay.stop)
            if workers is not None:
                await run_in_threadpool(workers.close)
            state.opened = None
            telemetry.learning.of(None)
            if platform is None:
                await run_in_threadpool(opened.close)

    app = Documented(
        title="ASTRA-LEARN",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's run scripts of another site, beside a form that takes a key; see front
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.astra = state
    problems.install(app)
    for module in (
        documents,
        dictionary,
        blocklist,
        learning,
        quarantine,
        privacy,
        exports,
        tenancy,
        operation,
        health,
        front,
        panel,
        panel_forms,
    ):
        app.include_router(module.router)
    app.add_middleware(BodyLimit, maximum_bytes=_body_bound(settings))
    app.add_middleware(RequestLog, telemetry=telemetry, logger=logger)
    return app


def _check_role(platform: Platform) -> None:
    """Fail at start, and not at the first request, where the database role could bypass row security."""
    with suppress(Unavailable):  # away for now: every new connection is checked again
        platform.database.ping()


def _body_bound(settings: Settings) -> Callable[[str], int]:
    def bound(path: str) -> int:
        if path.endswith("/final"):
            return settings.upload_max_bytes + _FORM_OVERHEAD
        if path.endswith("/draft"):  # the document and its manifest
            return 2 * settings.upload_max_bytes + _FORM_OVERHEAD
        return _SMALL_BODY

    return bound


def _operation_id(route: APIRoute) -> str:
    return route.name
