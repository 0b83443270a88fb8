"""The tables. Column names are the glossary's; spans end in ``_s`` and are seconds, exact to the microsecond."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

Seconds = Numeric(14, 6)
Moment = DateTime(timezone=True)


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


fact = Table(
    "fact",
    metadata,
    Column("journal", Uuid, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("n", SmallInteger, nullable=False, comment="which fact within the record"),
    Column("at", Moment, nullable=False),
    *_words("kind", "call_id", "contact_id", "agent"),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("journal", "seq", "n", "at"),
    Index("fact_of_callback", text("(body ->> 'callback')"), postgresql_where=text("(body ->> 'callback') IS NOT NULL")),
    Index("fact_of_call", "call_id", postgresql_where=text("call_id <> ''")),
    Index("fact_at", "at", postgresql_using="brin"),
    postgresql_partition_by="RANGE (at)",
)

journal_position = Table(
    "journal_position",
    metadata,
    Column("journal", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="the last record that is in this database"),
    Column("shipped_at", Moment, nullable=False, server_default=text("now()")),
)

cdr = Table(
    "cdr",
    metadata,
    Column("call_id", Text, primary_key=True),
    *_words("linkedid", "node", "direction", "caller", "dialed", "trunk", "flow"),
    Column("started_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("wait_s", Seconds, nullable=False),
    Column("talk_s", Seconds, nullable=False),
    Column("hold_s", Seconds, nullable=False),
    *_words("queue", "agent"),
    Column("contacts", Integer, nullable=False),
    Column("cause", Text),
    Column("ended_by", Text),
    *_words("served_by"),
    Column("disposition", Text, nullable=False, server_default=""),
    Column("flow_outcome", Text, comment="what became of a caller who began in a flow; NULL while that is open, and without a flow"),
    Index("cdr_started_at", "started_at"),
    Index("cdr_of_caller", "caller", "started_at", postgresql_where=text("caller <> ''")),
    Index("cdr_queue_started_at", "queue", "started_at"),
)

contact = Table(
    "contact",
    metadata,
    Column("contact_id", Text, primary_key=True),
    *_words("call_id", "queue", "caller"),
    Column("priority", Integer, nullable=False),
    Column("entered_at", Moment, nullable=False),
    Column("offers", Integer, nullable=False),
    Column("offers_missed", Integer, nullable=False),
    Column("answered_at", Moment),
    *_words("agent"),
    Column("parted_at", Moment),
    Column("ended_at", Moment),
    *_words("state"),
    Column("wait_s", Seconds),
    Column("talk_s", Seconds),
    Column("hold_s", Seconds),
    Column("wrap_up_s", Seconds),
    *_words("why"),
    Column("short_abandon", Boolean, nullable=False),
    *_words("transferred_from", "served_by"),
    Column("disposition", Text, nullable=False, server_default=""),
    Column(
        "disposition_flags", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="what it was said to mean, when it was given"
    ),
    Column("callback_offered", Boolean, nullable=False, server_default=text("false")),
    Column("told_right", Integer, nullable=False, server_default="0"),
    Column("told_wrong", Integer, nullable=False, server_default="0"),
    Column("survey_offered", Boolean, nullable=False, server_default=text("false")),
    Index("contact_of_call", "call_id"),
    Index("contact_queue_entered_at", "queue", "entered_at"),
    Index("contact_entered_at", "entered_at"),
    Index("contact_interval", text("kpi_interval(entered_at)"), postgresql_using="brin"),
    Index("contact_of_caller", "queue", "caller", "entered_at", postgresql_where=text("caller <> ''")),
)

flow_stay = Table(
    "flow_stay",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("n", Integer, nullable=False, comment="numbers the stays of a call from 0"),
    *_words("flow", "version", "node"),
    Column("entered_at", Moment, nullable=False),
    Column("left_at", Moment),
    *_words("exit", "to_node"),
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("call_id", "n"),
    Index("flow_stay_entered_at", "entered_at"),
    Index("flow_stay_of_node", "flow", "node", "entered_at"),
)

callback = Table(
    "callback",
    metadata,
    Column("callback_id", Text, primary_key=True),
    *_words("queue", "number", "caller_name", "source", "call_id", "contact_id"),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    *_words("owner", "state"),
    Column("attempts", Integer, nullable=False),
    Column("first_attempt_at", Moment),
    Column("reached_at", Moment),
    Column("bridged_at", Moment),
    *_words("agent", "bridged_contact_id"),
    Column("settled_at", Moment),
    *_words("why"),
    Column("in_time", Boolean),
    Index("callback_queue_created_at", "queue", "created_at"),
    Index("callback_created_at", "created_at"),
    Index("callback_of_number", "number", "created_at"),
    Index("callback_of_contact", "contact_id", postgresql_where=text("contact_id <> ''")),
)

survey_answer = Table(
    "survey_answer",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("n", SmallInteger, nullable=False, comment="which answer of the call"),
    *_words("contact_id", "queue", "agent", "flow", "question", "kind", "value"),
    Column("score", SmallInteger),
    Column("answered_at", Moment, nullable=False),
    PrimaryKeyConstraint("call_id", "n"),
    Index("survey_answer_answered_at", "answered_at"),
)

agent_state = Table(
    "agent_state",
    metadata,
    Column("journal", Uuid, nullable=False, comment="the fact that began the stay"),
    Column("seq", BigInteger, nullable=False),
    Column("n", SmallInteger, nullable=False),
    *_words("agent", "state", "reason", "contact_id"),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    PrimaryKeyConstraint("journal", "seq", "n"),
    Index("agent_state_in_order", "agent", "journal", "seq", "n"),
    Index("agent_state_began_at", "began_at"),
    Index("agent_state_lasting", "agent", postgresql_where=text("ended_at IS NULL")),
)

recording = Table(
    "recording",
    metadata,
    Column("recording_id", Text, primary_key=True),
    *_words("contact_id", "call_id", "agent", "queue", "node"),
    Column("started_at", Moment, nullable=False),
    Column("stopped_at", Moment),
    *_words("state", "why"),
    Column("file", Text, comment="the finished file's name in the node's recording folder"),
    Column("bytes", BigInteger),
    Column("seconds", Seconds),
    Index("recording_of_call", "call_id"),
    Index("recording_started_at", "started_at"),
    Index("recording_kept", "started_at", postgresql_where=text("state = 'finished'")),
    Index("recording_unfinished", "state", postgresql_where=text("state = 'stopped'")),
)

message = Table(
    "message",
    metadata,
    Column("message_id", Text, primary_key=True),
    *_words("mailbox", "node", "call_id", "contact_id", "caller", "caller_name", "state"),
    Column("left_at", Moment, nullable=False),
    Column("kept_until", Moment),
    Column("length_s", Seconds),
    Column("heard_at", Moment),
    Column("deleted_at", Moment),
    Column("heard_by", Text, nullable=False, server_default=""),
    Column("deleted_by", Text, nullable=False, server_default=""),
    Column("audio", Text, nullable=False, server_default="awaited", comment="awaited, kept, missing or deleted"),
    Column("bytes", BigInteger),
    Column("seconds", Seconds),
    Column("peaks", JSONB, comment="the waveform: loudness of equal parts, 0 to 100"),
    Column("transcript", Text),
    Column("mail_listed", Boolean, nullable=False, server_default=text("false")),
    Index("message_of_caller", "caller", "left_at", postgresql_where=text("caller <> ''")),
    Index("message_of_mailbox", "mailbox", "left_at", postgresql_where=text("state IN ('new', 'heard')")),
    Index("message_of_contact", "contact_id", postgresql_where=text("contact_id <> ''")),
    Index("message_unsettled", "audio", postgresql_where=text("audio = 'awaited' OR audio = 'kept' AND state = 'deleted'")),
    Index("message_to_mail", "left_at", postgresql_where=text("NOT mail_listed")),
)

message_mail = Table(
    "message_mail",
    metadata,
    *_words("message_id", "recipient", "state"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("why", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("message_id", "recipient"),
    Index("message_mail_due", "due_at", postgresql_where=text("state = 'due'")),
)

webhook = Table(
    "webhook",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False, comment="empty: all"),
    *_words("numbers", "note"),
    Column("enabled", Boolean, nullable=False),
    *_words("why"),
    Column("created_at", Moment, nullable=False),
    *_words("created_by"),
    Column("revision", Integer, nullable=False),
    Column("generation", Integer, nullable=False, comment="of its secret, which is kept nowhere"),
    Column("former_until", Moment),
    Column("failing_since", Moment),
    Column("delivered_at", Moment),
)

webhook_message = Table(
    "webhook_message",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey("webhook.webhook_id", ondelete="CASCADE"), nullable=False),
    *_words("type"),
    Column("at", Moment, nullable=False),
    *_words("body", "state"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("status", Integer, nullable=False),
    *_words("why"),
    Column("settled_at", Moment),
    Index("webhook_message_due", "webhook_id", "due_at", postgresql_where=text("state IN ('due', 'sending')")),
    Index("webhook_message_in_order", "webhook_id", "at", "message_id"),
    Index("webhook_message_settled", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    *_words("owner", "key", "said"),
    Column("began_at", Moment, nullable=False),
    Column("status", Integer, comment="NULL: the first request is still going on"),
    *_words("content_type", "etag"),
    Column("body", LargeBinary),
    PrimaryKeyConstraint("owner", "key"),
    Index("idempotency_key_began_at", "began_at"),
)

# What the views of kpi/ need to know of the settings; the books keep it up to date.

center = Table(
    "center",
    metadata,
    Column("one", Boolean, CheckConstraint("one", name="one_center"), primary_key=True, server_default=text("true")),
    *_words("name", "time_zone"),
)

queue_target = Table(
    "queue_target",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("target_ratio", Numeric(6, 5), nullable=False),
    Column("target_wait_s", Seconds, nullable=False),
    Column("short_abandon_s", Seconds, nullable=False),
)

config_version = Table(
    "config_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    *_words("author", "reason"),
    Column("source", Text, nullable=False, comment="file, command, page, api, rollback or repair"),
    Column("digest", Text, nullable=False, comment="of all documents; the center's fact ConfigTaken names it"),
    Index("config_version_digest", "digest"),
)

config_document = Table(
    "config_document",
    metadata,
    Column("version", Integer, nullable=False, comment="in which it changed, or moved among its kind"),
    Column("key", Text, nullable=False, comment="kind/name, or the kind alone"),
    Column("place", Integer, nullable=False),
    Column("body", JSON(none_as_null=True), comment="NULL: it was taken away"),
    Column("changed_in", Integer, nullable=False, comment="the version since which it says this"),
    PrimaryKeyConstraint("key", "version"),
    ForeignKeyConstraint(["version"], ["config_version.version"]),
    Index("config_document_of_version", "version"),
)

flow_version = Table(
    "flow_version",
    metadata,
    Column("flow", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    *_words("author", "note", "sha256", "document"),
    Column("about", Text, nullable=False, comment="version.json, as the store on the disk wrote it"),
    PrimaryKeyConstraint("flow", "version"),
)

flow_recording = Table(
    "flow_recording",
    metadata,
    Column("flow", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("flow", "version", "name"),
)

flow_use = Table(
    "flow_use",
    metadata,
    Column("one", Boolean, primary_key=True, comment="there is one row"),
    Column("state", JSON, nullable=False, comment="in-use.json: which versions callers get, and what was done"),
)
