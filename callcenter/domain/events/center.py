"""What becomes of the center as a whole: its configuration, its flows, its hours; and that time passed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.config import Canary, CenterConfig
from callcenter.domain.hours import Calendar
from callcenter.domain.ivr.flow import Flow


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    config: CenterConfig


@dataclass(frozen=True, slots=True)
class FlowsChanged:
    """Flows were published or rolled back; nothing else is new. Callers who are inside finish on the version they began with."""

    flows: Mapping[str, Flow]
    flow_versions: Mapping[tuple[str, int], Flow]
    canaries: Mapping[str, Canary]


@dataclass(frozen=True, slots=True)
class CalendarsRenewed:
    """Opening hours, made for the time ahead; all of them."""

    calendars: Mapping[str, Calendar]


@dataclass(frozen=True, slots=True)
class HoursSwitchRequested:
    """The emergency switch of a calendar."""

    calendar: str
    is_open: bool | None
    """None: as its hours say."""
    until: datetime | None = None
    """None: until it is switched back."""
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline is due; nothing else happened."""


HoursEvent = CalendarsRenewed | HoursSwitchRequested
CenterEvent = ConfigChanged | FlowsChanged | TimePassed
