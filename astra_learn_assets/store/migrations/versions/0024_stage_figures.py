"""Figures of the learning's stages: how many ended how and how long they took, and what waits for each.

``stage_tallies`` belongs to no municipality and holds no id. The API's role sees neither it nor other
municipalities' rows: it may call two functions of the tables' owner that answer numbers alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

ROLE = "astra_api"
FIGURES = "SELECT s.stage::text, s.result::text, s.le, s.count, s.seconds FROM stage_tallies s"
STANDS = "JOIN tenants t ON t.tenant_id = x.tenant_id AND t.wrapped_key IS NOT NULL AND t.retired_at IS NULL"
# what waits for the stage, and since when the first of it; what is erased or retired waits for nothing
WAITING = f"""
    SELECT stage, waiting, COALESCE(GREATEST(extract(epoch FROM clock_timestamp() - oldest), 0), 0)::float8
    FROM (
        SELECT 'document_diffs' AS stage, count(*) AS waiting, min(x.created_at) AS oldest
            FROM artifacts x {STANDS} WHERE x.kind = 'final' AND NOT x.prepared
        UNION ALL SELECT 'anonymized_pairs', count(*), min(x.created_at)
            FROM documents x {STANDS} WHERE x.state = 'compared'
        UNION ALL SELECT 'pii_gate', count(*), min(x.created_at)
            FROM documents x {STANDS} WHERE x.state = 'anonymized' AND x.approved IS NULL
        UNION ALL SELECT 'review', count(*), min(x.created_at)
            FROM documents x {STANDS} WHERE x.state = 'quarantined' AND x.review IS NULL
        UNION ALL SELECT 'training_corpus', COALESCE(sum((x.facts ->> 'pending')::bigint), 0)::bigint,
            min((x.facts ->> 'oldest')::timestamptz) FROM learning_state x {STANDS} WHERE x.lane = 'learn'
        UNION ALL SELECT 'lora_adapter', count(*), min(x.created_at)
            FROM training_runs x {STANDS} AND t.paused_at IS NULL WHERE x.state = 'queued'
        UNION ALL SELECT 'event', count(*), min(x.created_at)
            FROM outbox x WHERE x.published_at IS NULL AND x.subscription_id IS NULL
        UNION ALL SELECT 'notice', count(*), min(x.created_at)
            FROM outbox x WHERE x.published_at IS NULL AND x.subscription_id IS NOT NULL
    ) asked
"""
FUNCTIONS = {
    'astra_stage_figures': ("stage text, result text, le float8, count bigint, seconds float8", FIGURES),
    'astra_stages_waiting': ("stage text, waiting bigint, oldest_seconds float8", WAITING),
}


def upgrade() -> None:
    op.create_table(
        'stage_tallies',
        sa.Column('stage', sa.String(20), nullable=False),
        sa.Column('result', sa.String(12), nullable=False),
        sa.Column('le', sa.Float(), nullable=False),
        sa.Column('count', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('seconds', sa.Float(), server_default='0', nullable=False),
        sa.PrimaryKeyConstraint('stage', 'result', 'le', name=op.f('pk_stage_tallies')),
    )
    op.execute("ALTER TABLE stage_tallies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE stage_tallies FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY stage_tallies_owner ON stage_tallies TO CURRENT_USER USING (true) WITH CHECK (true)")
    # what waits is a handful of many documents
    op.create_index(
        'ix_documents_to_do', 'documents', ['state', 'created_at'],
        postgresql_include=['tenant_id', 'review'], postgresql_where=sa.text("state <> 'anonymized'"),
    )
    for name, (columns, body) in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS TABLE ({columns}) LANGUAGE sql STABLE SECURITY DEFINER "
            f"AS $astra$ {body} $astra$"
        )
        # whoever calls it brings no tables of his own in under our names
        op.execute(
            "DO $$ BEGIN EXECUTE format("
            f"'ALTER FUNCTION {name}() SET search_path = %I, pg_temp', current_schema()); END $$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}() TO {ROLE}")


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index('ix_documents_to_do', table_name='documents')
    op.drop_table('stage_tallies')
