"""The first schema: facts, and the books folded from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

# An index stands on it, so it is no file of kpi/. Every zone of today is whole quarters of an hour away from UTC, so one
# of UTC is one by each zone's wall clock, and days are made of whole ones.
_INTERVAL = """
    CREATE FUNCTION kpi_interval(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT date_bin('15 minutes', at, '2000-01-01 00:00+00')
    $$
"""


def upgrade() -> None:
    op.execute(_INTERVAL)
    _create_agent_state()
    _create_cdr()
    _create_center()
    _create_contact()
    _create_fact()
    _create_journal_position()
    _create_queue_target()
    _create_recording()
    op.execute("CREATE TABLE fact_default PARTITION OF fact DEFAULT")


def downgrade() -> None:
    op.drop_table("recording")
    op.drop_table("queue_target")
    op.drop_table("journal_position")
    op.drop_table("fact")
    op.drop_table("contact")
    op.drop_table("center")
    op.drop_table("cdr")
    op.drop_table("agent_state")
    op.execute("DROP FUNCTION kpi_interval")


def _create_agent_state() -> None:
    op.create_table(
        "agent_state",
        sa.Column("journal", sa.Uuid(), nullable=False, comment="the fact that began the stay"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("journal", "seq", "n"),
    )
    op.create_index("agent_state_began_at", "agent_state", ["began_at"], unique=False)
    op.create_index("agent_state_in_order", "agent_state", ["agent", "journal", "seq", "n"], unique=False)
    op.create_index("agent_state_lasting", "agent_state", ["agent"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))


def _create_cdr() -> None:
    op.create_table(
        "cdr",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("linkedid", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("dialed", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_s", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("talk_s", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("hold_s", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("served_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index("cdr_queue_started_at", "cdr", ["queue", "started_at"], unique=False)
    op.create_index("cdr_started_at", "cdr", ["started_at"], unique=False)


def _create_center() -> None:
    op.create_table(
        "center",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.CheckConstraint("one", name="one_center"),
        sa.PrimaryKeyConstraint("one"),
    )


def _create_contact() -> None:
    op.create_table(
        "contact",
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("offers_missed", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("parted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wait_s", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("talk_s", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("hold_s", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("wrap_up_s", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("short_abandon", sa.Boolean(), nullable=False),
        sa.Column("transferred_from", sa.Text(), nullable=False),
        sa.Column("served_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    op.create_index("contact_entered_at", "contact", ["entered_at"], unique=False)
    op.create_index(
        "contact_interval",
        "contact",
        [sa.text("kpi_interval(entered_at)")],
        unique=False,
        postgresql_using="brin",
    )
    op.create_index("contact_of_call", "contact", ["call_id"], unique=False)
    op.create_index(
        "contact_of_caller", "contact", ["queue", "caller", "entered_at"], unique=False, postgresql_where=sa.text("caller <> ''")
    )
    op.create_index("contact_queue_entered_at", "contact", ["queue", "entered_at"], unique=False)


def _create_fact() -> None:
    op.create_table(
        "fact",
        sa.Column("journal", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False, comment="which fact within the record"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("journal", "seq", "n", "at"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("fact_at", "fact", ["at"], unique=False, postgresql_using="brin")
    op.create_index("fact_of_call", "fact", ["call_id"], unique=False, postgresql_where=sa.text("call_id <> ''"))


def _create_journal_position() -> None:
    op.create_table(
        "journal_position",
        sa.Column("journal", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the last record that is in this database"),
        sa.Column("shipped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("journal"),
    )


def _create_queue_target() -> None:
    op.create_table(
        "queue_target",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("target_ratio", sa.Numeric(precision=6, scale=5), nullable=False),
        sa.Column("target_wait_s", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("short_abandon_s", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("queue"),
    )


def _create_recording() -> None:
    op.create_table(
        "recording",
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True, comment="the finished file's name in the node's recording folder"),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.PrimaryKeyConstraint("recording_id"),
    )
    op.create_index("recording_kept", "recording", ["started_at"], unique=False, postgresql_where=sa.text("state = 'finished'"))
    op.create_index("recording_of_call", "recording", ["call_id"], unique=False)
    op.create_index("recording_started_at", "recording", ["started_at"], unique=False)
    op.create_index("recording_unfinished", "recording", ["state"], unique=False, postgresql_where=sa.text("state = 'stopped'"))
