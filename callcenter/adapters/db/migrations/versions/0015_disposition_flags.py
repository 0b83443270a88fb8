"""What a disposition was said to mean when it was given: in the contact record."""

import sqlalchemy as sa
from alembic import op

revision = "0015_disposition_flags"
down_revision = "0014_alert_subjects"
COMMENT = "what it was said to mean, when it was given"


def upgrade() -> None:
    op.add_column(
        "contact", sa.Column("disposition_flags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment=COMMENT)
    )
    op.execute("""
        UPDATE contact SET disposition_flags = given.flags FROM (
            SELECT DISTINCT ON (contact_id) contact_id, ARRAY(SELECT jsonb_array_elements_text(coalesce(body -> 'flags', '[]'))) AS flags
            FROM fact WHERE kind = 'DispositionGiven' ORDER BY contact_id, at DESC, seq DESC, n DESC
        ) given WHERE contact.contact_id = given.contact_id AND given.flags <> '{}'
    """)


def downgrade() -> None:
    op.drop_column("contact", "disposition_flags")
