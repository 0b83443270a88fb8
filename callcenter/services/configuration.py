"""The documents of a center as they are kept and changed: what the store promises, and what a planned change is.

Every change is a *version* of all documents: who made it, when, why, and what it says. Versions are numbered from 1 without a gap and
never change; bringing one back is a new version that says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from callcenter.domain.consequences import Consequence
from callcenter.domain.documents import Body, DocumentChange, Documents


class Stale(Exception):
    """Somebody changed the documents meanwhile; ``now`` is the version they are at."""

    def __init__(self, sentence: str, now: int) -> None:
        super().__init__(sentence)
        self.now = now


class NoSuchVersion(Exception):
    """There is no such version; the sentence names those there are."""


class ChangeRefused(Exception):
    """Nothing was changed; the sentence says why."""


@dataclass(frozen=True, slots=True)
class DocumentFault:
    """What is wrong, and where: one field of one document, a whole document (no field), or everything (no document)."""

    document: str
    field: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.document}: {self.field}" if self.field else self.document
        return f"{place}: {self.sentence}" if place else self.sentence


class Faulty(Exception):
    """Nothing was changed: what would be in use has these faults."""

    def __init__(self, faults: Sequence[DocumentFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes something, and why."""

    author: str
    reason: str = ""
    source: str = "api"
    """``file``, ``command``, ``page``, ``api``, ``rollback`` or ``repair``."""
    via: str = ""
    """By which session or token she asked; and ..."""
    address: str = ""
    """... from where. Both are for the audit trail."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The latest version."""

    version: int
    at: datetime
    author: str
    documents: Documents
    changed_in: Mapping[str, int] = field(default_factory=dict)
    """By document: the version in which it became what it is, its ETag."""


@dataclass(frozen=True, slots=True)
class VersionNote:
    """One version in the history."""

    version: int
    at: datetime
    author: str
    reason: str
    source: str
    digest: str
    changed: Sequence[str] = ()
    """The documents that it changed; those it took away begin with a minus sign."""


class DocumentStore(Protocol):
    """Where the truth is kept. Everything raises StoreAway when it cannot be reached."""

    async def latest(self) -> Stored | None:
        """None: nothing was ever kept."""

    async def number(self) -> int:
        """Of the latest version; 0: nothing was ever kept."""

    async def version(self, number: int) -> Documents:
        """All documents as they were. Raises NoSuchVersion."""

    async def history(self, document: str = "", most: int = 100) -> Sequence[VersionNote]:
        """The newest first; those that changed ``document`` only, if one is named."""

    async def commit(self, base: int, after: Documents, change: Change, at: datetime, number: int | None = None) -> int:
        """Keep what is new against version ``base`` (0: there is none), all of it or nothing; return its number.

        ``number``: which it must be, if not the next one. Raises Stale when ``base`` is not the latest version.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that was checked, and what it means."""

    base: int
    """The version that it changes; 0: there is none."""
    before: Documents
    after: Documents
    changes: Sequence[DocumentChange] = ()
    moved: Sequence[str] = ()
    """Kinds whose documents stand in another order."""
    consequences: Sequence[Consequence] = ()
    notes: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.moved


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan."""

    version: int
    taken_up: bool
    """The engine goes by it already; else it does when it starts."""
    detail: str = ""


class Configuration(Protocol):
    """What API, pages and command line do with the documents. All raise StoreAway, and ``plan...`` raise Faulty."""

    async def now(self) -> Stored:
        """The latest version."""

    async def in_conflict(self) -> bool:
        """Whether ``callcenter.toml`` was edited while the documents were changed, too; somebody has to decide."""

    async def history(self, document: str = "", most: int = 100) -> Sequence[VersionNote]: ...

    async def version(self, number: int) -> Documents:
        """Raises NoSuchVersion."""

    async def plan(self, changes: Mapping[str, Body | None], expected: Mapping[str, int] | None = None) -> Plan:
        """These documents in place of what is there; None takes one away. ``expected`` is the version in which each was seen to have
        changed last (its ETag; 0: it was not there): Raises Stale when one of them is another one now."""

    async def plan_back(self, number: int, document: str = "") -> Plan:
        """Everything, or one document, as it was in that version. Raises NoSuchVersion."""

    async def apply(self, plan: Plan, change: Change) -> Applied:
        """Raises Stale, ChangeRefused: then nothing was changed."""
