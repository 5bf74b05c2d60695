"""Terms a tenant always wants masked, and those that never are (streets, institutions)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from astra_learn_assets.errors import BadInput, NotFound
from astra_learn_assets.ids import TenantId
from astra_learn_assets.store.tables import BlocklistTerm


def listing(session: orm.Session, tenant_id: TenantId) -> list[BlocklistTerm]:
    """The tenant's terms, sorted."""
    return list(
        session.scalars(
            sa.select(BlocklistTerm).where(BlocklistTerm.tenant_id == tenant_id).order_by(BlocklistTerm.term)
        )
    )


def add(
    session: orm.Session, tenant_id: TenantId, term: str, *, action: str = "mask", kind: str = "person"
) -> BlocklistTerm:
    """Put a term in; again with another action or kind replaces those.

    Raises:
        BadInput: an empty or unprintable term, or an unknown action.
    """
    cleaned = " ".join(term.split())
    if not cleaned or len(cleaned) > 200 or not cleaned.isprintable():
        raise BadInput("a term needs 1 to 200 printable characters")
    if action not in ("mask", "allow"):
        raise BadInput(f"invalid action {action!r:.20}: expected 'mask' or 'allow'")
    if not 1 <= len(kind) <= 20:
        raise BadInput("invalid kind: use 1 to 20 characters, for example 'person'")
    row: BlocklistTerm | None = session.scalar(
        insert(BlocklistTerm)
        .values(tenant_id=tenant_id, term=cleaned, action=action, kind=kind)
        .on_conflict_do_update(index_elements=["tenant_id", "term"], set_={"action": action, "kind": kind})
        .returning(BlocklistTerm),
        execution_options={"populate_existing": True},
    )
    assert row is not None  # an upsert always returns its row
    return row


def remove(session: orm.Session, tenant_id: TenantId, term: str) -> None:
    """Take a term out.

    Raises:
        NotFound: it is not in the list.
    """
    gone = session.scalar(
        sa.delete(BlocklistTerm)
        .where(
            BlocklistTerm.tenant_id == tenant_id,
            BlocklistTerm.term == " ".join(term.split()),
        )
        .returning(BlocklistTerm.term)
    )
    if gone is None:
        raise NotFound("that term is not in the list")
