"""What the sensors ask is answered for all municipalities at once, whatever happened before.

``learning_changes`` is the list of municipalities to look at: triggers write a row into it in the transaction
of the change itself, and a look deletes what it took. Rows are only added, so no writer waits for another.
``learning_state`` keeps what was decided of each municipality and lane, with the reason and since when.
Tiers are rows. A final knows whether it has a document, so that nobody searches all of them for those without.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"
UNFINISHED = "state IN ('queued', 'training', 'evaluating')"
GRANTS = {"learning_state": "SELECT", "learning_changes": "SELECT, INSERT", "training_progress": "SELECT"}

# what changed -> lanes that look, and whether the privacy policy may be another one now
STATEMENTS = {
    "examples": (("INSERT", "UPDATE", "DELETE"), ("learn",), False),
    "documents": (("INSERT", "UPDATE", "DELETE"), ("prepare", "learn"), False),
    "blocklist": (("INSERT", "UPDATE", "DELETE"), ("prepare", "learn"), True),
}
ROWS = {
    "final": ("artifacts", "INSERT", "NEW.kind = 'final'", ("prepare", "learn"), False),
    "roster": ("sessions", "INSERT", "NEW.roster <> '[]'", ("prepare", "learn"), True),
    "roster_grew": ("sessions", "UPDATE", "NEW.roster <> OLD.roster", ("prepare", "learn"), True),
    "begun": ("training_runs", "INSERT", "true", ("learn",), False),
    "moved": ("training_runs", "UPDATE", "NEW.state <> OLD.state", ("learn",), False),
    "new": ("tenants", "INSERT", "true", ("prepare", "learn"), True),
    "settings": ("tenants", "UPDATE", "NEW IS DISTINCT FROM OLD", ("prepare", "learn"), True),
}


def upgrade() -> None:
    _tiers()
    _columns()
    _tables()
    _rights()
    _triggers()


def _tiers() -> None:
    op.create_table(
        'tiers',
        sa.Column('tier', sa.String(20), primary_key=True),
        sa.Column('weekly_quota', sa.Integer(), nullable=False),
        sa.Column('gpu_minutes_month', sa.Float(), nullable=True),
        sa.Column('patience_hours', sa.Float(), nullable=False),
        sa.Column('training_hours', sa.String(11), nullable=True),
        sa.CheckConstraint('weekly_quota >= 0', name=op.f('ck_tiers_quota_counts')),
        sa.CheckConstraint('gpu_minutes_month >= 0', name=op.f('ck_tiers_budget_counts')),
        sa.CheckConstraint('patience_hours > 0', name=op.f('ck_tiers_patience_is_a_time')),
    )
    op.execute("INSERT INTO tiers VALUES ('standard', 7, NULL, 24, NULL), ('premium', 28, NULL, 4, NULL)")
    # what was free text until now keeps its municipality, with the rights it had
    op.execute(
        "INSERT INTO tiers SELECT DISTINCT tier, 7, NULL::float, 24, NULL FROM tenants ON CONFLICT DO NOTHING"
    )
    op.create_foreign_key(op.f('fk_tenants_tier'), 'tenants', 'tiers', ['tier'], ['tier'])
    op.create_table(
        'maintenance',
        sa.Column('maintenance_id', sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_maintenance_takes_time')),
    )
    op.execute(f"GRANT SELECT ON tiers, maintenance TO {ROLE}")


def _columns() -> None:
    op.add_column('tenants', sa.Column('weekly_quota', sa.Integer()))
    op.add_column('tenants', sa.Column('gpu_minutes_month', sa.Float()))
    op.add_column('tenants', sa.Column('paused_at', sa.DateTime(timezone=True)))
    op.add_column('tenants', sa.Column('paused_reason', sa.Text()))
    op.add_column('tenants', sa.Column('retired_at', sa.DateTime(timezone=True)))
    op.create_check_constraint(op.f('ck_tenants_quota_counts'), 'tenants', 'weekly_quota >= 0')
    op.create_check_constraint(op.f('ck_tenants_budget_counts'), 'tenants', 'gpu_minutes_month >= 0')
    op.add_column('training_runs', sa.Column('fault', sa.String(10)))
    op.add_column('training_runs', sa.Column('setup', sa.String(16)))
    op.add_column(
        'training_runs', sa.Column('gpu_seconds', sa.Float(), server_default='0', nullable=False)
    )
    op.create_check_constraint(
        op.f('ck_training_runs_fault_known'),
        'training_runs',
        "fault IN ('examples', 'capacity', 'worker', 'permanent', 'superseded')",
    )
    op.execute("UPDATE training_runs SET fault = 'examples' WHERE state = 'failed'")
    op.create_index(
        'ix_training_runs_unfinished', 'training_runs', ['tenant_id'], postgresql_where=sa.text(UNFINISHED)
    )
    op.create_index('ix_promotions_newest', 'promotions', ['tenant_id', 'promotion_id'])
    op.create_index('ix_training_runs_tenant_time', 'training_runs', ['tenant_id', 'created_at'])
    # what waits is read from this index alone; it also answers what the former one did
    op.create_index(
        'ix_examples_trainable', 'examples', ['tenant_id', 'seq'],
        postgresql_include=['created_at'], postgresql_where=sa.text('usable AND NOT golden'),
    )
    op.drop_index('ix_examples_pending', table_name='examples')
    op.add_column(
        'artifacts', sa.Column('prepared', sa.Boolean(), server_default='false', nullable=False)
    )
    op.execute(
        "UPDATE artifacts a SET prepared = true FROM documents d "
        "WHERE d.tenant_id = a.tenant_id AND d.artifact_id = a.artifact_id"
    )
    op.create_index(
        'ix_artifacts_unprepared', 'artifacts', ['tenant_id', 'seq'],
        postgresql_where=sa.text("kind = 'final' AND NOT prepared"),
    )


def _tables() -> None:
    op.create_table(
        'learning_state',
        sa.Column('tenant_id', sa.String(63), primary_key=True),
        sa.Column('lane', sa.String(10), primary_key=True),
        sa.Column('code', sa.String(20), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('looked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('look_at', sa.DateTime(timezone=True)),
        sa.Column('rules', sa.String(16), nullable=False),
        sa.Column('policy', sa.String(16)),
        sa.Column('facts', postgresql.JSONB(), server_default='{}', nullable=False),
        sa.Column('by_age', sa.Boolean(), server_default='false', nullable=False),
        sa.CheckConstraint("lane IN ('prepare', 'learn')", name=op.f('ck_learning_state_lane_known')),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_learning_state_tenant_id')),
    )
    op.create_table(
        'learning_changes',
        sa.Column('change_id', sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('lane', sa.String(10), nullable=False),
        sa.Column('policy', sa.Boolean(), server_default='false', nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint("lane IN ('prepare', 'learn')", name=op.f('ck_learning_changes_lane_known')),
    )
    op.create_index('ix_learning_changes_lane_tenant_id', 'learning_changes', ['lane', 'tenant_id'])
    op.create_table(
        'training_progress',
        sa.Column('run_id', sa.String(80), primary_key=True),
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('phase', sa.String(12), nullable=False),
        sa.Column('step', sa.Integer()),
        sa.Column('steps', sa.Integer()),
        sa.Column('eta_seconds', sa.Float()),
        sa.Column('moved_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('alive_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['training_runs.run_id'], name=op.f('fk_training_progress_run_id')),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_training_progress_tenant_id')),
    )
    op.create_index(op.f('ix_training_progress_tenant_id'), 'training_progress', ['tenant_id'])


def _rights() -> None:
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY {table}_tenant ON {table} TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})")
    op.execute(
        "GRANT UPDATE (tier, weekly_quota, gpu_minutes_month, paused_at, paused_reason, retired_at) "
        f"ON tenants TO {ROLE}"
    )


def _triggers() -> None:
    # Nothing is noted of a municipality that is being erased (nobody is to look at it again), nor of what a
    # look writes itself.
    op.execute(
        """
        CREATE FUNCTION astra_note_rows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF COALESCE(current_setting('astra.erasing', true), '') <> 'on'
                AND COALESCE(current_setting('astra.looking', true), '') <> 'on' THEN
                INSERT INTO learning_changes (tenant_id, lane, policy)
                SELECT DISTINCT rows.tenant_id, lane, TG_ARGV[1]::boolean
                FROM rows, unnest(string_to_array(TG_ARGV[0], ' ')) AS lane;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION astra_note_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF COALESCE(current_setting('astra.erasing', true), '') <> 'on'
                AND COALESCE(current_setting('astra.looking', true), '') <> 'on' THEN
                INSERT INTO learning_changes (tenant_id, lane, policy)
                SELECT NEW.tenant_id, lane, TG_ARGV[1]::boolean
                FROM unnest(string_to_array(TG_ARGV[0], ' ')) AS lane;
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION astra_final_is_prepared() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE artifacts SET prepared = true
            WHERE tenant_id = NEW.tenant_id AND artifact_id = NEW.artifact_id AND NOT prepared;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER documents_prepared AFTER INSERT ON documents "
        "FOR EACH ROW EXECUTE FUNCTION astra_final_is_prepared()"
    )
    for table, (events, lanes, policy) in STATEMENTS.items():
        for event in events:
            kind = "OLD" if event == "DELETE" else "NEW"
            op.execute(
                f"CREATE TRIGGER {table}_noted_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {kind} TABLE AS rows FOR EACH STATEMENT "
                f"EXECUTE FUNCTION astra_note_rows('{' '.join(lanes)}', '{policy}')"
            )
    for name, (table, event, when, lanes, policy) in ROWS.items():
        op.execute(
            f"CREATE TRIGGER {table}_noted_{name} AFTER {event} ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION astra_note_row('{' '.join(lanes)}', '{policy}')"
        )


def downgrade() -> None:
    for name, (table, *_) in ROWS.items():
        op.execute(f"DROP TRIGGER {table}_noted_{name} ON {table}")
    for table, (events, *_) in STATEMENTS.items():
        for event in events:
            op.execute(f"DROP TRIGGER {table}_noted_{event.lower()} ON {table}")
    op.execute("DROP TRIGGER documents_prepared ON documents")
    for function in ('astra_note_rows', 'astra_note_row', 'astra_final_is_prepared'):
        op.execute(f"DROP FUNCTION {function}()")
    columns = "tier, weekly_quota, gpu_minutes_month, paused_at, paused_reason, retired_at"
    op.execute(f"REVOKE UPDATE ({columns}) ON tenants FROM {ROLE}")
    for table in ('training_progress', 'learning_changes', 'learning_state'):
        op.drop_table(table)
    op.drop_index('ix_artifacts_unprepared', table_name='artifacts')
    op.drop_column('artifacts', 'prepared')
    op.create_index('ix_examples_pending', 'examples', ['tenant_id', 'usable', 'seq'])
    op.drop_index('ix_examples_trainable', table_name='examples')
    op.drop_index('ix_training_runs_tenant_time', table_name='training_runs')
    op.drop_index('ix_promotions_newest', table_name='promotions')
    op.drop_index('ix_training_runs_unfinished', table_name='training_runs')
    op.drop_constraint(op.f('ck_training_runs_fault_known'), 'training_runs', type_='check')
    for column in ('gpu_seconds', 'setup', 'fault'):
        op.drop_column('training_runs', column)
    for column in ('retired_at', 'paused_reason', 'paused_at', 'gpu_minutes_month', 'weekly_quota'):
        op.drop_column('tenants', column)
    op.drop_constraint(op.f('fk_tenants_tier'), 'tenants', type_='foreignkey')
    op.drop_table('maintenance')
    op.drop_table('tiers')
