"""What decides whether a document teaches are columns, not keys in ``metrics``.

``unreadable`` and ``pii_policy`` come out of the JSON; ``approved`` is what pii_gate's newest verdict said of
the document's example file under that policy. Going back puts the keys where they were; the verdicts, from
which the former release read the approval, were never touched.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('documents', sa.Column('unreadable', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('documents', sa.Column('pii_policy', sa.String(length=16), nullable=True))
    op.add_column('documents', sa.Column('approved', sa.Boolean(), nullable=True))
    # A file that was given up keeps no policy: what is made anew is made under today's.
    op.execute(
        """
        UPDATE documents SET
            unreadable = state = 'quarantined' AND COALESCE(metrics ->> 'unreadable' = 'true', false),
            pii_policy = CASE WHEN pairs_sha256 IS NOT NULL THEN metrics ->> 'pii_policy' END,
            metrics = metrics - 'unreadable' - 'pii_policy'
        """
    )
    op.execute(
        """
        UPDATE documents d SET approved = (
            SELECT passed FROM gate_verdicts v
            WHERE v.tenant_id = d.tenant_id AND v.gate = 'pii_gate' AND v.digest = encode(
                sha256(convert_to(d.pairs_sha256 || ' ' || d.pii_policy, 'UTF8')), 'hex')
            ORDER BY v.verdict_id DESC LIMIT 1
        )
        WHERE d.state = 'anonymized' AND d.pii_policy IS NOT NULL
        """
    )
    op.create_check_constraint(
        op.f('ck_documents_unreadable_is_kept_out'), 'documents', "NOT unreadable OR state = 'quarantined'"
    )
    op.create_check_constraint(
        op.f('ck_documents_policy_of_a_file'), 'documents', "pii_policy IS NULL OR pairs_sha256 IS NOT NULL"
    )
    op.create_check_constraint(
        op.f('ck_documents_approval_of_a_file'),
        'documents',
        "approved IS NULL OR (state = 'anonymized' AND pii_policy IS NOT NULL)",
    )
    op.create_index(
        'ix_documents_unreadable', 'documents', ['tenant_id'], postgresql_where=sa.text('unreadable')
    )
    op.create_index(
        'ix_documents_policy',
        'documents',
        ['tenant_id', 'pii_policy'],
        postgresql_where=sa.text("state <> 'quarantined' AND diff_sha256 IS NOT NULL"),
    )
    op.create_index(
        'ix_documents_unjudged',
        'documents',
        ['tenant_id'],
        postgresql_where=sa.text("state = 'anonymized' AND approved IS NULL"),
    )


def downgrade() -> None:
    for index in ('ix_documents_unjudged', 'ix_documents_policy', 'ix_documents_unreadable'):
        op.drop_index(index, table_name='documents')
    for constraint in ('approval_of_a_file', 'policy_of_a_file', 'unreadable_is_kept_out'):
        op.drop_constraint(op.f(f'ck_documents_{constraint}'), 'documents', type_='check')
    op.execute(
        """
        UPDATE documents SET metrics = metrics || jsonb_strip_nulls(
            jsonb_build_object('pii_policy', pii_policy, 'unreadable', CASE WHEN unreadable THEN true END))
        """
    )
    for column in ('approved', 'pii_policy', 'unreadable'):
        op.drop_column('documents', column)
