"""The index of anonymized examples; their text lies sealed in the object store.

*Pending* examples are the usable ones with a ``seq`` above the ``through_seq`` of the tenant's last
finished training. Nothing is claimed, so nothing can be lost or claimed twice: a training that fails
leaves them pending, one that ends takes in everything up to its ``through_seq``. That rests on seqs
becoming visible in order, see :func:`astra_learn_assets.store.locks.hold`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets import ids
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store import locks
from astra_learn_assets.store.learning_tables import ExampleCount
from astra_learn_assets.store.tables import ExampleRow, TrainingRun

_BATCH = 1_000
FINISHED = ("promoted", "rejected")


@dataclass(frozen=True)
class NewExample:
    """An example to index. ``reason`` says why one that is not ``usable`` was left out."""

    example_id: str
    document_id: str
    route: int
    golden: bool
    usable: bool
    reason: str | None


@dataclass(frozen=True)
class Pending:
    """What waits for training; both None when nothing does."""

    count: int
    newest_seq: int | None
    oldest_created_at: datetime | None


def add(
    session: orm.Session, tenant_id: TenantId, rows: Sequence[NewExample], *, revive: str | None = None
) -> int:
    """Index ``rows``; returns how many were new. One that is there keeps its seq and its state.

    ``revive``: one that was excluded for exactly this reason is usable again, at its old seq.

    Raises:
        InvalidId: malformed example or document id; nothing is added.
        BadInput: route other than 1, 2, 3, or 0 where it is not golden.
    """
    for row in rows:
        ids.digest(row.example_id, "example id")
        ids.name(row.document_id, "document id")
        if row.route not in (1, 2, 3) and not (row.route == 0 and row.golden):
            raise BadInput(f"invalid route {row.route!r:.20}: expected 1, 2 or 3")
    if not rows:
        return 0
    locks.hold(session, "examples", tenant_id)
    new = 0
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        inserted = session.scalars(
            insert(ExampleRow)
            .values([{"tenant_id": tenant_id, **row.__dict__} for row in batch])
            .on_conflict_do_nothing(index_elements=["tenant_id", "example_id"])
            .returning(ExampleRow.seq)
        )
        new += len(inserted.all())
        if revive is not None:
            session.execute(
                sa.update(ExampleRow)
                .where(
                    ExampleRow.tenant_id == tenant_id,
                    ExampleRow.example_id.in_([row.example_id for row in batch if row.usable]),
                    ~ExampleRow.usable,
                    ExampleRow.reason == revive,
                )
                .values(usable=True, reason=None)
            )
    return new


def usable(session: orm.Session, tenant_id: TenantId, through_seq: int | None = None) -> list[ExampleRow]:
    """What may be trained on: usable, not golden, up to ``through_seq``, ascending by seq."""
    query = sa.select(ExampleRow).where(*_trainable(tenant_id)).order_by(ExampleRow.seq)
    if through_seq is not None:
        query = query.where(ExampleRow.seq <= through_seq)
    return list(session.scalars(query))


def of_document(session: orm.Session, tenant_id: TenantId, document_id: str) -> list[ExampleRow]:
    """Every example of a document, usable or not, ascending by seq."""
    return list(
        session.scalars(
            sa.select(ExampleRow)
            .where(ExampleRow.tenant_id == tenant_id, ExampleRow.document_id == document_id)
            .order_by(ExampleRow.seq)
        )
    )


def pending(session: orm.Session, tenant_id: TenantId) -> Pending:
    """What came in since the last finished training (promoted or rejected)."""
    # The greatest, not the latest: a training repeated by hand for an older corpus makes nothing pending.
    # Asked by itself: with the number at hand the database knows how few examples are behind it.
    trained = session.scalar(
        sa.select(sa.func.coalesce(sa.func.max(TrainingRun.through_seq), 0)).where(
            TrainingRun.tenant_id == tenant_id, TrainingRun.state.in_(FINISHED)
        )
    )
    count, newest, oldest = session.execute(
        sa.select(
            sa.func.count(ExampleRow.seq), sa.func.max(ExampleRow.seq), sa.func.min(ExampleRow.created_at)
        ).where(*_trainable(tenant_id), ExampleRow.seq > trained)
    ).one()
    return Pending(int(count), newest, oldest)


def exclude(session: orm.Session, tenant_id: TenantId, example_ids: Collection[str], reason: str) -> int:
    """Take examples out of every later corpus; returns how many were usable until now."""
    changed = 0
    wanted = sorted(example_ids)
    for start in range(0, len(wanted), _BATCH):
        rows = session.scalars(
            sa.update(ExampleRow)
            .where(
                ExampleRow.tenant_id == tenant_id,
                ExampleRow.example_id.in_(wanted[start : start + _BATCH]),
                ExampleRow.usable,
            )
            .values(usable=False, reason=reason)
            .returning(ExampleRow.seq)
        )
        changed += len(rows.all())
    return changed


def counts(session: orm.Session, tenant_id: TenantId) -> dict[str, int]:
    """``total``, ``usable`` (trainable), ``golden``, ``excluded``; usable per ``route_1`` .. ``route_3``.

    Read from the counts that triggers keep, so that a look at a million examples costs six rows.
    """
    found = dict.fromkeys(("total", "usable", "golden", "excluded", "route_1", "route_2", "route_3"), 0)
    for row in session.scalars(sa.select(ExampleCount).where(ExampleCount.tenant_id == tenant_id)):
        found["total"] += row.examples
        kind = "excluded" if not row.usable else "golden" if row.golden else "usable"
        found[kind] += row.examples
        if kind == "usable" and row.route:
            found[f"route_{row.route}"] += row.examples
    return found


def _trainable(tenant_id: TenantId) -> tuple[sa.ColumnElement[bool], ...]:
    return ExampleRow.tenant_id == tenant_id, sa.and_(ExampleRow.usable, ~ExampleRow.golden)
