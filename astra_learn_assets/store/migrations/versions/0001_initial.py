"""All tables of the first release, and the triggers that make four of them append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("promotions", "dictionary_history", "audit_log", "gate_verdicts")


def upgrade() -> None:
    op.create_table('audit_log',
    sa.Column('entry_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=True),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_audit_log'))
    )
    op.create_index(op.f('ix_audit_log_tenant_id'), 'audit_log', ['tenant_id'], unique=False)
    op.create_table('tenants',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('tier', sa.String(length=20), server_default='standard', nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_tenants'))
    )
    op.create_table('adapters',
    sa.Column('adapter_id', sa.String(length=100), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('recipe_hash', sa.String(length=64), nullable=False),
    sa.Column('dataset_hash', sa.String(length=64), nullable=False),
    sa.Column('base_model', sa.Text(), nullable=False),
    sa.Column('manifest', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('mlflow_run_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_adapters_tenant_id')),
    sa.PrimaryKeyConstraint('adapter_id', name=op.f('pk_adapters')),
    sa.UniqueConstraint('digest', name=op.f('uq_adapters_digest'))
    )
    op.create_index(op.f('ix_adapters_recipe_hash'), 'adapters', ['recipe_hash'], unique=False)
    op.create_index(op.f('ix_adapters_tenant_id'), 'adapters', ['tenant_id'], unique=False)
    op.create_table('api_keys',
    sa.Column('key_id', sa.String(length=40), nullable=False),
    sa.Column('key_sha256', sa.String(length=64), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=True),
    sa.Column('role', sa.String(length=10), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('viewer', 'editor', 'admin', 'platform')", name=op.f('ck_api_keys_role_known')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_api_keys_tenant_id')),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('key_sha256', name=op.f('uq_api_keys_key_sha256'))
    )
    op.create_table('blocklist',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('term', sa.Text(), nullable=False),
    sa.Column('action', sa.String(length=5), server_default='mask', nullable=False),
    sa.Column('kind', sa.String(length=20), server_default='person', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("action IN ('mask', 'allow')", name=op.f('ck_blocklist_action_known')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_blocklist_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'term', name=op.f('pk_blocklist'))
    )
    op.create_table('dictionary_history',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('action', sa.String(length=10), nullable=False),
    sa.Column('entry', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('previous', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('conflict', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_dictionary_history_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'version', 'key', name=op.f('pk_dictionary_history'))
    )
    op.create_table('entities_dictionary',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('entries', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_entities_dictionary_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_entities_dictionary'))
    )
    op.create_table('examples',
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('example_id', sa.String(length=64), nullable=False),
    sa.Column('document_id', sa.String(length=80), nullable=False),
    sa.Column('route', sa.Integer(), nullable=False),
    sa.Column('golden', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('usable', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_examples_tenant_id')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_examples')),
    sa.UniqueConstraint('tenant_id', 'example_id', name=op.f('uq_examples_tenant_id_example_id'))
    )
    op.create_index('ix_examples_pending', 'examples', ['tenant_id', 'usable', 'seq'], unique=False)
    op.create_index(op.f('ix_examples_tenant_id'), 'examples', ['tenant_id'], unique=False)
    op.create_table('gate_verdicts',
    sa.Column('verdict_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('gate', sa.String(length=20), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('passed', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('dagster_run_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_gate_verdicts_tenant_id')),
    sa.PrimaryKeyConstraint('verdict_id', name=op.f('pk_gate_verdicts'))
    )
    op.create_index('ix_gate_verdicts_digest', 'gate_verdicts', ['tenant_id', 'gate', 'digest'], unique=False)
    op.create_index(op.f('ix_gate_verdicts_tenant_id'), 'gate_verdicts', ['tenant_id'], unique=False)
    op.create_table('outbox',
    sa.Column('event_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_outbox_tenant_id')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_outbox'))
    )
    op.create_index(op.f('ix_outbox_tenant_id'), 'outbox', ['tenant_id'], unique=False)
    op.create_index('ix_outbox_waiting', 'outbox', ['event_id'], unique=False, postgresql_where=sa.text('published_at IS NULL'))
    op.create_table('sessions',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('session_id', sa.String(length=80), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('cloned_from', sa.String(length=80), nullable=True),
    sa.Column('roster', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_sessions_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'session_id', 'version', name=op.f('pk_sessions'))
    )
    op.create_table('training_runs',
    sa.Column('run_id', sa.String(length=80), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('through_seq', sa.BigInteger(), nullable=False),
    sa.Column('dataset_hash', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('metrics', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('adapter_id', sa.String(length=100), nullable=True),
    sa.Column('dagster_run_id', sa.String(length=64), nullable=True),
    sa.Column('mlflow_run_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('queued', 'training', 'evaluating', 'promoted', 'rejected', 'failed')", name=op.f('ck_training_runs_state_known')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_training_runs_tenant_id')),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_training_runs')),
    sa.UniqueConstraint('tenant_id', 'through_seq', 'attempt', name=op.f('uq_training_runs_tenant_id_through_seq_attempt'))
    )
    op.create_index(op.f('ix_training_runs_tenant_id'), 'training_runs', ['tenant_id'], unique=False)
    op.create_table('artifacts',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('artifact_id', sa.String(length=80), nullable=False),
    sa.Column('seq', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.String(length=80), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('uploaded_by', sa.Text(), nullable=True),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind IN ('generated', 'final')", name=op.f('ck_artifacts_kind_known')),
    sa.ForeignKeyConstraint(['tenant_id', 'session_id', 'version'], ['sessions.tenant_id', 'sessions.session_id', 'sessions.version'], name=op.f('fk_artifacts_tenant_id_session_id_version')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_artifacts_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'artifact_id', name=op.f('pk_artifacts')),
    sa.UniqueConstraint('seq', name=op.f('uq_artifacts_seq')),
    sa.UniqueConstraint('tenant_id', 'session_id', 'version', 'kind', 'sha256', name=op.f('uq_artifacts_tenant_id_session_id_version_kind_sha256'))
    )
    op.create_table('promotions',
    sa.Column('promotion_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('adapter_id', sa.String(length=100), nullable=False),
    sa.Column('previous_adapter_id', sa.String(length=100), nullable=True),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('promoted_by', sa.Text(), nullable=False),
    sa.Column('mlflow_version', sa.String(length=20), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind IN ('promotion', 'rollback')", name=op.f('ck_promotions_kind_known')),
    sa.ForeignKeyConstraint(['adapter_id'], ['adapters.adapter_id'], name=op.f('fk_promotions_adapter_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_promotions_tenant_id')),
    sa.PrimaryKeyConstraint('promotion_id', name=op.f('pk_promotions'))
    )
    op.create_index(op.f('ix_promotions_tenant_id'), 'promotions', ['tenant_id'], unique=False)
    op.create_table('documents',
    sa.Column('tenant_id', sa.String(length=63), nullable=False),
    sa.Column('document_id', sa.String(length=80), nullable=False),
    sa.Column('artifact_id', sa.String(length=80), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('diff_sha256', sa.String(length=64), nullable=True),
    sa.Column('pairs_sha256', sa.String(length=64), nullable=True),
    sa.Column('metrics', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("state IN ('compared', 'quarantined', 'anonymized')", name=op.f('ck_documents_state_known')),
    sa.ForeignKeyConstraint(['tenant_id', 'artifact_id'], ['artifacts.tenant_id', 'artifacts.artifact_id'], name=op.f('fk_documents_tenant_id_artifact_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_documents_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'document_id', name=op.f('pk_documents')),
    sa.UniqueConstraint('tenant_id', 'artifact_id', name=op.f('uq_documents_tenant_id_artifact_id'))
    )
    # What was served, changed, refused or decided is evidence: the database itself refuses to rewrite it,
    # whatever the code above it does.
    op.execute(
        """
        CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
        )


def downgrade() -> None:
    op.drop_table('documents')
    op.drop_index(op.f('ix_promotions_tenant_id'), table_name='promotions')
    op.drop_table('promotions')
    op.drop_table('artifacts')
    op.drop_index(op.f('ix_training_runs_tenant_id'), table_name='training_runs')
    op.drop_table('training_runs')
    op.drop_table('sessions')
    op.drop_index('ix_outbox_waiting', table_name='outbox', postgresql_where=sa.text('published_at IS NULL'))
    op.drop_index(op.f('ix_outbox_tenant_id'), table_name='outbox')
    op.drop_table('outbox')
    op.drop_index(op.f('ix_gate_verdicts_tenant_id'), table_name='gate_verdicts')
    op.drop_index('ix_gate_verdicts_digest', table_name='gate_verdicts')
    op.drop_table('gate_verdicts')
    op.drop_index(op.f('ix_examples_tenant_id'), table_name='examples')
    op.drop_index('ix_examples_pending', table_name='examples')
    op.drop_table('examples')
    op.drop_table('entities_dictionary')
    op.drop_table('dictionary_history')
    op.drop_table('blocklist')
    op.drop_table('api_keys')
    op.drop_index(op.f('ix_adapters_tenant_id'), table_name='adapters')
    op.drop_index(op.f('ix_adapters_recipe_hash'), table_name='adapters')
    op.drop_table('adapters')
    op.drop_table('tenants')
    op.drop_index(op.f('ix_audit_log_tenant_id'), table_name='audit_log')
    op.drop_table('audit_log')
    op.execute("DROP FUNCTION refuse_rewrite()")
