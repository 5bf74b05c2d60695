"""Everything a caller needs to reach the world: settings, Postgres, objects, vault, Redis.

Call::

    with embedded(get_settings()) as settings, Platform.open(settings) as platform:
        with platform.database.session() as session: ...
"""

from __future__ import annotations

import copy
from types import TracebackType
from typing import TYPE_CHECKING, Self

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.ids import TenantId
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import crypto
from astra_learn_assets.store.db import Database
from astra_learn_assets.store.objects import ObjectStore
from astra_learn_assets.store.vault import Vault

if TYPE_CHECKING:
    import redis


class Platform:
    """Open handles, shared by all threads of a process; :meth:`close` when done."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        objects: ObjectStore,
        vault: Vault,
        redis_client: redis.Redis,  # type: ignore[type-arg]  # generic in some stubs only
    ) -> None:
        self.settings = settings
        self.database = database
        self.objects = objects
        self.vault = vault
        self.redis = redis_client

    def of(self, tenant_id: TenantId) -> Platform:
        """The same handles, for one tenant: see :meth:`Database.of`. Do not close it."""
        scoped = copy.copy(self)
        scoped.database = self.database.of(tenant_id)
        scoped.vault = self.vault.using(scoped.database)
        return scoped

    @classmethod
    def open(cls, settings: Settings, *, for_api: bool = False) -> Platform:
        """Handles for what ``settings`` name. A URL that is empty is taken from the embedded services,
        if those run in ``settings.home``; nothing is started here.

        ``for_api``: come as the role of ``api_database_url``, under row-level security; the owner's
        ``database_url`` is then not needed. No connection is made yet: a server that is away shows at
        first use, as :class:`Unavailable`.

        Raises:
            Unavailable: a URL is empty and no embedded service runs.
            BadConfiguration: a URL or key cannot work.
        """
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        from astra_learn_assets.services.embedded import attach

        if for_api and settings.database_url is None:
            settings = settings.model_copy(update={"database_url": settings.api_database_url})
        complete = attach(settings)
        if for_api and not complete.api_database_url:
            raise BadConfiguration(
                "the API must not come as the owner of the tables: set ASTRA_API_DATABASE_URL to the same "
                "database with a role that has the rights of astra_api (see docs/security.md)"
            )
        if not (complete.database_url and complete.redis_url and complete.object_store_url):
            raise BadConfiguration(
                "ASTRA_DATABASE_URL, ASTRA_REDIS_URL and ASTRA_OBJECT_STORE_URL are needed"
            )
        try:
            client = redis.Redis.from_url(
                complete.redis_url,
                decode_responses=True,
                socket_connect_timeout=3,
                socket_timeout=10,
                health_check_interval=30,
                # The outbox repeats what fails, so nobody waits here for a Redis that is away.
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError as error:
            raise BadConfiguration(
                "ASTRA_REDIS_URL cannot be read: expected redis://:password@host:port/0"
            ) from error
        url = complete.api_database_url if for_api else complete.database_url
        database = Database(url or "", row_security=for_api)
        objects = ObjectStore.open(complete.object_store_url, complete.object_store_kms_key)
        vault = Vault(objects, database, crypto.load_master(complete))
        return cls(complete, database, objects, vault, client)

    def close(self) -> None:
        """Give every connection back."""
        self.database.dispose()
        self.redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
