"""The purge of published events finds the oldest of them without reading the rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        'ix_outbox_published', 'outbox', ['published_at'], postgresql_where=sa.text('published_at IS NOT NULL')
    )


def downgrade() -> None:
    op.drop_index('ix_outbox_published', table_name='outbox')
