"""Message records in PostgreSQL: what is to be done with their audio (services.voicemail_audio), and who is to be mailed about them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.transaction import transaction
from callcenter.services.voicemail_audio import Awaited, TakenIn
from callcenter.services.voicemail_mail import DueMail, MailResult
from callcenter.services.voicemail_messages import StoredMessage

_AWAITED = text("""
    SELECT message_id, node, left_at FROM message
    WHERE audio = 'awaited' AND state IN ('new', 'heard', 'greeting') AND node = ANY(:nodes) ORDER BY left_at LIMIT :limit
""")
_TAKEN_IN = text("""
    UPDATE message SET audio = :audio, bytes = :bytes, seconds = :seconds, peaks = CAST(:peaks AS jsonb)
    WHERE message_id = :message_id AND audio = 'awaited'
""")
_UNWANTED = text("""
    SELECT message_id FROM message WHERE audio IN ('awaited', 'kept') AND state IN ('deleted', 'dropped') ORDER BY left_at LIMIT :limit
""")
_UNTRANSCRIBED = text("""
    SELECT message_id FROM message
    WHERE state IN ('new', 'heard') AND audio = 'kept' AND transcript IS NULL AND left_at >= :since AND NOT message_id = ANY(:but)
    ORDER BY left_at LIMIT :limit
""")
_TRANSCRIBED = text(
    "UPDATE message SET transcript = :transcript WHERE message_id = :message AND state IN ('new', 'heard') AND audio = 'kept'"
)
_DESTROYED = text("UPDATE message SET audio = 'deleted', peaks = NULL, transcript = NULL WHERE message_id = ANY(:messages)")

# --- mail ---

_LIST_MAIL = text("""
    WITH due AS (
        SELECT message_id, mailbox FROM message
        WHERE NOT mail_listed AND state IN ('new', 'heard') AND (
            audio = 'missing' OR audio = 'kept' AND (transcript IS NOT NULL OR NOT :transcribes) OR left_at < :now - interval '2 minutes'
        )
        ORDER BY left_at LIMIT 200 FOR UPDATE
    ), listed AS (
        INSERT INTO message_mail (message_id, recipient, state, due_at)
        SELECT due.message_id, wanted.recipient, 'due', :now
        FROM due JOIN unnest(CAST(:mailboxes AS text[]), CAST(:recipients AS text[])) AS wanted (mailbox, recipient) USING (mailbox)
        ON CONFLICT DO NOTHING
    )
    UPDATE message SET mail_listed = true FROM due WHERE message.message_id = due.message_id
""")
_DUE = text("""
    UPDATE message_mail AS mail SET state = 'sending', attempts = mail.attempts + 1, due_at = :again_at
    FROM (
        SELECT message_id, recipient FROM message_mail
        WHERE state = 'due' AND due_at <= :now OR state = 'sending' AND due_at <= :now
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) first, message
    WHERE (mail.message_id, mail.recipient) = (first.message_id, first.recipient) AND message.message_id = mail.message_id
    RETURNING mail.recipient, mail.attempts, message.message_id, message.mailbox, message.caller, message.caller_name,
        message.contact_id, message.left_at, message.length_s, message.seconds, message.state, message.audio, message.transcript
""")
_SETTLE = text("""
    UPDATE message_mail SET state = :state, sent_at = :sent_at, why = :why, due_at = :due_at
    WHERE message_id = :message_id AND recipient = :recipient AND state = 'sending'
""")

_MESSAGES = text("""
    SELECT message_id, mailbox, state, caller, caller_name, contact_id, call_id, left_at, kept_until, length_s, seconds, audio, peaks,
        transcript
    FROM message WHERE state IN ('new', 'heard') AND (:mailbox = '' OR mailbox = :mailbox)
    ORDER BY mailbox, left_at, message_id LIMIT :limit
""")

SENDING_LASTS = timedelta(minutes=5)
"""Whoever was killed while sending has finished by then, one way or the other."""


class PostgresMessages:
    """Implements the stores of ``services.voicemail_audio``, ``services.voicemail_mail`` and ``services.transcripts``."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 5.0) -> None:
        self._engine = engine
        self._patience = patience

    async def awaited(self, nodes: Sequence[str], limit: int) -> Sequence[Awaited]:
        async with transaction(self._engine, self._patience) as connection:
            found = await connection.execute(_AWAITED, {"nodes": list(nodes), "limit": limit})
            return [Awaited(row.message_id, row.node, row.left_at) for row in found]

    async def taken_in(self, taken: Sequence[TakenIn]) -> None:
        rows = [
            {
                "message_id": each.message_id,
                "audio": "missing" if each.peaks is None else "kept",
                "bytes": each.bytes,
                "seconds": None if each.seconds is None else Decimal(str(each.seconds)),
                "peaks": None if each.peaks is None else json.dumps(each.peaks),
            }
            for each in taken
        ]
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_TAKEN_IN, rows)

    async def unwanted(self, limit: int) -> Sequence[str]:
        async with transaction(self._engine, self._patience) as connection:
            return list((await connection.execute(_UNWANTED, {"limit": limit})).scalars())

    async def destroyed(self, messages: Sequence[str]) -> None:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DESTROYED, {"messages": list(messages)})

    async def untranscribed(self, since: datetime, but: Sequence[str], limit: int) -> Sequence[str]:
        async with transaction(self._engine, self._patience) as connection:
            asked = {"since": since, "but": list(but), "limit": limit}
            return list((await connection.execute(_UNTRANSCRIBED, asked)).scalars())

    async def transcribed(self, message: str, transcript: str) -> None:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_TRANSCRIBED, {"message": message, "transcript": transcript})

    async def list_mail(self, recipients: Mapping[str, Sequence[str]], now: datetime, *, transcribes: bool = False) -> None:
        pairs = [(mailbox, recipient) for mailbox, each in recipients.items() for recipient in each]
        asked = {"mailboxes": [mailbox for mailbox, _ in pairs], "recipients": [recipient for _, recipient in pairs], "now": now}
        asked |= {"transcribes": transcribes}
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_LIST_MAIL, asked)

    async def next_due(self, now: datetime) -> DueMail | None:
        async with transaction(self._engine, self._patience) as connection:
            row = (await connection.execute(_DUE, {"now": now, "again_at": now + SENDING_LASTS})).one_or_none()
        if row is None:
            return None
        length = row.length_s if row.seconds is None else row.seconds
        return DueMail(
            row.message_id,
            row.recipient,
            row.attempts,
            row.mailbox,
            row.caller,
            row.caller_name,
            row.left_at,
            float(length or 0),
            wanted=row.state in ("new", "heard"),
            has_audio=row.audio == "kept",
            transcript=row.transcript,
        )

    async def settle(self, result: MailResult) -> None:
        row = {
            "message_id": result.message_id,
            "recipient": result.recipient,
            "state": result.state.value,
            "sent_at": result.sent_at,
            "why": result.why,
            "due_at": result.due_at,
        }
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            await connection.execute(_SETTLE, row)

    async def messages(self, mailbox: str = "", limit: int = 1000) -> Sequence[StoredMessage]:
        """Those in the mailbox, or in all of them, the oldest first."""
        async with transaction(self._engine, self._patience) as connection:
            found = await connection.execute(_MESSAGES, {"mailbox": mailbox, "limit": limit})
            return [
                StoredMessage(
                    row.message_id,
                    row.mailbox,
                    row.state == "new",
                    row.caller,
                    row.caller_name,
                    row.contact_id,
                    row.call_id,
                    row.left_at,
                    row.kept_until,
                    float(row.seconds if row.seconds is not None else row.length_s or 0),
                    row.audio,
                    tuple(row.peaks or ()),
                    row.transcript or "",
                )
                for row in found
            ]
