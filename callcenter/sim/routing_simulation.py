"""Several classes of callers through the production router in virtual time, who came when, and how long each waited.

Each class has its own stream of chance for arrivals and for handle times: whatever the configuration decides, the same callers come at
the same moments and bring the same work. So two rules are compared on the same calls, and their difference is surer than either figure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from math import sqrt
from random import Random

from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import AgentState, AgentStateChanged, ContactConnected, Fact
from callcenter.sim.instant_center import InstantCenter

BATCHES = 40
"""The callers are cut into so many stretches, in the order they came ..."""
WARM_UP_BATCHES = 2
"""... of which the first ones, in which the empty center fills, are not counted."""
AT_WORK = frozenset({AgentState.TALKING, AgentState.WRAP_UP})


@dataclass(frozen=True, slots=True)
class CallerClass:
    """Callers who come by one number: at random (Poisson), with exponential handle times; they wait for ever."""

    name: str
    did: str
    calls_per_hour: float
    aht_s: float


@dataclass(slots=True)
class Outcome:
    """What became of the callers, in the order they came."""

    names: list[str] = field(default_factory=list)
    """The class of each."""
    waits_s: list[float] = field(default_factory=list)
    busy_s: dict[str, float] = field(default_factory=dict)
    """What each agent worked after the warm-up ..."""
    length_s: float = 0.0
    """... and how long that was, until the last caller came."""

    def batches(self) -> list[range]:
        """The stretches that count."""
        count = len(self.names)
        edges = [count * number // BATCHES for number in range(WARM_UP_BATCHES, BATCHES + 1)]
        return [range(first, last) for first, last in pairwise(edges)]

    def counted(self, *names: str) -> list[float]:
        """The waits that count, of these classes or of all."""
        return [self.waits_s[n] for batch in self.batches() for n in batch if not names or self.names[n] in names]

    def mean(self, of: Callable[[str, float], float]) -> tuple[float, float]:
        """The mean over the callers who count of a function of class and wait, and its standard error by batch means."""
        return mean_of([[of(self.names[n], self.waits_s[n]) for n in batch] for batch in self.batches()])

    def occupancy(self) -> Mapping[str, float]:
        return {agent: busy_s / self.length_s for agent, busy_s in sorted(self.busy_s.items())}


def difference(one: Outcome, other: Outcome, of: Callable[[str, float], float]) -> tuple[float, float]:
    """The mean of ``of`` in one outcome less that in the other, caller by caller, and the standard error of that."""
    assert one.names == other.names, "both must have met the same callers"
    return mean_of([[of(one.names[n], one.waits_s[n]) - of(other.names[n], other.waits_s[n]) for n in batch] for batch in one.batches()])


def mean_of(batches: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The mean, and its standard error from how the means of the batches stray."""
    means = [sum(batch) / len(batch) for batch in batches if batch]
    mean = sum(means) / len(means)
    return mean, sqrt(sum((each - mean) ** 2 for each in means) / (len(means) - 1) / len(means))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]


def simulate_routing(
    config: CenterConfig, classes: Sequence[CallerClass], calls: int, seed: int, told: Callable[[int], None] = lambda more: None
) -> Outcome:
    """Let that many calls come and all be answered. ``told`` hears now and then how many more have come."""
    return _Run(config, classes, calls, seed, told).run()


class _Run:
    """Callers by chance, around the center."""

    def __init__(self, config: CenterConfig, classes: Sequence[CallerClass], calls: int, seed: int, told: Callable[[int], None]) -> None:
        if calls < 10 * BATCHES:
            raise ValueError(f"it takes {10 * BATCHES} calls at least to tell how far off a mean may be, and some thousands to tell much")
        self._classes = {each.did: each for each in classes}
        self._calls = calls
        self._told = told
        self._tell_every = max(1, calls // 100)
        self._arrivals = {each.did: Random(f"arrivals {each.name} {seed}") for each in classes}
        self._handling = {each.did: Random(f"handling {each.name} {seed}") for each in classes}
        self._came = 0
        self._waiting = 0
        self._number: dict[str, int] = {}
        """From a leg to the caller's number, in the order they came."""
        self._handle: dict[str, timedelta] = {}
        self._outcome = Outcome()
        self._at_work: dict[str, float] = {}
        """From an agent at work to since when, in seconds of the timeline."""
        self._counting_since = 0.0
        self._world = InstantCenter(config, f"routing {seed}", self._hear, self._talk)
        self._began = self._world.timeline.now

    def run(self) -> Outcome:
        self._world.open()
        self._outcome.busy_s = dict.fromkeys(self._world.center.state.config.agents, 0.0)
        for did in self._classes:
            self._plan_arrival(did)
        while self._came < self._calls or self._waiting:
            self._world.step()
        return self._outcome

    def _now(self) -> float:
        return (self._world.timeline.now - self._began).total_seconds()

    def _plan_arrival(self, did: str) -> None:
        gap = timedelta(hours=self._arrivals[did].expovariate(self._classes[did].calls_per_hour))
        self._world.timeline.after(gap, self._arrive, did)

    def _arrive(self, did: str) -> None:
        if self._came == self._calls:
            return
        number = self._came
        if number == self._calls * WARM_UP_BATCHES // BATCHES:
            self._count_work_from_now()
        self._came += 1
        self._waiting += 1
        leg = f"caller-{number}"
        self._number[leg] = number
        self._handle[leg] = timedelta(seconds=self._handling[did].expovariate(1 / self._classes[did].aht_s))
        self._outcome.names.append(self._classes[did].name)
        self._outcome.waits_s.append(0.0)
        if self._came == self._calls:
            self._stop_counting_work()
        self._world.call(leg, did)
        self._plan_arrival(did)
        if self._came % self._tell_every == 0:
            self._told(self._tell_every)

    def _talk(self, caller: str, agent: str) -> None:
        self._world.timeline.after(self._handle.pop(caller), self._world.hang_up, caller)

    def _hear(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, ContactConnected):
                self._waiting -= 1
                leg = self._world.center.state.calls[fact.call].began.leg
                self._outcome.waits_s[self._number.pop(leg)] = fact.wait.total_seconds()
            elif isinstance(fact, AgentStateChanged):
                self._work(fact)

    # --- agents' work -----------------------------------------------------------------------------

    def _work(self, fact: AgentStateChanged) -> None:
        if fact.state in AT_WORK:
            self._at_work.setdefault(fact.agent, self._now())
        elif (since := self._at_work.pop(fact.agent, None)) is not None and not self._outcome.length_s:
            self._outcome.busy_s[fact.agent] += self._now() - max(since, self._counting_since)

    def _count_work_from_now(self) -> None:
        self._counting_since = self._now()
        self._outcome.busy_s = dict.fromkeys(self._outcome.busy_s, 0.0)

    def _stop_counting_work(self) -> None:
        for agent, since in self._at_work.items():
            self._outcome.busy_s[agent] += self._now() - max(since, self._counting_since)
        self._outcome.length_s = self._now() - self._counting_since
