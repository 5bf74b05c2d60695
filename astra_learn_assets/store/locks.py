"""Locks of one tenant that last until the transaction ends."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm


def share(session: orm.Session, purpose: str, tenant_id: str) -> None:
    """As :func:`hold`, but beside others who share it: only who holds it has to wait, and is waited for."""
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"),
        {"name": f"astra:{purpose}:{tenant_id}"},
    )


def hold(session: orm.Session, purpose: str, tenant_id: str) -> None:
    """Wait until no other transaction holds ``purpose`` for this tenant, then hold it to the commit.

    Why order needs a lock: a sequence gives its numbers out when a row is *inserted*, rows are seen when
    they are *committed*. Without the lock a transaction may take seq 5, wait, and commit after another
    one's seq 6 was seen and acted upon; whoever asks for "everything above 6" then never sees 5. With it,
    per tenant, numbers become visible in the order in which they were given.
    """
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"astra:{purpose}:{tenant_id}"},
    )
