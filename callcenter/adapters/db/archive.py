"""Lists and single rows of the books (services.archive.Archive)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db import tables
from callcenter.adapters.db.transaction import transaction
from callcenter.adapters.db.written import Written, written_of
from callcenter.services.archive import Part, Place, Row, Shelf

MOST_OF_ONE = 200
"""Rows beside one contact or call."""


@dataclass(frozen=True, slots=True)
class _Books:
    """A table, in what order it is listed, and by what it may be filtered."""

    table: FromClause
    name: str
    at: str
    same: frozenset[str]
    queue: str
    """The column that says to which queue a row belongs."""


_BOOKS: Mapping[Shelf, _Books] = {
    Shelf.CONTACTS: _Books(
        tables.contact,
        "contact_id",
        "entered_at",
        frozenset({"queue", "agent", "caller", "state", "call_id", "disposition", "why"}),
        "queue",
    ),
    Shelf.CALLS: _Books(
        tables.cdr, "call_id", "started_at", frozenset({"queue", "agent", "caller", "dialed", "direction", "flow", "trunk"}), "queue"
    ),
    Shelf.RECORDINGS: _Books(
        tables.recording, "recording_id", "started_at", frozenset({"queue", "agent", "contact_id", "call_id", "state"}), "queue"
    ),
    Shelf.CALLBACKS: _Books(
        tables.callback, "callback_id", "created_at", frozenset({"queue", "owner", "number", "state", "source", "contact_id"}), "queue"
    ),
    Shelf.MESSAGES: _Books(tables.message, "message_id", "left_at", frozenset({"mailbox", "state", "caller", "contact_id"}), "mailbox"),
}


class PostgresArchive:
    """The books of one center. ``patience``: seconds for one question."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 5.0) -> None:
        self._engine = engine
        self._patience = patience

    async def rows(self, shelf: Shelf, part: Part) -> Sequence[Row]:
        return await self._ask(_listed(_BOOKS[shelf], shelf, part))

    async def row(self, shelf: Shelf, name: str) -> Row | None:
        books = _BOOKS[shelf]
        found = await self._ask(select(books.table).where(books.table.c[books.name] == name))
        return found[0] if found else None

    async def contacts_of_call(self, call: str) -> Sequence[Row]:
        of = tables.contact
        return await self._ask(select(of).where(of.c.call_id == call).order_by(of.c.entered_at, of.c.contact_id).limit(MOST_OF_ONE))

    async def way(self, call: str) -> Sequence[Row]:
        of = tables.flow_stay
        return await self._ask(select(of).where(of.c.call_id == call).order_by(of.c.n).limit(MOST_OF_ONE))

    async def written(self, calls: Sequence[str]) -> Mapping[str, Written]:
        async with transaction(self._engine, self._patience) as connection:
            return await written_of(connection, calls)

    async def of_contact(self, contact: str, call: str) -> Mapping[Shelf, Sequence[Row]]:
        recording, callback, message = tables.recording, tables.callback, tables.message
        return {
            Shelf.RECORDINGS: await self._ask(
                select(recording).where(recording.c.call_id == call, recording.c.contact_id == contact).order_by(recording.c.started_at)
            ),
            Shelf.CALLBACKS: await self._ask(
                select(callback).where(callback.c.contact_id == contact, callback.c.contact_id != "").order_by(callback.c.created_at)
            ),
            Shelf.MESSAGES: await self._ask(
                select(message).where(message.c.contact_id == contact, message.c.contact_id != "").order_by(message.c.left_at)
            ),
        }

    async def _ask(self, statement: Select[Any]) -> Sequence[Row]:
        async with transaction(self._engine, self._patience) as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]


def _listed(books: _Books, shelf: Shelf, part: Part) -> Select[Any]:
    columns = books.table.c
    at, name = columns[books.at], columns[books.name]
    wanted: list[ColumnElement[bool]] = [
        columns[column] == value if isinstance(value, str) else columns[column].in_(value)
        for column, value in part.same.items()
        if column in books.same
    ]
    if part.from_at is not None:
        wanted.append(at >= part.from_at)
    if part.to_at is not None:
        wanted.append(at < part.to_at)
    if part.queues is not None:
        wanted.append(_of_queues(books, shelf, part.queues))
    if shelf is Shelf.MESSAGES and "state" not in part.same:
        wanted.append(columns.state.in_(("new", "heard")))
    if part.after is not None:
        wanted.append(_after(at, name, part.after))
    return select(books.table).where(and_(True, *wanted)).order_by(at.desc(), name.desc()).limit(part.limit)


def _of_queues(books: _Books, shelf: Shelf, queues: Any) -> ColumnElement[bool]:
    """What belongs to no queue belongs to nobody whose view is limited to some."""
    column = books.table.c[books.queue]
    if shelf is Shelf.MESSAGES:
        return column.in_([f"queue:{queue}" for queue in queues])
    mine = column.in_(list(queues))
    if shelf is Shelf.CALLS:
        of = tables.contact
        return or_(mine, exists().where(of.c.call_id == books.table.c.call_id, of.c.queue.in_(list(queues))))
    return mine


def _after(at: ColumnElement[Any], name: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
    return tuple_(at, name) < tuple_(place[0], place[1])
