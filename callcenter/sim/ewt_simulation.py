"""Whether the estimated waits that callers are told come true: seeded traffic of several kinds through the production core.

Callers are told "under ..." as in any queue that announces it, over days with steady and changing load, teams large and small, callers
who give up and callers who never do, agents who go to lunch, important callers who pass the others. What was told and what
became of it is read from the facts, as any report does.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import pi, sin
from random import Random

from callcenter.domain.config import AgentConfig, AnnounceConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.events import AgentNotReadyRequested, AgentReadyRequested
from callcenter.domain.facts import (
    ContactAbandoned,
    ContactAnnounced,
    ContactConnected,
    ContactEntered,
    ContactOverflowed,
    Fact,
)
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.told import Telling, told_by
from callcenter.sim.instant_center import InstantCenter

QUEUE, DID, VIP_DID = "queue", "+18005550100", "+18005550101"
RING = timedelta(seconds=3)
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of traffic. Shares and rates of change are per call or hour of simulated time."""

    name: str
    agents: int
    aht_s: float
    load: float
    """Offered load ÷ agents, on average."""
    patience_s: float | None = None
    """Mean; None: nobody gives up."""
    swing: float = 0.0
    """The load goes up and down by this share of itself ..."""
    period_h: float = 4.0
    """... once in so many hours."""
    lunch: float = 0.0
    """This share of the agents is away in every third hour."""
    spread: float = 1.0
    """Coefficient of variation of handle times; 1 is exponential, else lognormal."""
    vip: float = 0.0
    """This share of callers passes the others."""
    together: int = 0
    """So many callers come one soon after the other; then nobody for ..."""
    pause_s: float = 0.0
    """... so long."""


SCENARIOS = (
    Scenario("steady", 20, 240, 1.02, 480),
    Scenario("overload", 20, 240, 1.25, 300),
    Scenario("nobody-gives-up", 15, 200, 0.97),
    Scenario("small-team", 4, 240, 0.98, 900),
    Scenario("rush-hours", 20, 240, 0.98, 600, swing=0.35),
    Scenario("lunch", 20, 240, 0.9, 600, lunch=0.35),
    Scenario("like-handle-times", 20, 240, 1.05, 600, spread=0.5),
    Scenario("uneven-handle-times", 20, 240, 1.02, 600, spread=1.6),
    Scenario("important-callers", 20, 240, 1.02, 600, vip=0.1),
    Scenario("demo", 3, 240, 2.2, 3600, spread=0.3, together=12, pause_s=600),
)


@dataclass(slots=True)
class Calibration:
    """Of one scenario."""

    scenario: str
    callers: int = 0
    """Who stood in line for as long as it takes to be told something."""
    told: int = 0
    came_true: int = 0
    did_not: int = 0
    unknown: int = 0
    """The caller left before it could be known."""
    by_under: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """Minutes told → came true, did not."""

    @property
    def share(self) -> float | None:
        known = self.came_true + self.did_not
        return self.came_true / known if known else None

    def add(self, telling: Telling) -> None:
        self.told += 1
        if telling.came_true is None:
            self.unknown += 1
            return
        self.came_true += telling.came_true
        self.did_not += not telling.came_true
        self.by_under[telling.under // timedelta(minutes=1)][not telling.came_true] += 1


def simulate(scenario: Scenario, calls: int, seed: int, told: Callable[[int], None] = lambda arrived: None) -> Calibration:
    """Let so many calls come; the first tenth is for learning and not counted."""
    return _Simulation(scenario, calls, seed, told).run()


class _Simulation:
    def __init__(self, scenario: Scenario, calls: int, seed: int, told: Callable[[int], None]) -> None:
        self._scenario, self._calls, self._told = scenario, calls, told
        self._arrived = 0
        self._chance = {what: Random(f"{what} {scenario.name} {seed}") for what in ("arrivals", "handling", "patience", "vip")}
        self._facts: list[Fact] = []
        self._counting_from: datetime | None = None
        self._open = 0
        self._world = InstantCenter(_config(scenario), f"ewt {scenario.name} {seed}", self._take, self._talk, RING)
        self._waiting: set[str] = set()

    def run(self) -> Calibration:
        self._world.open()
        self._began = self._world.timeline.now
        self._arrive_later()
        if self._scenario.lunch:
            self._world.timeline.after(timedelta(hours=2), self._lunch)
        while self._arrived < self._calls or self._open:
            self._world.step()
        return self._calibration()

    def _calibration(self) -> Calibration:
        found = Calibration(self._scenario.name)
        first = self._began if self._counting_from is None else self._counting_from
        found.callers = sum(isinstance(fact, ContactEntered) and fact.at >= first for fact in self._facts)
        for telling in told_by(self._facts):
            if telling.at >= first:
                found.add(telling)
        return found

    def _take(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, ContactEntered | ContactAnnounced):
                self._facts.append(fact)
                self._open += isinstance(fact, ContactEntered)
            elif isinstance(fact, ContactConnected | ContactAbandoned | ContactOverflowed):
                self._facts.append(fact)
                self._open -= 1

    # --- people ---------------------------------------------------------------------------------

    def _rate(self) -> float:
        """Calls per second now."""
        scenario = self._scenario
        hours = (self._world.timeline.now - self._began).total_seconds() / HOUR
        now = scenario.load * (1 + scenario.swing * sin(2 * pi * hours / scenario.period_h))
        return now * scenario.agents / scenario.aht_s

    def _arrive_later(self) -> None:
        scenario = self._scenario
        pause = scenario.pause_s if scenario.together and self._arrived % scenario.together == 0 else 0.0
        self._world.timeline.after(timedelta(seconds=pause + self._chance["arrivals"].expovariate(self._rate())), self._arrive)

    def _arrive(self) -> None:
        self._arrived += 1
        if self._arrived == max(1, self._calls // 10):
            self._counting_from = self._world.timeline.now
        leg = f"caller-{self._arrived}"
        if self._scenario.patience_s is not None:
            self._waiting.add(leg)
            patience = timedelta(seconds=self._chance["patience"].expovariate(1 / self._scenario.patience_s))
            self._world.timeline.after(patience, self._give_up, leg)
        self._world.call(leg, VIP_DID if self._chance["vip"].random() < self._scenario.vip else DID)
        if self._arrived < self._calls:
            self._arrive_later()
        if self._arrived % 200 == 0:
            self._told(self._arrived)

    def _give_up(self, leg: str) -> None:
        if leg in self._waiting:
            self._waiting.remove(leg)
            self._world.hang_up(leg)

    def _talk(self, caller: str, agent: str) -> None:
        self._waiting.discard(caller)
        self._world.timeline.after(timedelta(seconds=self._handle_time()), self._world.hang_up, caller)

    def _handle_time(self) -> float:
        chance, scenario = self._chance["handling"], self._scenario
        if scenario.spread == 1.0:
            return chance.expovariate(1 / scenario.aht_s)
        from math import log, sqrt

        variance = log(1 + scenario.spread**2)
        return chance.lognormvariate(log(scenario.aht_s) - variance / 2, sqrt(variance))

    def _lunch(self) -> None:
        """They go, and come back an hour later; both again two hours after that."""
        for name in self._away():
            self._world.tell(AgentNotReadyRequested(name, "break"))
        self._world.timeline.after(timedelta(hours=1), self._back)

    def _back(self) -> None:
        for name in self._away():
            self._world.tell(AgentReadyRequested(name))
        if self._arrived < self._calls:
            self._world.timeline.after(timedelta(hours=2), self._lunch)

    def _away(self) -> Iterator[str]:
        return (f"agent-{number}" for number in range(round(self._scenario.lunch * self._scenario.agents)))


def _config(scenario: Scenario) -> CenterConfig:
    announce = AnnounceConfig(ewt=True, first_after=timedelta(seconds=20), every=timedelta(seconds=60))
    queue = QueueConfig(QUEUE, wrap_up=timedelta(), record=False, announce=announce)
    agents = [AgentConfig(f"agent-{number}", f"phone-{number}", (QUEUE,)) for number in range(scenario.agents)]
    return CenterConfig(
        queues={QUEUE: queue},
        agents={agent.name: agent for agent in agents},
        numbers={DID: NumberConfig(DID, "straight"), VIP_DID: NumberConfig(VIP_DID, "ahead")},
        flows={
            "straight": Flow("straight", "enter", {"enter": QueueNode(QUEUE)}),
            "ahead": Flow("ahead", "enter", {"enter": QueueNode(QUEUE, priority=5)}),
        },
    )
