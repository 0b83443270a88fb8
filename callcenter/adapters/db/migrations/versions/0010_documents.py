"""The configuration as versioned documents."""

import sqlalchemy as sa
from alembic import op

revision = "0010_documents"
down_revision = "0009_people"


def upgrade() -> None:
    op.create_table(
        "config_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="file, command, page, api, rollback or repair"),
        sa.Column("digest", sa.Text(), nullable=False, comment="of all documents; the center's fact ConfigTaken names it"),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index("config_version_digest", "config_version", ["digest"])
    op.create_table(
        "config_document",
        sa.Column("version", sa.Integer(), nullable=False, comment="in which it changed, or moved among its kind"),
        sa.Column("key", sa.Text(), nullable=False, comment="kind/name, or the kind alone"),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True, comment="NULL: it was taken away"),
        sa.Column("changed_in", sa.Integer(), nullable=False, comment="the version since which it says this"),
        sa.ForeignKeyConstraint(["version"], ["config_version.version"]),
        sa.PrimaryKeyConstraint("key", "version"),
    )
    op.create_index("config_document_of_version", "config_document", ["version"])


def downgrade() -> None:
    op.drop_table("config_document")
    op.drop_table("config_version")
