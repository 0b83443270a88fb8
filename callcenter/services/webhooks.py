"""Webhooks: who is told of what happens, and the worker that tells them, with growing pauses, until they have taken it.

A message is marked as being sent before it is, and as delivered once the subscriber has taken it. Whoever is killed in
between sends it again a minute later under the same id. A subscriber that fails or is slow keeps nobody else waiting.
"""

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import random
from typing import Protocol
from uuid import uuid4

from callcenter.domain.webhook_events import TEST, TYPES, Numbers, WebhookEvent
from callcenter.domain.webhook_url import url_fault
from callcenter.domain.webhooks import Attempted, MessageState, Subscription, disabled_why, pause, secret_of, signatures
from callcenter.services.ledger import StoreAway, StoreRefused

log = logging.getLogger(__name__)

AT_ONCE = 32
AT_ONCE_EACH = 4
"""To one subscriber; while it fails, one."""
LOOK_EVERY = 0.5
"""Seconds between two looks when nothing was due."""
SENDING_LASTS = timedelta(minutes=1)
DELIVERED_KEPT = timedelta(days=3)
DEAD_KEPT = timedelta(days=30)
TIDY_EVERY = 600.0
LONGEST_NOTE = 200


class WebhookError(Exception):
    """It cannot be done so; the sentence says why. ``unknown``: there is no such subscription or message."""

    def __init__(self, sentence: str, *, field: str = "", unknown: bool = False, changed: bool = False) -> None:
        super().__init__(sentence)
        self.field, self.unknown, self.changed = field, unknown, changed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscription is to be."""

    url: str
    events: tuple[str, ...] = ()
    numbers: Numbers = Numbers.MASKED
    note: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, as lists show it."""

    message: str
    webhook: str
    type: str
    at: datetime
    state: MessageState
    attempts: int
    due_at: datetime | None
    status: int
    why: str


@dataclass(frozen=True, slots=True)
class DueMessage:
    """One that is to be sent now."""

    message: str
    webhook: str
    attempt: int
    """Counted from 1."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of an attempt."""

    message: str
    webhook: str
    state: MessageState
    at: datetime
    due_at: datetime | None
    status: int
    why: str
    disabled: str = ""
    """Why its subscription is disabled from now on."""


class WebhookBook(Protocol):
    """Where subscriptions and messages are kept. Each raises StoreAway; those that change something WebhookError."""

    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def subscription(self, webhook: str) -> Subscription:
        """Raises WebhookError(unknown)."""

    async def add(self, webhook: str, wanted: Wanted, by: str, now: datetime) -> Subscription: ...

    async def change(self, webhook: str, wanted: Wanted, revision: int | None) -> Subscription:
        """``revision``: the one that is changed; None: whatever is there. Raises WebhookError(changed)."""

    async def rotate(self, webhook: str, now: datetime) -> Subscription:
        """It gets a new secret; the former one goes on signing for ``FORMER_SECRET_FOR``."""

    async def remove(self, webhook: str) -> None: ...

    async def put(self, webhook: str, event: WebhookEvent, message: str) -> None:
        """List one message, for one subscription."""

    async def messages(self, webhook: str, state: MessageState | None, after: Sequence[str] | None, limit: int) -> Sequence[Sent]:
        """The newest first; ``after``: date and id of the last one that was seen."""

    async def redeliver(self, webhook: str, message: str | None, now: datetime) -> int:
        """Have the dead one, or all dead ones, sent again from the first attempt on; how many those are."""

    async def counts(self) -> Mapping[MessageState, int]:
        """Messages that wait, and dead ones."""


class WebhookQueue(Protocol):
    """What the worker asks of the same place. Each raises StoreAway."""

    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def due(self, room: Mapping[str, int], now: datetime, again_at: datetime) -> Sequence[DueMessage]:
        """Take some that are due, at most so many of each subscription, and mark them as being sent."""

    async def settle(self, settled: Settled) -> None: ...

    async def tidy(self, delivered_before: datetime, dead_before: datetime) -> int:
        """Delete old ones; how many."""


class Sender(Protocol):
    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempted:
        """One attempt. Never raises."""


def new_id() -> str:
    """Of a subscription."""
    return f"wh_{uuid4().hex[:20]}"


def wanted(url: str, events: Sequence[str], numbers: str, note: str, enabled: bool, *, allow_private: bool) -> Wanted:
    """What people or programs ask for, checked. Raises WebhookError with the field that does not fit."""
    if fault := url_fault(url, allow_private=allow_private):
        raise WebhookError(fault, field="url")
    if unknown := sorted(set(events) - set(TYPES)):
        raise WebhookError(f"there is no event '{unknown[0][:100]}'; events: {', '.join(TYPES)}", field="events")
    if numbers not in tuple(Numbers):
        raise WebhookError(f"numbers must be one of {', '.join(Numbers)}", field="numbers")
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise WebhookError(f"the note must be one line of at most {LONGEST_NOTE} characters", field="note")
    return Wanted(url, tuple(dict.fromkeys(events)), Numbers(numbers), note, enabled)


async def again(book: WebhookBook, webhook: str) -> Subscription:
    """Begin again with one that was disabled. Raises WebhookError."""
    found = await book.subscription(webhook)
    return await book.change(webhook, Wanted(found.url, found.events, found.numbers, found.note, True), found.revision)


async def send_test(book: WebhookBook, webhook: str, now: datetime) -> str:
    """List a message of the type ``webhook.test``, and say its id. Raises WebhookError."""
    message = f"msg_{uuid4().hex}"
    await book.put(webhook, WebhookEvent(TEST, now, {"webhook": webhook}), message)
    return message


def body_of(event: WebhookEvent) -> str:
    """As it is signed and sent: ``type``, ``timestamp`` and ``data``, as the convention has it."""
    told = {"type": event.type, "timestamp": event.at.astimezone(UTC).isoformat(), "data": dict(event.values)}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace").decode()


def secrets_for(key: bytes, subscription: Subscription, now: datetime) -> list[str]:
    """With which messages are signed now, the newest first."""
    found = [secret_of(key, subscription.webhook, subscription.generation)]
    if subscription.former_until is not None and now < subscription.former_until:
        found.append(secret_of(key, subscription.webhook, subscription.generation - 1))
    return found


class Deliverer:
    """The worker."""

    def __init__(
        self,
        queue: WebhookQueue,
        sender: Sender,
        key: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        spread: Callable[[], float] = random,
    ) -> None:
        self._queue, self._sender, self._key = queue, sender, key
        self._now, self._spread = now, spread
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._known: dict[str, Subscription] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set. What is being sent then is given up; it is sent again later."""
        tidying = asyncio.create_task(self._tidy())
        trouble = ""
        try:
            while not stop.is_set():
                began = False
                try:
                    began = await self.step()
                    trouble = ""
                except (StoreAway, StoreRefused) as error:
                    if trouble != (trouble := str(error)):
                        log.warning("webhooks_wait why=%s", trouble)
                if not began:
                    await self._pause(stop)
        finally:
            for task in (tidying, *self._under_way):
                task.cancel()
            await asyncio.gather(tidying, *self._under_way, return_exceptions=True)

    async def step(self) -> bool:
        """Begin what is due and has room; false when nothing was. Raises StoreAway."""
        self._known = {each.webhook: each for each in await self._queue.subscriptions() if each.enabled}
        room = self._room()
        if not room:
            return False
        now = self._now()
        due = await self._queue.due(room, now, now + SENDING_LASTS)
        for message in due:
            task = asyncio.create_task(self._deliver(message, self._known[message.webhook]))
            self._under_way[task] = message.webhook
            task.add_done_callback(self._under_way.pop)
        return bool(due)

    async def idle(self) -> None:
        """Return once nothing is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _room(self) -> dict[str, int]:
        busy = Counter(self._under_way.values())
        left = AT_ONCE - busy.total()
        room: dict[str, int] = {}
        for name, subscription in sorted(self._known.items(), key=lambda item: (busy[item[0]], item[0])):
            free = min(left, (1 if subscription.failing_since else AT_ONCE_EACH) - busy[name])
            if free > 0:
                room[name] = free
                left -= free
        return room

    async def _deliver(self, message: DueMessage, to: Subscription) -> None:
        timestamp = int(self._now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.message,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(secrets_for(self._key, to, self._now()), message.message, timestamp, message.body),
        }
        attempted = await self._sender.send(to.url, message.body, headers)
        try:
            await self._queue.settle(self._settled(message, to, attempted))
        except (StoreAway, StoreRefused) as error:
            log.warning("webhook_not_settled message=%s why=%s; it will be sent again", message.message, error)

    def _settled(self, message: DueMessage, to: Subscription, attempted: Attempted) -> Settled:
        now = self._now()
        if attempted.delivered:
            return Settled(message.message, to.webhook, MessageState.DELIVERED, now, None, attempted.status, "")
        why = (attempted.why or f"status {attempted.status}")[:500]
        wait = pause(message.attempt, attempted, self._spread())
        disabled = disabled_why(attempted, to.failing_since, now)
        if disabled:
            log.error("webhook_disabled webhook=%s why=%s", to.webhook, disabled)
        state = MessageState.DEAD if wait is None else MessageState.DUE
        if state is MessageState.DEAD:
            log.error("webhook_dead webhook=%s message=%s attempts=%d why=%s", to.webhook, message.message, message.attempt, why)
        return Settled(message.message, to.webhook, state, now, now + wait if wait else None, attempted.status, why, disabled)

    async def _pause(self, stop: asyncio.Event) -> None:
        """Until something may have become possible: a moment has passed, or an attempt has ended."""
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, *self._under_way}, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _tidy(self) -> None:
        while True:
            with contextlib.suppress(StoreAway, StoreRefused):  # the worker says so
                await self._queue.tidy(self._now() - DELIVERED_KEPT, self._now() - DEAD_KEPT)
            await asyncio.sleep(TIDY_EVERY)
