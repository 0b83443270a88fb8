"""What is known of a caller is found by the caller's number: messages left, callbacks promised."""

from alembic import op
from sqlalchemy import text

revision = "0011_caller_history"
down_revision = "0010_documents"


def upgrade() -> None:
    op.create_index("message_of_caller", "message", ["caller", "left_at"], postgresql_where=text("caller <> ''"))
    op.create_index("callback_of_number", "callback", ["number", "created_at"])


def downgrade() -> None:
    op.drop_index("callback_of_number", table_name="callback")
    op.drop_index("message_of_caller", table_name="message")
