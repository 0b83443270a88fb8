"""The published flows, beside the engine's disk."""

import sqlalchemy as sa
from alembic import op

revision = "0013_flow_versions"
down_revision = "0012_alerts"


def upgrade() -> None:
    op.create_table(
        "flow_version",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("author", "note", "sha256", "document")),
        sa.Column("about", sa.Text(), nullable=False, comment="version.json, as the store on the disk wrote it"),
        sa.PrimaryKeyConstraint("flow", "version"),
    )
    op.create_table(
        "flow_recording",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "version", "name"),
    )
    op.create_table(
        "flow_use",
        sa.Column("one", sa.Boolean(), nullable=False, comment="there is one row"),
        sa.Column("state", sa.JSON(), nullable=False, comment="in-use.json: which versions callers get, and what was done"),
        sa.PrimaryKeyConstraint("one"),
    )


def downgrade() -> None:
    for table in ("flow_use", "flow_recording", "flow_version"):
        op.drop_table(table)
