"""Facts of queues: their conditions, and what is remembered of what they have seen."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.conditions import Phase


@dataclass(frozen=True, slots=True)
class ConditionChanged:
    """A condition of the queue (``condition`` is its key) began to rise, to hold, or ceased to; ``value`` is what was measured."""

    at: datetime
    queue: str
    condition: str
    phase: Phase
    value: float | None


@dataclass(frozen=True, slots=True)
class QueueMeasured:
    """What the queue remembers of the last half hour: kept whole in checkpoints, and before the configuration changes."""

    at: datetime
    queue: str
    line: int
    agents: int
    since: datetime | None
    """Since when ``line`` and ``agents`` have been so."""
    levels: tuple[str, ...]
    """The quantiles at which waits are told."""
    minutes: tuple[str, ...]
    standings: tuple[str, ...]
    """Of its conditions: phase, since, key; separated by blanks."""


@dataclass(frozen=True, slots=True)
class QueueTallied:
    """What the queue has seen lately. Written into checkpoints only."""

    at: datetime
    queue: str
    talks: int
    mean_talk_s: float


@dataclass(frozen=True, slots=True)
class CallersServed:
    """Who talked with whom last, the oldest first. Written into checkpoints only."""

    at: datetime
    callers: tuple[str, ...]
    agents: tuple[str, ...]


QueueFact = ConditionChanged | QueueMeasured | QueueTallied | CallersServed
