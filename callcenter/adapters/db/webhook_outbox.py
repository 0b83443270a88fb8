"""The transactional outbox of webhooks: what subscribers are to be told is written together with the facts it tells of.

So nothing is told that is not in the books, and nothing in the books is left untold; facts that are shipped again find their
message there already, because its id follows from the fact and the subscription.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.domain.webhook_events import Numbers, event_of, type_of
from callcenter.domain.webhooks import message_id
from callcenter.services.ledger import Shipment
from callcenter.services.webhooks import body_of

# Shared with whoever disables or removes one meanwhile: that waits until this batch is in, or this batch sees it.
_SUBSCRIPTIONS = text("SELECT webhook_id, events, numbers, created_at FROM webhook WHERE enabled ORDER BY webhook_id FOR KEY SHARE")
_ADD = text("""
    INSERT INTO webhook_message (message_id, webhook_id, type, at, body, state, attempts, due_at, status, why)
    SELECT row.message_id, row.webhook_id, row.type, row.at, row.body, 'due', 0, row.at, 0, ''
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (message_id text, webhook_id text, type text, at timestamptz, body text)
    ON CONFLICT (message_id) DO NOTHING
""")


async def write_webhook_messages(connection: AsyncConnection, journal: UUID, shipments: Sequence[Shipment]) -> None:
    """One message for each fact and each subscription that wants it; of what was before a subscription, it is told nothing."""
    told = [
        (shipment.record.seq, n, fact, kind)
        for shipment in shipments
        for n, fact in enumerate(shipment.facts)
        if (kind := type_of(fact)) is not None
    ]
    if not told:
        return
    subscriptions = (await connection.execute(_SUBSCRIPTIONS)).all()
    rows: list[dict[str, str]] = []
    for subscription in subscriptions:
        wanted, since, numbers = frozenset(subscription.events), subscription.created_at, Numbers(subscription.numbers)
        for seq, n, fact, kind in told:
            if (wanted and kind not in wanted) or fact.at < since:
                continue
            told_so = event_of(fact, numbers)
            assert told_so is not None
            message = message_id(journal, seq, n, subscription.webhook_id)
            rows.append(_row(message, subscription.webhook_id, kind, fact.at, body_of(told_so)))
    if rows:
        await connection.execute(_ADD, {"rows": json.dumps(rows)})


def _row(message: str, webhook: str, kind: str, at: datetime, body: str) -> dict[str, str]:
    # Texts from outside may hold NUL, which has no place in PostgreSQL.
    return {"message_id": message, "webhook_id": webhook, "type": kind, "at": at.isoformat(), "body": body.replace("\\u0000", "\\ufffd")}
