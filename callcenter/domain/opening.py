"""Opening hours while the center runs: switched by hand, switched back, made anew."""

from dataclasses import replace

from callcenter.domain import overflowing
from callcenter.domain.events import CalendarsRenewed, HoursSwitchRequested
from callcenter.domain.facts import HoursSwitched, HoursSwitchedBack
from callcenter.domain.turn import Turn


def requested(turn: Turn, event: HoursSwitchRequested) -> None:
    """Somebody wants a calendar open or closed whatever its hours say, or back to them."""
    calendars = turn.state.config.calendars
    if event.calendar not in calendars:
        known = ", ".join(sorted(name for name in calendars if ":" not in name)) or "none"
        turn.refuse(f"there is no calendar '{event.calendar}'; calendars: {known}")
    elif event.until is not None and event.until <= turn.now:
        turn.refuse(f"{event.until.isoformat()} is in the past")
    else:
        switch(turn, event)


def switch(turn: Turn, event: HoursSwitchRequested) -> None:
    if event.is_open is not None:
        turn.emit(HoursSwitched(turn.now, event.calendar, event.is_open, event.until, event.reason, event.by))
    elif event.calendar in turn.state.switches:
        turn.emit(HoursSwitchedBack(turn.now, event.calendar, event.by))
    overflowing.hours_changed(turn)


def time_is_over(turn: Turn, calendar: str) -> None:
    """The date has come up to which it was switched."""
    turn.emit(HoursSwitchedBack(turn.now, calendar, ""))
    overflowing.hours_changed(turn)


def renewed(turn: Turn, event: CalendarsRenewed) -> None:
    """The same calendars, further ahead; what an imported file says may have changed."""
    turn.state.config = replace(turn.state.config, calendars=event.calendars)
    overflowing.hours_changed(turn)
