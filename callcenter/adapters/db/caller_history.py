"""What PostgreSQL knows of one caller, for the screen of the agent who is to speak to her. Some short questions, each by an index."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db.written import NOTHING, Written, written_of
from callcenter.services.caller_history import CallerHistory, Row

CALLS, MESSAGES, CALLBACKS = 20, 10, 10
"""The latest ones."""
_CALLS = text("""
    SELECT call_id, direction, dialed, started_at, answered_at, ended_at, flow, flow_outcome, wait_s, talk_s, queue, agent, disposition
    FROM cdr WHERE caller = ANY(:numbers) AND call_id <> :without ORDER BY started_at DESC LIMIT :most
""")
_CONTACTS = text("""
    SELECT contact_id, call_id, queue, agent, state, why, entered_at, answered_at, wait_s, talk_s, hold_s, disposition, disposition_flags
    FROM contact WHERE call_id = ANY(:calls) ORDER BY entered_at, contact_id
""")
_PATHS = text("SELECT call_id, flow, node, exit FROM flow_stay WHERE call_id = ANY(:calls) ORDER BY call_id, n")
_MESSAGES = text("""
    SELECT message_id, mailbox, left_at, state, length_s, transcript
    FROM message WHERE caller = ANY(:numbers) AND state <> 'deleted' ORDER BY left_at DESC LIMIT :most
""")
_CALLBACKS = text("""
    SELECT callback_id, queue, state, source, created_at, due_at, settled_at, attempts, owner, why
    FROM callback WHERE number = ANY(:numbers) ORDER BY created_at DESC LIMIT :most
""")


class PostgresHistories:
    """Implements ``services.caller_history.Histories``."""

    def __init__(self, engine: AsyncEngine, forms: Callable[[str], Sequence[str]] = lambda caller: (caller,)) -> None:
        """``forms``: all the ways in which a caller's number may stand in the books."""
        self._engine, self._forms = engine, forms

    async def of(self, caller: str, without_call: str) -> CallerHistory:
        if not caller:
            return CallerHistory()
        of = {"numbers": list(self._forms(caller))}
        async with self._engine.connect() as connection:
            calls = await _rows(connection, _CALLS, **of, without=without_call, most=CALLS)
            names = [str(call["call_id"]) for call in calls]
            contacts = await _rows(connection, _CONTACTS, calls=names)
            paths = await _rows(connection, _PATHS, calls=names)
            written = await written_of(connection, names)
            messages = await _rows(connection, _MESSAGES, **of, most=MESSAGES)
            callbacks = await _rows(connection, _CALLBACKS, **of, most=CALLBACKS)
        return CallerHistory(_together(calls, contacts, paths, written), messages, callbacks)


def _together(calls: Sequence[Row], contacts: Sequence[Row], paths: Sequence[Row], written: Mapping[str, Written]) -> list[Row]:
    by_call: dict[str, list[Row]] = defaultdict(list)
    for contact in contacts:
        by_call[str(contact["call_id"])].append({**contact, **written.get(str(contact["contact_id"]), NOTHING)})
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
