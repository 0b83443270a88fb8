"""What a contact has achieved, as the agent said: in the contact record and in the CDR."""

import sqlalchemy as sa
from alembic import op

revision = "0002_dispositions"
down_revision = "0001"


def upgrade() -> None:
    for table in ("contact", "cdr"):
        op.add_column(table, sa.Column("disposition", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    for table in ("contact", "cdr"):
        op.drop_column(table, "disposition")
