"""Schema, migrations, transactions and what the database itself refuses."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import BadConfiguration, Unavailable, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import audit, examples, verdicts
from astra_learn_assets.store.db import VERSION_TABLE, Database, migrate, normalise_url
from astra_learn_assets.store.tables import Base, Tenant
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.fixture
def empty_database(settings: Settings) -> str:
    assert settings.database_url is not None
    name = f"empty_{uuid4().hex}"
    engine = sa.create_engine(normalise_url(settings.database_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return normalise_url(settings.database_url).set(database=name).render_as_string(hide_password=False)


def _differences(url: str) -> list[object]:
    engine = sa.create_engine(normalise_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return list(found)


def test_the_migrations_make_exactly_the_tables_of_the_code(empty_database: str) -> None:
    assert _differences(empty_database) != []
    migrate(empty_database)
    assert _differences(empty_database) == []


def test_two_processes_that_migrate_at_once_both_succeed(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(migrate, empty_database) for _ in range(4)]:
            future.result()
    assert _differences(empty_database) == []


def test_dagsters_own_version_table_in_the_same_database_is_left_alone(empty_database: str) -> None:
    engine = sa.create_engine(normalise_url(empty_database))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num text)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('dagster')"))
    migrate(empty_database)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "dagster"
    engine.dispose()


@pytest.mark.parametrize("prefix", ["postgres://", "postgresql://", "postgresql+psycopg2://"])
def test_every_spelling_of_a_postgres_url_means_the_driver_we_install(prefix: str) -> None:
    assert normalise_url(f"{prefix}u:p@h:1/d").drivername == "postgresql+psycopg2"


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite:///x.db", "mysql://u:secret@h/d"])
def test_anything_else_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        Database(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_away_is_unavailable_and_its_password_stays_secret() -> None:
    database = Database("postgresql://user:secret@127.0.0.1:1/astra")
    with pytest.raises(Unavailable) as caught:
        database.ping()
    assert "secret" not in str(caught.value)
    with pytest.raises(Unavailable):
        migrate("postgresql://user:secret@127.0.0.1:1/astra")


def test_a_block_that_raises_leaves_nothing(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()

    def fail_half_way() -> None:
        with platform.database.session() as session:
            session.execute(sa.update(Tenant).values(display_name="other"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with platform.database.session() as session:
        assert session.scalar(sa.select(Tenant.display_name)) == "Villaverde"


def test_a_connection_cut_by_the_server_heals_at_the_next_use(platform: Platform) -> None:
    platform.database.ping()
    with pytest.raises(Unavailable), platform.database.session() as session:
        session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    platform.database.ping()


def test_a_row_for_a_tenant_that_does_not_exist_says_so(platform: Platform) -> None:
    row = examples.NewExample("a" * 64, "doc-1", 1, False, True, None)
    with pytest.raises(UnknownTenant), platform.database.session() as session:
        examples.add(session, "nowhere", [row])


@pytest.mark.parametrize(
    "statement", ["UPDATE {t} SET created_at = now()", "DELETE FROM {t}", "TRUNCATE {t}"]
)
@pytest.mark.parametrize("table", ["gate_verdicts", "audit_log", "promotions", "dictionary_history"])
def test_the_database_itself_refuses_to_rewrite_history(
    platform: Platform, make_tenant: MakeTenant, table: str, statement: str
) -> None:
    make_tenant()
    verdict = GateVerdict(gate="pii_gate", tenant_id="villaverde", digest="a" * 64, passed=False, reason="x")
    with platform.database.session() as session:
        verdicts.record(session, verdict)
        audit.record(
            session,
            tenant_id="villaverde",
            actor="a",
            action="b",
            target=None,
            outcome="done",
            request_id=None,
        )
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        platform.database.session() as session,
    ):
        session.execute(sa.text(statement.format(t=table)))


def test_sessions_of_many_threads_do_not_mix(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    barrier = threading.Barrier(8)

    def read(_: int) -> str:
        with platform.database.session() as session:
            barrier.wait(timeout=20)
            return str(session.scalar(sa.select(Tenant.tenant_id)))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(8))) == {"villaverde"}
