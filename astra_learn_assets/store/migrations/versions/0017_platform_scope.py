"""Tiers, maintenance and new municipalities by the API: in the platform's scope, or the municipality's own.

Whoever may read tiers and maintenance goes on reading them; only a transaction in the platform's scope (``*``)
writes them. A municipality's row is made in the scope of its own id, so no key of another can make one.
"""

from __future__ import annotations

from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

ROLE = "astra_api"
PLATFORM = "current_setting('astra.tenant_id', true) = '*'"
TABLES = ("tiers", "maintenance")
COLUMNS = "tenant_id, display_name, country, tier, wrapped_key"


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"GRANT INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY {table}_read ON {table} FOR SELECT TO {ROLE} USING (true)")
        op.execute(
            f"CREATE POLICY {table}_platform ON {table} TO {ROLE} USING ({PLATFORM}) WITH CHECK ({PLATFORM})"
        )
    op.execute(f"GRANT INSERT ({COLUMNS}) ON tenants TO {ROLE}")
    op.execute(f"GRANT UPDATE (fault) ON training_runs TO {ROLE}")  # failures that a person forgives


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (fault) ON training_runs FROM {ROLE}")
    op.execute(f"REVOKE INSERT ({COLUMNS}) ON tenants FROM {ROLE}")
    for table in TABLES:
        for policy in ("platform", "read", "owner"):
            op.execute(f"DROP POLICY {table}_{policy} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {ROLE}")
