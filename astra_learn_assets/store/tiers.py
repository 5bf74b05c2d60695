"""What each tier may use, and the times in which nothing is trained: rows, so that no release is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.errors import BadInput, Conflict, NotFound
from astra_learn_assets.store.hours import Hours
from astra_learn_assets.store.learning_tables import Maintenance, Tier
from astra_learn_assets.store.tables import Tenant

STANDARD = "standard"
# what a database begins with; the first migration that has tiers writes the same
DEFAULTS: tuple[dict[str, Any], ...] = (
    {"tier": STANDARD, "weekly_quota": 7, "patience_hours": 24.0},
    {"tier": "premium", "weekly_quota": 28, "patience_hours": 4.0},
)
_LONGEST_NAME = 20


class Unset:
    """What was not said, where None says something."""


UNSET: Final = Unset()


def listing(session: orm.Session) -> list[Tier]:
    """Every tier by name."""
    return list(session.scalars(sa.select(Tier).order_by(Tier.tier)))


def get(session: orm.Session, tier: str) -> Tier:
    """One tier.

    Raises:
        NotFound: there is none of this name; the message lists those there are.
    """
    row = session.get(Tier, tier)
    if row is None:
        known = ", ".join(one.tier for one in listing(session)) or "none"
        raise NotFound(f"no tier {tier!r:.40}: there are {known}; 'astra-learn tier set' makes one")
    return row


def put(
    session: orm.Session,
    tier: str,
    *,
    weekly_quota: int | None = None,
    gpu_minutes_month: float | Unset | None = UNSET,
    patience_hours: float | None = None,
    training_hours: str | Unset | None = UNSET,
) -> Tier:
    """Make a tier, or change what is named of it; None takes a budget or the hours away.

    A new tier begins with what ``standard`` begins with.

    Raises:
        BadInput: a negative quota or budget, a patience that is no time, hours that never open.
    """
    name = tier.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or name != tier:
        raise BadInput(f"invalid tier {tier!r:.40}: use 1 to {_LONGEST_NAME} characters, no blanks around")
    given: dict[str, Any] = {"weekly_quota": weekly_quota, "patience_hours": patience_hours}
    values = {key: value for key, value in given.items() if value is not None}
    if not isinstance(gpu_minutes_month, Unset):
        values["gpu_minutes_month"] = gpu_minutes_month
    if not isinstance(training_hours, Unset):
        values["training_hours"] = None if training_hours is None else str(Hours.parse(training_hours))
    check(values)
    session.execute(
        insert(Tier).values({**DEFAULTS[0], "tier": name}).on_conflict_do_nothing(index_elements=["tier"])
    )
    row = session.get_one(Tier, name, with_for_update=True)
    for column, value in values.items():
        setattr(row, column, value)
    session.flush()
    return row


def remove(session: orm.Session, tier: str) -> None:
    """Take a tier away.

    Raises:
        NotFound: there is none.
        Conflict: it is the standard one, or municipalities have it.
    """
    row = get(session, tier)
    used = session.scalar(sa.select(sa.func.count()).select_from(Tenant).where(Tenant.tier == tier)) or 0
    if tier == STANDARD or used:
        why = "new municipalities begin with it" if tier == STANDARD else f"{used} municipalities have it"
        raise Conflict(f"tier {tier!r} stays: {why}")
    try:
        with session.begin_nested():
            session.delete(row)
    except sa.exc.IntegrityError:  # who sees no municipality's row cannot count them
        raise Conflict(f"tier {tier!r} stays: municipalities have it") from None


def check(values: dict[str, Any]) -> None:
    """Refuse what cannot be a quota, a budget or a patience.

    Raises:
        BadInput: naming it.
    """
    quota, budget, patience = (
        values.get(name) for name in ("weekly_quota", "gpu_minutes_month", "patience_hours")
    )
    if quota is not None and not 0 <= quota <= 1_000:
        raise BadInput(f"invalid quota {quota}: trainings a week, 0 to 1000 (0 stops them)")
    if budget is not None and not 0 <= budget < 1_000_000:
        raise BadInput(f"invalid budget {budget:g}: GPU minutes a month, 0 to 1000000 (0 stops trainings)")
    if patience is not None and not 0 < patience <= 24 * 30:
        raise BadInput(f"invalid patience {patience:g}: hours, more than 0 and at most 720")


def maintain(session: orm.Session, starts_at: datetime, ends_at: datetime, reason: str) -> Maintenance:
    """Announce a time in which no training starts.

    Raises:
        BadInput: it ends before it begins, a time has no zone, or there is no reason.
    """
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise BadInput("a maintenance needs times with a time zone, for example 2026-12-01T22:00Z")
    if ends_at <= starts_at:
        raise BadInput(f"the maintenance would end ({ends_at:%F %R}) before it begins ({starts_at:%F %R})")
    words = " ".join(reason.split())
    if not words or not words.isprintable() or len(words) > 200:
        raise BadInput(
            "a maintenance needs a reason of 1 to 200 characters, for example 'new driver on the GPU nodes'"
        )
    row = Maintenance(starts_at=starts_at, ends_at=ends_at, reason=words)
    session.add(row)
    session.flush()
    return row


def maintenances(session: orm.Session, now: datetime) -> list[Maintenance]:
    """Those that are not over at ``now``, by their beginning."""
    query = sa.select(Maintenance).where(Maintenance.ends_at > now).order_by(Maintenance.starts_at)
    return list(session.scalars(query))


def end_maintenance(session: orm.Session, maintenance_id: int, now: datetime) -> None:
    """End one that is under way, or call one off.

    Raises:
        NotFound: there is none that is not over.
    """
    row = session.get(Maintenance, maintenance_id)
    if row is None or row.ends_at <= now:
        raise NotFound(f"no maintenance {maintenance_id} that is not over")
    if row.starts_at >= now:
        session.delete(row)
    else:
        row.ends_at = now
