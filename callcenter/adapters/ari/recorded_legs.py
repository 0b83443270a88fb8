"""Which recorded leg hears somebody else from now on, so that its recording must begin to listen anew.

Asterisk counts the audio that a recorded leg hears, and takes another party's for late whose RTP counts lower (docs/asterisk.md). Music,
prompts and a bridge of three count as zero. What goes on in bridges is known from the commands that were carried out, and from the events
of legs; the first party that a recording hears needs nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from callcenter.domain.commands import CloseBridge, Command, ConnectLegs, Play, StartMusic, StartRecording, StopRecording
from callcenter.domain.events import Event, LegEnded, LegHeld, LegResumed, PlaybackEnded

OfLeg = Callable[[str, str], None]
"""Node and leg; must not wait."""


class RecordedLegs:
    """All of one engine; ids of legs and bridges are unique over all nodes."""

    CONCERNED = frozenset((ConnectLegs, StartRecording, StopRecording, CloseBridge, Play, StartMusic))
    """Commands that ``did`` needs to know."""

    def __init__(self, anew: OfLeg, over: OfLeg) -> None:
        self._anew, self._over = anew, over
        self._node: dict[str, str] = {}
        """Of each leg that is recorded."""
        self._heard: set[str] = set()
        """Recorded legs that have heard somebody since their recording began."""
        self._rooms: dict[str, set[str]] = {}
        """By bridge: who is in it."""
        self._room: dict[str, str] = {}

    def did(self, command: Command) -> None:
        """The command was carried out."""
        kind = type(command)
        if kind is ConnectLegs:
            assert isinstance(command, ConnectLegs)
            self._connected(command)
        elif isinstance(command, StartRecording):
            self._begun(command)
        elif isinstance(command, StopRecording):
            self._node.pop(command.leg, None)
            self._heard.discard(command.leg)
        elif isinstance(command, CloseBridge):
            for leg in self._rooms.pop(command.bridge, ()):
                del self._room[leg]
        elif isinstance(command, Play | StartMusic):
            self._hear_another((command.leg,))

    def happened(self, event: Event) -> None:
        """Something was told of a leg."""
        kind = type(event)
        if kind is LegEnded:
            assert isinstance(event, LegEnded)
            self._heard.discard(event.leg)
            if node := self._node.pop(event.leg, None):
                self._over(node, event.leg)
            self._told(self._leave(event.leg))
        elif isinstance(event, LegHeld | LegResumed):  # Asterisk plays music to the others, or ceases to
            self._told(self._room.get(event.leg, ""))
        elif isinstance(event, PlaybackEnded):
            self._hear_another((event.leg,))

    def saw(self, bridges: Mapping[str, Collection[str]]) -> None:
        """Who is in which bridge of a node, after a (re)connection."""
        for bridge, legs in bridges.items():
            for leg in legs:
                self._leave(leg)
                self._room[leg] = bridge
                self._rooms.setdefault(bridge, set()).add(leg)

    def talks(self, leg: str) -> bool:
        """Whether somebody is with it in a bridge."""
        return len(self._rooms.get(self._room.get(leg, ""), ())) > 1

    def _begun(self, command: StartRecording) -> None:
        """Who is with somebody already, when it is taken up after a restart or from a conference, hears somebody."""
        if command.leg in self._node:
            return
        self._node[command.leg] = command.node
        if self.talks(command.leg):
            self._heard.add(command.leg)

    def _connected(self, command: ConnectLegs) -> None:
        changed = []
        for leg in command.legs:
            if self._room.get(leg) != command.bridge:
                changed += [self._leave(leg), command.bridge]
                self._room[leg] = command.bridge
                self._rooms.setdefault(command.bridge, set()).add(leg)
        for bridge in dict.fromkeys(changed):
            self._told(bridge)

    def _leave(self, leg: str) -> str:
        """The bridge in which the leg was, if others are in it still."""
        bridge = self._room.pop(leg, "")
        room = self._rooms.get(bridge)
        if room is None:
            return ""
        room.discard(leg)
        if not room:
            del self._rooms[bridge]
        return bridge

    def _told(self, bridge: str) -> None:
        """Those in the bridge hear another party; who is alone hears nobody."""
        room = self._rooms.get(bridge, ())
        if len(room) > 1:
            self._hear_another(room)

    def _hear_another(self, legs: Iterable[str]) -> None:
        for leg in legs:
            node = self._node.get(leg)
            if node is None:
                continue
            if leg in self._heard:
                self._anew(node, leg)
            self._heard.add(leg)
