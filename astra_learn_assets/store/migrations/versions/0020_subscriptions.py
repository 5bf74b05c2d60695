"""Who is told of what happens to a municipality's learning, and the notices that wait to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"


def upgrade() -> None:
    op.create_table(
        'subscriptions',
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('subscription_id', sa.String(20), nullable=False),
        sa.Column('kind', sa.String(7), nullable=False),
        sa.Column('address', sa.Text(), nullable=False),
        sa.Column('events', sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column('sealed_secret', sa.LargeBinary(), nullable=True),
        sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
        sa.Column('error', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("kind IN ('webhook', 'email')", name=op.f('ck_subscriptions_kind_known')),
        sa.ForeignKeyConstraint(
            ['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_subscriptions_tenant_id')
        ),
        sa.PrimaryKeyConstraint('tenant_id', 'subscription_id', name=op.f('pk_subscriptions')),
        sa.UniqueConstraint(
            'tenant_id', 'kind', 'address', name=op.f('uq_subscriptions_tenant_id_kind_address')
        ),
    )
    op.add_column('outbox', sa.Column('subscription_id', sa.String(20), nullable=True))
    op.add_column('outbox', sa.Column('attempts', sa.Integer(), server_default='0', nullable=False))
    op.add_column('outbox', sa.Column('due_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('outbox', sa.Column('error', sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f('fk_outbox_tenant_id_subscription_id'), 'outbox', 'subscriptions',
        ['tenant_id', 'subscription_id'], ['tenant_id', 'subscription_id'], ondelete='CASCADE',
    )
    op.create_index(
        'ix_outbox_due', 'outbox', ['due_at'],
        postgresql_where=sa.text("published_at IS NULL AND subscription_id IS NOT NULL"),
    )
    # the API's role reads them, for the panel; whoever runs the platform writes them
    op.execute(f"GRANT SELECT ON subscriptions TO {ROLE}")
    op.execute("ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY subscriptions_owner ON subscriptions TO CURRENT_USER USING (true) WITH CHECK (true)"
    )
    op.execute(
        f"CREATE POLICY subscriptions_tenant ON subscriptions TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})"
    )


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE subscription_id IS NOT NULL")
    op.drop_index('ix_outbox_due', table_name='outbox')
    op.drop_constraint(op.f('fk_outbox_tenant_id_subscription_id'), 'outbox', type_='foreignkey')
    for column in ('error', 'due_at', 'attempts', 'subscription_id'):
        op.drop_column('outbox', column)
    op.drop_table('subscriptions')
