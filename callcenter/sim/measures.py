"""What a simulated queue came to, counted from facts, each figure with its standard error by batch means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from callcenter.domain.facts import AgentState, AgentStateChanged, ContactAbandoned, ContactConnected, ContactEntered, Fact

BATCHES = 40
"""The calls are cut into so many stretches of equal length ..."""
WARM_UP_BATCHES = 2
"""... and the first ones, in which the empty center fills, are not counted."""
AT_WORK = frozenset({AgentState.TALKING, AgentState.WRAP_UP})


@dataclass(frozen=True, slots=True)
class Measures:
    """Ratios of all offered contacts, and their standard errors."""

    offered: int
    """Contacts that were counted, without the warm-up."""
    p_wait: float
    """Share of the offered who waited at all."""
    p_wait_se: float
    p_abandon: float
    p_abandon_se: float
    asa_s: float
    """Mean wait of the answered."""
    asa_s_se: float
    service_level: float
    """Answered within the target wait ÷ offered."""
    service_level_se: float
    occupancy: float
    occupancy_se: float


@dataclass(slots=True)
class _Batch:
    """One stretch of calls; ``busy_s`` is what the agents worked between its first call and the next batch's."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    waited: int = 0
    in_time: int = 0
    wait_s: float = 0.0
    busy_s: float = 0.0
    length_s: float = 0.0


class Tally:
    """Counts while facts go by. A contact belongs to the batch in which it entered the queue."""

    def __init__(self, calls: int, agents: int, target_wait: timedelta) -> None:
        if calls < BATCHES:
            raise ValueError(f"it takes {BATCHES} calls at least to tell how far off a mean may be, and some thousands to tell much")
        self._agents = agents
        self._target_wait = target_wait
        self._batches = [_Batch() for _ in range(BATCHES)]
        self._calls = calls
        self._entered = 0
        self._batch_of: dict[str, _Batch] = {}
        """The batches of those who still wait."""
        self._at_work: set[str] = set()
        self._since: datetime | None = None
        """Up to when work has been counted; None before the first call, and after the last."""
        self._present = self._batches[0]
        self._count: dict[type, Callable[..., None]] = {
            ContactEntered: self._contact_entered,
            ContactConnected: self._contact_connected,
            ContactAbandoned: self._contact_abandoned,
            AgentStateChanged: self._agent_state_changed,
        }

    @property
    def undecided(self) -> int:
        """How many contacts are neither answered nor abandoned yet."""
        return len(self._batch_of)

    def take(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            count = self._count.get(type(fact))
            if count is not None:
                count(fact)

    def measures(self) -> Measures:
        batches = self._batches[WARM_UP_BATCHES:]
        offered = [float(batch.offered) for batch in batches]
        p_wait, p_wait_se = ratio([batch.waited for batch in batches], offered)
        p_abandon, p_abandon_se = ratio([batch.abandoned for batch in batches], offered)
        asa_s, asa_s_se = ratio([batch.wait_s for batch in batches], [batch.answered for batch in batches])
        level, level_se = ratio([batch.in_time for batch in batches], offered)
        occupancy, occupancy_se = ratio([batch.busy_s for batch in batches], [batch.length_s * self._agents for batch in batches])
        return Measures(
            round(sum(offered)), p_wait, p_wait_se, p_abandon, p_abandon_se, asa_s, asa_s_se, level, level_se, occupancy, occupancy_se
        )

    # --- facts ----------------------------------------------------------------------------------

    def _contact_entered(self, fact: ContactEntered) -> None:
        if self._since is None:
            self._since = fact.at
        self._work_until(fact.at)
        self._present = self._batches[self._entered * BATCHES // self._calls]
        self._present.offered += 1
        self._batch_of[fact.contact] = self._present
        self._entered += 1
        if self._entered == self._calls:
            self._since = None

    def _contact_connected(self, fact: ContactConnected) -> None:
        batch = self._batch_of.pop(fact.contact)
        batch.answered += 1
        batch.wait_s += fact.wait.total_seconds()
        batch.waited += fact.wait > timedelta()
        batch.in_time += fact.wait <= self._target_wait

    def _contact_abandoned(self, fact: ContactAbandoned) -> None:
        batch = self._batch_of.pop(fact.contact)
        batch.abandoned += 1
        batch.waited += 1

    def _agent_state_changed(self, fact: AgentStateChanged) -> None:
        at_work = fact.state in AT_WORK
        if at_work != (fact.agent in self._at_work):
            self._work_until(fact.at)
            (self._at_work.add if at_work else self._at_work.discard)(fact.agent)

    def _work_until(self, at: datetime) -> None:
        if self._since is not None:
            length_s = (at - self._since).total_seconds()
            self._present.length_s += length_s
            self._present.busy_s += length_s * len(self._at_work)
            self._since = at


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float, float]:
    """The ratio of the sums, and its standard error from how the batches stray from it."""
    count, whole = len(wholes), sum(wholes)
    value = sum(parts) / whole
    strayed = sum((part - value * of) ** 2 for part, of in zip(parts, wholes, strict=True))
    return value, sqrt(strayed * count / (count - 1)) / whole
