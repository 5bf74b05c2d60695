"""The trace that an upload began, and that a training goes on with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('artifacts', sa.Column('trace', sa.String(55), nullable=True))
    op.add_column('training_runs', sa.Column('trace', sa.String(55), nullable=True))


def downgrade() -> None:
    op.drop_column('training_runs', 'trace')
    op.drop_column('artifacts', 'trace')
