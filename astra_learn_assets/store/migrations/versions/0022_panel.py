"""What the panel reads at once: examples counted as they come, a training's log, pages by index; and reviews.

``example_counts`` is kept by triggers, one statement of the writer costs one of ours: to count a million rows
at every look at a page takes longer than all the rest of it. Whoever reviews a document that was kept out
through the API may change the columns that a review is, and no other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"
REVIEWED = "review, reviewed_by, state, reason, pairs_sha256, pii_policy"
TABLES = ('example_counts', 'training_lines')
FIGURES = (
    ('documents', 'corrected', "metrics ->> 'wer'", 'double precision'),
    ('documents', 'corrections', "metrics ->> 'examples'", 'integer'),
    ('training_runs', 'measured', "metrics -> 'wer' ->> 'candidate_wer'", 'double precision'),
)
ADD = """
    INSERT INTO example_counts AS c (tenant_id, usable, golden, route, examples)
    SELECT tenant_id, usable, golden, route, count(*) FROM {rows}
    GROUP BY tenant_id, usable, golden, route ORDER BY tenant_id, usable, golden, route
    ON CONFLICT (tenant_id, usable, golden, route) DO UPDATE SET examples = c.examples + excluded.examples;
"""
# no row, nothing to take from: the municipality is being erased
TAKE = """
    UPDATE example_counts c SET examples = c.examples - gone.number FROM (
        SELECT tenant_id, usable, golden, route, count(*) AS number FROM gone_rows
        GROUP BY tenant_id, usable, golden, route
    ) gone
    WHERE (c.tenant_id, c.usable, c.golden, c.route) = (gone.tenant_id, gone.usable, gone.golden, gone.route);
"""
TRIGGERS = {
    'insert': ("NEW TABLE AS new_rows", ADD.format(rows='new_rows')),
    'update': ("OLD TABLE AS gone_rows NEW TABLE AS new_rows", TAKE + ADD.format(rows='new_rows')),
    'delete': ("OLD TABLE AS gone_rows", TAKE),
}


def upgrade() -> None:
    op.create_table(
        'example_counts',
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('usable', sa.Boolean(), nullable=False),
        sa.Column('golden', sa.Boolean(), nullable=False),
        sa.Column('route', sa.Integer(), nullable=False),
        sa.Column('examples', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_example_counts_tenant_id')),
        sa.PrimaryKeyConstraint('tenant_id', 'usable', 'golden', 'route', name=op.f('pk_example_counts')),
    )
    op.create_table(
        'training_lines',
        sa.Column('run_id', sa.String(80), nullable=False),
        sa.Column('step', sa.Integer(), nullable=False),
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('entry', postgresql.JSONB(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['training_runs.run_id'], name=op.f('fk_training_lines_run_id')),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_training_lines_tenant_id')),
        sa.PrimaryKeyConstraint('run_id', 'step', name=op.f('pk_training_lines')),
    )
    op.create_index(op.f('ix_training_lines_tenant_id'), 'training_lines', ['tenant_id'])
    for table in TABLES:
        op.execute(f"GRANT SELECT ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY {table}_tenant ON {table} TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})")
    op.execute(f"GRANT UPDATE ({REVIEWED}) ON documents TO {ROLE}")
    # figures that are summed or sorted by, out of their JSON: read from an index alone
    for table, column, path, kind in FIGURES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} {kind} "
            f"GENERATED ALWAYS AS (({path})::{kind}) STORED"
        )
    op.create_index(
        'ix_documents_figures', 'documents', ['tenant_id', 'created_at'],
        postgresql_include=['state', 'corrected', 'corrections'],
    )
    op.create_index(
        'ix_training_runs_measured', 'training_runs', ['tenant_id', 'measured', 'run_id'],
        postgresql_where=sa.text("measured IS NOT NULL"),
    )
    op.create_index('ix_documents_state', 'documents', ['tenant_id', 'state', 'created_at', 'document_id'])
    op.create_index(
        'ix_artifacts_finals', 'artifacts', ['tenant_id', 'seq'], postgresql_where=sa.text("kind = 'final'")
    )
    op.create_index('ix_dictionary_history_time', 'dictionary_history', ['tenant_id', 'created_at'])
    op.create_index('ix_gate_verdicts_newest', 'gate_verdicts', ['tenant_id', 'gate', 'verdict_id'])
    for event, (tables, body) in TRIGGERS.items():
        op.execute(
            f"CREATE FUNCTION astra_examples_{event}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER examples_counted_{event} AFTER {event.upper()} ON examples "
            f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION astra_examples_{event}()"
        )
    op.execute(ADD.format(rows='examples'))


def downgrade() -> None:
    for event in TRIGGERS:
        op.execute(f"DROP TRIGGER examples_counted_{event} ON examples")
        op.execute(f"DROP FUNCTION astra_examples_{event}()")
    op.drop_index('ix_gate_verdicts_newest', table_name='gate_verdicts')
    op.drop_index('ix_dictionary_history_time', table_name='dictionary_history')
    op.drop_index('ix_artifacts_finals', table_name='artifacts')
    op.drop_index('ix_documents_state', table_name='documents')
    op.drop_index('ix_training_runs_measured', table_name='training_runs')
    op.drop_index('ix_documents_figures', table_name='documents')
    for table, column, *_ in FIGURES:
        op.drop_column(table, column)
    op.execute(f"REVOKE UPDATE ({REVIEWED}) ON documents FROM {ROLE}")
    for table in TABLES:
        op.drop_table(table)
