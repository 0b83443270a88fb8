"""The one task that owns the center: inbox → Center → journal, then outbox; and the one timer."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from callcenter.domain.center import Center
from callcenter.domain.events import CommandRefused, Event, NodeConnected, NodeDisconnected, Refusal, TimePassed
from callcenter.domain.facts import Fact
from callcenter.domain.machine import Outputs
from callcenter.services.outbox import Outbox
from callcenter.services.ports import Clock, CommandError, FactListener, Journal, Snapshot, Telephony
from callcenter.services.reconcile import Missed, compare, playbacks

log = structlog.get_logger(__name__)

BEAT_EVERY = 1.0
"""Seconds; the dialplan's guard sends callers to the fallback when the heartbeat is older than 3 s."""
TURN_LIMIT = 200
"""Events handled before others on the loop get their turn."""


@dataclass(slots=True)
class _Request:
    """An event somebody waits for."""

    event: Event
    answer: asyncio.Future[str | None]


@dataclass(slots=True)
class _Reconcile:
    """A snapshot to be compared, in its place among the events."""

    seen: Snapshot
    known: frozenset[str] | None
    done: asyncio.Future[Missed]


class Engine:
    """Runs a restored (or new) center on a telephony port.

    ``on_facts`` is told of every record after it was written: its number and the facts.
    """

    def __init__(self, center: Center, journal: Journal, clock: Clock, on_facts: FactListener = lambda seq, facts: None) -> None:
        self.center = center
        self._journal = journal
        self._clock = clock
        self._on_facts = on_facts
        self._inbox: deque[Event | _Request | _Reconcile] = deque()
        self._waker: asyncio.Future[None] | None = None
        """Set while the task waits for something to do."""
        self._telephony: Telephony | None = None
        self._outbox: Outbox | None = None
        self._resyncs: dict[str, asyncio.Task[None]] = {}
        self._guard_closed = False
        self.seq = 0
        """The number of the latest record."""

    # --- what the outside says ------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Hand over an event; never blocks."""
        self._inbox.append(event)
        self._wake_up()

    async def request(self, event: Event) -> str | None:
        """Hand over what a person wants; the answer is None, or a sentence saying why it cannot be."""
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Request(event, answer))
        self._wake_up()
        return await answer

    async def caught_up(self) -> None:
        """Return once everything told so far has been handled."""
        await self.request(TimePassed())

    def close_guard(self) -> None:
        """No more heartbeats: in 3 s the dialplan sends new callers to its fallback."""
        self._guard_closed = True

    async def on_connect(self, node: str) -> None:
        """The telephony port reached the node: catch up with what happened there, and open its dialplan's guard.

        Raises CommandError when it is lost again.
        """
        assert self._telephony is not None
        await self.caught_up()
        await self._catch_up(node, known=None)
        if not self._guard_closed:
            await self._telephony.beat(node)

    # --- life -----------------------------------------------------------------------------------

    async def run(self, telephony: Telephony) -> None:
        """Serve until cancelled. Calls go on in the PBX afterwards."""
        self._telephony = telephony
        self._outbox = Outbox(telephony, self._outbox_tells)
        self._begin()
        await telephony.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._serve(), name="engine")
            for node in telephony.nodes:
                tasks.create_task(self._beat(node), name=f"heartbeat {node}")

    def _begin(self) -> None:
        """What a restored center believes is as old as its latest fact: at that date we lost sight of all nodes."""
        assert self._telephony is not None
        now = self._clock.now()
        for node in self._telephony.nodes:
            self._handle(NodeDisconnected(node, tried_since=now), self.center.state.at or now)

    async def _serve(self) -> None:
        while True:
            if not self._inbox:
                await self._until_due()
            if not self._inbox:
                self._handle(TimePassed(), self._clock.now())
            for _ in range(min(len(self._inbox), TURN_LIMIT)):
                self._take(self._inbox.popleft())
            if self._inbox:
                await asyncio.sleep(0)  # others on the loop get their turn

    async def _until_due(self) -> None:
        """Wait until something is in the inbox, or a deadline has come. Never less than one turn of the loop."""
        deadline = self.center.deadline
        loop = asyncio.get_running_loop()
        self._waker = loop.create_future()
        timer = None
        if deadline is not None:
            timer = loop.call_later(max(0.0, (deadline - self._clock.now()).total_seconds()), self._wake_up)
        try:
            await self._waker
        finally:
            self._waker = None
            if timer is not None:
                timer.cancel()

    def _wake_up(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    def _take(self, item: Event | _Request | _Reconcile) -> None:
        if isinstance(item, _Request):
            refusal = self._handle(item.event, self._clock.now())
            if not item.answer.done():
                item.answer.set_result(refusal)
        elif isinstance(item, _Reconcile):
            self._reconcile(item)
        else:
            self._handle(item, self._clock.now())

    def _handle(self, event: Event, now: datetime) -> str | None:
        outputs = self.center.handle(event, now)
        self._keep(outputs.facts)
        for fault in outputs.faults:
            log.error("fault", happening=type(event).__name__, subject=getattr(event, "leg", ""), exc_info=fault)
        self._send(outputs)
        return outputs.refusal

    def _keep(self, facts: Sequence[Fact]) -> None:
        """First the journal, then the commands those facts justify."""
        if facts:
            self.seq = self._journal.append(facts)
            self._on_facts(self.seq, facts)

    def _send(self, outputs: Outputs) -> None:
        if outputs.commands:
            assert self._outbox is not None
            for command in outputs.commands:
                self._outbox.put(command)

    # --- nodes ----------------------------------------------------------------------------------

    async def _beat(self, node: str) -> None:
        """Each second, and only while the engine's own task takes its turns: a frozen center must look frozen."""
        assert self._telephony is not None
        while not self._guard_closed:
            await self.caught_up()
            try:
                await self._telephony.beat(node)
            except CommandError as error:
                log.debug("no_heartbeat", node=node, error=str(error))
            await asyncio.sleep(BEAT_EVERY)

    async def _catch_up(self, node: str, known: frozenset[str] | None) -> None:
        """Snapshot, compare, synthesise, clear away; then the node is connected. ``known``: see ``reconcile.compare``."""
        assert self._telephony is not None
        seen = await self._telephony.snapshot(node, playbacks(self.center.state, node))
        item = _Reconcile(seen, known, asyncio.get_running_loop().create_future())
        self._inbox.append(item)
        self._wake_up()
        missed = await item.done
        for leg in missed.release:
            await self._telephony.release(node, leg)
        for bridge in missed.destroy:
            await self._telephony.destroy_bridge(node, bridge)
        for leg in missed.watch:
            await self._telephony.watch(node, leg)

    def _reconcile(self, item: _Reconcile) -> None:
        assert self._outbox is not None
        missed = compare(self.center.state, item.seen, self._outbox.busy, item.known)
        now = self._clock.now()
        if missed.events or missed.release or missed.destroy:
            log.info("caught_up", node=item.seen.node, events=len(missed.events), released=len(missed.release), bridges=len(missed.destroy))
        for event in missed.events:
            self._handle(event, now)
        self._handle(NodeConnected(item.seen.node, item.seen.started_at), now)
        if missed.skipped:
            self._resync_soon(item.seen.node)
        if not item.done.done():
            item.done.set_result(missed)

    def _outbox_tells(self, event: Event) -> None:
        """A command whose fate nobody knows, on a node that is there: look at the node."""
        self.tell(event)
        if isinstance(event, CommandRefused) and event.refusal is Refusal.NODE_AWAY:
            node: str = getattr(event.command, "node", "")
            if not self.center.state.node(node).away:
                self._resync_soon(node)

    def _resync_soon(self, node: str) -> None:
        if node not in self._resyncs:
            self._resyncs[node] = asyncio.get_running_loop().create_task(self._resync(node))

    async def _resync(self, node: str) -> None:
        try:
            await asyncio.sleep(1.0)
            if not self.center.state.node(node).away:
                await self._catch_up(node, known=frozenset(self.center.state.legs))
        except CommandError as error:
            log.warning("no_snapshot", node=node, error=str(error))
        finally:
            del self._resyncs[node]
