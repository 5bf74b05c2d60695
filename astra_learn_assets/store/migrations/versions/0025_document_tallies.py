"""Documents counted as they come, by month and state; and the newest training that ended, by an index.

``document_tallies`` is kept by triggers, as ``example_counts`` is: a page that counts a hundred thousand
documents at every look takes longer than all the rest of it. One statement a change, its rows in order, so
that a reviewer and a preparing run that count at once cannot wait for each other. The figures are those of
``documents``; sums and squares give the mean and the spread of what clerks corrected.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

ROLE = "astra_api"
OWN = "tenant_id = current_setting('astra.tenant_id', true)"
KEY = "tenant_id, month, state"
SUMS = ('documents', 'corrections', 'measured', 'corrected', 'squares')
ROWS = """
    SELECT tenant_id, date_trunc('month', timezone('UTC', created_at)) AS month, state, {sign} AS documents,
        {sign} * COALESCE(corrections, 0) AS corrections, {sign} * (corrected IS NOT NULL)::int AS measured,
        {sign} * COALESCE(corrected, 0) AS corrected, {sign} * COALESCE(corrected * corrected, 0) AS squares
    FROM {rows}
"""
MOVED = f"""
    SELECT {KEY}, {', '.join(f'sum({name}) AS {name}' for name in SUMS)} FROM ({{rows}}) one GROUP BY {KEY}
    HAVING {' OR '.join(f'sum({name}) <> 0' for name in SUMS)} ORDER BY {KEY}
"""
ADD = f"""
    INSERT INTO document_tallies AS t ({KEY}, {', '.join(SUMS)}) {MOVED}
    ON CONFLICT ({KEY}) DO UPDATE SET {', '.join(f'{name} = t.{name} + excluded.{name}' for name in SUMS)};
"""
# no row, nothing to take from: the municipality is being erased
TAKE = f"""
    UPDATE document_tallies t SET {', '.join(f'{name} = t.{name} + gone.{name}' for name in SUMS)}
    FROM ({MOVED}) gone WHERE (t.tenant_id, t.month, t.state) = (gone.tenant_id, gone.month, gone.state);
"""
NEW, OLD = ROWS.format(sign=1, rows='new_rows'), ROWS.format(sign=-1, rows='gone_rows')
TRIGGERS = {
    'insert': ("NEW TABLE AS new_rows", ADD.format(rows=NEW)),
    'update': ("OLD TABLE AS gone_rows NEW TABLE AS new_rows", ADD.format(rows=f"{NEW} UNION ALL {OLD}")),
    'delete': ("OLD TABLE AS gone_rows", TAKE.format(rows=OLD)),
}


def upgrade() -> None:
    op.create_table(
        'document_tallies',
        sa.Column('tenant_id', sa.String(63), nullable=False),
        sa.Column('month', sa.DateTime(), nullable=False),
        sa.Column('state', sa.String(12), nullable=False),
        sa.Column('documents', sa.BigInteger(), nullable=False),
        sa.Column('corrections', sa.BigInteger(), nullable=False),
        sa.Column('measured', sa.BigInteger(), nullable=False),
        sa.Column('corrected', sa.Float(), nullable=False),
        sa.Column('squares', sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.tenant_id'], name=op.f('fk_document_tallies_tenant_id')),
        sa.PrimaryKeyConstraint('tenant_id', 'month', 'state', name=op.f('pk_document_tallies')),
    )
    op.execute(f"GRANT SELECT ON document_tallies TO {ROLE}")
    op.execute("ALTER TABLE document_tallies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE document_tallies FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY document_tallies_owner ON document_tallies TO CURRENT_USER "
        "USING (true) WITH CHECK (true)"
    )
    op.execute(
        f"CREATE POLICY document_tallies_tenant ON document_tallies TO {ROLE} USING ({OWN}) WITH CHECK ({OWN})"
    )
    for event, (tables, body) in TRIGGERS.items():
        # whoever reviews a document counts it too, and has no right to the table: as its owner, and in his
        # schema alone
        op.execute(
            f"CREATE FUNCTION astra_documents_{event}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
            f"$$ BEGIN {body} RETURN NULL; END $$"
        )
        op.execute(
            "DO $$ BEGIN EXECUTE format("
            f"'ALTER FUNCTION astra_documents_{event}() SET search_path = %I, pg_temp', current_schema()); END $$"
        )
        op.execute(
            f"CREATE TRIGGER documents_tallied_{event} AFTER {event.upper()} ON documents "
            f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION astra_documents_{event}()"
        )
    op.execute(ADD.format(rows=ROWS.format(sign=1, rows='documents')))
    op.create_index(
        'ix_training_runs_finished', 'training_runs',
        ['tenant_id', sa.text('finished_at DESC NULLS LAST'), sa.text('created_at DESC')],
        postgresql_where=sa.text("state IN ('promoted', 'rejected')"),
    )
    op.create_index(
        'ix_artifacts_drafts', 'artifacts', ['tenant_id'], postgresql_where=sa.text("kind = 'generated'")
    )


def downgrade() -> None:
    op.drop_index('ix_artifacts_drafts', table_name='artifacts')
    op.drop_index('ix_training_runs_finished', table_name='training_runs')
    for event in TRIGGERS:
        op.execute(f"DROP TRIGGER documents_tallied_{event} ON documents")
        op.execute(f"DROP FUNCTION astra_documents_{event}()")
    op.drop_table('document_tallies')
