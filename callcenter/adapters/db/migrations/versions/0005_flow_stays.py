"""The way of callers through flows, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005_flow_stays"
down_revision = "0004_told_waits"

MOMENT = sa.DateTime(timezone=True)


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "flow_stay",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="numbers the stays of a call from 0"),
        *_words("flow", "version", "node"),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("left_at", MOMENT),
        *_words("exit", "to_node"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "n"),
    )
    op.create_index("flow_stay_entered_at", "flow_stay", ["entered_at"])
    op.create_index("flow_stay_of_node", "flow_stay", ["flow", "node", "entered_at"])
    comment = "what became of a caller who began in a flow; NULL while that is open, and without a flow"
    op.add_column("cdr", sa.Column("flow_outcome", sa.Text(), comment=comment))
    op.create_index("cdr_of_caller", "cdr", ["caller", "started_at"], postgresql_where=sa.text("caller <> ''"))


def downgrade() -> None:
    op.drop_index("cdr_of_caller", "cdr")
    op.drop_column("cdr", "flow_outcome")
    op.drop_table("flow_stay")
