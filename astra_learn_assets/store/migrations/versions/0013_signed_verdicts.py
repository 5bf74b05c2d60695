"""Verdicts carry a signature; the base model can be put in service again.

A verdict that was recorded before has no signature: what serves goes on serving, and what is to be promoted
is evaluated again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gate_verdicts", sa.Column("signature", sa.String(128)))
    op.alter_column("promotions", "adapter_id", nullable=True)
    op.drop_constraint(op.f("ck_promotions_kind_known"), "promotions")
    op.create_check_constraint(
        op.f("ck_promotions_kind_known"), "promotions", "kind IN ('promotion', 'rollback', 'base')"
    )
    op.create_check_constraint(
        op.f("ck_promotions_base_has_no_adapter"), "promotions", "kind <> 'base' OR adapter_id IS NULL"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_promotions_base_has_no_adapter"), "promotions")
    op.drop_constraint(op.f("ck_promotions_kind_known"), "promotions")
    op.create_check_constraint(
        op.f("ck_promotions_kind_known"), "promotions", "kind IN ('promotion', 'rollback')"
    )
    op.alter_column("promotions", "adapter_id", nullable=False)
    op.drop_column("gate_verdicts", "signature")
