"""Opening hours: a calendar as dated stretches of time, each open or closed and with its reason; and the switch that overrules it.

A calendar is made ahead of time (``hours_plan``), for about 400 days, and renewed each day. Every question is answered by
bisection. All dates are aware UTC.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class WhyKind(StrEnum):
    """What decides whether a calendar is open."""

    WEEKLY = "weekly hours"
    HOLIDAY = "holiday"
    RULE = "rule"
    IMPORTED = "imported"
    """An event of an ICS file."""
    EXCEPTION = "exception"
    SWITCH = "switch"
    """Somebody closed or opened it by hand: the emergency switch."""
    UNKNOWN = "unknown"
    """Outside the time for which the calendar was made: taken for closed."""


@dataclass(frozen=True, slots=True)
class Why:
    """The reason, with the words people gave it, such as the name of the holiday."""

    kind: WhyKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}" if self.name else str(self.kind)


UNKNOWN = Why(WhyKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From this date on, until the next stretch begins."""

    begins_at: datetime
    is_open: bool
    why: Why


@dataclass(frozen=True, slots=True)
class Calendar:
    """Stretches in order, without gaps, up to ``ends_at``; beyond both ends nothing is known, and that means closed."""

    name: str
    zone: str
    """Of the IANA database; how its dates are shown to people."""
    stretches: tuple[Stretch, ...]
    ends_at: datetime
    warnings: tuple[str, ...] = ()
    """What could not be read when it was made, and what it goes by instead; a sentence each."""
    _begins: tuple[datetime, ...] = field(init=False, repr=False, compare=False)
    _opens: tuple[datetime, ...] = field(init=False, repr=False, compare=False)
    _closes: tuple[datetime, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        changes: dict[bool, list[datetime]] = {True: [], False: []}
        was_open = False
        for stretch in self.stretches:
            if stretch.is_open is not was_open:
                changes[stretch.is_open].append(stretch.begins_at)
            was_open = stretch.is_open
        object.__setattr__(self, "_begins", tuple(stretch.begins_at for stretch in self.stretches))
        object.__setattr__(self, "_opens", tuple(changes[True]))
        object.__setattr__(self, "_closes", tuple(changes[False]))

    def at(self, moment: datetime) -> Stretch:
        """The stretch in which the moment lies."""
        place = bisect_right(self._begins, moment) - 1
        if place < 0 or moment >= self.ends_at:
            return Stretch(moment, False, UNKNOWN)
        return self.stretches[place]

    def is_open(self, moment: datetime) -> bool:
        return self.at(moment).is_open

    def why(self, moment: datetime) -> Why:
        """What decides at this moment."""
        return self.at(moment).why

    def opens_at(self, after: datetime) -> datetime | None:
        """The first moment after this one at which it opens; None: not within what is known."""
        return _first_after(self._opens, after)

    def closes_at(self, after: datetime) -> datetime | None:
        """The first moment after this one at which it closes; None: not within what is known."""
        return _first_after(self._closes, after)


def _first_after(moments: tuple[datetime, ...], after: datetime) -> datetime | None:
    place = bisect_right(moments, after)
    return moments[place] if place < len(moments) else None


@dataclass(frozen=True, slots=True)
class Switched:
    """The emergency switch of a calendar: it is open or closed whatever its hours say, until a date or until further notice."""

    is_open: bool
    until: datetime | None = None
    reason: str = ""

    def holds(self, moment: datetime) -> bool:
        return self.until is None or moment < self.until


@dataclass(frozen=True, slots=True)
class PinLock:
    """How often the PIN of a calendar's switch was wrong since it was last right, and until when none is taken."""

    failures: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Hours:
    """A calendar together with its switch: what callers meet."""

    calendar: Calendar
    switched: Switched | None = None

    def _switched(self, moment: datetime) -> Switched | None:
        return self.switched if self.switched is not None and self.switched.holds(moment) else None

    def is_open(self, moment: datetime) -> bool:
        switched = self._switched(moment)
        return switched.is_open if switched is not None else self.calendar.is_open(moment)

    def next_open(self, at: datetime) -> datetime | None:
        """The moment itself when it is open, else when it opens; None: nobody knows."""
        return at if self.is_open(at) else self.opens_at(at)

    def why(self, moment: datetime) -> Why:
        switched = self._switched(moment)
        return Why(WhyKind.SWITCH, switched.reason) if switched is not None else self.calendar.why(moment)

    def opens_at(self, after: datetime) -> datetime | None:
        """The first moment after this one at which it opens; None: nobody knows."""
        return self._next(True, after)

    def closes_at(self, after: datetime) -> datetime | None:
        """The first moment after this one at which it closes; None: nobody knows."""
        return self._next(False, after)

    def _next(self, opening: bool, after: datetime) -> datetime | None:
        switched = self._switched(after)
        if switched is not None:
            if switched.until is None:
                return None
            if switched.is_open is not opening and self.calendar.is_open(switched.until) is opening:
                return switched.until
            after = switched.until
        return self.calendar.opens_at(after) if opening else self.calendar.closes_at(after)


def hours_of(calendars: Mapping[str, Calendar], switches: Mapping[str, Switched], name: str) -> Hours | None:
    """The hours of that name; None: there is no such calendar."""
    calendar = calendars.get(name)
    return Hours(calendar, switches.get(name)) if calendar is not None else None
