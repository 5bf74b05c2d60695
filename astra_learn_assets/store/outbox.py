"""Events that are published because they were committed, and not otherwise.

The row is written in the transaction of the change it tells of. :func:`relay` publishes what waits:
at least once (a crash between publishing and noting it repeats the event, so messages carry a
version), and in order for each tenant.

A published event has done its work: readers that missed it catch up by version. It still holds the names it
told of, so :func:`purge` forgets it a while later; an event that waits is never forgotten.

Notices to people's addresses lie in the same table (:mod:`subscriptions` writes and claims them); here they
are only forgotten, with the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import locks
from astra_learn_assets.store.db import Database
from astra_learn_assets.store.tables import Outbox

if TYPE_CHECKING:
    import redis

CHANNEL_DICTIONARY = "DICTIONARY_UPDATED"
_RELAY_LOCK = 0x41535458  # any constant, the same in every process
_LOCK_NOT_AVAILABLE = "55P03"
_WAITING = (Outbox.published_at.is_(None), Outbox.subscription_id.is_(None))


def enqueue(session: orm.Session, tenant_id: TenantId, channel: str, payload: Mapping[str, Any]) -> None:
    """Write an event into the caller's transaction."""
    locks.hold(session, "outbox", tenant_id)
    session.execute(sa.insert(Outbox).values(tenant_id=tenant_id, channel=channel, payload=dict(payload)))


def relay(
    database: Database,
    redis: redis.Redis,  # type: ignore[type-arg]  # generic in some stubs only
    limit: int = 500,
    *,
    waiting: Callable[[int], object] | None = None,
) -> int:
    """Publish up to ``limit`` waiting events; returns how many. ``waiting`` is told how many are left.

    Redis away: the rest waits for the next relay; no error, :func:`backlog` shows it. An event that
    Redis refuses holds back the later ones of its tenant only. Several relays at once take turns.

    Raises:
        Unavailable: Postgres does not answer.
    """
    from redis.exceptions import RedisError, ResponseError

    with database.session() as session:
        if not _our_turn(session):
            return 0
        events = session.execute(
            sa.select(Outbox.event_id, Outbox.tenant_id, Outbox.channel, Outbox.payload)
            .where(*_WAITING)
            .order_by(Outbox.event_id)
            .limit(limit)
        ).all()
        published: list[int] = []
        held_back: set[str] = set()
        for event in events:
            if event.tenant_id in held_back:
                continue
            try:
                redis.publish(event.channel, json.dumps(event.payload, ensure_ascii=False))
            except ResponseError:
                held_back.add(event.tenant_id)
            except (RedisError, OSError):
                break
            else:
                published.append(event.event_id)
        if published:
            session.execute(
                sa.update(Outbox)
                .where(Outbox.event_id.in_(published))
                .values(published_at=sa.func.clock_timestamp())
            )
        if waiting is not None:
            left = len(events) - len(published)
            waiting(left if len(events) < limit else backlog(session))
        return len(published)


def backlog(session: orm.Session) -> int:
    """How many events wait."""
    count = session.scalar(sa.select(sa.func.count()).select_from(Outbox).where(*_WAITING))
    return int(count or 0)


def purge(session: orm.Session, older_than: timedelta, *, limit: int = 1_000) -> int:
    """Forget up to ``limit`` events published longer ago than ``older_than``, oldest first; returns how many.

    By Postgres' clock, which noted when they were published. Rows that another process holds (a purge, an
    erasure) are left to it. The API's role may not delete events: this is for the owner of the tables.
    """
    old = (
        sa.select(Outbox.event_id)
        .where(Outbox.published_at < sa.func.now() - older_than)
        .order_by(Outbox.published_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = session.scalars(sa.delete(Outbox).where(Outbox.event_id.in_(old)).returning(Outbox.event_id))
    return len(gone.all())


def _our_turn(session: orm.Session) -> bool:
    """Wait a little for another relay to end; with two at once a tenant's events could overtake."""
    try:
        session.connection().exec_driver_sql(
            "SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_xact_lock(%s)", (_RELAY_LOCK,)
        )
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
            raise
        session.rollback()
        return False
    return True
