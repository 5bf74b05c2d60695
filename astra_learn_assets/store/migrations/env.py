"""Alembic's entry point. ``store.db.migrate`` hands over an open connection that holds the lock.

For a developer, ``alembic -c astra_learn_assets/store/migrations/alembic.ini revision --autogenerate``
connects to ``ASTRA_DATABASE_URL`` instead.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store.db import VERSION_TABLE, Database
from astra_learn_assets.store.tables import Tenant


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Tenant.metadata, version_table=VERSION_TABLE, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_from_command_line() -> None:
    url = get_settings().database_url
    if url is None:
        raise BadConfiguration("set ASTRA_DATABASE_URL to the database to migrate")
    database = Database(url, pool_size=1)
    try:
        with database.engine.begin() as connection:
            _run(connection)
    finally:
        database.dispose()


_handed_over = context.config.attributes.get("connection")
if _handed_over is None:
    _run_from_command_line()
else:
    _run(_handed_over)
