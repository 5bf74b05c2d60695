"""What the API tells of itself: Prometheus figures, JSON log lines, a request id on everything.

No log line holds document text, a name or a path with ids in it: only the route's template, status,
duration, tenant and request id. That is why the server's own access log stays off (see
``serve``), and why an unexpected error is logged by type and place, never by its message.
"""

from __future__ import annotations

import json
import re
import sys
import time
import uuid

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astra_learn_assets.api.learning_figures import LearningFigures
from astra_learn_assets.errors import where
from astra_learn_assets.hotpath import wording

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)


class Telemetry:
    """The metrics of one app, in a registry of its own so that two apps in a process do not collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "astra_http_requests", "Answered requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "astra_http_request_seconds",
            "Time to answer",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.compare_seconds = Histogram(
            "astra_compare_seconds", "Diff of a draft and a final", buckets=_SECONDS, registry=self.registry
        )
        self.hotfix_seconds = Histogram(
            "astra_hotfix_seconds",
            "From the whole final received to its name fixes committed",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.publish_seconds = Histogram(
            "astra_publish_seconds",
            "One relay of the outbox to Redis",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.upload_bytes = Histogram(
            "astra_upload_bytes",
            "Size of uploaded documents",
            buckets=(1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7),
            registry=self.registry,
        )
        self.finals = Counter(
            "astra_finals", "Finals by what became of them", ["outcome"], registry=self.registry
        )
        self.entities = Counter(
            "astra_entities_live", "Name fixes put into dictionaries", registry=self.registry
        )
        self.published = Counter("astra_events_published", "Events sent to Redis", registry=self.registry)
        self.outbox_backlog = Gauge(
            "astra_outbox_backlog", "Events not yet sent to Redis", registry=self.registry
        )
        self.learning = LearningFigures()
        self.registry.register(self.learning)
        self.refused = Counter("astra_refused", "Refused accesses", ["code"], registry=self.registry)

    def observe(self, what: str, seconds: float) -> None:
        """Record a stage of :func:`intake.submit_final` by its name (``compare`` or ``hotfix``)."""
        {"compare": self.compare_seconds, "hotfix": self.hotfix_seconds}[what].observe(seconds)


def make_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger that writes one JSON object a line to stderr; independent of any global set-up."""
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        service="astra-learn-api",
    )
    return logger


class RequestLog:
    """ASGI middleware: request id in and out, one log line and one count per answered request."""

    def __init__(
        self, app: ASGIApp, *, telemetry: Telemetry, logger: structlog.typing.FilteringBoundLogger
    ) -> None:
        self.app = app
        self.telemetry = telemetry
        self.logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status, answered = 500, False

        async def with_id(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered = True
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, with_id)
        except Exception as error:  # noqa: BLE001  the one boundary: a message could hold document text
            self.logger.error("failed", error=type(error).__name__, where=where(error), request_id=request_id)
            if not answered:
                await _send_failure(with_id, request_id)
        finally:
            self._record(scope, status, time.perf_counter() - started, request_id)

    def _record(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", None) or scope["state"].get("route") or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self.telemetry.requests.labels(method, route, str(status)).inc()
        self.telemetry.request_seconds.labels(method, route).observe(seconds)
        if route in _QUIET and status < 400:
            return
        self.logger.info(
            "request",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
            **scope["state"].get("log", {}),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


async def _send_failure(send: Send, request_id: str) -> None:
    body = {
        "code": "internal",
        "message": wording.INTERNAL,
        "request_id": request_id,
    }
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    text = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else uuid.uuid4().hex
