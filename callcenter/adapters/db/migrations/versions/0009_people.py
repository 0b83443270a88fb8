"""People who sign in: their sessions, tokens and tries; and the audit trail, to which rows are only ever added."""

import sqlalchemy as sa
from alembic import op

revision = "0009_people"
down_revision = "0008_webhooks"

_MOMENT = sa.DateTime(timezone=True)

_APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is only ever added to'; END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default="") for name in names]


def _lists(*names: str) -> list[sa.Column[list[str]]]:
    return [sa.Column(name, sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")) for name in names]


def upgrade() -> None:
    _people()
    _sessions()
    op.create_table(
        "sign_in_try",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        *_texts("name", "address", "browser"),
        sa.Column("at", _MOMENT, nullable=False),
        *_texts("outcome"),
    )
    op.create_index("sign_in_try_of_name", "sign_in_try", ["name", "at"])
    op.create_index("sign_in_try_of_address", "sign_in_try", ["address", "at"])
    op.create_index("sign_in_try_at", "sign_in_try", ["at"])
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", _MOMENT, nullable=False),
        *_texts("person", "via", "address", "what", "of", "reason"),
        sa.Column("before", sa.JSON(), nullable=False, comment="as it was written: the hash is over it"),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_index("audit_entry_at", "audit_entry", ["at"])
    op.create_index("audit_entry_of_person", "audit_entry", ["person", "seq"])
    op.execute(_APPEND_ONLY)


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("name", sa.Text(), primary_key=True),
        *_texts("shown", "agent", "language", "theme", "password_hash"),
        sa.Column("subject", sa.Text(), unique=True, comment="who she is to the OIDC provider"),
        *_lists("roles", "granted", "withheld"),
        sa.Column("queues", sa.ARRAY(sa.Text()), comment="her scope; NULL: without limit"),
        sa.Column("teams", sa.ARRAY(sa.Text())),
        sa.Column("campaigns", sa.ARRAY(sa.Text())),
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.Column("changed_at", _MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.Column("removed_at", _MOMENT, comment="her name stays, so that the audit trail goes on meaning her"),
    )
    op.create_index("person_changed_at", "person", ["changed_at"])
    op.create_index("person_of_agent", "person", ["agent"], unique=True, postgresql_where=sa.text("agent <> ''"))


def _sessions() -> None:
    op.create_table(
        "person_session",
        sa.Column("hash", sa.Text(), primary_key=True, comment="SHA-256 of what the browser holds"),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("person", sa.Text(), sa.ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
        *(sa.Column(name, _MOMENT, nullable=False) for name in ("begun_at", "seen_at", "ends_at")),
        *_texts("address", "browser"),
        sa.Column("ended_at", _MOMENT),
    )
    op.create_index("person_session_of_person", "person_session", ["person", "begun_at"])
    op.create_index("person_session_ended_at", "person_session", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))
    op.create_index("person_session_ends_at", "person_session", ["ends_at"])
    op.create_table(
        "person_token",
        sa.Column("hash", sa.Text(), primary_key=True, comment="SHA-256 of the token"),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("person", sa.Text(), sa.ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
        *_texts("label"),
        *_lists("scopes"),
        *(sa.Column(name, _MOMENT, nullable=False) for name in ("created_at", "expires_at")),
        *(sa.Column(name, _MOMENT) for name in ("used_at", "ended_at")),
    )
    op.create_index("person_token_of_person", "person_token", ["person"])
    op.create_index("person_token_ended_at", "person_token", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))


def downgrade() -> None:
    for table in ("audit_entry", "sign_in_try", "person_token", "person_session", "person"):
        op.drop_table(table)
    op.execute("DROP FUNCTION audit_is_append_only()")
