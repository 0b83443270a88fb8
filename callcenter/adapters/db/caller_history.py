"""What PostgreSQL knows of one caller, for the screen of the agent who is to speak to her. Some short questions, each by an index."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.services.caller_history import CallerHistory, Row

CALLS, MESSAGES, CALLBACKS = 20, 10, 10
"""The latest ones."""
_CALLS = text("""
    SELECT call_id, direction, dialed, started_at, answered_at, ended_at, flow, flow_outcome, wait_s, talk_s, queue, agent, disposition
    FROM cdr WHERE caller = :caller AND call_id <> :without ORDER BY started_at DESC LIMIT :most
""")
_CONTACTS = text("""
    SELECT contact_id, call_id, queue, agent, state, why, entered_at, answered_at, wait_s, talk_s, hold_s, disposition
    FROM contact WHERE call_id = ANY(:calls) ORDER BY entered_at, contact_id
""")
_PATHS = text("SELECT call_id, flow, node, exit FROM flow_stay WHERE call_id = ANY(:calls) ORDER BY call_id, n")
_NOTES = text("""
    SELECT DISTINCT ON (contact_id) contact_id, agent, at, body ->> 'note' AS note
    FROM fact WHERE call_id = ANY(:calls) AND kind = 'ContactNoted' ORDER BY contact_id, at DESC, seq DESC, n DESC
""")
_ANSWERS = text("""
    SELECT DISTINCT ON (contact_id, body ->> 'script')
        contact_id, body ->> 'script' AS script, body -> 'fields' AS fields, body -> 'answers' AS answers
    FROM fact WHERE call_id = ANY(:calls) AND kind = 'ScriptFilled' ORDER BY contact_id, body ->> 'script', at DESC, seq DESC, n DESC
""")
_MESSAGES = text("""
    SELECT message_id, mailbox, left_at, state, length_s, transcript
    FROM message WHERE caller = :caller AND state <> 'deleted' ORDER BY left_at DESC LIMIT :most
""")
_CALLBACKS = text("""
    SELECT callback_id, queue, state, source, created_at, due_at, settled_at, attempts, owner, why
    FROM callback WHERE number = :caller ORDER BY created_at DESC LIMIT :most
""")


class PostgresHistories:
    """Implements ``services.caller_history.Histories``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, caller: str, without_call: str) -> CallerHistory:
        if not caller:
            return CallerHistory()
        async with self._engine.connect() as connection:
            calls = await _rows(connection, _CALLS, caller=caller, without=without_call, most=CALLS)
            names = {"calls": [str(call["call_id"]) for call in calls]}
            contacts = await _rows(connection, _CONTACTS, **names)
            paths = await _rows(connection, _PATHS, **names)
            notes = {str(row["contact_id"]): row for row in await _rows(connection, _NOTES, **names)}
            answers = await _rows(connection, _ANSWERS, **names)
            messages = await _rows(connection, _MESSAGES, caller=caller, most=MESSAGES)
            callbacks = await _rows(connection, _CALLBACKS, caller=caller, most=CALLBACKS)
        return CallerHistory(_together(calls, contacts, paths, notes, answers), messages, callbacks)


def _together(
    calls: Sequence[Row], contacts: Sequence[Row], paths: Sequence[Row], notes: Mapping[str, Row], answers: Sequence[Row]
) -> list[Row]:
    filled: dict[str, list[Row]] = defaultdict(list)
    for row in answers:
        fields, given = row["fields"], row["answers"]
        if isinstance(fields, list) and isinstance(given, list):
            pairs = [{"field": field, "answer": answer} for field, answer in zip(fields, given, strict=False)]
            filled[str(row["contact_id"])].append({"script": row["script"], "answers": pairs})
    by_call: dict[str, list[Row]] = defaultdict(list)
    for contact in contacts:
        name = str(contact["contact_id"])
        by_call[str(contact["call_id"])].append({**contact, "note": notes.get(name, {}).get("note") or "", "scripts": filled[name]})
    ways: dict[str, list[Row]] = defaultdict(list)
    for stay in paths:
        ways[str(stay["call_id"])].append({"flow": stay["flow"], "node": stay["node"], "exit": stay["exit"]})
    return [{**call, "contacts": by_call[str(call["call_id"])], "path": ways[str(call["call_id"])]} for call in calls]


async def _rows(connection: AsyncConnection, asked: object, **values: object) -> list[dict[str, object]]:
    found = await connection.execute(asked, values)  # type: ignore[call-overload]
    return [{name: _plain(value) for name, value in row.items()} for row in found.mappings()]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
