"""What a queue remembers of the last half hour, minute by minute, and its metrics now. A fold over facts, of bounded size.

``count`` is told each change of the line or of the agents, and adds up what lasted until then; the rest are happenings.
``remembered`` and ``recall`` are the memory as plain texts, so that a checkpoint and a change of configuration can keep it whole.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from callcenter.domain import ewt
from callcenter.domain.ewt import Estimate, Seen

MEMORY = 30
"""Minutes."""
SERVICE_LEVEL_OVER = 15
"""Minutes over which the service level is measured."""


@dataclass(slots=True)
class Minute:
    """What happened within one minute."""

    number: int
    """Minutes since 1970."""
    agent_seconds: float = 0.0
    waited_seconds: float = 0.0
    ring_seconds: float = 0.0
    starts: int = 0
    gone: int = 0
    in_time: int = 0
    counted: int = 0
    """Answered, or abandoned and not short."""
    unanswered: int = 0
    """Of those counted."""


def _number(at: datetime) -> int:
    return int(at.timestamp() // 60)


class Measures:
    """The memory of one queue."""

    __slots__ = ("agents", "at", "levels", "line", "minutes")

    def __init__(self) -> None:
        self.minutes: deque[Minute] = deque(maxlen=MEMORY)
        self.levels = ewt.FIRST_LEVELS
        """The quantiles to be told, learned from whether what was told came true."""
        self.line = 0
        """Contacts in line since ``at``."""
        self.agents = 0
        """Agents who serve the queue since ``at``."""
        self.at: datetime | None = None

    # --- what happens ---------------------------------------------------------------------------

    def count(self, at: datetime, line: int, agents: int) -> None:
        """From now on so many stand in line, and so many agents serve the queue."""
        if self.at is not None and self.line and at > self.at:
            self._last(self.at, at)
        self.line, self.agents, self.at = line, agents, at

    def _last(self, since: datetime, until: datetime) -> None:
        """The line and the agents stayed as they were."""
        first = max(since.timestamp(), until.timestamp() - 60 * MEMORY)
        while first < until.timestamp():
            number = int(first // 60)
            end = min(until.timestamp(), 60.0 * (number + 1))
            minute = self._minute(number)
            minute.agent_seconds += self.agents * (end - first)
            minute.waited_seconds += self.line * (end - first)
            first = end

    def _minute(self, number: int) -> Minute:
        """The minute of that number; one that is past already counts as the latest."""
        if not self.minutes or self.minutes[-1].number < number:
            self.minutes.append(Minute(number))
        return self.minutes[-1]

    def answered(self, at: datetime, *, stood_in_line: bool, rang: timedelta, in_time: bool) -> None:
        minute = self._minute(_number(at))
        minute.counted += 1
        minute.in_time += in_time
        if stood_in_line:
            minute.starts += 1
            minute.ring_seconds += rang.total_seconds()

    def gone(self, at: datetime, *, counts: bool) -> None:
        """A contact left the line unanswered; ``counts``: for the service level."""
        minute = self._minute(_number(at))
        minute.gone += 1
        minute.counted += counts
        minute.unanswered += counts

    def came_true(self, expected: timedelta, right: bool) -> None:
        """What a caller was told about the wait, from a forecast with this mean, turned out right or wrong."""
        self.levels = ewt.learned(self.levels, expected, right)

    # --- what is known now ----------------------------------------------------------------------

    def seen(self, now: datetime) -> Seen:
        """What happened in the line within memory, up to now."""
        since = _number(now) - MEMORY
        kept = [minute for minute in self.minutes if minute.number > since]
        lasted = (now - self.at).total_seconds() if self.at is not None and self.line else 0.0
        return Seen(
            sum(minute.starts for minute in kept),
            sum(minute.agent_seconds for minute in kept) + self.agents * lasted,
            sum(minute.gone for minute in kept),
            sum(minute.waited_seconds for minute in kept) + self.line * lasted,
            sum(minute.ring_seconds for minute in kept),
        )

    def ewt(self, position: int, now: datetime) -> float | None:
        """Seconds that a caller at this position will wait at most, at the learned level; None when unknown."""
        expected = ewt.forecast(position, self.agents, self.seen(now))
        return None if expected is None else expected.quantile(self.levels[ewt.length(timedelta(seconds=expected.mean))])

    def to_tell(self, position: int, now: datetime) -> Estimate | None:
        """The wait that may be told to a caller at this position; None: better be silent."""
        return ewt.to_tell(position, self.agents, self.seen(now), self.levels)

    def service_level(self, now: datetime) -> float | None:
        return self._share(now, lambda minute: minute.in_time)

    def abandon_rate(self, now: datetime) -> float | None:
        """Of those who left in the minutes of the service level, short abandons left out."""
        return self._share(now, lambda minute: minute.unanswered)

    def _share(self, now: datetime, part: Callable[[Minute], int]) -> float | None:
        """Of all who were counted lately; None when nobody was."""
        since = _number(now) - SERVICE_LEVEL_OVER
        kept = [minute for minute in self.minutes if minute.number > since]
        counted = sum(minute.counted for minute in kept)
        return sum(map(part, kept)) / counted if counted else None

    # --- as texts -------------------------------------------------------------------------------

    def remembered(self) -> tuple[str, ...]:
        """Each minute as its fields, in order, separated by blanks; ``recall`` reads them back exactly."""
        return tuple(" ".join(map(repr, astuple(minute))) for minute in self.minutes)

    def recall(self, minutes: Iterable[str]) -> None:
        self.minutes.clear()
        kinds = [type(value) for value in astuple(Minute(0))]
        for text in minutes:
            # not strict: a checkpoint of an older version knows less of a minute, and nothing of who was not answered
            self.minutes.append(Minute(*(kind(part) for kind, part in zip(kinds, text.split(), strict=False))))
