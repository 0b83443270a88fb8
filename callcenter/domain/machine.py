"""What every machine of the core shares: the table, the refusal of what is not in it, and dates to act on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import TypeVar

from callcenter.domain.commands import Command
from callcenter.domain.facts import Fact

State = TypeVar("State")


class IllegalTransition(Exception):
    """A bug: the table of a machine has no such row. ``subject`` is the id of the thing it happened to."""

    def __init__(self, subject: str, state: object, happening: object) -> None:
        super().__init__(f"{subject}: {state} does not allow {happening}")
        self.subject = subject
        self.state = state
        self.happening = happening


def transition(table: Mapping[tuple[State, type], State], subject: str, state: State, fact: Fact) -> State:
    """Return the state after ``fact``. Raises IllegalTransition for a pair the table does not list."""
    try:
        return table[state, type(fact)]
    except KeyError:
        raise IllegalTransition(subject, state, type(fact).__name__) from None


@dataclass(slots=True)
class Outputs:
    """What handling one event came to."""

    facts: list[Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    refusal: str | None = None
    """A person asked for the impossible: one sentence saying why."""
    faults: list[Exception] = field(default_factory=list)
    """Bugs met on the way; each is contained to the thing it happened to."""


Alarm = tuple[datetime, str, str]
"""When, what kind of deadline, and whose (an id)."""


class Deadlines:
    """Dates on which something is to be done, earliest first.

    An alarm is never cancelled: it is stale when ``still_set`` denies it. Alarms of the same date come in
    the order of kind and id, so that a restored center runs them in the order the live one would.
    """

    __slots__ = ("_alarms", "_still_set")

    def __init__(self, still_set: Callable[[Alarm], bool]) -> None:
        self._alarms: list[Alarm] = []
        self._still_set = still_set

    def set(self, at: datetime, kind: str, subject: str) -> None:
        heappush(self._alarms, (at, kind, subject))

    @property
    def next(self) -> datetime | None:
        """The earliest date on which something is to be done."""
        while self._alarms and not self._still_set(self._alarms[0]):
            heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def take_due(self, now: datetime) -> Alarm | None:
        """Remove and return the earliest alarm that is due, or None."""
        alarms = self._alarms
        while alarms and alarms[0][0] <= now:
            alarm = heappop(alarms)
            if self._still_set(alarm):
                return alarm
        return None
