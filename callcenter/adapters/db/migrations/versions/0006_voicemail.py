"""Messages and greetings recorded by phone, what became of their audio, and the mail about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_voicemail"
down_revision = "0005_flow_stays"

MOMENT = sa.DateTime(timezone=True)


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("message_id", sa.Text(), nullable=False),
        *_words("mailbox", "node", "call_id", "contact_id", "caller", "caller_name", "state"),
        sa.Column("left_at", MOMENT, nullable=False),
        sa.Column("kept_until", MOMENT),
        sa.Column("length_s", sa.Numeric(14, 6)),
        sa.Column("heard_at", MOMENT),
        sa.Column("deleted_at", MOMENT),
        sa.Column("heard_by", sa.Text(), server_default="", nullable=False),
        sa.Column("deleted_by", sa.Text(), server_default="", nullable=False),
        sa.Column("audio", sa.Text(), server_default="awaited", nullable=False, comment="awaited, kept, missing or deleted"),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("seconds", sa.Numeric(14, 6)),
        sa.Column("peaks", JSONB(), comment="the waveform: loudness of equal parts, 0 to 100"),
        sa.Column("transcript", sa.Text()),
        sa.Column("mail_listed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("message_of_mailbox", "message", ["mailbox", "left_at"], postgresql_where=sa.text("state IN ('new', 'heard')"))
    op.create_index("message_of_contact", "message", ["contact_id"], postgresql_where=sa.text("contact_id <> ''"))
    op.create_index(
        "message_unsettled", "message", ["audio"], postgresql_where=sa.text("audio = 'awaited' OR audio = 'kept' AND state = 'deleted'")
    )
    op.create_index("message_to_mail", "message", ["left_at"], postgresql_where=sa.text("NOT mail_listed"))
    op.create_table(
        "message_mail",
        *_words("message_id", "recipient", "state"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("message_id", "recipient"),
    )
    op.create_index("message_mail_due", "message_mail", ["due_at"], postgresql_where=sa.text("state = 'due'"))


def downgrade() -> None:
    op.drop_table("message_mail")
    op.drop_table("message")
