"""An index of the finals that left corrections waiting: an upload no longer reads every final's summary."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

WAITING = "kind = 'final' AND summary -> 'entities_waiting' <> '[]'::jsonb"


def upgrade() -> None:
    op.create_index('ix_artifacts_waiting', 'artifacts', ['tenant_id'], postgresql_where=sa.text(WAITING))


def downgrade() -> None:
    op.drop_index('ix_artifacts_waiting', table_name='artifacts', postgresql_where=sa.text(WAITING))
