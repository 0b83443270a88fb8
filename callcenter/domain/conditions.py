"""Conditions on what a queue measures: when one begins and ceases to hold, without flapping.

A condition is a plain value: metric, comparator, threshold, for how long, and where it lets go again. Who needs one
(an overflow rule, a step of relaxing, a reserve group) keeps it in its part of the queue's configuration and names it in
``QueueConfig.conditions``. Once a second per queue ``domain.watch`` measures (``domain.measures``), asks ``observe`` and keeps
each change as a fact; whoever needs to know reads ``queue.holds(condition)``, which costs nothing. Two rules with the
same condition share one standing: ``Condition.key`` is its name in facts, and reads as a sentence.

::

    OFF ──► RISING(since) ──► ON(since)      RISING is left out when it need not last
     ▲            │              │
     └────────────┴──────────────┘
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Metric(StrEnum):
    """What is measured of a queue. Spans are seconds, the service level a ratio 0 to 1; a metric may be unknown."""

    EWT = "ewt"
    """Estimated wait of who would enter now, seconds; unknown while too little was seen."""
    WAITING = "waiting"
    """Contacts waiting or offered."""
    WAITING_PER_AGENT = "waiting_per_agent"
    """The same, per agent who serves the queue now (not on a break); unknown without any."""
    LONGEST_WAIT = "longest_wait"
    """Seconds; 0 when nobody waits."""
    SERVICE_LEVEL = "service_level"
    """Of those who left the queue in the last 15 minutes, by the queue's own target; unknown when nobody did."""
    AGENTS_READY = "agents_ready"
    AGENTS_LOGGED_IN = "agents_logged_in"


class Figure(StrEnum):
    """What alerts are about beside a queue's metrics (``domain.alert_figures``). Spans are seconds, rates ratios 0 to 1."""

    ABANDON_RATE = "abandon_rate"
    """Of a queue: of those who left it in the last 15 minutes, short abandons left out; unknown when nobody did."""
    CALLBACK_OVERDUE = "callback_overdue"
    """Of a queue: how long its oldest callback has been due without being called."""
    NOT_READY_FOR = "not_ready_for"
    """Of an agent, since she said so; a call of her own and supervising are work."""
    WRAP_UP_FOR = "wrap_up_for"
    TALKING_FOR = "talking_for"
    MISSED_OFFERS = "missed_offers"
    """Of an agent: lately and in a row, as her queue's rule for missed offers counts them."""
    NODE_AWAY = "node_away"
    """Of a node: 1 while it is out of reach, else 0."""
    TRUNK_AWAY = "trunk_away"
    """Of a trunk that we call out through: 1 while no node reaches it, else 0."""
    ENGINE_AWAY = "engine_away"
    ENGINE_LAG = "engine_lag"
    """Seconds that the engine takes to answer."""
    DATABASE_AWAY = "database_away"
    BOOKS_BEHIND = "books_behind"
    """Records of the journal that are not in the database."""
    WEBHOOKS_WAITING = "webhooks_waiting"
    """Messages to other systems that are not sent."""


SPANS = frozenset({Metric.EWT, Metric.LONGEST_WAIT})
COUNTS: frozenset[Metric | Figure] = frozenset({Metric.WAITING, Metric.AGENTS_READY, Metric.AGENTS_LOGGED_IN, Figure.MISSED_OFFERS})
RATIOS: frozenset[Metric | Figure] = frozenset({Metric.SERVICE_LEVEL, Figure.ABANDON_RATE})


def figure_of(name: str) -> Metric | Figure:
    """By its name. Raises ValueError."""
    return Metric(name) if name in set(Metric) else Figure(name)


class Comparator(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


class Phase(StrEnum):
    OFF = "off"
    RISING = "rising"
    """The threshold is passed, but not yet for long enough."""
    ON = "on"


DEAD_BAND = 0.1
"""How far back over its threshold a metric must come, as a part of it, unless ``release`` says so; counts have none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Such as "ewt > 360 for 30 s"."""

    metric: Metric | Figure
    """A queue's own rules know metrics only."""
    comparator: Comparator
    value: float
    lasting: timedelta = timedelta(0)
    """For how long without a break, before it holds."""
    release: float | None = None
    """Once it holds, it does so until the metric is back at this value; None: ``DEAD_BAND`` beyond the threshold."""
    queue: str = ""
    """Whose metric; empty: that of the queue it belongs to."""

    @property
    def key(self) -> str:
        """Its name in facts and explanations."""
        said = f"{self.metric} {self.comparator} {self.value:g}"
        if self.queue:
            said = f"{self.queue}: {said}"
        if self.lasting:
            said += f" for {self.lasting.total_seconds():g} s"
        return said if self.release is None else f"{said}, released at {self.release:g}"

    @property
    def upward(self) -> bool:
        """Whether it holds for high values."""
        return self.comparator in (Comparator.ABOVE, Comparator.AT_LEAST)

    @property
    def released_at(self) -> float:
        if self.release is not None:
            return self.release
        band = 0.0 if self.metric in COUNTS else DEAD_BAND * self.value
        lets_go = self.value - band if self.upward else self.value + band
        return min(lets_go, 1.0) if self.metric in RATIOS else lets_go

    def passed(self, value: float) -> bool:
        """Whether the metric is beyond the threshold now."""
        match self.comparator:
            case Comparator.ABOVE:
                return value > self.value
            case Comparator.AT_LEAST:
                return value >= self.value
            case Comparator.BELOW:
                return value < self.value
            case Comparator.AT_MOST:
                return value <= self.value

    def released(self, value: float) -> bool:
        """Whether a condition that holds ceases to: back over the threshold, and as far as ``released_at``."""
        back = value <= self.released_at if self.upward else value >= self.released_at
        return back and not self.passed(value)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a condition stands, and since when."""

    phase: Phase = Phase.OFF
    since: datetime | None = None


STANDS_OFF = Standing()


def observe(condition: Condition, standing: Standing, value: float | None, now: datetime) -> Phase:
    """The phase after seeing the metric at ``now``. What is not known does not hold."""
    if value is None:
        return Phase.OFF
    if standing.phase is Phase.ON:
        return Phase.OFF if condition.released(value) else Phase.ON
    if not condition.passed(value):
        return Phase.OFF
    risen_at = standing.since if standing.phase is Phase.RISING and standing.since is not None else now
    return Phase.ON if now - risen_at >= condition.lasting else Phase.RISING


def faults(condition: Condition) -> str | None:
    """One sentence when the condition can never hold, or never cease to."""
    if condition.value < 0 or (condition.value == 0 and condition.comparator is Comparator.BELOW):
        return f"'{condition.key}' can never hold: no metric is below 0"
    if condition.metric in RATIOS and (condition.value > 1 or (condition.value == 1 and condition.comparator is Comparator.ABOVE)):
        return f"'{condition.key}' is about a {condition.metric.replace('_', ' ')} above 1; write 0.8 for 80 %"
    if condition.release is not None:
        wrong_side = condition.release > condition.value if condition.upward else condition.release < condition.value
        if wrong_side or condition.release < 0:
            side = "above" if condition.upward else "below"
            return f"'{condition.key}' would be released {side} its own threshold"
    return None


Standings = Mapping[str, Standing]
"""By the key of the condition; one that is not in it is off."""
