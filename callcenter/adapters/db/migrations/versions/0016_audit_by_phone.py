"""Which facts of deeds by phone are in the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0016_audit_by_phone"
down_revision = "0015_disposition_flags"


def upgrade() -> None:
    op.create_table(
        "audit_by_phone",
        sa.Column("journal", sa.Uuid(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, comment="of the record in the journal"),
        sa.Column("n", sa.SmallInteger(), primary_key=True, autoincrement=False, comment="of the fact in the record"),
        comment="facts that are in the audit trail",
    )


def downgrade() -> None:
    op.drop_table("audit_by_phone")
