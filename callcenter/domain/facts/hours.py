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


HoursFact = HoursSwitched | HoursSwitchedBack
