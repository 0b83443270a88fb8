"""When we may call people: weekly windows, and dates that are otherwise, by the wall clock of one zone; and all limits together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOOK_AHEAD = 400
"""Days within which the next opening is looked for."""

NextOpen = Callable[[datetime], datetime | None]
"""A limit: the moment itself when it lies within, else when the next stretch begins; None: never."""

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


def next_permitted(at: datetime, limits: Sequence[NextOpen], within: timedelta = timedelta(days=LOOK_AHEAD)) -> datetime | None:
    """The first moment from ``at`` on that lies within all limits; None: there is none within so long."""
    moment = at
    while moment <= at + within:
        later = moment
        for limit in limits:
            found = limit(later)
            if found is None:
                return None
            later = found
        if later == moment:
            return moment
        moment = later
    return None


def in_all_zones(zones: Sequence[str], windows: tuple[Window, ...]) -> list[NextOpen]:
    """Every day within the windows, by the clock of each of the zones."""
    return [CallingHours(zone, dict.fromkeys(range(7), windows)).next_open for zone in zones]
