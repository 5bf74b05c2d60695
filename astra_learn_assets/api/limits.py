"""Two bounds on what one caller can cost: requests a second per key, bytes per request."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astra_learn_assets.errors import AstraError, BadInput


class TooManyRequests(AstraError):
    """The key has used up its tokens; ``retry_after`` is in seconds."""

    code = "too_many_requests"
    http_status = 429
    for_people = True

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"demasiadas peticiones con esta clave: reintente dentro de {retry_after:.1f} s")
        self.retry_after = retry_after


class BodyTooLarge(BadInput):
    code = "body_too_large"
    http_status = 413
    for_people = True


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class RateLimiter:
    """A token bucket per name: ``rate`` tokens a second, at most ``burst`` at once.

    Kept in memory, so each API process grants the rate anew; the oldest names are forgotten beyond
    ``capacity`` so that invented names cannot fill the memory.
    """

    rate: float
    burst: float
    capacity: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str) -> None:
        """Use one token of ``name``.

        Raises:
            TooManyRequests: when none is left.
        """
        with self._lock:
            now = self.clock()
            bucket = self._buckets.pop(name, None) or _Bucket(self.burst, now)
            bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self.rate)
            bucket.at = now
            self._buckets[name] = bucket
            if len(self._buckets) > self.capacity:
                self._buckets.popitem(last=False)
            if bucket.tokens < 1:
                raise TooManyRequests((1 - bucket.tokens) / self.rate)
            bucket.tokens -= 1


@dataclass
class Places:
    """How many streams may be open at once in this process: ``each`` of one name, ``all_together``."""

    each: int = 4
    all_together: int = 60
    _taken: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str) -> Callable[[], None]:
        """Take a place of ``name``; what is returned gives it back, once.

        Raises:
            TooManyRequests: none is free.
        """
        with self._lock:
            mine = self._taken.get(name, 0)
            if mine >= self.each or sum(self._taken.values()) >= self.all_together:
                raise TooManyRequests(5.0)
            self._taken[name] = mine + 1
        given: list[bool] = []

        def give_back() -> None:
            with self._lock:
                if given:
                    return
                given.append(True)
                left = self._taken.get(name, 1) - 1
                if left > 0:
                    self._taken[name] = left
                else:
                    self._taken.pop(name, None)

        return give_back


class BodyLimit:
    """ASGI middleware: a body longer than the route's bound is refused while it arrives.

    ``maximum_bytes(path)`` names the bound. What is received is counted, so a missing or wrong
    Content-Length does not get around it; a declared one that is too long is refused unread.
    """

    def __init__(self, app: ASGIApp, *, maximum_bytes: Callable[[str], int]) -> None:
        self.app = app
        self.maximum_bytes = maximum_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        maximum = self.maximum_bytes(scope["path"])
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            if declared.isdigit() and int(declared) > maximum:
                raise _too_large(maximum)
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > maximum:
                    raise _too_large(maximum)
            return message

        await self.app(scope, counted, send)


def _too_large(maximum: int) -> BodyTooLarge:
    return BodyTooLarge(f"el envío supera el máximo de {maximum / 1e6:g} MB; no se ha guardado nada")
