"""When we may call people: weekly windows, and dates that are otherwise, by the wall clock of one zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOOK_AHEAD = 400
"""Days within which the next opening is looked for."""

Window = tuple[time, time]
"""From and to; the end itself is outside. ``time(0)`` as an end is midnight."""


@dataclass(frozen=True, slots=True)
class CallingHours:
    """``weekly``: by weekday (0 is Monday). ``dated``: takes the weekday's place on that date; empty: closed.

    Nothing given at all: always open.
    """

    zone: str = "UTC"
    weekly: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    dated: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)

    @property
    def always(self) -> bool:
        return not self.weekly and not self.dated

    def next_open(self, at: datetime) -> datetime | None:
        """``at`` itself when it lies within a window, else the beginning of the next one; None: there is none within LOOK_AHEAD days."""
        if self.always:
            return at
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        for day in (today + timedelta(days=n) for n in range(LOOK_AHEAD)):
            for begin, end in self._spans(day, zone):
                if at < end:
                    return max(at, begin)
        return None

    def _spans(self, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
        """The windows of a day as moments, in order; a window that daylight saving swallows is empty."""
        windows = self.dated.get(day, self.weekly.get(day.weekday(), ()))
        spans = []
        for first, last in sorted(windows):
            last_day = day + timedelta(days=1) if last == time(0) else day
            begin = datetime.combine(day, first, zone).astimezone(UTC)
            end = datetime.combine(last_day, last, zone).astimezone(UTC)
            if begin < end:
                spans.append((begin, end))
        return spans
