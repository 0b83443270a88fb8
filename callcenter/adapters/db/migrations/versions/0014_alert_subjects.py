"""Alerts about agents, nodes and the center itself."""

import sqlalchemy as sa
from alembic import op

revision = "0014_alert_subjects"
down_revision = "0013_flow_versions"

OPEN = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    comment = "the agent or the node; empty: the queue, or the center"
    op.add_column("alert", sa.Column("subject", sa.Text, nullable=False, server_default="", comment=comment))
    op.drop_index("alert_firing", "alert")
    op.create_index("alert_firing", "alert", ["rule", "queue", "subject"], unique=True, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("alert_firing", "alert")
    op.execute("DELETE FROM alert WHERE subject <> ''")
    op.drop_column("alert", "subject")
    op.create_index("alert_firing", "alert", ["rule", "queue"], unique=True, postgresql_where=OPEN)
