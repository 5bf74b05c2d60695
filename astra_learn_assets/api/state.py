"""What a request needs of the running app, and the thread that publishes events."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import redis
import sqlalchemy as sa
import structlog
from fastapi import Request
from pydantic import BaseModel

from astra_learn_assets.api.limits import Places, RateLimiter
from astra_learn_assets.api.telemetry import Telemetry
from astra_learn_assets.errors import AstraError, Unavailable, where
from astra_learn_assets.hotpath.comparison_process import compare_here
from astra_learn_assets.hotpath.comparisons import Compare
from astra_learn_assets.learning import running_settings
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import outbox
from astra_learn_assets.store.db import PLATFORM_SCOPE

_SAID_EVERY = 60.0


class OutboxRelay(threading.Thread):
    """Publishes committed events: at once when woken, every ``interval`` seconds anyway.

    A request only wakes it, so a slow Redis never delays a clerk; a process killed between commit and
    publish leaves the row, and the next relay of any process sends it. On its way it says every minute what
    settings the API runs with.
    """

    def __init__(
        self,
        platform: Platform,
        telemetry: Telemetry,
        logger: structlog.typing.FilteringBoundLogger,
        interval: float = 1.0,
    ) -> None:
        super().__init__(name="outbox-relay", daemon=True)
        self._platform = platform
        self._telemetry = telemetry
        self._logger = logger
        self._interval = interval
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._failing = False
        self._say_at = 0.0

    def wake(self) -> None:
        """Publish now instead of at the next tick."""
        self._wake.set()

    def stop(self) -> None:
        """Publish what is there once more, then end."""
        self._ending.set()
        self._wake.set()
        self.join(timeout=5)

    def run(self) -> None:
        while True:
            self._wake.wait(self._interval)
            ending = self._ending.is_set()
            self._wake.clear()
            self._publish()
            self._say_settings()
            if ending:
                return

    def _publish(self) -> None:
        started = time.perf_counter()
        try:
            # of every tenant: the one thing the platform scope opens
            database = self._platform.database.of(PLATFORM_SCOPE)
            left: list[int] = []
            count = outbox.relay(database, self._platform.redis, waiting=left.append)
        except (AstraError, sa.exc.SQLAlchemyError, redis.RedisError, OSError) as error:
            if not self._failing:  # one line per outage, not one per second
                self._logger.warning("outbox waits", error=type(error).__name__, where=where(error))
            self._failing = True
            return
        if self._failing and left == [0]:
            self._failing = False
            self._logger.info("outbox flows again")
        for backlog in left:  # none when another relay was at it
            self._telemetry.outbox_backlog.set(backlog)
        if count:
            self._telemetry.published.inc(count)
            self._telemetry.publish_seconds.observe(time.perf_counter() - started)

    def _say_settings(self) -> None:
        if time.monotonic() < self._say_at:
            return
        self._say_at = time.monotonic() + _SAID_EVERY
        with suppress(Unavailable):  # for people to look at
            running_settings.say(self._platform, "api")


class Readiness(BaseModel):
    """Each service we depend on: ``ok`` or ``down``. Uploads work while only Redis is down."""

    status: Literal["ready", "degraded", "down"]
    database: Literal["ok", "down"]
    redis: Literal["ok", "down"]
    object_store: Literal["ok", "down"]


@dataclass
class AppState:
    """Everything the routes share; ``platform`` is there from start-up to shutdown."""

    settings: Settings
    telemetry: Telemetry
    logger: structlog.typing.FilteringBoundLogger
    limiter: RateLimiter
    failures: RateLimiter
    compare: Compare = compare_here
    opened: Platform | None = field(default=None)
    relay: OutboxRelay | None = field(default=None)
    readiness: tuple[float, Readiness] | None = field(default=None)
    followers: Places = field(default_factory=Places)
    readiness_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def platform(self) -> Platform:
        """The open platform.

        Raises:
            Unavailable: before start-up and after shutdown.
        """
        if self.opened is None:
            raise Unavailable("the service is not started")
        return self.opened


def app_state(request: Request) -> AppState:
    """The :class:`AppState` of the app that serves ``request``."""
    state = request.app.state.astra
    assert isinstance(state, AppState)
    return state
