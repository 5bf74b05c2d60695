"""A share of the sessions for a new adapter first: which draft was made by which, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"


def upgrade() -> None:
    op.add_column('artifacts', sa.Column('adapter_id', sa.String(100), nullable=True))
    op.create_index(
        'ix_artifacts_adapter', 'artifacts', ['tenant_id', 'adapter_id'],
        postgresql_where=sa.text("adapter_id IS NOT NULL"),
    )
    op.add_column('tenants', sa.Column('canary_share', sa.Float(), nullable=True))
    op.create_check_constraint(
        op.f('ck_tenants_canary_is_a_share'), 'tenants', 'canary_share >= 0 AND canary_share <= 1'
    )
    op.create_table(
        'canaries',
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('promotion_id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('share', sa.Float(), nullable=False),
        sa.Column('stable_adapter_id', sa.String(100), nullable=True),
        sa.Column('outcome', sa.String(11), nullable=True),
        sa.Column('details', sa.dialects.postgresql.JSONB(), server_default='{}', nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('share > 0 AND share < 1', name=op.f('ck_canaries_share_of_sessions')),
        sa.CheckConstraint(
            "outcome IN ('finished', 'rolled_back')", name=op.f('ck_canaries_outcome_known')
        ),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_canaries_tenant_id')),
        sa.PrimaryKeyConstraint('tenant_id', 'promotion_id', name=op.f('pk_canaries')),
    )
    op.create_index(
        'ix_canaries_open', 'canaries', ['promotion_id'], postgresql_where=sa.text("outcome IS NULL")
    )
    op.execute(f"GRANT SELECT ON canaries TO {ROLE}")
    op.execute("ALTER TABLE canaries ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE canaries FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY canaries_owner ON canaries TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY canaries_tenant ON canaries TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})")
    op.execute(f"GRANT UPDATE (canary_share) ON tenants TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (canary_share) ON tenants FROM {ROLE}")
    op.drop_table('canaries')
    op.drop_constraint(op.f('ck_tenants_canary_is_a_share'), 'tenants', type_='check')
    op.drop_column('tenants', 'canary_share')
    op.drop_index('ix_artifacts_adapter', table_name='artifacts')
    op.drop_column('artifacts', 'adapter_id')
