"""What a final was compared with and where the result lies: one answer for the clerk and for learning.

Finals that were learned from before keep the diff they were learned from.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("manifest_sha256", sa.String(64)))
    op.add_column("artifacts", sa.Column("base_id", sa.String(80)))
    op.add_column("artifacts", sa.Column("dictionary_version", sa.Integer()))
    op.add_column("artifacts", sa.Column("comparison", sa.String(64)))
    op.add_column("artifacts", sa.Column("diff_sha256", sa.String(64)))
    op.execute(
        """
        UPDATE artifacts a SET diff_sha256 = d.diff_sha256, base_id = a.summary->>'base_id'
        FROM documents d
        WHERE d.tenant_id = a.tenant_id AND d.artifact_id = a.artifact_id AND d.diff_sha256 IS NOT NULL
        """
    )


def downgrade() -> None:
    for column in ("diff_sha256", "comparison", "dictionary_version", "base_id", "manifest_sha256"):
        op.drop_column("artifacts", column)
