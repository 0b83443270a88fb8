"""What is kept of the past, as lists and single rows: contacts, calls, recordings, callbacks, messages.

Rows are mappings by the column names of the books. Lists are newest first, and go on after the place (date and id) of a row: what is
added meanwhile shifts nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Row = Mapping[str, object]
Place = tuple[datetime, str]
"""Date and id of the last row that was seen."""


class Shelf(StrEnum):
    """Which books."""

    CONTACTS = "contacts"
    CALLS = "calls"
    RECORDINGS = "recordings"
    CALLBACKS = "callbacks"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows are wanted."""

    same: Mapping[str, str | Sequence[str]]
    """Columns that must hold these values; of several, one of them."""
    from_at: datetime | None = None
    to_at: datetime | None = None
    """Not included."""
    queues: Collection[str] | None = None
    """Only what belongs to one of these; None: whatever there is."""
    after: Place | None = None
    limit: int = 50


class Archive(Protocol):
    """Each raises StoreAway, or StoreRefused."""

    async def rows(self, shelf: Shelf, part: Part) -> Sequence[Row]: ...

    async def row(self, shelf: Shelf, name: str) -> Row | None: ...

    async def contacts_of_call(self, call: str) -> Sequence[Row]:
        """In the order in which they entered their queues."""

    async def way(self, call: str) -> Sequence[Row]:
        """Through flows: the stays at their nodes, in order."""

    async def written(self, calls: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What agents wrote of the contacts of these calls, by contact: ``note``, ``scripts``, ``sound``."""

    async def of_contact(self, contact: str, call: str) -> Mapping[Shelf, Sequence[Row]]:
        """What came of it: recordings, callbacks, messages."""
