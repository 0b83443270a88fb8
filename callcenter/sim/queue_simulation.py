"""Seeded traffic through the production core in virtual time: one queue, callers who may give up, agents who answer at once.

Calls come at random (Poisson); handle time and patience are exponential. The router, the queue, and the machines of
agents, contacts and calls are those of a real center, and the measures are taken from its facts, as any report's are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.events import AgentReadyRequested
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.sim.instant_center import InstantCenter
from callcenter.sim.measures import Measures, Tally

DID, QUEUE = "+18005550100", "queue"
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
    """Callers and handle times by chance, around the center."""

    def __init__(self, traffic: Traffic, calls: int, seed: int, told: Callable[[int], None]) -> None:
        self._traffic = traffic
        self._calls = calls
        self._told = told
        self._tell_every = max(1, calls // 200)
        self._arrived = 0
        # A stream of chance for each: the same calls come, whatever the number of agents.
        self._arrivals, self._handling, self._patience = (Random(f"{what} {seed}") for what in ("arrivals", "handling", "patience"))
        self._tally = Tally(calls, traffic.agents, timedelta(seconds=traffic.target_s))
        self._world = InstantCenter(_config(traffic), f"simulation {seed}", self._tally.take, self._talk, timedelta(seconds=traffic.ring_s))
        self._waiting: set[str] = set()
        """The legs of callers who may still give up."""

    def run(self) -> Measures:
        """Everybody logs in, calls come, and the last caller is answered or gives up."""
        self._world.open()
        self._plan_arrival()
        while self._arrived < self._calls or self._tally.undecided:
            self._world.step()
        return self._tally.measures()

    def _plan_arrival(self) -> None:
        self._world.timeline.after(timedelta(hours=self._arrivals.expovariate(self._traffic.calls_per_hour)), self._arrive)

    def _arrive(self) -> None:
        self._arrived += 1
        leg = f"caller-{self._arrived}"
        if self._traffic.patience_s is not None:
            self._waiting.add(leg)
            patience = timedelta(seconds=self._patience.expovariate(1 / self._traffic.patience_s))
            self._world.timeline.after(patience, self._give_up, leg)
        self._world.call(leg, DID)
        if self._arrived < self._calls:
            self._plan_arrival()
        if self._arrived % self._tell_every == 0:
            self._told(self._arrived)

    def _give_up(self, leg: str) -> None:
        if leg in self._waiting:
            self._waiting.remove(leg)
            self._world.hang_up(leg)

    def _talk(self, caller: str, agent: str) -> None:
        self._waiting.discard(caller)
        handle = timedelta(seconds=self._handling.expovariate(1 / self._traffic.aht_s))
        wrap_up = handle * self._traffic.wrap_up_share
        self._world.timeline.after(handle - wrap_up, self._world.hang_up, caller)
        if self._traffic.wrap_up_share:
            self._world.timeline.after(handle, self._world.tell, AgentReadyRequested(agent))


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
