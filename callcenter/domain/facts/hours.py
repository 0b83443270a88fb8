"""Facts of opening hours: what people did by hand. The hours themselves are configuration."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HoursSwitched:
    """The emergency switch: from now on the calendar is open, or closed, whatever its hours say."""

    at: datetime
    calendar: str
    is_open: bool
    until: datetime | None
    """None: until somebody switches it back."""
    reason: str
    by: str
    """Who did it: an agent, a caller's number, or what the command line was told."""


@dataclass(frozen=True, slots=True)
class HoursSwitchedBack:
    """The calendar follows its hours again."""

    at: datetime
    calendar: str
    by: str
    """Empty: its time was over."""


@dataclass(frozen=True, slots=True)
class HoursPinAccepted:
    """Somebody entered the PIN of the calendar's emergency switch."""

    at: datetime
    calendar: str
    call: str


@dataclass(frozen=True, slots=True)
class HoursPinRefused:
    """Somebody entered another PIN than that of the calendar's emergency switch."""

    at: datetime
    calendar: str
    call: str
    failures: int
    """In a row, over all calls."""
    locked_until: datetime | None
    """Until then no PIN of this calendar is taken, not even the right one."""


HoursFact = HoursSwitched | HoursSwitchedBack
HoursPinFact = HoursPinAccepted | HoursPinRefused
