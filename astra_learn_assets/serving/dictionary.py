"""A municipality's proper nouns, kept current in CORE's memory.

    with DictionarySubscriber(redis_client, fetch=read_dictionary, tenants=["villaverde"]) as subscriber:
        subscriber.dictionary("villaverde").replacements   # {"Hortega": "Ortega", ...}

Redis pub/sub forgets whoever is away and may deliver twice, so a message is only a reason to look: the
version decides. A message of a version already held does nothing; a newer one makes ``fetch`` read the
whole dictionary, and it is taken if it is newer than what is held. The same happens for every tenant after
each (re)connection and every ``refresh_seconds``, so whatever was missed arrives. When Redis or ``fetch``
is away the last dictionary stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Self

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError

from astra_learn_assets.contracts import DictionaryEntry, DictionaryUpdated
from astra_learn_assets.errors import AstraError
from astra_learn_assets.ids import TenantId

CHANNEL = "DICTIONARY_UPDATED"

Fetch = Callable[[TenantId], tuple[int, Sequence[DictionaryEntry]]]
"""``fetch(tenant_id)`` gives version and entries; raises an AstraError or OSError when it cannot."""

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Dictionary:
    """One version of a tenant's dictionary; version 0 is the empty one before the first fetch."""

    version: int = 0
    entries: tuple[DictionaryEntry, ...] = ()
    replacements: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Wrong form -> right form."""


_EMPTY = Dictionary()


class DictionarySubscriber:
    """Follows ``tenants`` (None: every tenant it hears of). Reading is lock-free and always whole.

    ``redis`` is a ``redis.Redis``; the subscriber runs in a daemon thread between :meth:`start` and
    :meth:`stop`, or is driven by hand with :meth:`refresh`.
    """

    def __init__(
        self,
        redis: Any,
        *,
        fetch: Fetch,
        tenants: Iterable[str] | None = None,
        refresh_seconds: float = 60.0,
        reconnect_seconds: float = 1.0,
    ) -> None:
        self._redis = redis
        self._fetch = fetch
        self._every = tenants is None
        self._held: dict[str, Dictionary] = {TenantId(name): _EMPTY for name in tenants or ()}
        self._heard: dict[str, int] = {}  # newest version a message told of
        self._unread: set[str] = set()  # the last fetch failed
        self._refresh_seconds = refresh_seconds
        self._reconnect_seconds = reconnect_seconds
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self.applied = 0
        """How many versions were taken over, all tenants together."""

    def dictionary(self, tenant_id: str) -> Dictionary:
        """What is held of a tenant now."""
        return self._held.get(tenant_id, _EMPTY)

    def wait_for(self, tenant_id: str, version: int, timeout: float) -> bool:
        """Whether ``version`` or a later one is held within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.dictionary(tenant_id).version >= version, timeout)

    def track(self, tenant_id: str) -> None:
        """Follow one more tenant, from now on."""
        tenant_id = TenantId(tenant_id)
        self._held.setdefault(tenant_id, _EMPTY)
        self.refresh(tenant_id)

    def refresh(self, tenant_id: str) -> bool:
        """Read a tenant's dictionary; True when it was newer than what was held."""
        tenant_id = TenantId(tenant_id)
        try:
            version, entries = self._fetch(tenant_id)
        except (AstraError, OSError) as error:
            self._unread.add(tenant_id)
            _LOG.warning("dictionary not read", tenant_id=tenant_id, error=str(error))
            return False
        self._unread.discard(tenant_id)
        with self._changed:
            if version <= self.dictionary(tenant_id).version:
                return False
            replacements = MappingProxyType({entry.wrong: entry.right for entry in entries})
            self._held[tenant_id] = Dictionary(version, tuple(entries), replacements)
            self.applied += 1
            self._changed.notify_all()
            return True

    def receive(self, data: str | bytes) -> None:
        """Act on one message of the channel; anything that is no message of ours is ignored."""
        try:
            message = DictionaryUpdated.model_validate_json(data)
        except ValidationError:
            _LOG.warning("ignoring a malformed message", channel=CHANNEL)
            return
        tenant_id = message.tenant_id
        if not self._every and tenant_id not in self._held:
            return
        if message.version <= self.dictionary(tenant_id).version:
            return
        self._heard[tenant_id] = max(message.version, self._heard.get(tenant_id, 0))
        self.refresh(tenant_id)

    def start(self, timeout: float = 10.0) -> bool:
        """Start following; True when subscribed and caught up within ``timeout`` seconds."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="astra-dictionary", daemon=True)
            self._thread.start()
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """Stop following; what is held stays readable."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
        self._ready.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (RedisError, OSError) as error:
                _LOG.warning("subscription lost", channel=CHANNEL, error=str(error))
                self._stop.wait(self._reconnect_seconds)

    def _follow(self) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(CHANNEL)
            # wait for the confirmation: only then is nothing missed after the refresh below
            subscription.get_message(ignore_subscribe_messages=False, timeout=5.0)
            self._refresh_all()
            self._ready.set()
            refreshed = time.monotonic()
            while not self._stop.is_set():
                message = subscription.get_message(timeout=0.2)
                if message is not None and message["type"] == "message":
                    self.receive(message["data"])
                elif (behind := self._behind()) and not self._stop.wait(self._reconnect_seconds):
                    for tenant_id in behind:
                        self.refresh(tenant_id)
                if time.monotonic() - refreshed >= self._refresh_seconds:
                    self._refresh_all()
                    refreshed = time.monotonic()

    def _behind(self) -> list[str]:
        """Tenants to ask for again: the fetch failed, or a lagging replica answered."""
        late = {name for name, version in self._heard.items() if self.dictionary(name).version < version}
        return sorted(late | self._unread)

    def _refresh_all(self) -> None:
        for tenant_id in sorted(self._held):
            self.refresh(tenant_id)
