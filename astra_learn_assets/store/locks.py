"""Locks of one tenant that last until the transaction ends."""

from __future__ import annotations

from sqlalchemy import orm


def share(session: orm.Session, purpose: str, subject: str) -> None:
    """As :func:`hold`, but beside others who share it: only who holds it has to wait, and is waited for."""
    _lock(session, "pg_advisory_xact_lock_shared", purpose, subject)


def hold(session: orm.Session, purpose: str, subject: str) -> None:
    """Wait until no other transaction holds ``purpose`` for ``subject``, then hold it to the commit.

    ``subject``: the id of a tenant, or of an adapter.

    Why order needs a lock: a sequence gives its numbers out when a row is *inserted*, rows are seen when
    they are *committed*. Without the lock a transaction may take seq 5, wait, and commit after another
    one's seq 6 was seen and acted upon; whoever asks for "everything above 6" then never sees 5. With it,
    per tenant, numbers become visible in the order in which they were given.
    """
    _lock(session, "pg_advisory_xact_lock", purpose, subject)


def _lock(session: orm.Session, function: str, purpose: str, subject: str) -> None:
    name = f"astra:{purpose}:{subject}"
    session.connection().exec_driver_sql(f"SELECT {function}(hashtextextended(%s, 0))", (name,))
