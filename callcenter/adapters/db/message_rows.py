"""Rows of messages and greetings from their facts: each fact changes its row at most once, however often it is shipped."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.adapters.db.rows import seconds
from callcenter.domain import facts as f

_ADD = text("""
    INSERT INTO message (message_id, mailbox, node, call_id, contact_id, caller, caller_name, state, left_at, kept_until, length_s)
    VALUES (:message, :mailbox, :node, :call, :contact, :caller, :caller_name, :state, :at, :kept_until, :length)
    ON CONFLICT (message_id) DO NOTHING
""")
_HEARD = text("UPDATE message SET state = 'heard', heard_at = :at, heard_by = :by WHERE message_id = :message AND state = 'new'")
_SAVED = text("UPDATE message SET kept_until = :kept_until WHERE message_id = :message AND kept_until < :kept_until")
_DELETED = text("""
    UPDATE message SET state = 'deleted', deleted_at = :at, deleted_by = :by
    WHERE message_id = :message AND state IN ('new', 'heard', 'greeting')
""")

_Row = Mapping[str, object]


def _added(fact: Any, message: str, state: str) -> _Row:
    said = {name: getattr(fact, name, "") for name in ("mailbox", "node", "call", "contact", "caller", "caller_name")}
    length = getattr(fact, "length", None)
    rest = {"kept_until": getattr(fact, "kept_until", None), "length": None if length is None else seconds(length)}
    return {"message": message, "state": state, "at": fact.at, **said, **rest}


def _left(fact: f.MessageLeft) -> Iterable[tuple[TextClause, _Row]]:
    yield _ADD, _added(fact, fact.message, "new")


def _heard(fact: f.MessageHeard) -> Iterable[tuple[TextClause, _Row]]:
    yield _HEARD, {"message": fact.message, "at": fact.at, "by": fact.by}


def _saved(fact: f.MessageSaved) -> Iterable[tuple[TextClause, _Row]]:
    yield _SAVED, {"message": fact.message, "kept_until": fact.kept_until}


def _deleted(fact: f.MessageDeleted) -> Iterable[tuple[TextClause, _Row]]:
    yield _DELETED, {"message": fact.message, "at": fact.at, "by": fact.by}


def _dropped(fact: f.MessageDropped) -> Iterable[tuple[TextClause, _Row]]:
    """It has a row so that its audio is destroyed."""
    yield _ADD, _added(fact, fact.message, "dropped")


def _greeting(fact: f.GreetingChanged) -> Iterable[tuple[TextClause, _Row]]:
    if fact.greeting:
        yield _ADD, _added(fact, fact.greeting, "greeting")
    if fact.before:
        yield _DELETED, {"message": fact.before, "at": fact.at, "by": "owner"}


_CHANGES: Mapping[type, Callable[[Any], Iterable[tuple[TextClause, _Row]]]] = {
    f.MessageLeft: _left,
    f.MessageHeard: _heard,
    f.MessageSaved: _saved,
    f.MessageDeleted: _deleted,
    f.MessageDropped: _dropped,
    f.GreetingChanged: _greeting,
}


async def write_messages(connection: AsyncConnection, facts: Iterable[f.Fact]) -> None:
    """In the order of the facts."""
    for fact in facts:
        if change := _CHANGES.get(type(fact)):
            for statement, row in change(fact):
                await connection.execute(statement, row)
