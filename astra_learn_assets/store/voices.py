"""Which finals say what of names, for who asks whether an entry of the dictionary has a second voice.

Only the learning path asks, after an upload has been answered.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB

from astra_learn_assets.ids import TenantId
from astra_learn_assets.spanish.fold import fix_keys
from astra_learn_assets.store.tables import Artifact

_OTHERS = sa.text(
    """
    WITH sent AS (
        SELECT uploaded_by, count(*) AS finals FROM artifacts
        WHERE tenant_id = :tenant AND names IS NOT NULL AND seq <= :seq GROUP BY uploaded_by
    ), authors AS (
        SELECT DISTINCT e.value ->> 'author' AS name
        FROM entities_dictionary d, jsonb_each(d.entries) e WHERE d.tenant_id = :tenant
    )
    SELECT name, (
        SELECT coalesce(sum(least(finals, :of_one)), 0) FROM sent WHERE uploaded_by IS DISTINCT FROM name
    ) FROM authors
    WHERE NOT EXISTS (SELECT FROM sent WHERE uploaded_by = :arrived AND finals > :of_one)
    """
)
_FINALS = sa.text(
    """
    SELECT artifact_id, session_id, coalesce(uploaded_by, '') AS author, names,
        summary -> 'entities_live' AS live, summary -> 'entities_waiting' AS waiting
    FROM artifacts f
    WHERE tenant_id = :tenant AND kind = 'final' AND summary IS NOT NULL AND (
        EXISTS (SELECT FROM unnest(cast(:authors AS text[])) one WHERE f.uploaded_by IS DISTINCT FROM one)
        OR summary -> 'entities_waiting' <> '[]'::jsonb
        OR artifact_id IN (
            SELECT e.value ->> 'source_document'
            FROM entities_dictionary d, jsonb_each(d.entries) e WHERE d.tenant_id = :tenant
        )
    )
    ORDER BY seq
    """
)


Fixes = tuple[tuple[str, str], ...]
"""(wrong, right) of each."""


def finals_of_others(
    session: orm.Session, tenant_id: TenantId, *, seq: int, arrived: str, of_one: int
) -> dict[str, int]:
    """For each author of an entry how many finals others have sent up to ``seq``, of each at most ``of_one``.

    Nothing when ``arrived`` has sent more than that: the final ``seq``, which is its, does not count.
    """
    given = {"tenant": str(tenant_id), "seq": seq, "arrived": arrived, "of_one": of_one}
    return {str(name): int(count) for name, count in session.execute(_OTHERS, given)}


def finals(
    session: orm.Session, tenant_id: TenantId, authors: Collection[str]
) -> list[tuple[str, str, str, tuple[str, ...], Fixes, Fixes]]:
    """The finals of others than each of ``authors``, those that brought an entry, and those that left a fix
    waiting: id, session, author, the words of names in it, its fixes that are live and that wait."""
    rows = session.execute(_FINALS, {"tenant": str(tenant_id), "authors": sorted(authors)})
    return [
        (document, of, author, tuple(names or ()), _fixes(live), _fixes(waiting))
        for document, of, author, names, live, waiting in rows
    ]


def holding_live(
    session: orm.Session, tenant_id: TenantId, fixes: Collection[tuple[str, str]]
) -> list[Artifact]:
    """The finals whose summary says that one of these fixes is live, locked until the commit.

    ``fixes``: :func:`fix_keys` of each; the dictionary takes other spellings for the same.
    """
    live = Artifact.summary["entities_live"]
    rows = session.execute(
        sa.select(Artifact.artifact_id, live).where(
            Artifact.tenant_id == tenant_id,
            Artifact.kind == "final",
            sa.cast(live, JSONB) != sa.text("'[]'::jsonb"),
        )
    )
    holding = [
        document
        for document, stored in rows
        if any(fix_keys(wrong, right) in fixes for wrong, right in _fixes(stored))
    ]
    return list(
        session.scalars(
            sa.select(Artifact)
            .where(Artifact.tenant_id == tenant_id, Artifact.artifact_id.in_(holding))
            .order_by(Artifact.seq)
            .with_for_update(),
            execution_options={"populate_existing": True},
        )
    )


def _fixes(stored: Any) -> Fixes:
    return tuple((fix["wrong"], fix["right"]) for fix in stored or ())
