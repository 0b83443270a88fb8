"""Callback records, one for each promise; and which contacts were told that we would call back."""

import sqlalchemy as sa
from alembic import op

revision = "0003_callbacks"
down_revision = "0002_dispositions"

MOMENT = sa.DateTime(timezone=True)


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("callback_id", sa.Text(), nullable=False),
        *_words("queue", "number", "caller_name", "source", "call_id", "contact_id"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        *_words("owner", "state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_attempt_at", MOMENT),
        sa.Column("reached_at", MOMENT),
        sa.Column("bridged_at", MOMENT),
        *_words("agent", "bridged_contact_id"),
        sa.Column("settled_at", MOMENT),
        *_words("why"),
        sa.Column("in_time", sa.Boolean()),
        sa.PrimaryKeyConstraint("callback_id"),
    )
    op.create_index("callback_queue_created_at", "callback", ["queue", "created_at"])
    op.create_index("callback_created_at", "callback", ["created_at"])
    op.create_index("callback_of_contact", "callback", ["contact_id"], postgresql_where=sa.text("contact_id <> ''"))
    op.create_index(
        "fact_of_callback", "fact", [sa.text("(body ->> 'callback')")], postgresql_where=sa.text("(body ->> 'callback') IS NOT NULL")
    )
    op.add_column("contact", sa.Column("callback_offered", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("contact", "callback_offered")
    op.drop_index("fact_of_callback", "fact")
    op.drop_table("callback")
