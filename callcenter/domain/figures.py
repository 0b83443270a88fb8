"""An agent's own figures of today: what she hears on her phone and sees on her screen.

Counted from the same facts as the books, by the day of the center's time zone; a stay that began yesterday counts from midnight on. The
books hold no less, but the engine must answer without a database.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.facts import AgentState

ZERO = timedelta(0)
BUSY = frozenset({AgentState.TALKING, AgentState.WRAP_UP})
FREE = frozenset({AgentState.READY, AgentState.RESERVED})


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one agent and one day."""

    day: date | None = None
    contacts: int = 0
    """Handled: answered and wrapped up."""
    talk: timedelta = ZERO
    hold: timedelta = ZERO
    wrap_up: timedelta = ZERO
    """Of those contacts."""
    busy: timedelta = ZERO
    """Talk, hold and wrap-up, until her last change of state ..."""
    free: timedelta = ZERO
    """... and ready or reserved."""

    @property
    def aht(self) -> timedelta | None:
        """Mean of talk, hold and wrap-up; None before the first contact."""
        return (self.talk + self.hold + self.wrap_up) / self.contacts if self.contacts else None

    @property
    def occupancy(self) -> float | None:
        """0 to 1; None before she was ready or had a contact."""
        seen = self.busy + self.free
        return self.busy / seen if seen else None


def of_day(figures: Figures, zone: str, at: datetime) -> Figures:
    """Those of the day of ``at``: of an earlier day nothing counts any more."""
    today = at.astimezone(ZoneInfo(zone)).date()
    return figures if figures.day == today else Figures(today)


def stayed(figures: Figures, zone: str, state: AgentState, since: datetime, until: datetime) -> Figures:
    """With a stay in that state."""
    figures = of_day(figures, zone, until)
    if state not in BUSY and state not in FREE:
        return figures
    midnight = datetime.combine(until.astimezone(ZoneInfo(zone)).date(), time(0), ZoneInfo(zone))
    length = max(until - max(since, midnight), ZERO)
    return replace(figures, busy=figures.busy + length) if state in BUSY else replace(figures, free=figures.free + length)


def handled(figures: Figures, zone: str, at: datetime, talk: timedelta, hold: timedelta, wrap_up: timedelta) -> Figures:
    """With one more contact that is done."""
    figures = of_day(figures, zone, at)
    return replace(
        figures,
        contacts=figures.contacts + 1,
        talk=figures.talk + talk,
        hold=figures.hold + hold,
        wrap_up=figures.wrap_up + wrap_up,
    )


def now_of(figures: Figures, zone: str, state: AgentState, since: datetime | None, now: datetime) -> Figures:
    """As they are at this moment, in the middle of a stay."""
    figures = of_day(figures, zone, now)
    return figures if since is None else stayed(figures, zone, state, since, now)
