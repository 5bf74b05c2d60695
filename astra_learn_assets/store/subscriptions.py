"""Who is told of a municipality's learning, and the notices that wait to be sent to them.

A notice is a row of the outbox for each subscription, written in the transaction of what it tells of
(:func:`tell`), so it is sent if that happened and not otherwise. It carries facts alone: ids, counts and
the gate's sentence of figures; no name, no text of a document, no id of one (people name sessions after
people).

Sending is at least once. :func:`claim` takes one that is due and puts it off by a lease, so that a process
killed while it sends repeats it; the receiver tells by the notice's id. That id is random and no number of
ours: a database restored from a backup counts on from there, and would give a new notice the number of one
that its receiver has had. A notice that counts one document more before anybody was sent it is another one.

What fails waits longer each time, the receiver's other notices with it (one who does not answer is asked
once), and is given up after the last of ``PAUSES``. What waits for a host that cannot be reached is put off
with no attempt spent, whoever asked for it (:func:`put_off`): a dead mail server is waited for once, not once
a municipality.

Whoever removes a subscription while something is told of waits, or is waited for: :func:`tell` holds the
rows of those it writes to, and everybody locks a subscription before its notices.

Documents kept out are counted together for ``GATHERING``: a folder of forty scans is one message.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.errors import AlreadyExists, BadInput, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.learning_tables import Subscription
from astra_learn_assets.store.tables import Outbox

EVENTS: Final = ("promotion", "rejection", "hold", "rollback", "quarantine", "budget")
TEST: Final = "test"
GATHERING: Final = timedelta(minutes=10)
LEASE: Final = timedelta(minutes=2)
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
MAXIMUM: Final = 20  # subscriptions of one municipality


@dataclass(frozen=True)
class Notice:
    """One message to one address; ``attempt`` counts from 1. ``event_id`` is our row, and nobody else's."""

    event_id: int
    notice_id: str
    tenant_id: TenantId
    event: str
    facts: Mapping[str, Any]
    happened_at: datetime
    attempt: int
    subscription_id: str
    kind: str
    address: str
    sealed_secret: bytes | None
    host: str
    """Who is connected to for it: host and port of a webhook, empty for mail, which has one server."""


def add(
    session: orm.Session,
    tenant_id: TenantId,
    *,
    kind: str,
    address: str,
    events: Sequence[str],
    subscription_id: str,
    sealed_secret: bytes | None,
) -> Subscription:
    """Have ``address`` told of ``events``.

    Raises:
        BadInput: an unknown event, or too many subscriptions.
        AlreadyExists: the address has one.
        UnknownTenant: there is no such tenant.
    """
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise BadInput(f"unknown event {', '.join(unknown) or 'none'}: choose of {', '.join(EVENTS)}")
    present = listing(session, tenant_id)
    if any(row.kind == kind and row.address == address for row in present):
        raise AlreadyExists(f"{address} has a subscription already: remove it first")
    if len(present) >= MAXIMUM:
        raise BadInput(f"tenant {tenant_id} has {MAXIMUM} subscriptions: remove one first")
    row = Subscription(
        tenant_id=tenant_id,
        subscription_id=subscription_id,
        kind=kind,
        address=address,
        events=[event for event in EVENTS if event in events],
        sealed_secret=sealed_secret,
    )
    session.add(row)
    session.flush()
    return row


def new_id() -> str:
    """An id that none has."""
    return f"sub-{secrets.token_hex(6)}"


def listing(session: orm.Session, tenant_id: TenantId) -> list[Subscription]:
    """The municipality's subscriptions, oldest first."""
    return list(session.scalars(_listed(tenant_id)))


def _listed(tenant_id: TenantId) -> sa.Select[Subscription]:
    return (
        sa.select(Subscription)
        .where(Subscription.tenant_id == tenant_id)
        .order_by(Subscription.created_at, Subscription.subscription_id)
    )


def waiting(session: orm.Session, tenant_id: TenantId) -> dict[str, int]:
    """How many notices wait, by subscription."""
    rows = session.execute(
        sa.select(Outbox.subscription_id, sa.func.count())
        .where(
            Outbox.tenant_id == tenant_id,
            Outbox.subscription_id.is_not(None),
            Outbox.published_at.is_(None),
        )
        .group_by(Outbox.subscription_id)
    )
    return {str(subscription_id): int(count) for subscription_id, count in rows}


def remove(session: orm.Session, tenant_id: TenantId, subscription_id: str) -> Subscription:
    """End a subscription; what waits to be sent to it goes with it.

    Raises:
        NotFound: the municipality has no such subscription.
    """
    row = session.get(Subscription, (tenant_id, subscription_id))
    if row is None:
        raise NotFound(f"tenant {tenant_id!r} has no subscription {subscription_id!r:.40}")
    session.delete(row)
    session.flush()
    return row


def tell(
    session: orm.Session,
    tenant_id: TenantId,
    event: str,
    facts: Mapping[str, Any],
    *,
    only: str | None = None,
) -> int:
    """Write a notice for each who asked for ``event`` into the caller's transaction; returns how many.

    ``only``: for this subscription, whatever it asked for.
    """
    told = 0
    # held until the caller's transaction ends: a subscription removed meanwhile would take the row that a new
    # notice refers to, and whatever is being told of, a promotion, would fail by it
    held = session.scalars(_listed(tenant_id).with_for_update(read=True, key_share=True))
    for row in held.all():
        if row.subscription_id != only if only is not None else event not in row.events:
            continue
        told += 1
        if event == "quarantine" and _counted_with_another(session, row):
            continue
        gathers = event == "quarantine"
        now = sa.func.now()
        session.execute(
            sa.insert(Outbox).values(
                tenant_id=tenant_id,
                channel=event,
                payload={**facts, "documents": 1} if gathers else dict(facts),
                subscription_id=row.subscription_id,
                notice_id=_NEW_ID,
                due_at=now + GATHERING if gathers else now,
            )
        )
    return told


def _counted_with_another(session: orm.Session, row: Subscription) -> bool:
    """Whether a notice of the same kind that nobody has tried to send yet now counts one document more."""
    count = sa.cast(Outbox.payload["documents"].astext, sa.Integer) + 1
    changed = session.execute(
        sa.update(Outbox)
        .where(
            Outbox.tenant_id == row.tenant_id,
            Outbox.subscription_id == row.subscription_id,
            Outbox.channel == "quarantine",
            Outbox.attempts == 0,
            Outbox.published_at.is_(None),
        )
        .values(payload=sa.func.jsonb_build_object("documents", count), notice_id=_NEW_ID)
        .returning(Outbox.event_id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


_NEW_ID = sa.func.gen_random_uuid()
_HOST = sa.case(
    (Subscription.kind == "email", ""),
    else_=sa.func.lower(sa.func.substring(Subscription.address, sa.cast("^[^:]*://([^/?#]*)", sa.Text))),
)


def claim(
    session: orm.Session,
    now: datetime,
    *,
    not_hosts: Collection[str] = (),
    not_subscriptions: Collection[str] = (),
) -> Notice | None:
    """The notice that is due for the longest, put off by a lease; None when none is.

    ``not_hosts``, ``not_subscriptions``: what waits for these is passed over.
    """
    due = (
        sa.select(Outbox.event_id)
        .join(
            Subscription,
            sa.and_(
                Subscription.tenant_id == Outbox.tenant_id,
                Subscription.subscription_id == Outbox.subscription_id,
            ),
        )
        .where(
            Outbox.published_at.is_(None),
            Outbox.due_at <= now,
            _HOST.not_in(list(not_hosts)),
            Outbox.subscription_id.not_in(list(not_subscriptions)),
        )
        .order_by(Outbox.due_at, Outbox.event_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Outbox)
    )
    found = session.execute(
        sa.update(Outbox)
        .where(Outbox.event_id == due.scalar_subquery())
        .values(attempts=Outbox.attempts + 1, due_at=now + LEASE)
        .returning(
            Outbox.event_id,
            Outbox.notice_id,
            Outbox.tenant_id,
            Outbox.channel,
            Outbox.payload,
            Outbox.created_at,
            Outbox.attempts,
            Outbox.subscription_id,
        )
        .execution_options(synchronize_session=False)
    ).first()
    if found is None:
        return None
    to, host = session.execute(
        sa.select(Subscription, _HOST).where(
            Subscription.tenant_id == found.tenant_id,
            Subscription.subscription_id == found.subscription_id,
        )
    ).one()  # a notice goes with its subscription
    return Notice(
        event_id=found.event_id,
        notice_id=str(found.notice_id),
        tenant_id=found.tenant_id,
        event=found.channel,
        facts=found.payload,
        happened_at=found.created_at,
        attempt=found.attempts,
        subscription_id=to.subscription_id,
        kind=to.kind,
        address=to.address,
        sealed_secret=to.sealed_secret,
        host=host,
    )


def delivered(session: orm.Session, notice: Notice) -> None:
    """Note that the receiver has it."""
    _note(session, notice, failing_since=None, error=None)
    _set(session, notice, published_at=sa.func.clock_timestamp())


def failed(session: orm.Session, notice: Notice, error: str, now: datetime) -> int:
    """Note that the receiver does not have it; how many notices are given up by that.

    Everything else for this receiver waits as long: it is asked once, not once a notice. With the last
    attempt whatever waited for all the pauses is given up too: a dead receiver's queue would grow for ever
    if each notice had its own days.
    """
    given_up = 0
    _note(session, notice, failing_since=sa.func.coalesce(Subscription.failing_since, now), error=error)
    if notice.attempt <= len(PAUSES):
        until = now + PAUSES[notice.attempt - 1]
        _set(session, notice, due_at=until)
        session.execute(
            sa.update(Outbox)
            .where(*_waiting_like(notice), Outbox.due_at < until)
            .values(due_at=until)
            .execution_options(synchronize_session=False)
        )
    else:
        _set(session, notice, published_at=sa.func.clock_timestamp(), error=error)
        given_up = 1 + _give_up_old(session, notice, error, now)
    return given_up


def _give_up_old(session: orm.Session, notice: Notice, error: str, now: datetime) -> int:
    old = session.execute(
        sa.update(Outbox)
        .where(*_waiting_like(notice), Outbox.created_at < now - sum(PAUSES, timedelta()))
        .values(published_at=sa.func.clock_timestamp(), error=error)
        .returning(Outbox.event_id)
        .execution_options(synchronize_session=False)
    )
    return len(old.all())


def _waiting_like(notice: Notice) -> tuple[sa.ColumnElement[bool], ...]:
    """What waits for the receiver of ``notice``, itself included."""
    return (
        Outbox.tenant_id == notice.tenant_id,
        Outbox.subscription_id == notice.subscription_id,
        Outbox.published_at.is_(None),
    )


def put_off(session: orm.Session, host: str, now: datetime) -> None:
    """Have whatever waits for ``host`` wait for the first of the pauses, with no attempt spent."""
    until = now + PAUSES[0]
    session.execute(
        sa.update(Outbox)
        .where(
            Outbox.tenant_id == Subscription.tenant_id,
            Outbox.subscription_id == Subscription.subscription_id,
            Outbox.published_at.is_(None),
            Outbox.due_at < until,
            _HOST.in_([host]),
        )
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )


def _set(session: orm.Session, notice: Notice, **values: Any) -> None:
    session.execute(
        sa.update(Outbox)
        .where(Outbox.event_id == notice.event_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _note(session: orm.Session, notice: Notice, **values: Any) -> None:
    session.execute(
        sa.update(Subscription)
        .where(
            Subscription.tenant_id == notice.tenant_id,
            Subscription.subscription_id == notice.subscription_id,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
