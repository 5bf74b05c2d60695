"""Golden examples that a person chose, beside those of the documents a hash sets aside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"


def upgrade() -> None:
    op.create_table(
        'golden_curated',
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('curated_id', sa.String(20), nullable=False),
        sa.Column('sha256', sa.String(64), nullable=False),
        sa.Column('pii_policy', sa.String(16), nullable=False),
        sa.Column('examples', sa.Integer(), nullable=False),
        sa.Column('words', sa.Integer(), nullable=False),
        sa.Column('added_by', sa.Text(), nullable=False),
        sa.Column('retired_by', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(
            ['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_golden_curated_tenant_id')
        ),
        sa.PrimaryKeyConstraint('tenant_id', 'curated_id', name=op.f('pk_golden_curated')),
    )
    op.execute(f"GRANT SELECT ON golden_curated TO {ROLE}")
    op.execute("ALTER TABLE golden_curated ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE golden_curated FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY golden_curated_owner ON golden_curated TO CURRENT_USER USING (true) WITH CHECK (true)"
    )
    op.execute(
        f"CREATE POLICY golden_curated_tenant ON golden_curated TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})"
    )


def downgrade() -> None:
    op.drop_table('golden_curated')
