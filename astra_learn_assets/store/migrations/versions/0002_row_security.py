"""Row-level security: the role of the API sees the rows of one tenant, named per transaction.

``astra_api`` is that role: it owns nothing and cannot bypass row security. Its rows are those whose
``tenant_id`` equals the setting ``astra.tenant_id`` of the transaction; unset, there are none. ``*`` is
the platform scope and opens the outbox (events of every tenant are published by one relay) and audit
lines without a tenant, nothing else. A key is found only by who presents its hash (``astra.key_sha256``).

The owner of the tables (workers, Dagster, command line) has a policy of its own, because FORCE makes row
security hold for owners too: any third role sees nothing until somebody writes a policy for it.
"""

from __future__ import annotations

from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

ROLE = "astra_api"
TENANT = "current_setting('astra.tenant_id', true)"
OWN = f"tenant_id = {TENANT}"
# what the role may do to each table at all; rows are a matter of the policies
GRANTS = {
    "adapters": "SELECT",
    "api_keys": "SELECT",
    "artifacts": "SELECT, INSERT, UPDATE",
    "audit_log": "SELECT, INSERT",
    "blocklist": "SELECT, INSERT, UPDATE, DELETE",
    "dictionary_history": "SELECT, INSERT",
    "documents": "SELECT",
    "entities_dictionary": "SELECT, INSERT, UPDATE",
    "examples": "SELECT",
    "gate_verdicts": "SELECT",
    "outbox": "SELECT, INSERT, UPDATE",
    "promotions": "SELECT",
    "sessions": "SELECT, INSERT, UPDATE",
    "tenants": "SELECT",
    "training_runs": "SELECT",
}
ROWS = {
    "api_keys": "key_sha256 = current_setting('astra.key_sha256', true)",
    "audit_log": f"{OWN} OR (tenant_id IS NULL AND {TENANT} = '*')",
    "outbox": f"{OWN} OR {TENANT} = '*'",
}


def upgrade() -> None:
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
                CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's migration was faster
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'this user may not create roles: let an administrator run '
                    'CREATE ROLE {ROLE} NOLOGIN; and migrate again' USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        f"DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema()); END $$"
    )
    for table, rights in GRANTS.items():
        rows = ROWS.get(table, OWN)
        op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY {table}_tenant ON {table} TO {ROLE} USING ({rows}) WITH CHECK ({rows})")


def downgrade() -> None:
    for table in GRANTS:
        op.execute(f"DROP POLICY {table}_tenant ON {table}")
        op.execute(f"DROP POLICY {table}_owner ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM {ROLE}")
