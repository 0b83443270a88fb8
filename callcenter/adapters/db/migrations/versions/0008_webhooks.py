"""Webhooks: subscriptions and what they are told; and answers kept under Idempotency-Keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0008_webhooks"
down_revision = "0007_surveys"

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("webhook_id", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", ARRAY(sa.Text), nullable=False, comment="empty: all"),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False, comment="of its secret, which is kept nowhere"),
        sa.Column("former_until", Moment),
        sa.Column("failing_since", Moment),
        sa.Column("delivered_at", Moment),
    )
    op.create_table(
        "webhook_message",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("webhook_id", sa.Text, sa.ForeignKey("webhook.webhook_id", ondelete="CASCADE"), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Moment),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("settled_at", Moment),
    )
    op.create_index(
        "webhook_message_due", "webhook_message", ["webhook_id", "due_at"], postgresql_where=sa.text("state IN ('due', 'sending')")
    )
    op.create_index("webhook_message_in_order", "webhook_message", ["webhook_id", "at", "message_id"])
    op.create_index("webhook_message_settled", "webhook_message", ["settled_at"], postgresql_where=sa.text("settled_at IS NOT NULL"))
    op.create_table(
        "idempotency_key",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("status", sa.Integer, comment="NULL: the first request is still going on"),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_index("idempotency_key_began_at", "idempotency_key", ["began_at"])


def downgrade() -> None:
    op.drop_table("idempotency_key")
    op.drop_table("webhook_message")
    op.drop_table("webhook")
