"""Subscriptions and their messages in PostgreSQL (services.webhooks.WebhookBook, WebhookQueue)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db.transaction import transaction
from callcenter.domain.webhook_events import Numbers, WebhookEvent
from callcenter.domain.webhooks import FORMER_SECRET_FOR, MessageState, Subscription
from callcenter.services.webhooks import DueMessage, Sent, Settled, Wanted, WebhookError, body_of

MOST = 50
"""Subscriptions of one center: each costs a row per fact."""
_TIDY_AT_ONCE = 5000

_DURABLY = text("SET LOCAL synchronous_commit = on")
_ALL = text("SELECT * FROM webhook ORDER BY created_at, webhook_id")
_ONE = text("SELECT * FROM webhook WHERE webhook_id = :webhook FOR UPDATE")
_COUNT = text("SELECT count(*) FROM webhook")
_LOCK = text("LOCK TABLE webhook IN SHARE ROW EXCLUSIVE MODE")
_ADD = text("""
    INSERT INTO webhook (webhook_id, url, events, numbers, note, enabled, why, created_at, created_by, revision, generation)
    VALUES (:webhook, :url, :events, :numbers, :note, :enabled, '', :now, :by, 1, 1) RETURNING *
""")
_CHANGE = text("""
    UPDATE webhook SET url = :url, events = :events, numbers = :numbers, note = :note, enabled = :enabled, revision = revision + 1,
        why = CASE WHEN :enabled THEN '' WHEN enabled THEN 'by a person' ELSE why END,
        failing_since = CASE WHEN :enabled AND NOT enabled THEN NULL ELSE failing_since END
    WHERE webhook_id = :webhook RETURNING *
""")
_ROTATE = text("""
    UPDATE webhook SET generation = generation + 1, former_until = :until, revision = revision + 1 WHERE webhook_id = :webhook RETURNING *
""")
_REMOVE = text("DELETE FROM webhook WHERE webhook_id = :webhook RETURNING webhook_id")
_PUT = text("""
    INSERT INTO webhook_message (message_id, webhook_id, type, at, body, state, attempts, due_at, status, why)
    VALUES (:message, :webhook, :type, :at, :body, 'due', 0, :at, 0, '')
""")
_MESSAGES = text("""
    SELECT message_id, webhook_id, type, at, state, attempts, due_at, status, why FROM webhook_message
    WHERE webhook_id = :webhook AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:after_at AS timestamptz) IS NULL OR (at, message_id) < (:after_at, :after_id))
    ORDER BY at DESC, message_id DESC LIMIT :limit
""")
_REDELIVER = text("""
    UPDATE webhook_message SET state = 'due', attempts = 0, due_at = :now, settled_at = NULL
    WHERE webhook_id = :webhook AND state = 'dead' AND (CAST(:message AS text) IS NULL OR message_id = :message)
""")
_KNOWN = text("SELECT state FROM webhook_message WHERE webhook_id = :webhook AND message_id = :message")
_COUNTS = text("SELECT state, count(*) FROM webhook_message WHERE state <> 'delivered' GROUP BY state")

_DUE = text("""
    UPDATE webhook_message AS message SET state = 'sending', attempts = message.attempts + 1, due_at = :again_at
    FROM unnest(CAST(:webhooks AS text[]), CAST(:rooms AS integer[])) AS free (webhook_id, room), LATERAL (
        SELECT message_id FROM webhook_message
        WHERE webhook_id = free.webhook_id AND state IN ('due', 'sending') AND due_at <= :now
        ORDER BY due_at LIMIT free.room FOR UPDATE SKIP LOCKED
    ) first
    WHERE message.message_id = first.message_id
    RETURNING message.message_id, message.webhook_id, message.attempts, message.body
""")
_SETTLE = text("""
    UPDATE webhook_message SET state = :state, due_at = :due_at, status = :status, why = :why,
        settled_at = CASE WHEN :state IN ('delivered', 'dead') THEN CAST(:at AS timestamptz) END
    WHERE message_id = :message AND state = 'sending'
""")
_WELL = text("UPDATE webhook SET failing_since = NULL, delivered_at = :at WHERE webhook_id = :webhook")
_FAILING = text("""
    UPDATE webhook SET failing_since = coalesce(failing_since, :at), enabled = enabled AND :disabled = '',
        why = CASE WHEN :disabled = '' THEN why ELSE :disabled END, revision = revision + CASE WHEN :disabled = '' THEN 0 ELSE 1 END
    WHERE webhook_id = :webhook
""")
_TIDY = text("""
    DELETE FROM webhook_message WHERE message_id IN (
        SELECT message_id FROM webhook_message
        WHERE state = 'delivered' AND settled_at < :delivered_before OR state = 'dead' AND settled_at < :dead_before LIMIT :most
    )
""")


class PostgresWebhooks:
    """All of one center."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 5.0) -> None:
        self._engine = engine
        self._patience = patience

    # --- subscriptions --------------------------------------------------------------------------

    async def subscriptions(self) -> Sequence[Subscription]:
        async with transaction(self._engine, self._patience) as connection:
            return [_subscription(row) for row in await connection.execute(_ALL)]

    async def subscription(self, webhook: str) -> Subscription:
        async with transaction(self._engine, self._patience) as connection:
            return await _found(connection, webhook)

    async def add(self, webhook: str, wanted: Wanted, by: str, now: datetime) -> Subscription:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            await connection.execute(_LOCK)
            if (await connection.scalar(_COUNT) or 0) >= MOST:
                raise WebhookError(f"there are {MOST} subscriptions already; remove one that is not needed any more")
            row = await connection.execute(_ADD, {**_columns(webhook, wanted), "now": now, "by": by})
            return _subscription(row.one())

    async def change(self, webhook: str, wanted: Wanted, revision: int | None) -> Subscription:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            found = await _found(connection, webhook)
            if revision is not None and found.revision != revision:
                raise WebhookError(f"{webhook} was changed meanwhile; look at it again", changed=True)
            return _subscription((await connection.execute(_CHANGE, _columns(webhook, wanted))).one())

    async def rotate(self, webhook: str, now: datetime) -> Subscription:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            await _found(connection, webhook)
            return _subscription((await connection.execute(_ROTATE, {"webhook": webhook, "until": now + FORMER_SECRET_FOR})).one())

    async def remove(self, webhook: str) -> None:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            if (await connection.execute(_REMOVE, {"webhook": webhook})).one_or_none() is None:
                raise _unknown(webhook)

    # --- messages -------------------------------------------------------------------------------

    async def put(self, webhook: str, event: WebhookEvent, message: str) -> None:
        row = {"message": message, "webhook": webhook, "type": event.type, "at": event.at, "body": body_of(event)}
        async with transaction(self._engine, self._patience) as connection:
            if not (await _found(connection, webhook)).enabled:
                raise WebhookError(f"{webhook} is not enabled; enable it first")
            await connection.execute(_PUT, row)

    async def messages(self, webhook: str, state: MessageState | None, after: Sequence[str] | None, limit: int) -> Sequence[Sent]:
        at, last = (datetime.fromisoformat(after[0]), after[1]) if after else (None, None)
        asked = {"webhook": webhook, "state": state, "after_at": at, "after_id": last, "limit": limit}
        async with transaction(self._engine, self._patience) as connection:
            await _found(connection, webhook)
            found = await connection.execute(_MESSAGES, asked)
            return [
                Sent(row[0], row[1], row[2], row[3], MessageState(row[4]), row[5], row[6] if row[4] != "dead" else None, row[7], row[8])
                for row in found
            ]

    async def redeliver(self, webhook: str, message: str | None, now: datetime) -> int:
        asked = {"webhook": webhook, "message": message, "now": now}
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            await _found(connection, webhook)
            count = (await connection.execute(_REDELIVER, asked)).rowcount
            if message is not None and not count:
                state = await connection.scalar(_KNOWN, asked)
                if state is None:
                    raise WebhookError(f"there is no message '{message}' of {webhook}", unknown=True)
                raise WebhookError(f"message '{message}' is {state}, not dead")
            return count

    async def counts(self) -> Mapping[MessageState, int]:
        async with transaction(self._engine, self._patience) as connection:
            return {MessageState(state): count for state, count in await connection.execute(_COUNTS)}

    # --- for the worker -------------------------------------------------------------------------

    async def due(self, room: Mapping[str, int], now: datetime, again_at: datetime) -> Sequence[DueMessage]:
        asked = {"webhooks": list(room), "rooms": list(room.values()), "now": now, "again_at": again_at}
        async with transaction(self._engine, self._patience) as connection:
            return [DueMessage(row[0], row[1], row[2], row[3].encode()) for row in await connection.execute(_DUE, asked)]

    async def settle(self, settled: Settled) -> None:
        row = {name: getattr(settled, name) for name in ("message", "webhook", "at", "due_at", "status", "why", "disabled")}
        row["state"] = settled.state.value
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DURABLY)
            await connection.execute(_SETTLE, row)
            await connection.execute(_WELL if settled.state is MessageState.DELIVERED else _FAILING, row)

    async def tidy(self, delivered_before: datetime, dead_before: datetime) -> int:
        asked = {"delivered_before": delivered_before, "dead_before": dead_before, "most": _TIDY_AT_ONCE}
        removed = 0
        while True:
            async with transaction(self._engine, self._patience) as connection:
                count = (await connection.execute(_TIDY, asked)).rowcount
            removed += count
            if count < _TIDY_AT_ONCE:
                return removed


async def _found(connection: AsyncConnection, webhook: str) -> Subscription:
    row = (await connection.execute(_ONE, {"webhook": webhook})).one_or_none()
    if row is None:
        raise _unknown(webhook)
    return _subscription(row)


def _unknown(webhook: str) -> WebhookError:
    return WebhookError(f"there is no webhook '{webhook}'", unknown=True)


def _columns(webhook: str, wanted: Wanted) -> dict[str, object]:
    return {
        "webhook": webhook,
        "url": wanted.url,
        "events": list(wanted.events),
        "numbers": wanted.numbers.value,
        "note": wanted.note,
        "enabled": wanted.enabled,
    }


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        row.webhook_id,
        row.url,
        tuple(row.events),
        Numbers(row.numbers),
        row.note,
        row.enabled,
        row.why,
        row.created_at,
        row.created_by,
        row.revision,
        row.generation,
        row.former_until,
        row.failing_since,
        row.delivered_at,
    )
