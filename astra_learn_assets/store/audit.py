"""Who did what, and who was refused. Append-only; ids and codes, never text of a document."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.store.tables import AuditEntry


def record(
    session: orm.Session,
    *,
    tenant_id: str | None,
    actor: str,
    action: str,
    target: str | None,
    outcome: str,
    request_id: str | None,
) -> None:
    """Append an entry. ``tenant_id`` may be one that does not exist: a refusal is noted as it was asked."""
    session.execute(
        sa.insert(AuditEntry).values(
            tenant_id=_storable(tenant_id)[:63] if tenant_id is not None else None,
            actor=_storable(actor),
            action=_storable(action),
            target=_storable(target) if target is not None else None,
            outcome=outcome[:10],
            request_id=_storable(request_id)[:64] if request_id is not None else None,
        )
    )


def _storable(text: str) -> str:
    """Bounded, and without what Postgres refuses: an attacker chooses what is noted of a refusal."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:500]
