"""Survey answers; and in the contact record, whether the caller was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0007_surveys"
down_revision = "0006_voicemail"


def upgrade() -> None:
    op.add_column("contact", sa.Column("survey_offered", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "survey_answer",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False, comment="which answer of the call"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("contact_id", "queue", "agent", "flow", "question", "kind", "value")),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "n"),
    )
    op.create_index("survey_answer_answered_at", "survey_answer", ["answered_at"])


def downgrade() -> None:
    op.drop_table("survey_answer")
    op.drop_column("contact", "survey_offered")
