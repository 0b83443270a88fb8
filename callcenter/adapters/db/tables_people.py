"""The tables of people who sign in, and of the audit trail."""

from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, Uuid, text

from callcenter.adapters.db.tables import Moment, metadata

__all__ = ["metadata"]


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False, server_default="") for name in names]


def _lists(*names: str) -> list[Column[list[str]]]:
    return [Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'")) for name in names]


person = Table(
    "person",
    metadata,
    Column("name", Text, primary_key=True),
    *_texts("shown", "agent", "language", "theme", "password_hash"),
    Column("subject", Text, unique=True, comment="who she is to the OIDC provider"),
    *_lists("roles", "granted", "withheld"),
    Column("queues", ARRAY(Text), comment="her scope; NULL: without limit"),
    Column("teams", ARRAY(Text)),
    Column("campaigns", ARRAY(Text)),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", Moment, nullable=False, server_default=text("now()")),
    Column("changed_at", Moment, nullable=False, server_default=text("now()")),
    Column("removed_at", Moment, comment="her name stays, so that the audit trail goes on meaning her"),
    Index("person_changed_at", "changed_at"),
    Index("person_of_agent", "agent", unique=True, postgresql_where=text("agent <> ''")),
)

person_session = Table(
    "person_session",
    metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256 of what the browser holds"),
    Column("id", Text, nullable=False, unique=True),
    Column("person", Text, ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    *_texts("address", "browser"),
    Column("ended_at", Moment),
    Index("person_session_of_person", "person", "begun_at"),
    Index("person_session_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    Index("person_session_ends_at", "ends_at"),
)

person_token = Table(
    "person_token",
    metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256 of the token"),
    Column("id", Text, nullable=False, unique=True),
    Column("person", Text, ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
    *_texts("label"),
    *_lists("scopes"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("ended_at", Moment),
    Index("person_token_of_person", "person"),
    Index("person_token_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    *_texts("name", "address", "browser"),
    Column("at", Moment, nullable=False),
    *_texts("outcome"),
    Index("sign_in_try_of_name", "name", "at"),
    Index("sign_in_try_of_address", "address", "at"),
    Index("sign_in_try_at", "at"),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    *_texts("person", "via", "address", "what", "of", "reason"),
    Column("before", JSON, nullable=False, comment="as it was written: the hash is over it"),
    Column("after", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_entry_at", "at"),
    Index("audit_entry_of_person", "person", "seq"),
)

audit_by_phone = Table(
    "audit_by_phone",
    metadata,
    Column("journal", Uuid, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the record in the journal"),
    Column("n", SmallInteger, primary_key=True, autoincrement=False, comment="of the fact in the record"),
    comment="facts that are in the audit trail",
)
