"""How often what a caller was told about the wait came true: in the contact record."""

import sqlalchemy as sa
from alembic import op

revision = "0004_told_waits"
down_revision = "0003_callbacks"

COLUMNS = ("told_right", "told_wrong")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("contact", sa.Column(column, sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("contact", column)
