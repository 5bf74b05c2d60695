"""The second wall: what Postgres itself lets the API's role see and change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from astra_learn_assets.errors import BadConfiguration, Unauthorized
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import api_keys, outbox, tenants, tiers
from astra_learn_assets.store.db import PLATFORM_SCOPE, Database, migrate, normalise_url
from astra_learn_assets.store.tables import Base
from astra_learn_assets_tests.conftest import MakeTenant

TABLES = {table.name: table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns}
OF_TRIGGERS = [TABLES[name] for name in ("learning_changes", "example_counts", "document_tallies")]
OURS, THEIRS = "villaverde", "rio-claro"
OF_THE_OWNER = {"stage_tallies"}  # figures of nobody's, told by functions alone
OF_NOBODY = {"tiers", "maintenance"}  # what holds for everybody: written in the platform's scope alone


def _value(column: sa.Column[Any], tenant_id: str) -> Any:
    """Some value that the column's type and constraints take."""
    if column.name == "tenant_id":
        return tenant_id
    known = {
        "kind": {"artifacts": "final", "promotions": "base", "subscriptions": "webhook"}.get(
            column.table.name, "promotion"
        ),
        "state": "compared" if column.table.name == "documents" else "queued",
        "role": "viewer",
        "lane": "learn",
        "tier": "standard",
        "run_id": f"{tenant_id}-run_id",
        "action": "mask",
        "country": "es",
        "version": 1,
        "adapter_id": f"{tenant_id}--{'a' * 16}",
        "document_id": "d",
        "artifact_id": "a",
        "session_id": "s",
        "month": datetime(2026, 1, 1),
    }
    if column.name in known and not (column.name == "kind" and column.table.name == "blocklist"):
        return known[column.name]
    if isinstance(column.type, sa.String):
        return f"{tenant_id}-{column.name}"[: column.type.length]
    return {} if isinstance(column.type, JSONB) else {int: 1, bool: True, float: 0.5}[column.type.python_type]


def _row(table: sa.Table, tenant_id: str) -> dict[str, Any]:
    return {
        column.name: _value(column, tenant_id)
        for column in table.columns
        if not column.nullable and column.identity is None and column.server_default is None
    } | {"tenant_id": tenant_id}


@pytest.fixture
def filled(platform: Platform, make_tenant: MakeTenant) -> None:
    """One row of each of two tenants in every table."""
    for tenant_id in (OURS, THEIRS):
        make_tenant(tenant_id)
        with platform.database.session() as session:
            for name, table in TABLES.items():
                if name != "tenants" and table not in OF_TRIGGERS:
                    session.execute(sa.insert(table).values(**_row(table, tenant_id)))
    with platform.database.session() as session:
        for table in OF_TRIGGERS:
            session.execute(sa.delete(table))
            session.execute(sa.insert(table), [_row(table, tenant_id) for tenant_id in (OURS, THEIRS)])


def _is_refusal(error: sa.exc.DBAPIError) -> bool:
    return getattr(error.orig, "pgcode", None) == "42501"  # insufficient privilege, or a row against a policy


def _tenants_seen(database: Database, table: sa.Table) -> set[str | None]:
    with database.session() as session:
        return set(session.scalars(sa.select(table.c.tenant_id)))


def test_every_table_of_tenants_has_forced_row_security_and_a_policy_for_the_api(platform: Platform) -> None:
    with platform.database.session() as session:
        forced = set(
            session.scalars(
                sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
            )
        )
        policies = set(
            session.scalars(sa.text("SELECT tablename FROM pg_policies WHERE 'astra_api' = ANY(roles)"))
        )
        granted = set(
            session.scalars(
                sa.text(
                    "SELECT table_name FROM information_schema.table_privileges WHERE grantee = 'astra_api'"
                )
            )
        )
    assert policies == granted == set(TABLES) | OF_NOBODY
    assert forced == policies | OF_THE_OWNER == set(Base.metadata.tables)


@pytest.mark.parametrize("name", sorted(OF_NOBODY))
def test_what_is_of_no_tenant_is_read_by_the_api_and_written_by_the_platform_alone(
    api: Database, platform: Platform, name: str
) -> None:
    now = datetime.now(UTC)
    with platform.database.session() as session:
        tiers.put(session, "small")
        tiers.maintain(session, now, now + timedelta(hours=1), "new driver")
    table = Base.metadata.tables[name]
    row = (
        {"tier": "forged", "weekly_quota": 1_000, "patience_hours": 1}
        if name == "tiers"
        else {"starts_at": now, "ends_at": now + timedelta(days=900), "reason": "forged"}
    )
    change = {"weekly_quota": 1_000} if name == "tiers" else {"reason": "forged"}
    for scope in (OURS, ""):
        with api.of(scope).session() as session:
            before = session.execute(sa.select(table)).all()
            assert session.execute(sa.update(table).values(change)).rowcount == 0  # type: ignore[attr-defined]
            assert session.execute(sa.delete(table)).rowcount == 0  # type: ignore[attr-defined]
            assert session.execute(sa.select(table)).all() == before != []
        with pytest.raises(sa.exc.DBAPIError) as refused, api.of(scope).session() as session:
            session.execute(sa.insert(table).values(row))
        assert _is_refusal(refused.value)
    with api.of(PLATFORM_SCOPE).session() as session:
        session.execute(sa.insert(table).values(row))


def test_the_role_of_the_api_can_not_get_around_it(api: Database) -> None:
    with api.session() as session:
        row = session.execute(
            sa.text(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles "
                "WHERE rolname = current_user"
            )
        ).one()
        owned = session.scalar(
            sa.text("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole::oid")
        )
    assert tuple(row) == ("astra_api", False, False, False)
    assert owned == 0
    for forbidden in (
        "SET ROLE astra",
        "SET row_security = off; SELECT * FROM sessions",
        "ALTER TABLE sessions DISABLE ROW LEVEL SECURITY",
        "DROP POLICY sessions_tenant ON sessions",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "TRUNCATE sessions",
        "CREATE TABLE mine (x int)",
    ):
        with pytest.raises(sa.exc.DBAPIError), api.of(OURS).session() as session:
            session.execute(sa.text(forbidden))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", TABLES)
def test_without_a_tenant_nothing_is_visible(api: Database, name: str) -> None:
    assert _tenants_seen(api, TABLES[name]) == set()
    assert _tenants_seen(api.of(""), TABLES[name]) == set()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", TABLES)
def test_a_tenant_sees_its_own_rows_only(api: Database, name: str) -> None:
    expected = set() if name == "api_keys" else {OURS}
    assert _tenants_seen(api.of(OURS), TABLES[name]) == expected


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", TABLES)
def test_rows_of_another_tenant_can_not_be_written_changed_or_deleted(
    api: Database, platform: Platform, name: str
) -> None:
    table = TABLES[name]
    foreign = table.c.tenant_id == THEIRS
    takes_over = sa.update(table).values(tenant_id=THEIRS)
    for statement in (
        sa.insert(table).values(**_row(table, THEIRS)),
        sa.update(table).where(foreign).values(tenant_id=OURS),
        sa.delete(table).where(foreign),
        takes_over,
    ):
        try:
            with api.of(OURS).session() as session:
                changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
        except sa.exc.DBAPIError as error:
            changed = 0 if "append-only" in str(error) or _is_refusal(error) else -1
        assert changed == 0, statement
    with platform.database.session() as session:
        rows = session.execute(
            sa.select(table.c.tenant_id, sa.func.count()).group_by(table.c.tenant_id)
        ).all()
    assert sorted(map(tuple, rows)) == [(THEIRS, 1), (OURS, 1)]


@pytest.mark.usefixtures("filled")
def test_the_platform_scope_opens_the_outbox_and_nothing_else(api: Database, platform: Platform) -> None:
    opened = {name for name, table in TABLES.items() if _tenants_seen(api.of(PLATFORM_SCOPE), table)}
    assert opened == {"outbox"}
    assert outbox.relay(api.of(PLATFORM_SCOPE), platform.redis) == 2


def test_the_scope_ends_with_its_transaction(api: Database, make_tenant: MakeTenant) -> None:
    make_tenant(OURS)
    with api.of(OURS).session() as session:
        tenants.get(session, OURS)
    with api.engine.connect() as connection:  # the same pooled connection
        assert connection.scalar(sa.text("SELECT count(*) FROM tenants")) == 0


def test_a_key_is_found_by_who_presents_it_and_by_nobody_else(
    api: Database, platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant(OURS)
    with platform.database.session() as session:
        _, key = api_keys.issue(session, tenant_id=OURS, role="viewer", label="x")
        api_keys.issue(session, tenant_id=OURS, role="admin", label="y")
    with api.session() as session:
        assert api_keys.verify(session, key).role == "viewer"
        assert len(api_keys.listing(session)) == 1
    with pytest.raises(Unauthorized), api.session() as session:
        api_keys.verify(session, "astra_unknown")
    with api.of(OURS).session() as session:
        assert api_keys.listing(session) == []


def test_a_role_that_bypasses_row_security_is_refused(settings: Settings) -> None:
    database = Database(settings.database_url or "", row_security=True)
    with pytest.raises(BadConfiguration, match="ASTRA_API_DATABASE_URL"):
        database.ping()
    database.dispose()
    without = settings.model_copy(update={"api_database_url": None})
    with pytest.raises(BadConfiguration, match="ASTRA_API_DATABASE_URL"):
        Platform.open(without, for_api=True)


def test_an_owner_who_is_no_superuser_still_reaches_every_tenant(settings: Settings) -> None:
    """As on a hosted Postgres: FORCE holds for the owner too, so it has a policy of its own."""
    name = f"hosted_{uuid4().hex}"
    admin = sa.create_engine(normalise_url(settings.database_url or ""), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE ROLE {name} LOGIN NOSUPERUSER PASSWORD 'p'"))
        connection.execute(sa.text(f"CREATE DATABASE {name} OWNER {name}"))
    owner_url = admin.url.set(username=name, password="p", database=name)
    migrate(owner_url.render_as_string(hide_password=False))
    owner = Database(owner_url.render_as_string(hide_password=False))
    try:
        for tenant_id in (OURS, THEIRS):
            with owner.session() as session:
                tenants.create(session, tenant_id, display_name="X", country="es", wrapped_key=b"k")
        with owner.session() as session:
            assert [row.tenant_id for row in tenants.list_all(session)] == [THEIRS, OURS]
        as_api = Database(owner_url.render_as_string(hide_password=False), row_security=True)
        with pytest.raises(BadConfiguration):
            as_api.ping()
        as_api.dispose()
    finally:
        owner.dispose()
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
            connection.execute(sa.text(f"DROP ROLE {name}"))
        admin.dispose()
