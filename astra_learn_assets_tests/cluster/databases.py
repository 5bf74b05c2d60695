"""A database of a test's own on the Postgres that all tests share."""

from __future__ import annotations

import sqlalchemy as sa

from astra_learn_assets.store.db import normalise_url


def new_database(url: str, name: str) -> str:
    """An empty database beside the one that ``url`` names; its URL."""
    server = normalise_url(url)
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    finally:
        engine.dispose()
    return str(server.set(database=name).render_as_string(hide_password=False))
