"""From what people wrote to dated stretches: weekly hours, days that are otherwise, and parts of days, by the wall clock of a zone.

For each date one thing rules: the last of the layers that has something to say about it, else the weekly hours. A ruling holds
from midnight to midnight: hours that began the evening before end there, and the weekday's own do not begin. Parts of days
(a meeting, an event of an imported calendar) are laid over that, unless a later layer rules the date.

::

    weekly hours  <  holidays  <  rules  <  imported events  <  exceptions        (what comes later wins)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from callcenter.domain.hours import Calendar, Stretch, Why, WhyKind

AHEAD = 400
"""Days for which a calendar is made ..."""
BEHIND = 8
"""... and for how many before today: what is asked about the present, by a clock that may be behind."""
MOST_PARTS = 20_000
"""Parts of days that one calendar may lay over its hours."""

Window = tuple[time, time]
"""From and to by the wall clock; the end is outside. One that does not end after it begins ends on the next day."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The hours of one date, in place of its weekday's; without any it is closed."""

    why: Why
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time that is open or closed whatever else the day says. Aware dates."""

    begins_at: datetime
    ends_at: datetime
    is_open: bool
    why: Why


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says."""

    rulings: Mapping[date, Ruling] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A calendar as it is written down; later layers win."""

    name: str
    zone: str
    weekly: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    """By weekday; 0 is Monday."""
    layers: tuple[Layer, ...] = ()


class TooManyParts(ValueError):
    """The plan would be torn into more parts than a calendar may have."""


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """When the wall clock shows this time on this date, in UTC.

    A time that comes twice is the first one (RFC 5545, 3.3.5). One that the clock jumps over is the moment of the jump: an
    opening "at 02:30" in a night without that hour is not half an hour late, and no window turns round.
    """
    first = datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, clock):
        return first
    return _jump(datetime.combine(day, clock.replace(fold=1), zone).astimezone(UTC), first, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's offset changes; to the second, as in the IANA database."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return moment(day, time(0), zone)


def expand(plan: Plan, today: date) -> Calendar:
    """The calendar from ``BEHIND`` days before today to ``AHEAD`` days after it. Raises TooManyParts."""
    zone = ZoneInfo(plan.zone)
    first, last = today - BEHIND * _DAY, today + AHEAD * _DAY
    ruled = {day: (rank, ruling) for rank, layer in enumerate(plan.layers) for day, ruling in layer.rulings.items()}
    laid: list[Part] = []
    for day in (first - _DAY + n * _DAY for n in range((last - first).days + 1)):  # the evening before may reach into the first
        laid += _day(plan, day, ruled.get(day, (0, None))[1], zone)
    for rank, layer in enumerate(plan.layers):
        for part in layer.parts:
            for day, piece in _by_day(part, first, last, zone):
                if ruled.get(day, (-1, None))[0] <= rank:
                    laid.append(piece)
                if len(laid) > MOST_PARTS:
                    raise TooManyParts(f"has more than {MOST_PARTS} parts of days; write fewer or shorter ones")
    begins_at, ends_at = _midnight(first, zone), _midnight(last, zone)
    return Calendar(plan.name, plan.zone, tuple(_stretches(laid, begins_at, ends_at)), ends_at)


def _day(plan: Plan, day: date, ruling: Ruling | None, zone: ZoneInfo) -> Iterator[Part]:
    """What rules the date; a day without a ruling has its weekday's hours."""
    why = ruling.why if ruling is not None else Why(WhyKind.WEEKLY)
    if ruling is not None:
        yield Part(_midnight(day, zone), _midnight(day + _DAY, zone), False, why)
    for begin, end in ruling.windows if ruling is not None else plan.weekly.get(day.weekday(), ()):
        begins_at = moment(day, begin, zone)
        ends_at = moment(day if begin < end else day + _DAY, end, zone)
        if begins_at < ends_at:  # else daylight saving swallows it
            yield Part(begins_at, ends_at, True, why)


def _by_day(part: Part, first: date, last: date, zone: ZoneInfo) -> Iterator[tuple[date, Part]]:
    """The part, cut at midnights, as far as the calendar goes."""
    begins_at, ends_at = max(part.begins_at, _midnight(first, zone)), min(part.ends_at, _midnight(last, zone))
    while begins_at < ends_at:
        day = begins_at.astimezone(zone).date()
        midnight = _midnight(day + _DAY, zone)
        if midnight <= begins_at:  # a date that comes twice, where the clock is set back over midnight
            midnight = _midnight(day + 2 * _DAY, zone)
        cut = min(ends_at, midnight)
        yield day, Part(begins_at, cut, part.is_open, part.why)
        begins_at = cut


def _stretches(laid: Iterable[Part], begins_at: datetime, ends_at: datetime) -> Iterator[Stretch]:
    """What lies on top at each moment, from the first to the last; closed, by the weekly hours, where nothing does."""
    base = Stretch(begins_at, False, Why(WhyKind.WEEKLY))
    parts = [part for part in laid if part.ends_at > begins_at and part.begins_at < ends_at and part.begins_at < part.ends_at]
    coming = sorted(range(len(parts)), key=lambda place: parts[place].begins_at, reverse=True)
    cuts = sorted({begins_at, *(cut for part in parts for cut in (part.begins_at, part.ends_at) if begins_at < cut < ends_at)})
    on_top: list[int] = []
    said: tuple[bool, Why] | None = None
    for cut in cuts:
        while coming and parts[coming[-1]].begins_at <= cut:
            heappush(on_top, -coming.pop())
        while on_top and parts[-on_top[0]].ends_at <= cut:
            heappop(on_top)
        top = parts[-on_top[0]] if on_top else base
        if said != (top.is_open, top.why):
            said = top.is_open, top.why
            yield Stretch(cut, *said)
