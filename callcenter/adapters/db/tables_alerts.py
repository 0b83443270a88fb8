"""The tables of alerts: their rules, when each fired and was over, and who is still to be mailed."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from callcenter.adapters.db.tables import Moment
from callcenter.adapters.db.tables_people import metadata

__all__ = ["metadata"]

alert_rule = Table(
    "alert_rule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("queue", Text, nullable=False, comment="empty: each"),
    Column("metric", Text, nullable=False),
    Column("comparator", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("lasting_s", Float, nullable=False),
    Column("release", Float, comment="NULL: a tenth beyond the value"),
    Column("severity", Text, nullable=False),
    Column("mail", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("changed_at", Moment, nullable=False, server_default=text("now()")),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default="", comment="the agent or the node; empty: the queue, or the center"),
    Column("severity", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("fired_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Index("alert_firing", "rule", "queue", "subject", unique=True, postgresql_where=text("resolved_at IS NULL")),
    Index("alert_fired_at", "fired_at"),
)

alert_mail = Table(
    "alert_mail",
    metadata,
    Column("alert_id", BigInteger, ForeignKey("alert.alert_id", ondelete="CASCADE"), nullable=False),
    Column("fired", Boolean, nullable=False, comment="false: it is over"),
    Column("recipient", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, comment="NULL: done with"),
    Column("why", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("alert_id", "fired", "recipient"),
    Index("alert_mail_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
