"""The PBX as the services see it: several Asterisk nodes, each with a connection of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from callcenter.adapters.ari.client import AriServer
from callcenter.adapters.ari.node import AsteriskNode
from callcenter.adapters.ari.recorded_legs import RecordedLegs
from callcenter.domain.commands import AskPhone, Command, SetLamp, StartRecording, StopRecording
from callcenter.domain.events import Event, Refusal
from callcenter.services.ports import CommandError, Ear, Inbox, Lamps, Phones, Recorder, Snapshot

NOT_ARI = frozenset((StartRecording, StopRecording, AskPhone, SetLamp))
"""Commands for which ARI alone is not enough."""


class AsteriskTelephony:
    """Implements ``services.ports.Telephony`` over ARI; recording goes to the ``recorder``, questions to ``phones``, lamps to ``lamps``."""

    def __init__(
        self,
        servers: Mapping[str, AriServer],
        inbox: Inbox,
        on_connect: Callable[[str], Awaitable[None]],
        recorder: Recorder,
        on_replaced: Callable[[str], None],
        phones: Phones | None = None,
        lamps: Lamps | None = None,
    ) -> None:
        """``servers`` by name of node. After ``on_replaced(node)`` that node's events and commands are another engine's."""
        self._recorder = recorder
        self._recorded = RecordedLegs(recorder.hears_another, recorder.is_over)
        self._inbox = inbox
        self._nodes = {name: AsteriskNode(name, server, self._tell, on_connect, on_replaced) for name, server in servers.items()}
        self._phones = phones
        self._lamps = lamps
        self._running: list[asyncio.Task[None]] = []

    @property
    def nodes(self) -> Sequence[str]:
        return tuple(self._nodes)

    async def start(self) -> None:
        """Begin to connect to all nodes; ``on_connect`` is called for each that answers."""
        self._running = [asyncio.create_task(node.client.run(), name=f"ari {name}") for name, node in self._nodes.items()]

    async def close(self) -> None:
        """Leave the nodes; calls stay up, and no event comes any more."""
        for node in self._nodes.values():
            node.leave()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def run(self, command: Command) -> None:
        """Carry out the command. Raises CommandError."""
        node = self._nodes.get(command.node) or self._node(command.node)
        if type(command) in NOT_ARI:
            node.check_open()
            await self._say(node, command)
        else:
            await node.run(command)
        if type(command) in RecordedLegs.CONCERNED:
            self._recorded.did(command)

    async def _say(self, node: AsteriskNode, command: Command) -> None:
        """What another connection carries out, or helps to."""
        if isinstance(command, StartRecording):
            begin = self._recorder.take_up if self._recorded.talks(command.leg) else self._recorder.start
            await begin(command.node, command.leg, command.recording)
        elif isinstance(command, StopRecording):
            await self._recorder.stop(command.node, command.leg, command.recording)
        elif isinstance(command, AskPhone):
            if self._phones is None:
                raise CommandError(Refusal.REFUSED, "nobody here asks phones")
            await self._phones.ask(command.node, command.endpoint)
        elif isinstance(command, SetLamp):
            if self._lamps is None:
                raise CommandError(Refusal.REFUSED, "nobody here lights lamps")
            await node.run(command)  # for phones that have asked; the others are told unasked
            await self._lamps.show(command.node, command.endpoint, command.new, command.old)

    def _tell(self, event: Event) -> None:
        self._recorded.happened(event)
        self._inbox(event)

    async def snapshot(self, node: str, playbacks: Sequence[str]) -> Snapshot:
        """What the node holds now, and which of ``playbacks`` still go on. Raises CommandError."""
        seen = await self._node(node).snapshot(playbacks)
        self._recorded.saw(seen.bridges)
        return seen

    async def watch(self, node: str, leg: str) -> None:
        """Ask for the end of a leg outside our application: ``FallbackTalkEnded`` will follow. Raises CommandError."""
        await self._node(node).watch(leg)

    async def release(self, node: str, leg: str) -> None:
        """Hang up a leg that belongs to nobody; one that is gone is success. Raises CommandError(NODE_AWAY)."""
        await self._node(node).release(leg)

    async def destroy_bridge(self, node: str, bridge: str) -> None:
        """Destroy a bridge that belongs to nobody; one that is gone is success. Raises CommandError(NODE_AWAY)."""
        await self._node(node).destroy_bridge(bridge)

    async def open_ear(self, node: str, leg: str, rate: int) -> Ear:
        """Let somebody hear the leg (``services.ports.Ears``). Raises CommandError."""
        served = self._node(node)
        served.check_open()
        return await served.ears.open(leg, rate)

    async def close_ear(self, ear: Ear) -> None:
        """Nobody listens any more."""
        await self._node(ear.node).ears.close(ear)

    async def beat(self, node: str) -> None:
        """Tell the node's dialplan that we are alive. Raises CommandError."""
        await self._node(node).beat()

    async def tell_hours(self, node: str, did: str, hint: str) -> None:
        """Tell the node's dialplan when the number is open. Raises CommandError."""
        await self._node(node).tell_hours(did, hint)

    def _node(self, name: str) -> AsteriskNode:
        node = self._nodes.get(name)
        if node is None:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {name!r}")
        return node
