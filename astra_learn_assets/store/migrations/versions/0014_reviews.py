"""What a person decided about a document that was kept out, and who."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("review", sa.String(8)))
    op.add_column("documents", sa.Column("reviewed_by", sa.Text()))
    op.create_check_constraint(
        op.f("ck_documents_review_known"), "documents", "review IN ('released', 'dropped')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_documents_review_known"), "documents")
    op.drop_column("documents", "reviewed_by")
    op.drop_column("documents", "review")
