"""The one task that owns the center: inbox → Center → journal, then outbox; and the one timer."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog

from callcenter.domain.center import Center
from callcenter.domain.commands import CloseBridge, Command, ConnectLegs, HangUp, StartMusic
from callcenter.domain.events import (
    CommandRefused,
    ConfigChanged,
    Event,
    FlowsChanged,
    NodeConnected,
    NodeDisconnected,
    Refusal,
    TimePassed,
)
from callcenter.domain.facts import ON_DISK_FIRST, Fact
from callcenter.domain.machine import Outputs
from callcenter.services.outbox import Outbox
from callcenter.services.ports import Answers, Clock, CommandError, FactListener, Journal, Snapshot, Telephony
from callcenter.services.reconcile import Missed, compare, playbacks

log = structlog.get_logger(__name__)

BEAT_EVERY = 1.0
"""Seconds; the dialplan's guard sends callers to the fallback when the heartbeat is older than 3 s."""
LOOK_EVERY = 1.0
"""Seconds between two looks at a node on which something is in doubt."""
FALLBACK_LASTS = 15.0
"""Seconds after we are back in which the dialplan's fallback may still ring an agent: a slice of its queue, and some."""
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
    suspects: frozenset[str] | None
    done: asyncio.Future[Missed]


class Engine:
    """Runs a restored (or new) center on a telephony port.

    ``on_facts`` is told of every record after it was written: its number and the facts; ``on_rules`` when the center goes by other rules.
    """

    def __init__(
        self,
        center: Center,
        journal: Journal,
        clock: Clock,
        on_facts: FactListener = lambda seq, facts: None,
        on_rules: Callable[[], None] = lambda: None,
    ) -> None:
        self.center = center
        self._journal = journal
        self._clock = clock
        self._on_facts = on_facts
        self._on_rules = on_rules
        self._inbox: deque[Event | _Request | _Reconcile] = deque()
        self._waker: asyncio.Future[None] | None = None
        """Set while the task waits for something to do."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: datetime | None = None
        """When the timer wakes the task: at the center's deadline or before it, never after it."""
        self._telephony: Telephony | None = None
        self._outbox: Outbox | None = None
        self._doubtful: dict[str, set[str]] = {}
        """By node: calls of which something is in doubt."""
        self._bridges_in_doubt: set[str] = set()
        """Nodes on which a bridge may be left behind, perhaps by a call that is over."""
        self._fallback_until: dict[str, float] = {}
        """By node: how long callers may still be in the dialplan's fallback, by the loop's clock."""
        self._looking: dict[str, asyncio.Task[None]] = {}
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

    async def on_disk(self) -> None:
        """Return once all that was decided so far is on disk. Raises what the journal raises when it takes nothing."""
        await self._journal.sync()

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
        await self._catch_up(node)
        if not self._guard_closed:
            await self._telephony.beat(node)

    # --- life -----------------------------------------------------------------------------------

    async def run(self, telephony: Telephony, answers: Answers | None = None) -> None:
        """Serve until cancelled. Calls go on in the PBX afterwards. Flows ask ``answers``; without them every question fails."""
        self._telephony = telephony
        self._outbox = Outbox(telephony, self._outbox_tells, self._journal.sync, answers)
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
        nodes = {*self._telephony.nodes, *(name for name, node in self.center.state.nodes.items() if node.calls)}
        for node in sorted(nodes):  # one that is no longer configured will never be reached again
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
        if deadline is not None and (self._timer_at is None or deadline < self._timer_at):
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = loop.call_later(max(0.0, (deadline - self._clock.now()).total_seconds()), self._time_came)
        self._waker = loop.create_future()
        try:
            await self._waker
        finally:
            self._waker = None

    def _time_came(self) -> None:
        self._timer = self._timer_at = None
        self._wake_up()

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
        if isinstance(event, ConfigChanged | FlowsChanged):
            self._on_rules()
        return outputs.refusal

    def _keep(self, facts: Sequence[Fact]) -> None:
        """First the journal, then the commands those facts justify."""
        if facts:
            self.seq = self._journal.append(facts)
            self._on_facts(self.seq, facts)

    def _send(self, outputs: Outputs) -> None:
        if outputs.commands:
            assert self._outbox is not None
            on_disk_first = any(type(fact) in ON_DISK_FIRST for fact in outputs.facts)
            for command in outputs.commands:
                self._outbox.put(command, on_disk_first=on_disk_first)

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

    async def _catch_up(self, node: str, suspects: frozenset[str] | None = None) -> None:
        """Snapshot, compare, synthesise, clear away. ``suspects``: see ``reconcile.compare``; without, the node is connected then."""
        assert self._telephony is not None
        seen = await self._telephony.snapshot(node, playbacks(self.center.state, node))
        item = _Reconcile(seen, suspects, asyncio.get_running_loop().create_future())
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
        node, first = item.seen.node, item.suspects is None
        lost_again = not first and self.center.state.node(node).away
        missed = Missed() if lost_again else compare(self.center.state, item.seen, self._outbox.busy, item.suspects)
        now = self._clock.now()
        if missed.events or missed.release or missed.destroy:
            log.info("caught_up", node=node, events=len(missed.events), released=len(missed.release), bridges=len(missed.destroy))
        for event in missed.events:
            self._handle(event, now)
        if first:
            self._handle(NodeConnected(node, item.seen.started_at), now)
            self._fallback_until[node] = asyncio.get_running_loop().time() + FALLBACK_LASTS
        if all(leg.ours for leg in item.seen.legs.values()):
            self._fallback_until[node] = 0.0
        self._look_soon(node, missed.skipped)
        if not item.done.done():
            item.done.set_result(missed)

    # --- doubts ---------------------------------------------------------------------------------

    def _outbox_tells(self, event: Event) -> None:
        """A command whose outcome may never be told, on a node that is there: look at the call."""
        self.tell(event)
        if isinstance(event, CommandRefused) and _is_doubtful(event):
            command = cast(Command, event.command)
            if not self.center.state.node(command.node).away:
                if isinstance(command, ConnectLegs | CloseBridge):
                    self._bridges_in_doubt.add(command.node)
                self._look_soon(command.node, [command.call])

    def _look_soon(self, node: str, calls: Iterable[str]) -> None:
        self._doubtful.setdefault(node, set()).update(calls)
        if node not in self._looking and self._is_in_doubt(node):
            self._looking[node] = asyncio.get_running_loop().create_task(self._look(node), name=f"doubts {node}")

    def _is_in_doubt(self, node: str) -> bool:
        return (
            bool(self._doubtful.get(node))
            or node in self._bridges_in_doubt
            or asyncio.get_running_loop().time() < self._fallback_until.get(node, 0.0)
        )

    async def _look(self, node: str) -> None:
        """Look at the node until nothing is in doubt any more; once it is lost, the next connection will look at everything."""
        try:
            while self._is_in_doubt(node):
                await asyncio.sleep(LOOK_EVERY)
                if self.center.state.node(node).away:
                    self._doubtful.pop(node, None)
                    self._bridges_in_doubt.discard(node)
                    return
                await self._settle(node)
        finally:
            del self._looking[node]

    async def _settle(self, node: str) -> None:
        """Judge the calls in doubt that still have legs. Those with commands under way stay in doubt."""
        assert self._outbox is not None
        calls, doubtful = self.center.state.calls, self._doubtful.pop(node, set())
        alive = {call for call in doubtful if call in calls and calls[call].legs}
        busy = {call for call in alive if self._outbox.busy(call)}
        self._doubtful[node] = busy
        if not alive - busy and node not in self._bridges_in_doubt and not self._is_in_doubt(node):
            return
        self._bridges_in_doubt.discard(node)
        try:
            await self._catch_up(node, frozenset(alive - busy))
        except CommandError as error:
            log.warning("no_snapshot", node=node, error=str(error))
            self._doubtful[node] |= alive
            self._bridges_in_doubt.add(node)


def _is_doubtful(refused: CommandRefused) -> bool:
    """Nobody knows whether it was carried out; or a leg seems to be gone, or cannot be ended, and we may never hear of its end.

    Or it waits in silence.
    """
    return refused.refusal in (Refusal.NODE_AWAY, Refusal.GONE) or isinstance(refused.command, HangUp | StartMusic)
