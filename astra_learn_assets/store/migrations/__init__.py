"""Alembic migrations: the one way a table comes to exist. Run by ``store.db.migrate``.

May import ``store.tables`` and ``store.db``. Knows no query and no rule of the loop.
"""
