"""A look at many municipalities at once: whom to look at, what is so of them, what was decided.

:func:`claim` takes those something changed for, those whose time has come, and those that were decided on
under other rules. It deletes the changes it takes *before* the facts are read, in one transaction with what
is decided: a change that commits meanwhile is seen now or stays for the next look, and a look that is lost
takes nothing. :func:`training_facts` and :func:`prepare_facts` are one statement each, however many are
looked at; what they read grows with what waits, not with what ever was. Examples are counted again only where
something changed: a look at a thousand municipalities that wait for a card counts none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.learning_tables import LearningState
from astra_learn_assets.store.table_base import TenantColumn

Lane = Literal["prepare", "learn"]
COUNTED_MOST = 10_000
"""So many waiting examples are counted: twenty thresholds. No import of years makes a look long."""


@dataclass(frozen=True)
class Claimed:
    """A municipality to look at.

    ``policy``: the fingerprint it was looked at under, None when that must be made anew from ``country``,
    ``terms`` ((term, action) of the blocklist) and ``roster``. ``changed``: something was noted of it since
    it was looked at, or it never was; else what ``facts`` say of its examples still holds. ``weekly_quota``
    to ``maintenance``: what its tier and its own row allow, and the (end, reason) of a maintenance under way.
    ``code``, ``since``: what was decided last. ``rules``: the fingerprint of all that is decided under.
    """

    tenant_id: TenantId
    tier: str
    paused: str | None
    weekly_quota: int
    gpu_minutes_month: float | None
    patience_hours: float
    training_hours: str | None
    maintenance: tuple[datetime, str] | None
    rules: str
    code: str | None
    since: datetime | None
    by_age: bool
    facts: dict[str, Any]
    changed: bool
    policy: str | None
    country: str
    terms: tuple[tuple[str, str], ...]
    roster: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """What a look leaves behind of a municipality; ``look_at`` None: only a change brings it back."""

    tenant_id: TenantId
    code: str
    reason: str
    look_at: datetime | None
    rules: str
    policy: str | None
    by_age: bool
    facts: dict[str, Any]


# Those something changed for and those whose time has come have shares of their own: neither a busy day nor
# a long queue keeps the other waiting. In each the one that was looked at longest ago comes first. The rules'
# fingerprint is made here, from the caller's part and the rows of tiers and maintenance.
_RULES = """
    SELECT substr(md5(:rules || COALESCE((SELECT string_agg(tiers::text, ',' ORDER BY tier) FROM tiers), '')
            || COALESCE((SELECT string_agg(m::text, ',' ORDER BY maintenance_id) FROM maintenance m
                WHERE ends_at > :now), '')), 1, 16) AS rules
"""
_CLAIM = """
    WITH r AS MATERIALIZED ({rules}), turn AS MATERIALIZED (SELECT {turn} AS ours), changed AS (
        SELECT tenant_id, bool_or(policy) AS policy FROM learning_changes
        WHERE lane = :lane GROUP BY tenant_id
    ), due AS (
        SELECT t.tenant_id, {anew} AS anew, {changed} AS changed,
            row_number() OVER (
                PARTITION BY c.tenant_id IS NULL ORDER BY s.looked_at NULLS FIRST, t.tenant_id
            ) AS place
        FROM r CROSS JOIN tenants t
        LEFT JOIN learning_state s ON s.tenant_id = t.tenant_id AND s.lane = :lane
        LEFT JOIN changed c ON c.tenant_id = t.tenant_id
        WHERE (SELECT ours FROM turn) AND t.wrapped_key IS NOT NULL AND t.retired_at IS NULL AND {which}
    ), chosen AS (
        SELECT * FROM due WHERE place <= :limit
    ){take}
    SELECT t.tenant_id, t.tier, s.code, s.since, t.country, r.rules,
        COALESCE(t.weekly_quota, tiers.weekly_quota) AS weekly_quota,
        COALESCE(t.gpu_minutes_month, tiers.gpu_minutes_month) AS gpu_minutes_month,
        tiers.patience_hours, tiers.training_hours,
        CASE WHEN t.paused_at IS NOT NULL THEN COALESCE(t.paused_reason, '') END AS paused,
        (SELECT jsonb_build_array(max(ends_at), string_agg(reason, '; ')) FROM maintenance
            WHERE starts_at <= :now AND ends_at > :now) AS maintenance,
        COALESCE(s.by_age, false) AS by_age, COALESCE(s.facts, '{{}}') AS facts, c.changed,
        CASE WHEN c.anew THEN NULL ELSE s.policy END AS policy,
        CASE WHEN c.anew THEN (
            SELECT jsonb_agg(jsonb_build_array(b.term, b.action)) FROM blocklist b
            WHERE b.tenant_id = t.tenant_id
        ) END AS terms,
        CASE WHEN c.anew THEN (
            SELECT jsonb_agg(DISTINCT name) FROM sessions, jsonb_array_elements(roster) AS name
            WHERE sessions.tenant_id = t.tenant_id
        ) END AS roster
    FROM chosen c
    CROSS JOIN r
    JOIN tenants t ON t.tenant_id = c.tenant_id
    JOIN tiers ON tiers.tier = t.tier
    LEFT JOIN learning_state s ON s.tenant_id = c.tenant_id AND s.lane = :lane
    ORDER BY c.place, t.tenant_id
"""
_DUE = """(
    c.tenant_id IS NOT NULL OR s.tenant_id IS NULL OR s.look_at <= :now OR s.rules <> r.rules
    OR s.looked_at > CAST(:now AS timestamptz) + interval '5 minutes'  -- the clock was put back
)"""
_TAKE = """, gone AS (
    DELETE FROM learning_changes l WHERE (SELECT ours FROM turn) AND l.lane = :lane AND (
        l.tenant_id IN (SELECT tenant_id FROM chosen)
        OR NOT EXISTS (  -- erased, retired
            SELECT FROM tenants t
            WHERE t.tenant_id = l.tenant_id AND t.wrapped_key IS NOT NULL AND t.retired_at IS NULL
        )
    )
)"""
# Two daemons that looked at once would each begin a training: who comes second looks at nothing.
# What the look itself writes it has taken into account: the triggers need not note it (astra.looking).
_TURN = """pg_try_advisory_xact_lock(hashtextextended('astra:look:' || :lane, 0))
    AND set_config('astra.looking', 'on', true) = 'on'"""
_CHANGED = "c.tenant_id IS NOT NULL OR s.tenant_id IS NULL"
_ANEW = "s.policy IS NULL OR s.rules <> r.rules OR COALESCE(c.policy, false)"
_ONE = "t.tenant_id = CAST(:tenant AS text)"
_LOOK = sa.text(
    _CLAIM.format(rules=_RULES, turn=_TURN, which=_DUE, take=_TAKE, anew=_ANEW, changed=_CHANGED)
).columns(tenant_id=TenantColumn)
_ASK = sa.text(
    _CLAIM.format(rules=_RULES, turn="true", which=_ONE, take="", anew="s.policy IS NULL", changed="true")
).columns(tenant_id=TenantColumn)


def claim(session: orm.Session, lane: Lane, *, now: datetime, rules: str, limit: int) -> list[Claimed]:
    """Whom to look at: at most ``limit`` that changed and ``limit`` whose time has come.

    ``rules``: the fingerprint of the caller's part of the rules. Empty as well while another looks.
    """
    return _claimed(session.execute(_LOOK, {"lane": lane, "now": now, "rules": rules, "limit": limit}))


def ask(session: orm.Session, lane: Lane, tenant_id: TenantId, *, now: datetime) -> Claimed | None:
    """One municipality as a look would find it; nothing is taken. None when there is none to look at."""
    values = {"lane": lane, "now": now, "rules": "", "limit": 1, "tenant": str(tenant_id)}
    return next(iter(_claimed(session.execute(_ASK, values))), None)


def _claimed(rows: Iterable[sa.Row[Any]]) -> list[Claimed]:
    return [
        Claimed(
            tenant_id=row.tenant_id,
            tier=row.tier,
            paused=row.paused,
            weekly_quota=row.weekly_quota,
            gpu_minutes_month=row.gpu_minutes_month,
            patience_hours=row.patience_hours,
            training_hours=row.training_hours,
            maintenance=None
            if row.maintenance[0] is None
            else (datetime.fromisoformat(row.maintenance[0]), str(row.maintenance[1])),
            rules=row.rules,
            code=row.code,
            since=row.since,
            by_age=row.by_age,
            facts=row.facts,
            changed=row.changed,
            policy=row.policy,
            country=row.country,
            terms=tuple((term, action) for term, action in row.terms or ()),
            roster=tuple(row.roster or ()),
        )
        for row in rows
    ]


# What keeps a town's documents from being examples, for (tenant, fingerprint) pairs; not IS DISTINCT FROM,
# which no index answers.
_OUTSTANDING = """
    LATERAL (
        SELECT count(*) AS finals, max(seq) AS newest_final FROM artifacts a
        WHERE a.tenant_id = t.tenant_id AND a.kind = 'final' AND NOT a.prepared
    ) f,
    LATERAL (
        SELECT array_agg(d.document_id ORDER BY d.document_id) AS ids FROM documents d
        WHERE d.tenant_id = t.tenant_id AND d.state <> 'quarantined' AND d.diff_sha256 IS NOT NULL
            AND (d.pii_policy IS NULL OR d.pii_policy < t.policy OR d.pii_policy > t.policy)
    ) stale,
    LATERAL (
        SELECT array_agg(d.document_id ORDER BY d.document_id) AS ids FROM documents d
        WHERE d.tenant_id = t.tenant_id AND d.state = 'anonymized' AND d.approved IS NULL
            AND (d.pii_policy = t.policy OR d.diff_sha256 IS NULL)
    ) unjudged
"""
_PREPARE = sa.text(
    f"""
    SELECT t.tenant_id, f.newest_final, stale.ids AS stale, unjudged.ids AS unjudged,
        unreadable.ids AS unreadable, w.version, w.entries
    FROM unnest(CAST(:tenants AS text[]), CAST(:policies AS text[])) AS t(tenant_id, policy),
    {_OUTSTANDING},
    LATERAL (
        SELECT array_agg(d.document_id ORDER BY d.document_id) AS ids FROM documents d
        WHERE d.tenant_id = t.tenant_id AND d.unreadable
    ) unreadable
    LEFT JOIN LATERAL (
        SELECT e.version, (SELECT count(*) FROM jsonb_object_keys(e.entries)) AS entries
        FROM entities_dictionary e WHERE e.tenant_id = t.tenant_id
    ) w ON true
    """
)


def prepare_facts(session: orm.Session, policies: dict[TenantId, str]) -> list[sa.Row[Any]]:
    """Of each municipality, with the fingerprint of its privacy policy: what a preparing run would find.

    ``newest_final``; ``stale``, ``unjudged``, ``unreadable``: document ids or None, see
    :class:`astra_learn_assets.store.documents.Outstanding`; ``version`` and ``entries`` of the dictionary.
    """
    return list(session.execute(_PREPARE, _pairs(policies)))


_TRAINING = sa.text(
    f"""
    SELECT t.tenant_id, known.holds AS counted, e.pending, newest.seq AS newest_seq, e.oldest_at,
        f.finals AS finals,
        f.finals + COALESCE(cardinality(stale.ids), 0) + COALESCE(cardinality(unjudged.ids), 0) AS preparing,
        r.unfinished, r.started_this_week, r.week_began, r.gpu_seconds, at_newest.next_attempt,
        at_newest.charged, failed.*
    FROM unnest(CAST(:tenants AS text[]), CAST(:policies AS text[]), CAST(:counted AS boolean[]),
        CAST(:newest AS bigint[])) AS t(tenant_id, policy, counted, newest)
    -- a change that committed after the claim is seen by all of this statement or by nothing of it: beside a
    -- training that has just ended, an old count would begin it a second time
    CROSS JOIN LATERAL (
        SELECT t.counted AND NOT EXISTS (
            SELECT FROM learning_changes l WHERE l.lane = 'learn' AND l.tenant_id = t.tenant_id
        ) AS holds
    ) known
    LEFT JOIN LATERAL (
        SELECT through_seq, created_at FROM training_runs
        WHERE tenant_id = t.tenant_id AND state IN ('promoted', 'rejected')
        ORDER BY finished_at DESC NULLS LAST, created_at DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (  -- the greatest: one repeated by hand for an older corpus makes nothing pending
        SELECT COALESCE(max(through_seq), 0) AS seq FROM training_runs
        WHERE tenant_id = t.tenant_id AND state IN ('promoted', 'rejected')
    ) trained ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS pending, min(x.created_at) AS oldest_at FROM (
            SELECT y.created_at FROM examples y
            WHERE NOT known.holds AND y.tenant_id = t.tenant_id AND y.usable AND NOT y.golden
                AND y.seq > trained.seq
            ORDER BY y.seq LIMIT :most
        ) x
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT CASE WHEN known.holds THEN t.newest ELSE (
            SELECT max(z.seq) FROM examples z
            WHERE z.tenant_id = t.tenant_id AND z.usable AND NOT z.golden AND z.seq > trained.seq
        ) END AS seq
    ) newest ON true
    LEFT JOIN LATERAL (
        SELECT
            jsonb_agg(jsonb_build_array(run_id, state, dagster_run_id, through_seq, attempt, created_at)
                ORDER BY created_at, attempt)
                FILTER (WHERE state IN ('queued', 'training', 'evaluating')) AS unfinished,
            -- a training whose run was never launched cost nothing and does not count
            count(*) FILTER (WHERE dataset_hash IS NOT NULL AND created_at >= :week) AS started_this_week,
            min(created_at) FILTER (WHERE dataset_hash IS NOT NULL AND created_at >= :week) AS week_began,
            COALESCE(sum(gpu_seconds) FILTER (WHERE created_at >= :month), 0) AS gpu_seconds
        FROM training_runs
        WHERE tenant_id = t.tenant_id
            AND (created_at >= :since OR state IN ('queued', 'training', 'evaluating'))
    ) r ON true
    LEFT JOIN LATERAL (
        SELECT COALESCE(max(attempt), 0) + 1 AS next_attempt,
            count(*) FILTER (WHERE state = 'failed' AND fault = 'examples') AS charged
        FROM training_runs WHERE tenant_id = t.tenant_id AND through_seq = newest.seq
    ) at_newest ON true
    LEFT JOIN LATERAL (  -- a failure older than the last success is history, not a reason to wait
        SELECT COALESCE(x.finished_at, x.created_at) AS failed_at, x.fault, x.reason AS failure, x.setup,
            count(*) OVER (PARTITION BY x.fault) AS in_a_row
        FROM training_runs x
        WHERE x.tenant_id = t.tenant_id AND x.state = 'failed' AND x.fault <> 'superseded'
            AND x.created_at > COALESCE(last.created_at, '-infinity')
        ORDER BY x.finished_at DESC NULLS LAST, x.created_at DESC LIMIT 1
    ) failed ON true,
    {_OUTSTANDING}
    """
)


def training_facts(
    session: orm.Session,
    policies: dict[TenantId, str],
    *,
    week: datetime,
    month: datetime,
    counted: Mapping[TenantId, int | None] | None = None,
) -> list[sa.Row[Any]]:
    """Of each municipality, with the fingerprint of its privacy policy: what the training policy asks for.

    ``pending``: how many examples wait, :data:`COUNTED_MOST` at most, and ``oldest_at`` of them. Given in
    ``counted`` is of whom the caller knows both, and the newest's number, from before: where that still holds
    the row says ``counted``, and the two mean nothing.
    ``unfinished``: [run id, state, Dagster run, through_seq, attempt, created] of each; ``failed_at``,
    ``fault``, ``failure``, ``setup``, ``in_a_row``: the newest failure since the last success.
    """
    known = counted or {}
    values = {
        **_pairs(policies),
        "counted": [tenant in known for tenant in policies],
        "newest": [known.get(tenant) for tenant in policies],
        "most": COUNTED_MOST,
        "week": week,
        "month": month,
        "since": min(week, month),
    }
    return list(session.execute(_TRAINING, values))


_LEAVE = sa.text(
    """
    INSERT INTO learning_state AS s
        (tenant_id, lane, code, reason, since, looked_at, look_at, rules, policy, by_age, facts)
    SELECT tenant_id, :lane, code, reason, CAST(:now AS timestamptz), CAST(:now AS timestamptz), look_at,
        rules, policy, by_age, facts
    FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS seen(
        tenant_id text, code text, reason text, look_at timestamptz, rules text, policy text, by_age boolean,
        facts jsonb
    )
    ON CONFLICT (tenant_id, lane) DO UPDATE SET
        code = excluded.code, reason = excluded.reason, looked_at = excluded.looked_at,
        look_at = excluded.look_at, rules = excluded.rules, policy = excluded.policy,
        by_age = excluded.by_age, facts = excluded.facts,
        since = CASE WHEN s.code = excluded.code THEN s.since ELSE excluded.since END
    """
)


def leave(session: orm.Session, lane: Lane, seen: Sequence[Seen], now: datetime) -> None:
    """Write down what was decided; ``since`` moves only when the decision is another one."""
    if seen:
        rows = json.dumps([asdict(one) for one in seen], default=datetime.isoformat)
        session.execute(_LEAVE, {"lane": lane, "now": now, "seen": rows})


def ask_by_age(session: orm.Session, *, now: datetime, minimum: int, older_than: datetime) -> int:
    """Have those with ``minimum`` examples, the oldest from before ``older_than``, looked at by age."""
    facts = LearningState.facts
    asked = session.execute(
        sa.update(LearningState)
        .where(
            LearningState.lane == "learn",
            sa.cast(facts["pending"].astext, sa.Integer) >= minimum,
            sa.cast(facts["oldest"].astext, sa.DateTime(timezone=True)) <= older_than,
        )
        .values(by_age=True, look_at=now)
        .returning(LearningState.tenant_id)
    )
    return len(asked.all())


def ask_again(session: orm.Session, lane: Lane, *, by_age: bool = False) -> int:
    """Have everybody looked at anew, the privacy policy included; returns how many.

    In the share of those whose time has come: whom something changed for is not held up by them. Asked
    twice it is one look, and what a restart leaves of it is still to be looked at.
    """
    values: dict[str, Any] = {"look_at": sa.func.to_timestamp(0), "policy": None}
    asked = session.execute(
        sa.update(LearningState)
        .where(LearningState.lane == lane)
        .values({**values, "by_age": True} if by_age else values)
        .returning(LearningState.tenant_id)
    )
    return len(asked.all())


def stands(session: orm.Session, tenant_id: TenantId) -> dict[str, LearningState]:
    """What was decided of one municipality, by lane."""
    rows = session.scalars(sa.select(LearningState).where(LearningState.tenant_id == tenant_id))
    return {row.lane: row for row in rows}


def _pairs(policies: dict[TenantId, str]) -> dict[str, list[str]]:
    return {
        "tenants": [str(tenant) for tenant in policies],
        "policies": list(policies.values()),
    }
