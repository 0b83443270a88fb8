"""The production core on a PBX that does at once what it is told: for simulations of many calls."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain.center import Center
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.sim.timeline import Timeline

NODE = "sim"
SAID_IN = timedelta(seconds=5)
"""How long it takes to say something."""


class InstantCenter:
    """A center, time, and phones that are answered at once or after ``ring``.

    ``on_facts`` hears what the center keeps; ``on_talk`` that a caller's leg talks with an agent from now on.
    """

    def __init__(
        self,
        config: CenterConfig,
        seed: str,
        on_facts: Callable[[Sequence[Fact]], None],
        on_talk: Callable[[str, str], None],
        ring: timedelta = timedelta(0),
    ) -> None:
        self.timeline = Timeline()
        self.center = Center(config, Ids(seed))
        self._on_facts = on_facts
        self._on_talk = on_talk
        self._ring = ring
        self._inbox: deque[e.Event] = deque()
        self._rung: dict[str, str] = {}
        """From the leg of a phone that rings to its agent."""
        self._obey: dict[type, Callable[..., None]] = {
            c.RingAgent: self._ring_agent,
            c.ConnectLegs: self._connect_legs,
            c.HangUp: self._hang_up,
            c.Play: self._play,
        }

    def open(self) -> None:
        """Everybody logs in and is ready."""
        self.tell(e.NodeConnected(NODE, self.timeline.now))
        for name in self.center.state.config.agents:
            self.tell(e.AgentLoginRequested(name))
            self.tell(e.AgentReadyRequested(name))

    def step(self) -> None:
        """Go to whatever is next, outside or in the center."""
        planned, due = self.timeline.next, self.center.deadline
        if due is not None and (planned is None or due < planned):
            self.timeline.now = due
            self.tell(e.TimePassed())
        else:
            self.timeline.step()

    def tell(self, event: e.Event) -> None:
        """Hand over the event, and what comes of it, until there is nothing more to say."""
        self._inbox.append(event)
        while self._inbox:
            outputs = self.center.handle(self._inbox.popleft(), self.timeline.now)
            if outputs.faults:
                raise outputs.faults[0]
            self._on_facts(outputs.facts)
            for command in outputs.commands:
                obey = self._obey.get(type(command))
                if obey is not None:
                    obey(command)

    def call(self, leg: str, did: str) -> None:
        """A caller dials."""
        self.tell(e.LegArrived(NODE, leg, e.Door.TRUNK, did, ""))

    def hang_up(self, leg: str) -> None:
        """The caller is gone."""
        self.tell(e.LegEnded(leg, e.Cause.NORMAL))

    # --- phones ---------------------------------------------------------------------------------

    def _ring_agent(self, command: c.RingAgent) -> None:
        self._rung[command.leg] = command.agent
        if self._ring:
            self.timeline.after(self._ring, self._answer, command.leg)
        else:
            self._inbox.append(e.LegAnswered(command.leg))

    def _answer(self, leg: str) -> None:
        if leg in self._rung:
            self.tell(e.LegAnswered(leg))

    def _connect_legs(self, command: c.ConnectLegs) -> None:
        caller, phone = command.legs
        self._on_talk(caller, self._rung.pop(phone))

    def _play(self, command: c.Play) -> None:
        self.timeline.after(SAID_IN, self.tell, e.PlaybackEnded(command.leg, command.playback))

    def _hang_up(self, command: c.HangUp) -> None:
        self._rung.pop(command.leg, None)
        self._inbox.append(e.LegEnded(command.leg, e.Cause.NORMAL))
