"""A day of a small center, lived through by the production core and written into a journal as the engine does.

Random callers with patience of their own, agents in shifts with breaks, transfers from one queue to the other, and
phones that are sometimes not answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from callcenter.domain import facts as f
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, OccupancyRule, QueueConfig
from callcenter.domain.events import (
    AgentLogoutRequested,
    AgentNotReadyRequested,
    AgentReadyRequested,
    OptInRequested,
    OptOutRequested,
    PhoneReachable,
    PhoneUnreachable,
    TransferRequested,
)
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.routing_config import Needs, Routing, Skill, Strategy
from callcenter.services.journal import Journal
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, straight_to

OPENS = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
SUPPORT, SALES = "support", "sales"


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@dataclass(frozen=True)
class Caller:
    """What one caller and her contact are like, whoever answers and whenever."""

    patience_s: float
    ring_s: float
    talk_s: float
    wrap_up_s: float
    """Longer than the queue allows: its timer ends it."""
    transferred: bool
    then_missed: bool
    """The agent leaves the phone unattended after this one."""


@dataclass(frozen=True)
class DayPlan:
    """What kind of day it is."""

    hours: float = 4.0
    support_per_hour: float = 150.0
    sales_per_hour: float = 50.0
    vip_share: float = 0.1
    aht_s: float = 150.0
    patience_s: float = 90.0
    agents: int = 9
    transfer_share: float = 0.0
    missed_share: float = 0.0
    shifts: bool = False
    """Half of them come late or leave early, and all take breaks, also in the middle of contacts. One opts out of sales
    for an hour, and one's phone is unplugged for a while."""
    ceiling: float | None = None
    """Of occupancy; who was busier gets a micro-break."""
    skilled: bool = False
    """VIPs need an agent who can do gold, sales prefers who sells well, and the queues have other strategies than the usual."""
    seed: int = 1


def config_of(plan: DayPlan) -> CenterConfig:
    """Most agents serve both queues, every third only support."""
    support, sales, needs = Routing(), Routing(), Needs()
    if plan.skilled:
        support = Routing(Strategy.ROUND_ROBIN, acceleration=1.0, starve_after=seconds(240))
        sales, needs = Routing(Strategy.LEAST_OCCUPIED, prefer="selling >= 80"), Needs("gold >= 50")
    queues = [
        QueueConfig(SUPPORT, support, wrap_up=seconds(30)),
        QueueConfig(SALES, sales, wrap_up=seconds(20), target_wait=seconds(10)),
    ]
    vip = Flow("vip", "enter", {"enter": QueueNode(SUPPORT, 5, needs)})
    flows = [*(straight_to(queue.name) for queue in queues), vip]
    numbers = [NumberConfig(f"+1800555010{n}", flow.name) for n, flow in enumerate(flows)]
    agents = [
        AgentConfig(
            f"agent-{n}",
            f"phone-{n}",
            (SUPPORT,) if n % 3 == 0 else (SUPPORT, SALES),
            may_opt_out=(SALES,),
            skills={"gold": Skill(100 * (n % 2)), "selling": Skill(100 - 10 * n)},
        )
        for n in range(plan.agents)
    ]
    return CenterConfig(
        queues={queue.name: queue for queue in queues},
        agents={agent.name: agent for agent in agents},
        numbers={number.did: number for number in numbers},
        flows={flow.name: flow for flow in flows},
        occupancy=OccupancyRule(plan.ceiling, seconds(20)) if plan.ceiling else None,
    )


class SimulatedDay:
    """Lives through the day; ``journal`` gets one record per event."""

    def __init__(self, plan: DayPlan, journal: Journal) -> None:
        self.plan = plan
        self.config = config_of(plan)
        self.journal = journal
        self.callers: dict[str, Caller] = {}
        """By call."""
        self.called = 0
        self.unattended: set[str] = set()
        """Agents whose phones will not be answered."""
        self.served: set[str] = set()
        """Callers who have heard an agent; they wait for ever if they must wait again."""
        self.world = World(self.config, start=OPENS)
        self.closes = OPENS + timedelta(hours=plan.hours)
        self.world.on_facts = self._hear

    def live(self) -> None:
        self._hear(self.world.facts)  # what was kept before anybody listened
        for number, name in enumerate(self.config.agents):
            self._shift(number, name)
        for did, per_hour in zip(self.config.numbers, self._rates(), strict=True):
            chance, at = Random(f"{self.plan.seed} arrivals {did}"), OPENS + seconds(1)
            while (at := at + timedelta(hours=chance.expovariate(per_hour))) < self.closes:
                self.world.timeline.at(at, self._call, did, self._caller(chance))
        self.world.run_until(self.closes + timedelta(hours=2))
        assert not self.world.faults, self.world.faults
        self.journal.close()

    def _rates(self) -> Sequence[float]:
        plan = self.plan
        return plan.support_per_hour * (1 - plan.vip_share), plan.sales_per_hour, max(0.01, plan.support_per_hour * plan.vip_share)

    def _shift(self, number: int, name: str) -> None:
        timeline = self.world.timeline
        late = seconds(3600) if self.plan.shifts and number % 4 == 1 else seconds(number / 10)
        early = seconds(3600) if self.plan.shifts and number % 4 == 3 else seconds(0)
        timeline.at(OPENS + late, self.world.agent_ready, name)
        if self.plan.shifts:
            pause_at = OPENS + seconds(Random(f"{self.plan.seed} {name}").uniform(1.2, self.plan.hours - 1.3) * 3600)
            timeline.at(pause_at, self.world.tell, AgentNotReadyRequested(name, "break"))
            timeline.at(pause_at + seconds(900), self.world.tell, AgentReadyRequested(name))
            timeline.at(self.closes - early, self.world.tell, AgentLogoutRequested(name))

        if self.plan.shifts and number == 1:
            timeline.at(OPENS + seconds(5400), self.world.tell, OptOutRequested(name, SALES))
            timeline.at(OPENS + seconds(9000), self.world.tell, OptInRequested(name, SALES))
        if self.plan.shifts and number == 2:
            timeline.at(OPENS + seconds(5000), self._unplug, name)
            timeline.at(OPENS + seconds(6000), self.world.tell, PhoneReachable(self.config.agents[name].endpoint))

    def _unplug(self, agent: str) -> None:
        endpoint = self.config.agents[agent].endpoint
        self.world.pbx.phones[endpoint] = Phone(Mood.UNREACHABLE)
        self.world.tell(PhoneUnreachable(endpoint))

    def _caller(self, chance: Random) -> Caller:
        plan = self.plan
        return Caller(
            patience_s=chance.expovariate(1 / plan.patience_s),
            ring_s=chance.uniform(1, 6),
            talk_s=chance.expovariate(1 / plan.aht_s),
            wrap_up_s=chance.choice((chance.uniform(2, 15), 3600)),
            transferred=chance.random() < plan.transfer_share,
            then_missed=chance.random() < plan.missed_share,
        )

    def _call(self, did: str, caller: Caller) -> None:
        self.called += 1
        self.calling = caller
        leg = self.world.pbx.call_in(did, f"+1202555{self.called:04d}")
        self.world.timeline.after(seconds(caller.patience_s), self._lose_patience, leg)

    def _lose_patience(self, leg: str) -> None:
        if leg not in self.served:
            self.world.pbx.party_hangs_up(leg)

    def _hear(self, facts: Sequence[f.Fact]) -> None:
        if facts:
            self.journal.append(facts)
        for fact in facts:
            match fact:
                case f.CallBegan():
                    self.callers[fact.call] = self.calling
                case f.ContactOffered():
                    self._ring(fact)
                case f.ContactConnected():
                    self._talk(fact)
                case f.OfferMissed():
                    self.unattended.discard(fact.agent)
                    self.world.timeline.after(seconds(60), self._back, fact.agent)
                case f.ContactParted():
                    self.world.timeline.after(seconds(self.callers[fact.call].wrap_up_s), self._done, fact)

    def _ring(self, fact: f.ContactOffered) -> None:
        mood = Mood.RINGS_ON if fact.agent in self.unattended else Mood.ANSWERS
        ring = seconds(self.callers[fact.call].ring_s)
        self.world.pbx.phones[self.config.agents[fact.agent].endpoint] = Phone(mood, lambda: ring)

    def _talk(self, fact: f.ContactConnected) -> None:
        caller = self.callers[fact.call]
        leg = self.world.center.state.calls[fact.call].began.leg
        self.served.add(leg)
        if fact.queue == SUPPORT and caller.transferred:
            self.world.timeline.after(seconds(caller.talk_s), self.world.tell, TransferRequested(fact.agent, SALES))
        else:
            self.world.timeline.after(seconds(caller.talk_s), self.world.pbx.party_hangs_up, leg)
        if caller.then_missed:
            self.unattended.add(fact.agent)

    def _back(self, agent: str) -> None:
        if self.world.agent(agent).state is f.AgentState.NOT_READY:
            self.world.tell(AgentReadyRequested(agent))

    def _done(self, fact: f.ContactParted) -> None:
        agent = self.world.agent(fact.agent)
        if agent.contact == fact.contact and agent.state is f.AgentState.WRAP_UP and agent.remembered is None:
            self.world.tell(AgentReadyRequested(fact.agent))


def simulated_day(plan: DayPlan, folder: Path) -> SimulatedDay:
    """Live through such a day and write its journal into ``folder``."""
    day = SimulatedDay(plan, Journal(folder))
    day.live()
    return day
