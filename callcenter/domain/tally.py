"""What agents and queues have done lately, folded from the same facts as everything else.

Windows are exponential: what happened a time t ago counts exp(-t / window). All counts shrink by the same factor, so the order of two
agents changes only when something is counted: a heap of ready agents stays in order while time passes. To compare without shrinking
everybody, a count is kept as the logarithm of what it would be at the beginning of time (docs/decisions).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, inf, log, log1p

from callcenter.domain.facts import AgentState, AgentTallied, QueueTallied

WORKING = frozenset({AgentState.TALKING, AgentState.WRAP_UP})


def _add(total: float, more: float) -> float:
    """log(exp(total) + exp(more))."""
    low, high = (total, more) if total < more else (more, total)
    return high if low == -inf else high + log1p(exp(low - high))


@dataclass(slots=True)
class AgentTally:
    """Of one agent. Dates and weights never go back."""

    contact_at: datetime | None = None
    """The end of her last contact, a missed offer, or her login."""
    call_at: datetime | None = None
    """The same of any call."""
    turns: dict[str, datetime] = field(default_factory=dict)
    """By queue: her last contact or missed offer there."""
    contacts: float = -inf
    talk: float = -inf
    """Logarithms, as if of the beginning of time."""
    occupancy: float = 0.0
    """0 to 1, as of ``as_of``; the clock stands still while she is not ready or logged out, and for an offer that she misses."""
    as_of: datetime | None = None

    def moved(self, before: AgentState, after: AgentState, at: datetime, window: timedelta) -> None:
        """She goes from state to state."""
        passed = (at - self.as_of) / window if self.as_of is not None else 0.0
        if before in WORKING:
            self.occupancy = 1 - (1 - self.occupancy) * exp(-passed)
        elif before is AgentState.READY or (before is AgentState.RESERVED and after in (AgentState.TALKING, AgentState.READY)):
            self.occupancy *= exp(-passed)
        self.as_of = at
        if before is AgentState.LOGGED_OUT or before is AgentState.WRAP_UP:
            self.contact_at = self.call_at = at

    def answered(self, queue: str, at: datetime, window: timedelta) -> None:
        self.turns[queue] = at
        self.contacts = _add(self.contacts, at.timestamp() / window.total_seconds())

    def missed(self, queue: str, at: datetime) -> None:
        self.turns[queue] = self.contact_at = self.call_at = at

    def talked(self, talk: timedelta, at: datetime, window: timedelta) -> None:
        seconds = talk.total_seconds()
        if seconds > 0:
            self.talk = _add(self.talk, log(seconds) + at.timestamp() / window.total_seconds())

    def lasting_occupancy(self, window: timedelta) -> float:
        """While she is ready: an order that does not change as time passes, lowest occupancy first."""
        if self.occupancy <= 0 or self.as_of is None:
            return -inf
        return log(self.occupancy) + self.as_of.timestamp() / window.total_seconds()

    def occupancy_at(self, now: datetime, window: timedelta) -> float:
        """While she is ready."""
        return self.occupancy * exp(-((now - self.as_of) / window)) if self.as_of else 0.0

    def contacts_at(self, now: datetime, window: timedelta) -> float:
        return exp(self.contacts - now.timestamp() / window.total_seconds())

    def talk_at(self, now: datetime, window: timedelta) -> float:
        return exp(self.talk - now.timestamp() / window.total_seconds())

    def fact(self, agent: str, at: datetime) -> AgentTallied:
        queues = sorted(self.turns)
        turns = tuple(self.turns[queue].isoformat() for queue in queues)
        contacts, talk = (None if total == -inf else total for total in (self.contacts, self.talk))
        return AgentTallied(at, agent, self.contact_at, self.call_at, tuple(queues), turns, contacts, talk, self.occupancy, self.as_of)

    @classmethod
    def of(cls, fact: AgentTallied) -> "AgentTally":
        turns = {queue: datetime.fromisoformat(at) for queue, at in zip(fact.queues, fact.turns, strict=True)}
        contacts, talk = (-inf if total is None else total for total in (fact.contacts, fact.talk))
        return cls(fact.contact_at, fact.call_at, turns, contacts, talk, fact.occupancy, fact.as_of)


LEARNED = 50
"""The mean talk is that of about so many contacts."""


@dataclass(slots=True)
class QueueTally:
    """Of one queue, for guessing when a busy agent is back."""

    talks: int = 0
    mean_talk_s: float = 0.0

    def talked(self, talk: timedelta) -> None:
        self.talks += 1
        self.mean_talk_s += (talk.total_seconds() - self.mean_talk_s) / min(self.talks, LEARNED)

    def fact(self, queue: str, at: datetime) -> QueueTallied:
        return QueueTallied(at, queue, self.talks, self.mean_talk_s)

    @classmethod
    def of(cls, fact: QueueTallied) -> "QueueTally":
        return cls(fact.talks, fact.mean_talk_s)
