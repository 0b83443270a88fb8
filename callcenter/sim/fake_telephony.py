"""The telephony port over nodes that are not there, with the ways in which a real connection fails.

For the real engine on a loop in virtual time: connections are cut and mended, requests and answers get lost, commands
get stuck. The nodes (``FakePbx``) outlive this object, as Asterisk outlives the engine.
"""

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.domain.commands import Command
from callcenter.domain.events import Event, NodeDisconnected, Refusal
from callcenter.services.ports import CommandError, Inbox, Snapshot
from callcenter.sim.fake_pbx import FakePbx

ONE_WAY = 0.001
"""Seconds from us to the node, and back again."""
STEP = 1e-6
"""Seconds between two things that come in order."""
REQUEST_TIMEOUT = 2.0
"""Seconds; then nobody knows whether the request was carried out."""
CONNECT_AGAIN = 0.3
"""Seconds between two tries to connect."""

Chosen = Callable[[Command], bool]


def _none(command: Command) -> bool:
    return False


def _at_once(event: Event) -> Sequence[float]:
    return (0.0,)


def varied(seed: int | None) -> Callable[[], float]:
    """How long one way takes: always the same without a seed, else now and then ten times as long. The order is always kept."""
    chance = random.Random(seed)
    return lambda: ONE_WAY if seed is None else ONE_WAY * chance.choice((0.1, 0.5, 1, 2, 10))


@dataclass
class Wire:
    """The network between us and one node; it outlives us."""

    pbx: FakePbx
    takes: Callable[[], float] = field(default=varied(None))
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    cut_short: asyncio.Event = field(default_factory=asyncio.Event)
    loses_request: Chosen = _none
    """Such commands never arrive."""
    loses_answer: Chosen = _none
    """Such commands are carried out, and we never hear of it."""
    stuck: Chosen = _none
    """Such commands are not carried out before ``freed``."""
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    carried_out: list[Command] = field(default_factory=list)
    silent: bool = False
    """Nothing gets through in either direction, and nobody has noticed yet."""
    lags: Callable[[Event], Sequence[float]] = _at_once
    """Seconds until each copy of the event arrives. Asterisk keeps the order of each leg's events, not that of different legs."""

    def __post_init__(self) -> None:
        self.pbx.fall_deaf()
        self.whole.set()

    def cut(self) -> None:
        """The connection is lost, and cannot be had again before ``mend``."""
        self.pbx.fall_deaf()
        self.whole.clear()
        self.cut_short.set()

    def mend(self) -> None:
        self.cut_short.clear()
        self.whole.set()

    def crash(self) -> None:
        """Asterisk is killed; ``mend`` is when it is up again."""
        self.cut()
        self.pbx.crash()


class _Node:
    """Our end of one wire."""

    def __init__(self, wire: Wire, inbox: Inbox, on_connect: Callable[[str], Awaitable[None]]) -> None:
        self.wire = wire
        self._inbox = inbox
        self._on_connect = on_connect
        self._kept_back: list[Event] | None = None
        self._connection = 0
        self._connected = False
        self._open = False
        self._latest = 0.0
        self._due: dict[str, float] = {}
        """By leg: when its latest event arrives."""
        self._on_the_way: Counter[str] = Counter()
        """By leg: the events that have not arrived, which may be later than they were due, as we may be frozen."""
        self._context = contextvars.copy_context()

    async def keep(self) -> None:
        """Connect, and connect again."""
        while True:
            await self.wire.whole.wait()
            try:
                await self._hold()
            finally:
                self._let_go()
            await asyncio.sleep(CONNECT_AGAIN)

    async def _hold(self) -> None:
        self._connection += 1
        self._kept_back, self._connected = [], True
        self.wire.pbx.listen(self._heard)
        greeting, lost = asyncio.create_task(self._greet()), asyncio.create_task(self.wire.cut_short.wait())
        try:
            await asyncio.wait({greeting, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not greeting.done() or greeting.exception() is None:
                await lost
        finally:
            for task in (greeting, lost):
                task.cancel()
            await asyncio.gather(greeting, lost, return_exceptions=True)

    async def _greet(self) -> None:
        await self._on_connect(self.wire.pbx.name)
        self._open = True
        kept_back, self._kept_back = self._kept_back, None
        for event in kept_back or ():
            self._inbox(event)

    def _let_go(self) -> None:
        self.wire.pbx.fall_deaf()
        self._connected = self._open = False
        self._inbox(NodeDisconnected(self.wire.pbx.name))

    def _heard(self, event: Event) -> None:
        if self.wire.silent:
            return
        loop = asyncio.get_running_loop()
        leg = str(getattr(event, "leg", ""))
        for lag in self.wire.lags(event):
            due = max(loop.time() + lag, self._due.get(leg, 0.0))
            if due <= loop.time() and not self._on_the_way[leg]:
                self._arrived(self._connection, event)
            else:
                self._due[leg] = due + STEP
                self._on_the_way[leg] += 1
                loop.call_at(due, self._come_in, self._connection, event, leg, context=self._context)

    def _come_in(self, connection: int, event: Event, leg: str) -> None:
        self._on_the_way[leg] -= 1
        self._arrived(connection, event)

    def _arrived(self, connection: int, event: Event) -> None:
        if connection != self._connection or not self._connected:
            return
        if self._kept_back is None:
            self._inbox(event)
        else:
            self._kept_back.append(event)

    async def run(self, command: Command) -> None:
        if not self._open:
            raise CommandError(Refusal.NODE_AWAY, "not caught up yet")
        wire = self.wire
        if wire.stuck(command):
            await wire.freed.wait()
        await self._reach(lost=wire.loses_request(command))
        wire.pbx.run(command)
        wire.carried_out.append(command)
        await self._reach(lost=wire.loses_answer(command))

    async def snapshot(self, playbacks: Sequence[str]) -> Snapshot:
        await self._reach()
        seen = self.wire.pbx.snapshot(tuple(playbacks))
        await self._reach()
        self._open = True
        return seen

    async def ask(self, do: Callable[[], None]) -> None:
        await self._reach()
        do()
        await self._reach()

    async def _reach(self, *, lost: bool = False) -> None:
        """One way of a round trip. Raises CommandError(NODE_AWAY) when the connection has not survived it."""
        connection = self._connection
        if not self._connected or self.wire.cut_short.is_set():
            raise CommandError(Refusal.NODE_AWAY, "not connected")
        lost = lost or self.wire.silent
        if lost:
            await asyncio.sleep(REQUEST_TIMEOUT)
        else:
            await self._arrive()
        if lost or connection != self._connection or self.wire.cut_short.is_set():
            raise CommandError(Refusal.NODE_AWAY, "no answer")

    async def _arrive(self) -> None:
        """Nothing overtakes what was sent before it."""
        now = asyncio.get_running_loop().time()
        self._latest = max(now + self.wire.takes(), self._latest + STEP)
        await asyncio.sleep(self._latest - now)


class FakeTelephony:
    """Implements ``services.ports.Telephony``."""

    def __init__(self, wires: Mapping[str, Wire], inbox: Inbox, on_connect: Callable[[str], Awaitable[None]]) -> None:
        self._nodes = {name: _Node(wire, inbox, on_connect) for name, wire in wires.items()}
        self._keeping: list[asyncio.Task[None]] = []

    @property
    def nodes(self) -> Sequence[str]:
        return tuple(self._nodes)

    async def start(self) -> None:
        self._keeping = [asyncio.create_task(node.keep(), name=f"fake {name}") for name, node in self._nodes.items()]

    async def close(self) -> None:
        """Leave the nodes; calls stay up."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def run(self, command: Command) -> None:
        """Carry out the command. Raises CommandError."""
        if command.node not in self._nodes:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {command.node!r}")
        await self._nodes[command.node].run(command)

    async def snapshot(self, node: str, playbacks: Sequence[str]) -> Snapshot:
        """What the node holds now. Raises CommandError."""
        return await self._nodes[node].snapshot(playbacks)

    async def watch(self, node: str, leg: str) -> None:
        """``FallbackTalkEnded`` will follow. Raises CommandError."""
        pbx = self._nodes[node].wire.pbx
        await self._nodes[node].ask(lambda: pbx.watch(leg))

    async def release(self, node: str, leg: str) -> None:
        """Hang up a leg that belongs to nobody. Raises CommandError."""
        pbx = self._nodes[node].wire.pbx
        await self._nodes[node].ask(lambda: pbx.release(leg))

    async def destroy_bridge(self, node: str, bridge: str) -> None:
        """Destroy a bridge that belongs to nobody. Raises CommandError."""
        pbx = self._nodes[node].wire.pbx
        await self._nodes[node].ask(lambda: pbx.destroy_bridge(bridge))

    async def beat(self, node: str) -> None:
        """Say that we are alive. Raises CommandError."""
        await self._nodes[node].ask(self._nodes[node].wire.pbx.beat)

    async def tell_hours(self, node: str, did: str, hint: str) -> None:
        """Say when the number is open. Raises CommandError."""
        pbx = self._nodes[node].wire.pbx
        await self._nodes[node].ask(lambda: pbx.tell_hours(did, hint))
