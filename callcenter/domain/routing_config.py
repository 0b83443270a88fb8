"""What people decided about routing: strategies, skills, relaxing, who comes first; as the core reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.conditions import Condition


class Strategy(StrEnum):
    """Which of the agents who may take a contact it is offered to. Level and skill gap come before it, the idle clock after it."""

    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"
    """Whose last turn in this queue is longest ago; an offer missed is a turn."""
    LEAST_OCCUPIED = "least_occupied"
    """The lowest occupancy in the rolling window, counted over the time she could have worked."""
    FEWEST_CONTACTS = "fewest_contacts"
    """The fewest contacts answered in the rolling window."""
    LEAST_TALK = "least_talk"
    """The least talk time in the rolling window."""
    LIST_ORDER = "list_order"
    """In the order of the configuration."""
    RING_ALL = "ring_all"
    """To all of them at once; the first who answers has it."""


class IdleClock(StrEnum):
    """Since when an agent counts as idle. A missed offer never improves her place: each clock starts anew with it."""

    STATE_CHANGE = "state_change"
    """Since she became ready."""
    LAST_CONTACT = "last_contact"
    """Since the end of her last contact (its wrap-up), or her login: a break does not cost her place."""
    ANY_CALL = "any_call"
    """The same, but calls of any kind count."""


class Between(StrEnum):
    """Which of several queues an agent who becomes ready serves first; her own level for a queue comes before it."""

    PRIORITY = "priority"
    """The highest priority, ageing included, then the longest wait."""
    LONGEST_WAIT = "longest_wait"
    MARGINAL_COST = "marginal_cost"
    """Where a second more costs most, when a wait costs (wait / target)²: the highest wait / target²."""


@dataclass(frozen=True, slots=True)
class Skill:
    """A named ability of an agent."""

    level: int
    """0 to 100."""
    until: datetime | None = None
    """From then on she has it no longer."""


@dataclass(frozen=True, slots=True)
class Membership:
    """How an agent serves a queue."""

    level: int = 0
    """Lower first: for her among her queues, and for the queue among its agents."""
    delay: timedelta = timedelta(0)
    """She is offered contacts that have waited so long."""


@dataclass(frozen=True, slots=True)
class RelaxStep:
    """One step of relaxing: by time, for each contact that has waited so long; or by a condition, for the whole queue while it holds."""

    name: str
    after: timedelta | None = None
    when: Condition | None = None
    """It holds and is released without flapping (``domain.conditions``)."""
    require: str | None = None
    """In place of the queue's hard requirement."""
    prefer: str | None = None
    """In place of the queue's soft requirement."""
    waive: tuple[str, ...] = ()
    """Comparisons of these skills count as met, whoever required them."""
    groups: tuple[str, ...] = ()
    """Reserve groups that may take the contacts too."""
    level: int = 100
    """Of the agents who serve by such a group."""


@dataclass(frozen=True, slots=True)
class Routing:
    """How one queue finds agents, and in which order its contacts are served."""

    strategy: Strategy = Strategy.LONGEST_IDLE
    idle_clock: IdleClock = IdleClock.STATE_CHANGE
    require: str = ""
    """Hard: who does not meet it is not offered the contact."""
    prefer: str = ""
    """Soft: who is closer to it comes first."""
    relax: tuple[RelaxStep, ...] = ()
    acceleration: float = 0.0
    """Priority points a contact gains per minute of waiting ..."""
    priority_cap: float | None = None
    """... up to this many."""
    starve_after: timedelta | None = None
    """Who has waited so long comes before everybody else, the longest wait first."""
    last_agent_wait: timedelta | None = None
    """A caller who comes back waits so long for the agent talked with last; None: for nobody."""


LAST = "last"
"""In place of an agent's name: the one the caller talked with last."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a contact needs of agents, beside what its queue does."""

    require: str = ""
    prefer: str = ""
    agent: str = ""
    """It waits for this agent alone at first; ``last`` is the one talked with last ..."""
    agent_wait: timedelta = timedelta(0)
    """... at most so long."""
    rule: str = ""
    """The routing rule that said so, if any."""


@dataclass(frozen=True, slots=True)
class ListedNumber:
    number: str
    """E.164, or the beginning of it followed by ``*``."""
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallerList:
    """A named list of callers."""

    name: str
    blocked: bool = False
    """They hear ``flow`` and reach nobody."""
    priority: int = 0
    """Added to the priority of their contacts."""
    flow: str = ""
    entries: tuple[ListedNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """Data-directed: where a contact goes and what it needs, by its attributes. Of several rules the first that matches wins."""

    name: str
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """From attribute to the values that match; ``4930*`` matches a beginning. All attributes must match."""
    queue: str = ""
    """In place of the one that the flow enters; empty: that one."""
    priority: int | None = None
    needs: Needs = Needs()
