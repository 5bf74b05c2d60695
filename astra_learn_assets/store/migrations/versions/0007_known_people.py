"""The given names a final was compared with: a lost result is made again from what was known then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("known_people", JSONB()))


def downgrade() -> None:
    op.drop_column("artifacts", "known_people")
