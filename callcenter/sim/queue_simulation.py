"""Seeded traffic through the production core in virtual time: one queue, callers who may give up, agents who answer at once.

Calls come at random (Poisson); handle time and patience are exponential. The router, the queue, and the machines of
agents, contacts and calls are those of a real center, and the measures are taken from its facts, as any report's are.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain.center import Center
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.sim.measures import Measures, Tally
from callcenter.sim.timeline import Timeline

NODE, DID, QUEUE = "sim", "+18005550100", "queue"
AT_LEISURE = timedelta(days=365)
"""The wrap-up allowed when agents end it themselves."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes in, and who is there to take it."""

    calls_per_hour: float
    aht_s: float
    agents: int
    patience_s: float | None = None
    """Mean; None: nobody gives up."""
    ring_s: float = 0.0
    """How long a phone rings before the agent answers; it is part of the wait."""
    wrap_up_share: float = 0.0
    """This share of each handle time is wrap-up, the rest is talk."""
    target_s: float = 20.0


def simulate(traffic: Traffic, calls: int, seed: int, told: Callable[[int], None] = lambda arrived: None) -> Measures:
    """Let that many calls come, and measure. ``told`` hears from time to time how many have come."""
    return _Simulation(traffic, calls, seed, told).run()


class _Simulation:
    """The timeline, the center, and a PBX that does at once what it is told."""

    def __init__(self, traffic: Traffic, calls: int, seed: int, told: Callable[[int], None]) -> None:
        self._traffic = traffic
        self._calls = calls
        self._told = told
        self._tell_every = max(1, calls // 200)
        self._arrived = 0
        # A stream of chance for each: the same calls come, whatever the number of agents.
        self._arrivals, self._handling, self._patience = (Random(f"{what} {seed}") for what in ("arrivals", "handling", "patience"))
        self._timeline = Timeline()
        self._center = Center(_config(traffic), Ids(f"simulation {seed}"))
        self._tally = Tally(calls, traffic.agents, timedelta(seconds=traffic.target_s))
        self._ring = timedelta(seconds=traffic.ring_s)
        self._inbox: deque[e.Event] = deque()
        self._waiting: set[str] = set()
        """The legs of callers who may still give up."""
        self._rung: dict[str, str] = {}
        """From the leg of a phone that rings to its agent."""
        self._obey: dict[type, Callable[..., None]] = {c.RingAgent: self._ring_agent, c.ConnectLegs: self._talk, c.HangUp: self._hang_up}

    def run(self) -> Measures:
        """Everybody logs in, calls come, and the last caller is answered or gives up."""
        self._tell(e.NodeConnected(NODE, self._timeline.now))
        for name in self._center.state.config.agents:
            self._tell(e.AgentLoginRequested(name))
            self._tell(e.AgentReadyRequested(name))
        self._plan_arrival()
        while self._arrived < self._calls or self._tally.undecided:
            self._step()
        return self._tally.measures()

    def _step(self) -> None:
        """Go to whatever is next, outside or in the center."""
        planned, due = self._timeline.next, self._center.deadline
        if due is not None and (planned is None or due < planned):
            self._timeline.now = due
            self._tell(e.TimePassed())
        else:
            self._timeline.step()

    def _tell(self, event: e.Event) -> None:
        """Hand over the event, and what comes of it, until there is nothing more to say."""
        self._inbox.append(event)
        while self._inbox:
            outputs = self._center.handle(self._inbox.popleft(), self._timeline.now)
            if outputs.faults:
                raise outputs.faults[0]
            self._tally.take(outputs.facts)
            for command in outputs.commands:
                obey = self._obey.get(type(command))
                if obey is not None:
                    obey(command)

    # --- callers --------------------------------------------------------------------------------

    def _plan_arrival(self) -> None:
        self._timeline.after(timedelta(hours=self._arrivals.expovariate(self._traffic.calls_per_hour)), self._arrive)

    def _arrive(self) -> None:
        self._arrived += 1
        leg = f"caller-{self._arrived}"
        if self._traffic.patience_s is not None:
            self._waiting.add(leg)
            self._timeline.after(timedelta(seconds=self._patience.expovariate(1 / self._traffic.patience_s)), self._give_up, leg)
        self._tell(e.LegArrived(NODE, leg, e.Door.TRUNK, DID, ""))
        if self._arrived < self._calls:
            self._plan_arrival()
        if self._arrived % self._tell_every == 0:
            self._told(self._arrived)

    def _give_up(self, leg: str) -> None:
        if leg in self._waiting:
            self._waiting.remove(leg)
            self._tell(e.LegEnded(leg, e.Cause.NORMAL))

    # --- phones ---------------------------------------------------------------------------------

    def _ring_agent(self, command: c.RingAgent) -> None:
        self._rung[command.leg] = command.agent
        if self._ring:
            self._timeline.after(self._ring, self._answer, command.leg)
        else:
            self._inbox.append(e.LegAnswered(command.leg))

    def _answer(self, leg: str) -> None:
        if leg in self._rung:
            self._tell(e.LegAnswered(leg))

    def _talk(self, command: c.ConnectLegs) -> None:
        caller, phone = command.legs
        agent = self._rung.pop(phone)
        self._waiting.discard(caller)
        handle = timedelta(seconds=self._handling.expovariate(1 / self._traffic.aht_s))
        wrap_up = handle * self._traffic.wrap_up_share
        self._timeline.after(handle - wrap_up, self._tell, e.LegEnded(caller, e.Cause.NORMAL))
        if self._traffic.wrap_up_share:
            self._timeline.after(handle, self._tell, e.AgentReadyRequested(agent))

    def _hang_up(self, command: c.HangUp) -> None:
        self._rung.pop(command.leg, None)
        self._inbox.append(e.LegEnded(command.leg, e.Cause.NORMAL))


def _config(traffic: Traffic) -> CenterConfig:
    queue = QueueConfig(
        QUEUE,
        ring_timeout=timedelta(seconds=15 + 2 * traffic.ring_s),
        wrap_up=AT_LEISURE if traffic.wrap_up_share else timedelta(),
        record=False,
    )
    agents = (AgentConfig(f"agent-{n}", f"phone-{n}", (QUEUE,)) for n in range(1, traffic.agents + 1))
    return CenterConfig(
        queues={QUEUE: queue},
        agents={agent.name: agent for agent in agents},
        numbers={DID: NumberConfig(DID, "straight")},
        flows={"straight": Flow("straight", "enter", {"enter": QueueNode(QUEUE)})},
    )
