"""Objects of a tenant: sealed where they must be, and never those of another.

Call::

    vault.write("villaverde", paths.pairs("villaverde", document), data)

What lies below ``diffs/`` and ``datasets/`` is sealed with the tenant's data key; the rest is stored
as it is. The wrapped key is read from Postgres at every use, so an erased tenant is gone at once in
every process, whatever it had in memory.
"""

from __future__ import annotations

import copy
import hashlib
import threading

import sqlalchemy as sa

from astra_learn_assets.errors import DecryptionFailed, ForeignTenant, TenantErased, UnknownTenant
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import crypto, erasure, paths
from astra_learn_assets.store.crypto import MasterKey
from astra_learn_assets.store.db import Database
from astra_learn_assets.store.objects import ObjectStore
from astra_learn_assets.store.tables import Tenant

_CACHED_KEYS = 256


class Vault:
    """Reads and writes in the name of one tenant at a time; safe to share between threads."""

    def __init__(self, objects: ObjectStore, database: Database, master: MasterKey) -> None:
        self._objects = objects
        self._database = database
        self._master = master
        self._unwrapped: dict[bytes, bytes] = {}  # hash of the wrapped key -> data key
        self._lock = threading.Lock()

    def using(self, database: Database) -> Vault:
        """The same vault asking ``database``, for a scope of one tenant; opened keys are shared."""
        scoped = copy.copy(self)
        scoped._database = database
        return scoped

    def new_tenant_key(self) -> bytes:
        """A fresh data key, wrapped: what a new tenant's row holds."""
        return self._master.wrap(crypto.new_key())

    def rewrapped(self, wrapped: bytes, *, old: MasterKey) -> bytes | None:
        """The same data key under the master key of now; None when it is already.

        Raises:
            DecryptionFailed: neither this master nor ``old`` opens it.
        """
        try:
            self._master.unwrap(wrapped)
        except DecryptionFailed:
            return self._master.wrap(old.unwrap(wrapped))
        return None

    def read(self, tenant: TenantId, key: str, *, wrapped_key: bytes | None = None) -> bytes:
        """The plaintext of an object of ``tenant``.

        ``wrapped_key``: the tenant's, from a row that the caller has read just now; else it is asked for.

        Raises:
            ForeignTenant: ``key`` is not one of the tenant's.
            NotFound: there is no such object.
            UnknownTenant, TenantErased: there is no key to open it with.
            DecryptionFailed: it was changed, moved or sealed with another key.
        """
        _own(tenant, key)
        data = self._objects.get(key)
        if not paths.is_encrypted(key):
            return data
        data_key = self._data_key(tenant) if wrapped_key is None else self._unwrap(wrapped_key)
        return crypto.unseal(data_key, data, tenant=tenant, object_key=key)

    def write(
        self,
        tenant: TenantId,
        key: str,
        data: bytes,
        *,
        overwrite: bool = False,
        wrapped_key: bytes | None = None,
        durable: bool = True,
    ) -> bool:
        """Store ``data`` for ``tenant``; False when the key exists already and was left alone.

        ``wrapped_key`` as in :meth:`read`, ``durable`` as in :meth:`ObjectStore.put`.

        Raises:
            ForeignTenant: ``key`` is not one of the tenant's.
            UnknownTenant, TenantErased: there is no key to seal it with.
        """
        _own(tenant, key)
        if paths.is_encrypted(key):
            data_key = self._data_key(tenant) if wrapped_key is None else self._unwrap(wrapped_key)
            if not overwrite and self._objects.exists(key):
                return False
            data = crypto.seal(data_key, data, tenant=tenant, object_key=key)
        return self._objects.put(key, data, overwrite=overwrite, durable=durable)

    def seal_value(self, tenant: TenantId, name: str, value: bytes) -> bytes:
        """``value``, which a row of the tenant's keeps under ``name``, sealed with its data key.

        Raises:
            UnknownTenant, TenantErased: there is no key to seal it with.
        """
        return crypto.seal(self._data_key(tenant), value, tenant=tenant, object_key=name)

    def open_value(self, tenant: TenantId, name: str, sealed: bytes) -> bytes:
        """What :meth:`seal_value` sealed for this tenant under this name.

        Raises:
            UnknownTenant, TenantErased: there is no key to open it with.
            DecryptionFailed: it was changed, or is another tenant's or another row's.
        """
        return crypto.unseal(self._data_key(tenant), sealed, tenant=tenant, object_key=name)

    def exists(self, tenant: TenantId, key: str) -> bool:
        """Whether ``tenant`` has such an object."""
        _own(tenant, key)
        return self._objects.exists(key)

    def erase_tenant(self, tenant: TenantId, *, actor: str = "cli") -> int:
        """Destroy the tenant's key and rows, then its objects; returns how many objects there were.

        The key goes first: if the second half fails, what is sealed cannot be read, and a repetition
        removes the rest. Only the owner of the database may do this.

        Raises:
            UnknownTenant: there is no such tenant.
        """
        with self._database.session() as session:
            erasure.erase_rows(session, tenant, actor=actor)
        return self.erase_objects(tenant)

    def erase_objects(self, tenant: TenantId) -> int:
        """Remove the objects of a tenant whose rows are gone; returns how many there were."""
        with self._lock:
            self._unwrapped.clear()
        return sum(self._objects.delete_prefix(prefix) for prefix in paths.tenant_prefixes(tenant))

    def _data_key(self, tenant: TenantId) -> bytes:
        with self._database.session() as session:
            row = session.execute(sa.select(Tenant.wrapped_key).where(Tenant.tenant_id == tenant)).first()
        if row is None:
            raise UnknownTenant(f"no tenant {tenant!r}")
        wrapped = row[0]
        if wrapped is None:
            raise TenantErased(f"tenant {tenant!r} was erased: its key is destroyed")
        return self._unwrap(wrapped)

    def _unwrap(self, wrapped: bytes) -> bytes:
        fingerprint = hashlib.sha256(wrapped).digest()
        with self._lock:
            known = self._unwrapped.get(fingerprint)
        if known is not None:
            return known
        data_key = self._master.unwrap(wrapped)
        with self._lock:
            if len(self._unwrapped) >= _CACHED_KEYS:
                self._unwrapped.clear()
            self._unwrapped[fingerprint] = data_key
        return data_key


def _own(tenant: TenantId, key: str) -> None:
    if not key.startswith(paths.tenant_prefixes(tenant)):
        raise ForeignTenant(f"object {key!r:.120} is not one of tenant {tenant!r}")
