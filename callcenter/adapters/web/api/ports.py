"""What the API needs from the rest of the center. ``apps.web`` puts it together; tests give their own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from callcenter.domain.audit import By, Deed
from callcenter.domain.rights import Of
from callcenter.services.archive import Archive
from callcenter.services.configuration import Configuration
from callcenter.services.contact_lookup import LookedUp
from callcenter.services.control import Json, JsonObject
from callcenter.services.idempotency import KeyStore
from callcenter.services.webhooks import WebhookBook


class AskEngine(Protocol):
    """An operation of ``services.desk``. Raises EngineAway, RequestRefused."""

    async def __call__(self, do: str, **fields: Json) -> JsonObject: ...

    async def close(self) -> None: ...


class LiveReads(Protocol):
    """What is going on now, all that was asked of the engine through ``AskEngine`` included. Everything raises EngineAway."""

    async def picture(self) -> Mapping[str, Any]:
        """``services.live_view``."""

    async def explanation(self, contact: str) -> JsonObject:
        """Why a contact waits. Raises ControlError."""

    async def queue_of(self, contact: str) -> str | None:
        """The queue of a contact that is not over."""


class FlowsAway(Exception):
    """It cannot be done with flows; the sentence says why. ``faults``: what is wrong with a document, each with its place."""

    def __init__(self, sentence: str, faults: Sequence[str] = (), *, unknown: bool = False, changed: bool = False) -> None:
        super().__init__(sentence)
        self.faults = faults
        self.unknown, self.changed = unknown, changed


class Flows(Protocol):
    """Flow documents: the same code as ``callcenter flow``. Each raises FlowsAway."""

    async def listed(self) -> Mapping[str, object]: ...

    async def history(self, flow: str) -> Mapping[str, object]: ...

    async def document(self, flow: str, version: int) -> str:
        """The text of a published version."""

    async def publish(self, flow: str, text: str, author: str, note: str, share: float, expected: int | None) -> Mapping[str, object]:
        """``expected``: the version that is in use, as far as the author knows."""

    async def rollback(self, flow: str, version: int | None, author: str, note: str, expected: int | None) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class Configured:
    """What the configuration names, as far as requests are judged by it."""

    queues: Mapping[str, Mapping[str, object]]
    agents: Mapping[str, Mapping[str, object]]
    """With ``queues``, ``skills`` and ``team``."""
    caller_lists: Mapping[str, Sequence[Mapping[str, object]]]
    skills: Sequence[Mapping[str, object]]
    calendars: Sequence[str] = ()
    private_webhooks: bool = False
    """Whether webhooks may go to private addresses."""

    def agent(self, name: str) -> Of:
        """For rights upon her."""
        agent = self.agents.get(name, {})
        queues, team = agent.get("queues"), agent.get("team")
        return Of(queues=frozenset(queues) if isinstance(queues, list | tuple) else frozenset(), team=str(team or ""), agent=name)


class Reports(Protocol):
    """Raises ``ReportsAway``."""

    async def kpi(self, from_at: datetime | None, to_at: datetime | None, queue: str | None) -> Mapping[str, object]: ...

    async def by_interval(
        self, from_at: datetime | None, to_at: datetime | None, queue: str | None, interval: str
    ) -> Mapping[str, object]: ...


class ReportsAway(Exception):
    """The database does not give the report."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them."""

    engine: AskEngine
    live: LiveReads
    archive: Archive
    keys: KeyStore
    webhooks: WebhookBook
    flows: Flows
    configuration: Configuration
    """Raises StoreAway."""
    reports: Reports
    configured: Callable[[], Configured]
    now: Callable[[], datetime]
    recordings: Callable[[str, str], Path | None]
    """The finished file of a recording, by its node and the file's name; None: it is not on this machine."""
    messages: Callable[[str], Path | None]
    """Likewise of a message."""
    explain_past: Callable[[str], Awaitable[Mapping[str, object]]]
    """Why a contact of the past was offered to whom it was. Raises LookupError."""
    lookup: Callable[[str, Mapping[str, str] | None], Awaitable[LookedUp | None]]
    """What another system knows of the caller of a contact. The mapping is what the books know of it, for one that is over.

    None: its queue has no lookup. Raises LookupError when nothing is known of the contact.
    """
    number_forms: Callable[[str], Sequence[str]]
    """All the ways in which a telephone number may stand in the books."""
    health: Callable[[], Awaitable[Mapping[str, object]]]
    audit: Callable[[By, Deed], Awaitable[object]]
    """Remember who did it. Raises PeopleAway."""
    cursor_key: bytes
    webhook_key: bytes
