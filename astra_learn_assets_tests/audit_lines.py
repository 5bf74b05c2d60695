"""What the audit log holds: the platform only writes it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.store.tables import AuditEntry


def audit_lines(session: orm.Session, tenant_id: str | None = None) -> list[AuditEntry]:
    """The entries, newest first; of one tenant if given."""
    query = sa.select(AuditEntry).order_by(AuditEntry.entry_id.desc())
    if tenant_id is not None:
        query = query.where(AuditEntry.tenant_id == tenant_id)
    return list(session.scalars(query))
