"""The adapter CORE should use now, verified, from a local cache, swapped without a restart.

    store = AdapterStore(objects, verify_key=key, cache_dir=Path("/var/cache/astra"), max_bytes=2_000_000_000,
                         redis=client)
    served = store.current("villaverde")      # at the start of each session
    model.load_adapter(served.path, adapter_name=served.adapter_id)

Rules. The tenant of the caller must be the adapter's. Signature and every file's hash are checked before a
byte is used, from the network and from the cache alike. Folders are named by content and never changed in
place, so a session that began with one adapter keeps it: the next call gives the next one.

Which adapter serves is believed of a *signed promotion record* alone (:class:`NewModelAvailable`): in Redis,
beside the adapters in the object store, or in the cache, whoever wrote it there. Of two records the later one
counts, so an older one that is put back brings nothing back. When an update fails, or Redis and the object
store are away, the last good adapter stays, also after a restart. A record that says "nothing serves", and a
store that has no record, end it: the cache of a tenant that was erased is emptied. What a record says is to
be forgotten (it learned from an erased document) is deleted from the cache at the next session's start.

Between check and load nothing may change: ``served.read()`` gives the very bytes that were checked, and
``served.copy_to(folder)`` writes them for a loader that wants a folder. ``with store.session(tenant)`` keeps
the adapter of a running session from being evicted, by other processes on the same cache as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from redis.exceptions import RedisError

from astra_learn_assets import ids
from astra_learn_assets.contracts import CanaryShare, NewModelAvailable
from astra_learn_assets.errors import AdapterRefused, AstraError, NotFound, SealBroken, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry import seals
from astra_learn_assets.registry.manifest import digest_of
from astra_learn_assets.registry.signature import verify_folder
from astra_learn_assets.serving.served_adapter import Lease, ServedAdapter
from astra_learn_assets.serving.session_share import passed_over
from astra_learn_assets.store import paths

_LAST_GOOD = "last_good.json"
_RECORD = "promotion.json"
_STAGING = ".staging"
_LEASES = ".leases"
_ABANDONED_SECONDS = 6 * 3600.0  # no fetch takes as long; what is older belongs to a process that was killed
_LOG = structlog.get_logger(__name__)


class Objects(Protocol):
    """What is needed of :class:`astra_learn_assets.store.objects.ObjectStore`."""

    def get_folder(self, prefix: str, folder: Path) -> Path: ...


class KeyReader(Protocol):
    """What is needed of a Redis client (``decode_responses`` or not)."""

    def get(self, name: str) -> object: ...


@dataclass(frozen=True)
class _Loaded:
    served: ServedAdapter
    fingerprint: tuple[tuple[str, int, int, int], ...]


class _NothingServes(NotFound):
    """There is nothing to keep either: not the last good one."""


class AdapterStore:
    """Safe to share between threads; several processes may share ``cache_dir``.

    ``max_bytes`` bounds the cache: the least recently used adapters go first, never one that this process
    serves. ``retry_seconds``: how long a failed adapter is left alone before it is tried again.
    """

    def __init__(
        self,
        objects: Objects,
        *,
        verify_key: Ed25519PublicKey,
        cache_dir: Path,
        max_bytes: int,
        redis: KeyReader | None = None,
        retry_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objects = objects
        self._verify_key = verify_key
        self._cache = cache_dir
        self._max_bytes = max_bytes
        self._redis = redis
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._served: dict[str, _Loaded] = {}
        self._leases: dict[str, Lease] = {}
        self._failed: dict[str, tuple[float, AstraError]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()
        self._sweep()

    @contextmanager
    def session(self, tenant_id: str, session_id: str | None = None) -> Iterator[ServedAdapter]:
        """:meth:`current`, kept in the cache until the session ends, whatever is promoted meanwhile.

        ``session_id``: while a new adapter is on trial, a session of that name gets it or the stable one,
        always the same.

        Raises:
            NotFound, AdapterRefused, Unavailable: as :meth:`current`.
        """
        served = self.current(tenant_id, session_id)
        lease = Lease(self._lease_of(served.path))
        try:
            yield served
        finally:
            lease.end()

    def prefetch(self, tenant_id: str) -> None:
        """Fetch what was promoted as soon as it is announced, so that the next session starts at once."""
        try:
            self.current(tenant_id)
        except AstraError as error:
            _LOG.warning("nothing prefetched", tenant_id=tenant_id, error=str(error))

    def current(self, tenant_id: str, session_id: str | None = None) -> ServedAdapter:
        """The champion of ``tenant_id``, or the last good one when the champion cannot be had.

        With ``session_id`` the stable adapter, when the champion is on trial and not with that session.

        Raises:
            NotFound: when nothing was promoted for the tenant: CORE uses the base model.
            AdapterRefused: when the only adapter there is cannot be verified.
            Unavailable: when neither Redis, object store nor cache has one.
        """
        tenant_id = TenantId(tenant_id)
        with self._lock(tenant_id):
            try:
                wanted = self._record(tenant_id)
                self._forget_adapters(tenant_id, wanted)
                if not wanted.adapter_id:
                    self._forget(tenant_id)
                    raise _NothingServes(f"no adapter serves {tenant_id}; use the base model")
                if (trial := passed_over(session_id, wanted)) is not None:
                    return self._stable(tenant_id, trial)
                return self._swap(tenant_id, wanted)
            except _NothingServes:
                raise
            except AstraError as error:
                kept = self._keep(tenant_id)
                if kept is None:
                    raise
                _LOG.warning(
                    "keeping the last good adapter",
                    tenant_id=tenant_id,
                    adapter_id=kept.adapter_id,
                    error=str(error),
                )
                return kept

    def load(self, tenant_id: str, adapter_id: str) -> ServedAdapter:
        """One named adapter of ``tenant_id``, verified; for tests of a candidate or a pinned session.

        Raises:
            AdapterRefused: when it is another tenant's or not what was signed.
            NotFound, Unavailable: when it is not stored, or the store does not answer.
        """
        tenant_id = TenantId(tenant_id)
        with self._lock(tenant_id):
            return self._load(tenant_id, adapter_id, None).served

    def forget(self, tenant_id: str) -> None:
        """Delete everything kept of ``tenant_id`` (its data was erased, or it moved elsewhere)."""
        tenant_id = TenantId(tenant_id)
        with self._lock(tenant_id):
            self._forget(tenant_id)

    def _forget(self, tenant_id: TenantId) -> None:
        self._served.pop(tenant_id, None)
        if (lease := self._leases.pop(tenant_id, None)) is not None:
            lease.end()
        self._remove(self._cache / tenant_id)
        for left in (self._cache / _LEASES).glob(f"{tenant_id}--*"):
            left.unlink(missing_ok=True)

    def _forget_adapters(self, tenant_id: TenantId, record: NewModelAvailable) -> None:
        """Delete copies of what is to be forgotten, a running session's included."""
        for adapter_id in record.forget:
            if ids.tenant_of_adapter(adapter_id) == tenant_id:
                self._remove(self._cache / tenant_id / adapter_id)
                held = self._served.get(tenant_id)
                if held is not None and held.served.adapter_id == adapter_id:
                    del self._served[tenant_id]
                last = self._last_good(tenant_id)
                if last is not None and last.adapter_id == adapter_id:
                    (self._cache / tenant_id / _LAST_GOOD).unlink(missing_ok=True)

    def _hold(self, tenant_id: TenantId, loaded: _Loaded) -> None:
        """Serve ``loaded`` from now on, and let no other process evict it."""
        lease = Lease(self._lease_of(loaded.served.path))
        if (before := self._leases.get(tenant_id)) is not None:
            before.end()
        self._leases[tenant_id] = lease
        self._served[tenant_id] = loaded

    def _lock(self, tenant_id: TenantId) -> threading.Lock:
        with self._guard:
            return self._locks[tenant_id]

    def _record(self, tenant_id: TenantId) -> NewModelAvailable:
        """The newest signed record: of Redis, else of the object store, else (both away) of the cache.

        Raises:
            _NothingServes: the object store has none: nothing was promoted, or all of it was erased.
            AdapterRefused: it is not signed for this tenant, or older than one that was followed before.
            Unavailable: neither answers, and the cache has none.
        """
        last = self._last_good(tenant_id)
        value: object = None
        if self._redis is not None:
            with suppress(RedisError):  # away is like empty: the object store has the same record
                value = self._redis.get(f"NEW_MODEL_AVAILABLE:{tenant_id}")
        try:
            found = self._stored_record(tenant_id) if value is None else self._signed(tenant_id, value)
        except Unavailable:
            if last is None:
                raise
            return last
        if found is None:
            self._forget(tenant_id)
            raise _NothingServes(f"no adapter was promoted for {tenant_id}; use the base model")
        if last is not None and found.promoted_at < last.promoted_at:
            raise AdapterRefused(f"NEW_MODEL_AVAILABLE:{tenant_id} is older than what was followed before")
        return found

    def _stored_record(self, tenant_id: TenantId) -> NewModelAvailable | None:
        try:
            with self._workplace() as work:
                folder = self._objects.get_folder(paths.promotion_folder(tenant_id), work / tenant_id)
                data = (folder / _RECORD).read_bytes()
        except (NotFound, FileNotFoundError):
            return None
        except OSError as error:
            raise Unavailable(f"the adapter cache cannot be written: {error.strerror or error}") from error
        return self._signed(tenant_id, data)

    def _signed(self, tenant_id: TenantId, value: object) -> NewModelAvailable:
        """The record in ``value``, if it is signed for this tenant.

        Raises:
            AdapterRefused: otherwise.
        """
        if not isinstance(value, str | bytes):
            raise AdapterRefused(f"NEW_MODEL_AVAILABLE:{tenant_id} is no announcement")
        try:
            record = NewModelAvailable.model_validate_json(value)
            seals.check(self._verify_key, "promotion", record.content(), record.signature)
        except ValidationError:
            raise AdapterRefused(f"NEW_MODEL_AVAILABLE:{tenant_id} is no announcement") from None
        except SealBroken as error:
            raise AdapterRefused(f"NEW_MODEL_AVAILABLE:{tenant_id}: {error}") from None
        if record.tenant_id != tenant_id:
            raise AdapterRefused(f"NEW_MODEL_AVAILABLE:{tenant_id} is a record of another municipality")
        return record

    def _swap(self, tenant_id: TenantId, wanted: NewModelAvailable) -> ServedAdapter:
        held = self._served.get(tenant_id)
        if (
            held is not None
            and held.served.adapter_id == wanted.adapter_id
            and digest_of(held.served.manifest) == wanted.sha256
            and _fingerprint(held.served.path) == held.fingerprint
        ):
            os.utime(held.served.path)
            return held.served
        if (failed := self._failed.get(tenant_id + wanted.model_dump_json())) and self._clock() < failed[0]:
            raise failed[1]
        try:
            loaded = self._load(tenant_id, wanted.adapter_id, wanted.sha256)
        except AstraError as error:
            until = self._clock() + self._retry_seconds
            self._failed[tenant_id + wanted.model_dump_json()] = (until, error)
            raise
        os.utime(loaded.served.path)
        self._hold(tenant_id, loaded)
        self._failed = {key: value for key, value in self._failed.items() if value[0] > self._clock()}
        self._remember(tenant_id, wanted)
        self._evict()
        return loaded.served

    def _stable(self, tenant_id: TenantId, trial: CanaryShare) -> ServedAdapter:
        """What the sessions get that a new adapter is not tried with."""
        if not trial.stable_adapter_id:
            raise _NothingServes(f"this session of {tenant_id} has no adapter; use the base model")
        served = self._load(tenant_id, trial.stable_adapter_id, trial.stable_sha256).served
        os.utime(served.path)
        return served

    def _keep(self, tenant_id: TenantId) -> ServedAdapter | None:
        """The last good adapter if it is still good, from memory or from the disk."""
        held = self._served.get(tenant_id)
        if held is not None and _fingerprint(held.served.path) == held.fingerprint:
            return held.served
        last = self._last_good(tenant_id)
        if last is None or not last.adapter_id:
            return None
        try:
            loaded = self._load(tenant_id, last.adapter_id, last.sha256)
        except AstraError:
            return None
        self._hold(tenant_id, loaded)
        return loaded.served

    def _load(self, tenant_id: TenantId, adapter_id: str, sha256: str | None) -> _Loaded:
        if ids.tenant_of_adapter(adapter_id) != tenant_id:
            raise AdapterRefused(f"{adapter_id} is not an adapter of {tenant_id}")
        folder = self._cache / tenant_id / adapter_id
        if os.path.lexists(folder):
            try:
                return self._verified(folder, tenant_id, adapter_id, sha256)
            except AdapterRefused as error:
                _LOG.warning("refetching a corrupted cache entry", adapter_id=adapter_id, error=str(error))
                self._remove(folder)
        try:
            self._fetch(folder, tenant_id, adapter_id, sha256)
        except OSError as error:
            raise Unavailable(f"the adapter cache cannot be written: {error.strerror or error}") from error
        return self._verified(folder, tenant_id, adapter_id, sha256)

    def _fetch(self, folder: Path, tenant_id: TenantId, adapter_id: str, sha256: str | None) -> None:
        with self._workplace() as work:
            folder.parent.mkdir(exist_ok=True, mode=0o700)
            fetched = work / adapter_id
            self._objects.get_folder(paths.adapter(adapter_id), fetched)
            self._verified(fetched, tenant_id, adapter_id, sha256)
            try:
                fetched.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster; it is verified next
                    raise

    def _verified(self, folder: Path, tenant_id: TenantId, adapter_id: str, sha256: str | None) -> _Loaded:
        fingerprint = _fingerprint(folder)
        manifest = verify_folder(folder, self._verify_key, tenant_id)
        if manifest.adapter_id != adapter_id:
            raise AdapterRefused(f"{manifest.adapter_id} was offered as {adapter_id}")
        if sha256 is not None and digest_of(manifest) != sha256:
            raise AdapterRefused(f"{adapter_id} is not the adapter that was announced")
        if _fingerprint(folder) != fingerprint:
            raise AdapterRefused(f"{adapter_id} changed while it was checked")
        return _Loaded(ServedAdapter(adapter_id, folder, manifest), fingerprint)

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        """A folder beside the cache's own, for what is on its way in or out; gone afterwards."""
        staging = self._cache / _STAGING
        staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=staging) as work:
            yield Path(work)

    def _lease_of(self, folder: Path) -> Path:
        return self._cache / _LEASES / folder.name

    def _sweep(self) -> None:
        """Delete what fetches of killed processes left behind."""
        for left in _folders(self._cache / _STAGING):
            try:
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(left)
            except OSError:
                continue  # another process is sweeping it

    def _last_good(self, tenant_id: TenantId) -> NewModelAvailable | None:
        try:
            return self._signed(tenant_id, (self._cache / tenant_id / _LAST_GOOD).read_bytes())
        except (OSError, AdapterRefused):
            return None

    def _remember(self, tenant_id: TenantId, good: NewModelAvailable) -> None:
        path = self._cache / tenant_id / _LAST_GOOD
        if self._last_good(tenant_id) == good:
            return
        try:
            handle, name = tempfile.mkstemp(dir=self._cache / _STAGING)
            with os.fdopen(handle, "wb") as file:
                file.write(good.model_dump_json().encode())
            Path(name).replace(path)
        except OSError as error:
            _LOG.warning("last good adapter not remembered", tenant_id=tenant_id, error=str(error))

    def _evict(self) -> None:
        """Delete the least recently used adapters until the cache fits."""
        with self._guard:
            in_use = {loaded.served.path for loaded in list(self._served.values())}
            found: list[tuple[float, int, Path]] = []
            for tenant in _folders(self._cache):
                for folder in _folders(tenant) if not tenant.name.startswith(".") else []:
                    try:
                        size = sum(file.stat().st_size for file in folder.iterdir())
                        found.append((folder.stat().st_mtime, size, folder))
                    except OSError:
                        continue  # another process is deleting it
            total = sum(size for _, size, _ in found)
            for _, size, folder in sorted(found):
                if total <= self._max_bytes:
                    return
                if folder not in in_use and Lease.is_free(self._lease_of(folder)):
                    self._remove(folder)
                    total -= size

    def _remove(self, folder: Path) -> None:
        """Out of sight in one step, then deleted: nobody sees half a folder."""
        try:
            with self._workplace() as work:
                folder.rename(work / folder.name)
        except FileNotFoundError:
            return
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Name, size, change time and inode of every file: equal means untouched since the last check."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        stats = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_ctime_ns, stat.st_ino) for name, stat in stats)
