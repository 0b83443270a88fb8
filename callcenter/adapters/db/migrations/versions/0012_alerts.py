"""Alerts: rules, when each fired, and who is to be mailed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012_alerts"
down_revision = "0011_caller_history"

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("queue", sa.Text, nullable=False, comment="empty: each"),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("comparator", sa.Text, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("lasting_s", sa.Float, nullable=False),
        sa.Column("release", sa.Float, comment="NULL: a tenth beyond the value"),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("mail", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("changed_at", Moment, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("fired_at", Moment, nullable=False),
        sa.Column("resolved_at", Moment),
    )
    op.create_index("alert_firing", "alert", ["rule", "queue"], unique=True, postgresql_where=sa.text("resolved_at IS NULL"))
    op.create_index("alert_fired_at", "alert", ["fired_at"])
    op.create_table(
        "alert_mail",
        sa.Column("alert_id", sa.BigInteger, sa.ForeignKey("alert.alert_id", ondelete="CASCADE"), nullable=False),
        sa.Column("fired", sa.Boolean, nullable=False, comment="false: it is over"),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", Moment, comment="NULL: done with"),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("alert_id", "fired", "recipient"),
    )
    op.create_index("alert_mail_due", "alert_mail", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def downgrade() -> None:
    for table in ("alert_mail", "alert", "alert_rule"):
        op.drop_table(table)
