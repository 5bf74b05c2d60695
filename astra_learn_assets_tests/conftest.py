"""Fixtures every test folder shares. Real Postgres, real Redis, real files; nothing is mocked.

* ``services`` (once per test session): Postgres and Redis of the embedded kind in a temporary home, or in one
  of ``TEST_HOMES``, where they run already.
* ``settings``: settings of one test: a migrated database with every table emptied, an emptied Redis, an
  empty object store and home below ``tmp_path``. Environment and ``.env`` of the developer have no say.
  ``settings.model_copy(update={...})`` changes a knob.
* ``platform``: a :class:`Platform` opened on ``settings``.
* ``make_tenant(tenant_id="villaverde", country="es", ...)``: adds a tenant with a key of its own.
"""

from __future__ import annotations

import fcntl
import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

# Before torch is loaded, by these tests or by the trainers they start: with one test process a core, a second
# thread each only waits for the other's.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
import redis
import sqlalchemy as sa

from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings, get_settings
from astra_learn_assets.store import tenants, tiers
from astra_learn_assets.store.db import normalise_url
from astra_learn_assets.store.learning_tables import Tier
from astra_learn_assets.store.tables import Base, Tenant

# Tests assert behaviour, not time: a busy machine is no counterexample.
hypothesis.settings.register_profile("astra", deadline=None)
hypothesis.settings.load_profile("astra")


class MakeTenant(Protocol):
    def __call__(
        self,
        tenant_id: str = "villaverde",
        country: str = "es",
        display_name: str | None = None,
        tier: str = "standard",
    ) -> Tenant: ...


def pytest_collection_finish() -> None:
    """What is imported stays: a million objects that each collection of garbage would walk through again.

    Training collects before it measures memory: .4 s each time with this suite imported, .04 s without.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("ASTRA_"):
                patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        get_settings.cache_clear()
        yield
        get_settings.cache_clear()


@pytest.fixture(scope="session")
def services(
    tmp_path_factory: pytest.TempPathFactory, _no_settings_of_the_developer: None
) -> Iterator[Settings]:
    with (
        _free_home(tmp_path_factory) as home,
        embedded(Settings(home=home), durable=False) as settings,
    ):
        yield settings


@contextmanager
def _free_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of this test session alone: new, or one of ``TEST_HOMES`` whose servers run already.

    Starting Postgres takes longer than most test files; who runs hundreds of sessions starts it once.
    """
    homes = [Path(name) for name in os.environ.get("TEST_HOMES", "").split(os.pathsep) if name]
    if not homes:
        yield tmp_path_factory.mktemp("services")
        return
    while True:
        for home in homes:
            with (home / "taken").open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield home
                return
        time.sleep(0.2)


@pytest.fixture(scope="session")
def _database(services: Settings) -> Iterator[sa.Engine]:
    assert services.database_url is not None
    engine = sa.create_engine(normalise_url(services.database_url), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def emptied(services: Settings, database: sa.Engine, home: Path) -> Settings:
    """``services`` without anything that an earlier test wrote, and with ``home`` for files."""
    _empty(database)
    assert services.redis_url is not None
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
    return services.model_copy(
        update={
            "home": home,
            "object_store_url": (home / "objects").as_uri(),
            "mlflow_tracking_uri": f"sqlite:///{home / 'mlflow.db'}",
            "mlflow_artifact_root": (home / "mlflow-artifacts").as_uri(),
        }
    )


def _empty(database: sa.Engine) -> None:
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.connect() as connection:
        # A thread that an earlier test left behind may hold a lock.
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        connection.execute(sa.text("SET session_replication_role = replica"))  # past the append-only triggers
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY"))
        for tier in tiers.DEFAULTS:
            connection.execute(sa.insert(Tier).values(tier))


@pytest.fixture
def settings(services: Settings, _database: sa.Engine, tmp_path: Path) -> Settings:
    return emptied(services, _database, tmp_path / "home")


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    with Platform.open(settings) as opened:
        yield opened


@pytest.fixture
def make_tenant(platform: Platform) -> MakeTenant:
    def make(
        tenant_id: str = "villaverde",
        country: str = "es",
        display_name: str | None = None,
        tier: str = "standard",
    ) -> Tenant:
        with platform.database.session() as session:
            return tenants.create(
                session,
                TenantId(tenant_id),
                display_name=display_name or tenant_id.replace("-", " ").title(),
                country=country,
                tier=tier,
                wrapped_key=platform.vault.new_tenant_key(),
            )

    return make
