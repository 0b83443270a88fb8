"""One Asterisk node: what it tells goes into the inbox, what we want of it goes over its connection."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import structlog

from callcenter.adapters.ari import snapshot
from callcenter.adapters.ari.client import AriClient, AriServer, Listener, Raw
from callcenter.adapters.ari.commands import Commands, check
from callcenter.adapters.ari.ears import Ears
from callcenter.adapters.ari.parse import Ignored, MalformedEvent, Parser, Replaced
from callcenter.adapters.ari.types import asterisk
from callcenter.domain.commands import Command, Dial, RingAgent
from callcenter.domain.events import Cause, Event, FallbackTalkEnded, LegArrived, LegEnded, LegFoundAlone, NodeDisconnected, Refusal
from callcenter.services.ports import CommandError, Inbox, Snapshot

log = structlog.get_logger(__name__)

HEARTBEAT = "CC_BEAT"
"""The global variable that the dialplan's guard compares with the node's own clock."""
HOURS = "CC_HOURS_"
"""How the global variables begin, with the digits of a number behind it, that tell the dialplan's fallback when the number is open."""


class AsteriskNode:
    """One node. Its events are kept back from the opening of a connection until ``on_connect`` has returned."""

    def __init__(
        self,
        name: str,
        server: AriServer,
        inbox: Inbox,
        on_connect: Callable[[str], Awaitable[None]],
        on_replaced: Callable[[str], None],
    ) -> None:
        self.name = name
        self._inbox = inbox
        self._on_connect = on_connect
        self._parser = Parser(name, server.application)
        listener = Listener(self._connected, self._heard, self._lost, lambda: on_replaced(name), self._garbage)
        self.client = AriClient(server, self._parser.kinds, listener)
        self._commands = Commands(self.client, self._tell)
        self._kept_back: deque[Event] | None = deque()
        self._announced = False
        self._open = False
        """Commands may be given: what was decided before the snapshot may be wrong by now."""
        self._watched: set[str] = set()
        self._errands: set[asyncio.Task[None]] = set()
        self.ears = Ears(name, self.client, self._run_errand)

    # --- what the node tells --------------------------------------------------------------------

    async def _connected(self) -> None:
        self._announced = True
        await self._on_connect(self.name)
        self._open = True
        kept_back, self._kept_back = self._kept_back, None
        for event in kept_back or ():
            self._inbox(event)

    def _lost(self) -> None:
        """Nothing kept back is of use any more: the snapshot of the next connection tells it."""
        self._open = False
        self._kept_back = deque()
        self._parser.begin()
        self._commands.begin()
        self.ears.begin()
        self._watched.clear()
        if self._announced and not self.client.is_replaced:
            self._inbox(NodeDisconnected(self.name))
        self._announced = False

    def leave(self) -> None:
        """We go, the node stays: nobody is told of a loss."""
        self._announced = False

    def _heard(self, raw: Raw) -> None:
        if self.ears.opened and self._of_an_ear(raw):
            return
        if self._commands.snoops and raw.get("type") == "StasisStart":
            self._commands.entered(_channel(raw))
        event = self._parser.parse(raw)
        if isinstance(event, Ignored):
            return
        if isinstance(event, MalformedEvent):
            log.warning("malformed_event", node=self.name, kind=event.kind, detail=event.detail)
            if event.leg:  # it came to us by mistake, and nobody would ever end it
                self._run_errand(self._commands.hang_up(event.leg))
            return
        if isinstance(event, Replaced):  # nobody steps into a talk unasked; who was put out is brought back
            log.warning("replaced", node=self.name, leg=event.leg, by=event.by)
            self._run_errand(self._put_out(event))
            event = LegFoundAlone(event.leg)
        self._tell(event)

    def _of_an_ear(self, raw: Raw) -> bool:
        """What happens to channels by which others listen is no event of a call."""
        name = _channel(raw)
        if not name or not self.ears.takes(name):
            return False
        if raw.get("type") == "StasisStart":
            self.ears.entered(name)
        return True

    async def _put_out(self, event: Replaced) -> None:
        """Hang up the intruder, who has taken over the subscription to the leg, too."""
        await self._commands.hang_up(event.by)
        await snapshot.subscribe(self.client, event.leg)

    def _garbage(self, text: str) -> None:
        log.warning("malformed_message", node=self.name, text=repr(text))

    def _tell(self, event: Event) -> None:
        self._commands.learn(event)
        if self._watched and (leg := getattr(event, "leg", "")) in self._watched:
            if not isinstance(event, LegEnded | LegArrived):
                return
            self._watched.discard(leg)
            event = FallbackTalkEnded(leg) if isinstance(event, LegEnded) else event
        if self._kept_back is None:
            self._inbox(event)
        else:
            self._kept_back.append(event)

    # --- what we want of it ---------------------------------------------------------------------

    async def run(self, command: Command) -> None:
        """Carry out the command. Raises CommandError."""
        self.check_open()
        try:
            await self._commands.say[type(command)](command)
        except CommandError as error:
            if isinstance(command, RingAgent | Dial) and error.refusal is Refusal.NODE_AWAY and self.client.is_connected:
                self._run_errand(self._commands.hang_up(command.leg))  # nobody knows whether it rings; it must not
            raise

    def check_open(self) -> None:
        """Raises CommandError(NODE_AWAY) before this connection's first snapshot."""
        if not self._open:
            raise CommandError(Refusal.NODE_AWAY, "not caught up yet")

    async def snapshot(self, playing: Sequence[str]) -> Snapshot:
        """What the node holds now; from then on it takes commands. Raises CommandError."""
        seen = await snapshot.take(self.client, self.name, playing)
        self._open = self.client.is_connected
        return self.ears.without(seen)

    async def watch(self, leg: str) -> None:
        """``FallbackTalkEnded`` will follow, at once when the leg is gone already. Raises CommandError."""
        self._watched.add(leg)
        try:
            there = await snapshot.subscribe(self.client, leg)
        except CommandError:
            self._watched.discard(leg)
            raise
        if not there and leg in self._watched:
            self._tell(LegEnded(leg, Cause.UNKNOWN))

    async def release(self, leg: str) -> None:
        """Hang up a leg that belongs to nobody. Raises CommandError(NODE_AWAY)."""
        await self._commands.hang_up(leg)

    async def destroy_bridge(self, bridge: str) -> None:
        """Destroy a bridge that belongs to nobody. Raises CommandError(NODE_AWAY)."""
        await self._commands.destroy_bridge(bridge)

    async def beat(self) -> None:
        """Write the node's own time into its heartbeat. Raises CommandError."""
        said = await self.client.call(asterisk.getGlobalVar, {"variable": "EPOCH"})
        check(said)
        body = said.json()
        epoch = body.get("value") if isinstance(body, dict) else None
        if not isinstance(epoch, str) or not epoch.isdigit():
            raise CommandError(Refusal.REFUSED, f"EPOCH: {said.body[:100]!r}")
        check(await self.client.call(asterisk.setGlobalVar, {"variable": HEARTBEAT, "value": epoch}))

    async def tell_hours(self, did: str, hint: str) -> None:
        """Write when the number is open into a global variable of its own. Raises CommandError."""
        name = HOURS + "".join(character for character in did if character.isdigit())
        check(await self.client.call(asterisk.setGlobalVar, {"variable": name, "value": hint}))

    def _run_errand(self, errand: Coroutine[None, None, None]) -> None:
        """Do something that nobody waits for, and that may fail."""

        async def do() -> None:
            try:
                await errand
            except CommandError as error:
                log.warning("errand_failed", node=self.name, error=str(error))

        task = asyncio.create_task(do())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _channel(raw: Raw) -> str:
    """Whose event it is; empty: nobody's."""
    channel = raw.get("channel")
    name = channel.get("id") if isinstance(channel, dict) else None
    return name if isinstance(name, str) else ""
