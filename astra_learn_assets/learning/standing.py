"""Who is stuck: tenants that nothing moves any more without a person, or that nobody looks at.

Pure but for one query.

What counts: a training that is to start and does not, one that waits longer than its tier's patience allows
twice over, one whose process has given no sign of life, work that preparing runs did not change, examples
that failed too often or by a fault no retry changes, and changes that no sensor has looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.table_base import TenantColumn

START_WITHIN = timedelta(hours=1)
SIGN_WITHIN = timedelta(minutes=30)
PREPARED_WITHIN = timedelta(days=1)
LOOKED_WITHIN = timedelta(minutes=15)
_NEEDS_A_PERSON = ("attempts", "permanent")


@dataclass(frozen=True)
class Stuck:
    """A tenant that is stuck: in which way, since when, and what was said of it."""

    tenant_id: TenantId
    what: str
    since: datetime
    reason: str


@dataclass(frozen=True)
class Standing:
    """What is known of one tenant's lane (``code``, ``since``) or of one of its trainings (``state``)."""

    tenant_id: TenantId
    what: str  # a lane's name, "training", or "change"
    code: str
    since: datetime
    reason: str = ""
    alive_at: datetime | None = None
    patience_hours: float = 24.0


_STANDING = sa.text(
    """
    SELECT s.tenant_id, s.lane AS what, s.code, s.since, s.reason, CAST(NULL AS timestamptz) AS alive_at,
        i.patience_hours
    FROM learning_state s JOIN tenants t USING (tenant_id) JOIN tiers i USING (tier)
    WHERE t.retired_at IS NULL AND t.paused_at IS NULL AND t.wrapped_key IS NOT NULL
        AND s.code IN ('threshold', 'age', 'attempts', 'permanent', 'waiting')
    UNION ALL
    SELECT r.tenant_id, 'training', r.state, r.created_at, COALESCE(r.reason, ''),
        GREATEST(p.alive_at, r.created_at), i.patience_hours
    FROM training_runs r JOIN tenants t USING (tenant_id) JOIN tiers i USING (tier)
    LEFT JOIN training_progress p USING (run_id)
    WHERE r.state IN ('queued', 'training', 'evaluating') AND t.paused_at IS NULL
    UNION ALL
    SELECT c.tenant_id, 'change', c.lane, min(c.created_at), '', NULL, 24
    FROM learning_changes c JOIN tenants t USING (tenant_id)
    WHERE t.retired_at IS NULL AND t.wrapped_key IS NOT NULL
    GROUP BY c.tenant_id, c.lane
    """
).columns(tenant_id=TenantColumn)


def standing(session: orm.Session) -> list[Standing]:
    """Everything that could be stuck; one statement, and its size is that of what is under way."""
    return [Standing(**_values(row)) for row in session.execute(_STANDING).mappings()]


def stuck(rows: Iterable[Standing], now: datetime) -> list[Stuck]:
    """Those of ``rows`` that are stuck at ``now``, the oldest first."""
    found = [one for row in rows if (one := _of(row, now)) is not None]
    return sorted(found, key=lambda one: (one.since, one.tenant_id))


def _of(row: Standing, now: datetime) -> Stuck | None:
    age = now - row.since
    what: str | None = None
    if row.what == "change" and age > LOOKED_WITHIN:
        what = f"no sensor has looked at a change of the {row.code} lane: is the daemon running?"
    elif row.what == "training" and row.code == "queued" and age.total_seconds() > 7200 * row.patience_hours:
        what = "its training waits in the queue twice as long as its tier's patience"
    elif row.what == "training" and row.code != "queued" and now - (row.alive_at or row.since) > SIGN_WITHIN:
        what = "its training gives no sign of life"
    elif row.code in _NEEDS_A_PERSON:
        what = "nothing is tried again until a person has looked"
    elif row.what == "learn" and row.code in ("threshold", "age") and age > START_WITHIN:
        what = "its training is to start and does not"
    elif row.what == "prepare" and row.code == "waiting" and age > PREPARED_WITHIN:
        what = "its finals are not prepared"
    return None if what is None else Stuck(row.tenant_id, what, row.since, row.reason)


def _values(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in Standing.__dataclass_fields__}
