"""How CORE uses what we give it: which adapter, when it changes, what is told back.

    known = DictionarySubscriber(client, fetch=read_dictionary)
    core = ReferenceCore(store, TorchEngine(base_folder), redis=client, core_id="core-1", dictionaries=known)
    with core.session("villaverde") as session:      # the adapter is chosen here and stays to the end
        session.correct("se abre la secion")         # -> Answer(text, adapter_id)

A session begins with the champion of that moment; what is promoted meanwhile serves the next one, without a
restart and without a request that fails. Where no adapter serves, the base model answers. A name that goes
into the dictionary is right from the next paragraph on, in running sessions too (:mod:`serving.answers`).
When an adapter is loaded for the first time CORE says so (:mod:`serving.acknowledgement`).

:meth:`ReferenceCore.watch` follows the announcements, fetches and loads what was promoted as soon as it is
told, so that the next session finds it ready.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from astra_learn_assets.datasets.steady import Steady
from astra_learn_assets.errors import AstraError, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.serving import acknowledgement
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.serving.answers import as_served
from astra_learn_assets.serving.dictionary import Dictionary
from astra_learn_assets.serving.served_adapter import ServedAdapter

if TYPE_CHECKING:
    import redis

_CHANNELS = "NEW_MODEL_AVAILABLE:*"
_LOG = structlog.get_logger(__name__)


class Engine(Protocol):
    """What runs the model: our own in :mod:`torch_engine`, or a vLLM behind :mod:`serving.vllm_client`."""

    def load(self, served: ServedAdapter) -> bool:
        """Have the adapter ready; True when it was not before."""
        ...

    def answer(self, served: ServedAdapter | None, text: str) -> str:
        """The corrected text; the base model's without an adapter."""
        ...


class Dictionaries(Protocol):
    """Who knows every tenant's proper nouns: :class:`serving.dictionary.DictionarySubscriber`."""

    def dictionary(self, tenant_id: str) -> Dictionary:
        """What a tenant's dictionary holds now."""
        ...


@dataclass(frozen=True)
class Answer:
    """What a request was answered, and by which adapter; None is the base model."""

    text: str
    adapter_id: str | None


@dataclass(frozen=True)
class Session:
    """One council session: all its requests go to the adapter that it began with; ``steady``: its words."""

    tenant_id: TenantId
    served: ServedAdapter | None
    engine: Engine = field(repr=False)
    dictionaries: Dictionaries = field(repr=False)
    steady: tuple[Steady, ...] = field(default=(), repr=False)

    def correct(self, text: str) -> Answer:
        """One transcribed paragraph, put right, as the gate has judged it: figures and names included."""
        name = self.served.adapter_id if self.served is not None else None
        known = self.dictionaries.dictionary(self.tenant_id).replacements
        return Answer(as_served(text, self.engine.answer(self.served, text), known, self.steady), name)


class ReferenceCore:
    """One serving process. Safe to share between threads."""

    def __init__(
        self,
        store: AdapterStore,
        engine: Engine,
        *,
        redis: redis.Redis,  # type: ignore[type-arg]  # generic in some stubs only
        core_id: str,
        dictionaries: Dictionaries,
    ) -> None:
        self._store = store
        self._engine = engine
        self._redis = redis
        self._core_id = core_id
        self._dictionaries = dictionaries

    @contextmanager
    def session(self, tenant_id: str, session_id: str | None = None) -> Iterator[Session]:
        """Begin a session with what serves now; named, while a new adapter is tried with a share of them.

        The Builder sends the adapter's id with the draft, so that the trial can be judged.

        Raises:
            AdapterRefused, Unavailable: when nothing that may be used can be had.
        """
        tenant = TenantId(tenant_id)
        try:
            leased = self._store.session(tenant, session_id)
            served = leased.__enter__()
        except NotFound:
            yield Session(tenant, None, self._engine, self._dictionaries)
            return
        try:
            self._ready(tenant, served)
            yield Session(tenant, served, self._engine, self._dictionaries, served.steady())
        finally:
            leased.__exit__(None, None, None)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Load what is announced while the block runs."""
        ended = threading.Event()
        client: Any = self._redis  # whose stubs leave this call without a type
        listener = client.pubsub(ignore_subscribe_messages=True)
        listener.psubscribe(_CHANNELS)
        thread = threading.Thread(target=self._follow, args=(listener, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=10)
            listener.close()

    def _follow(self, listener: redis.client.PubSub, ended: threading.Event) -> None:
        while not ended.is_set():
            message = listener.get_message(timeout=0.2)
            if message is None:
                continue
            tenant = TenantId(str(message["channel"]).partition(":")[2])
            try:
                self._ready(tenant, self._store.current(tenant))
            except AstraError as error:
                _LOG.warning("not ready yet; the next session tries", tenant_id=tenant, error=str(error))

    def _ready(self, tenant: TenantId, served: ServedAdapter) -> None:
        if self._engine.load(served):
            acknowledgement.say(self._redis, tenant, served.adapter_id, core_id=self._core_id)
