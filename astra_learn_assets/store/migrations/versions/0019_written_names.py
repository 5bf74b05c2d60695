"""The names that stand in each final: what other clerks wrote is asked before one clerk's name fix goes live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('artifacts', sa.Column('names', ARRAY(sa.Text()), nullable=True))
    op.create_index(
        'ix_artifacts_names', 'artifacts', ['tenant_id', 'seq'], postgresql_where=sa.text("names IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index('ix_artifacts_names', table_name='artifacts')
    op.drop_column('artifacts', 'names')
