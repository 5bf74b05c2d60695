"""A notice's id is random: a restored database counts on from its backup, and would give a number twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('outbox', sa.Column('notice_id', sa.Uuid(), nullable=True))
    op.execute("UPDATE outbox SET notice_id = gen_random_uuid() WHERE subscription_id IS NOT NULL")
    op.create_check_constraint(
        op.f('ck_outbox_notice_has_an_id'), 'outbox', "(subscription_id IS NULL) = (notice_id IS NULL)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f('ck_outbox_notice_has_an_id'), 'outbox')
    op.drop_column('outbox', 'notice_id')
