"""The Postgres connection: one engine per process, one transaction per ``with`` block.

Call::

    with database.session() as session:
        tenants.get(session, "villaverde")

The block commits when it ends and rolls back when it raises. A server that does not answer is
:class:`Unavailable`, so a caller can tell "try again" from "this is wrong".

Row-level security is the second wall between municipalities. A process that opens the database with
``row_security=True`` (the API) must come as a role that cannot get around it, and sees the rows of one
tenant per transaction::

    with database.of("villaverde").session() as session: ...

Without :meth:`Database.of` it sees nothing, so a forgotten scope is an empty answer and not a leak.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.engine import URL, make_url

from astra_learn_assets.errors import BadConfiguration, Unavailable, UnknownTenant
from astra_learn_assets.ids import TenantId

Scope = TenantId | Literal["*"]
MIGRATIONS = Path(__file__).parent / "migrations"
# Dagster's own tables may live in the same database and use alembic_version for themselves.
VERSION_TABLE = "astra_schema_version"
PLATFORM_SCOPE: Final = "*"  # the outbox of every tenant, and audit lines without a tenant; no other rows
_MIGRATION_LOCK = 0x41535452  # "ASTR": any constant, the same in every process
# SQLSTATE classes of a server that is going away, full or not ready (08, 53, 57P)
_AWAY = ("08", "53", "57P")
_INSUFFICIENT_PRIVILEGE = "42501"
_BYPASSES = """
    SELECT rolsuper OR rolbypassrls OR EXISTS (
        SELECT FROM pg_class
        WHERE oid = to_regclass('tenants') AND pg_has_role(current_user, relowner, 'MEMBER')
    ) FROM pg_roles WHERE rolname = current_user
"""


def normalise_url(url: str) -> URL:
    """``url`` as ``postgresql+psycopg2://``.

    SQLAlchemy resolves a bare ``postgresql://`` to another driver than the one we install, and hosting
    providers hand out ``postgres://``.

    Raises:
        BadConfiguration: when it is not a Postgres URL.
    """
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise BadConfiguration(
            "the database URL cannot be read: expected postgresql://user:password@host:port/database"
        ) from error
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg2"}:
        raise BadConfiguration(
            f"the database URL names {parsed.drivername!r}: only Postgres works, "
            "as postgresql://user:password@host:port/database"
        )
    return parsed.set(drivername="postgresql+psycopg2")


def is_away(error: sa.exc.DBAPIError) -> bool:
    """Whether ``error`` says that the server cannot be reached now (and not that the query is wrong)."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, sa.exc.OperationalError):
        return False
    code = getattr(error.orig, "pgcode", None)
    return code is None or code.startswith(_AWAY)


def _names_no_tenant(error: sa.exc.DBAPIError) -> bool:
    """A row was refused because its tenant does not exist: nobody has to ask before every write."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    return isinstance(error, sa.exc.IntegrityError) and bool(re.fullmatch(r"fk_\w+_tenant_id", constraint))


class Database:
    """A pool of connections to one database; safe to share between threads."""

    def __init__(self, url: str, *, pool_size: int = 5, row_security: bool = False) -> None:
        self._url = normalise_url(url)
        self._scope: Scope | None = None
        self.engine = sa.create_engine(
            self._url,
            pool_pre_ping=True,  # a restarted server costs one retry, not one failed request
            pool_size=pool_size,
            max_overflow=10,
            pool_timeout=10,
            connect_args={"connect_timeout": 5, "application_name": "astra-learn"},
        )
        if row_security:
            sa.event.listen(self.engine, "connect", _require_row_security)
            sa.event.listen(self.engine, "connect", _answer_at_once)
        self._sessions = orm.sessionmaker(self.engine, expire_on_commit=False)
        sa.event.listen(self._sessions, "after_begin", _enter_scope)

    @property
    def url(self) -> str:
        """The URL with its password, for subprocesses; never log it."""
        return self._url.render_as_string(hide_password=False)

    def of(self, scope: Scope) -> Database:
        """The same pool, with every transaction scoped to a tenant (or :data:`PLATFORM_SCOPE`).

        For a role under row-level security that decides which rows exist; for the owner's it does nothing.
        """
        scoped = copy.copy(self)
        scoped._scope = scope
        return scoped

    @contextmanager
    def session(self) -> Iterator[orm.Session]:
        """One transaction.

        Raises:
            Unavailable: when Postgres does not answer.
            BadConfiguration: row security is asked for and the role could get around it.
        """
        session = self._sessions(info={"scope": self._scope})
        try:
            yield session
            session.commit()
        except sa.exc.DBAPIError as error:
            session.rollback()
            if is_away(error):
                raise Unavailable(f"Postgres at {self._url!r} does not answer") from error
            if _names_no_tenant(error):
                raise UnknownTenant("no such tenant: add it with 'astra-learn tenant add'") from error
            raise
        except sa.exc.TimeoutError as error:  # the pool is exhausted
            session.rollback()
            raise Unavailable("all database connections are in use; try again") from error
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def ping(self) -> None:
        """Ask the server for an answer.

        Raises:
            Unavailable: when it gives none.
        """
        with self.session() as session:
            session.execute(sa.text("SELECT 1"))

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _enter_scope(session: orm.Session, _transaction: object, connection: sa.Connection) -> None:
    """SET LOCAL: the setting ends with the transaction, so a pooled connection carries no tenant on."""
    if (scope := session.info["scope"]) is not None:
        connection.exec_driver_sql("SELECT set_config('astra.tenant_id', %s, true)", (scope,))


def _require_row_security(connection: Any, _record: object) -> None:
    """Refuse a new connection whose role is a superuser, has BYPASSRLS or owns the tables."""
    with connection.cursor() as cursor:
        cursor.execute(_BYPASSES)
        bypasses = cursor.fetchone()[0]
    connection.rollback()
    if bypasses:
        raise BadConfiguration(
            "the API's database role can bypass row-level security: let ASTRA_API_DATABASE_URL name a role "
            "that only has the rights of astra_api (CREATE ROLE ... LOGIN IN ROLE astra_api)"
        )


def _answer_at_once(connection: Any, _record: object) -> None:
    """Plan for somebody who waits: helpers of a query and its compilation take longer to start than any
    question of a page takes, and one person's page is no reason to take the others' processors."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
    connection.commit()


def migrate(url: str) -> None:
    """Bring the schema at ``url`` to the newest version (``alembic upgrade head``).

    Two processes at once are safe: the advisory lock lets one migrate while the other waits and then
    finds nothing to do. All in one transaction, so a failed migration leaves the old schema.

    Raises:
        Unavailable: when Postgres does not answer.
        BadConfiguration: when ``url`` is not a Postgres URL, or its user may not change the schema.
    """
    from alembic import command  # slow to import, needed once per process at most
    from alembic.config import Config

    database = Database(url, pool_size=1)
    try:
        with database.engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        if is_away(error):
            raise Unavailable(f"Postgres at {database._url!r} does not answer") from error
        if getattr(error.orig, "pgcode", None) == _INSUFFICIENT_PRIVILEGE:
            raise BadConfiguration(f"cannot migrate: {error.orig}") from error
        raise
    finally:
        database.dispose()
