"""Erasure of a tenant may pass the append-only triggers; nothing else may.

The transaction says so (``astra.erasing``), and only the owner of the tables is heard: the API's role has
no right to delete or rewrite these tables in the first place.
"""

from __future__ import annotations

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

REFUSE = """
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'insufficient_privilege';
"""


def upgrade() -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP IN ('UPDATE', 'DELETE') AND current_setting('astra.erasing', true) = 'on'
                AND (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = TG_RELID)
            THEN
                RETURN NULL;  -- of a statement trigger nobody reads it: the statement goes on
            END IF;
            {REFUSE}
        END $$
        """
    )


def downgrade() -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {REFUSE} END $$"
    )
