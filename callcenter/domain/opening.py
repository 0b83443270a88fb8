"""Opening hours while the center runs: switched by hand, switched back, made anew."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain import by_phone, overflowing
from callcenter.domain.call import Call
from callcenter.domain.events import CalendarsRenewed, HoursSwitchRequested
from callcenter.domain.facts import HoursSwitched, HoursSwitchedBack
from callcenter.domain.hours import Calendar
from callcenter.domain.hours_plan import moment
from callcenter.domain.ivr.switching import SwitchHours, SwitchTo
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


def switch_by_phone(turn: Turn, call: Call, step: SwitchHours) -> bool:
    """Who has entered the PIN wants it so; say whether it could be."""
    calendar = turn.state.config.calendars.get(step.calendar)
    until = _until(turn, calendar, step) if calendar is not None else None
    if calendar is None or (step.for_hours and until is None):
        return False
    is_open = None if step.to is SwitchTo.HOURS else step.to is SwitchTo.OPEN
    told = {"calendar": step.calendar, "is_open": str(is_open), **({"until": until.isoformat()} if until is not None else {})}
    by_phone.note(turn, call, call.began.agent, "calendar_switch", **told)
    switch(turn, HoursSwitchRequested(step.calendar, is_open, until, "by phone", call.began.agent or call.began.caller))
    return True


def _until(turn: Turn, calendar: Calendar, step: SwitchHours) -> datetime | None:
    if step.until_midnight:
        zone = ZoneInfo(calendar.zone)
        return moment(turn.now.astimezone(zone).date() + timedelta(days=1), time(0), zone)
    hours = int(step.for_hours) if step.for_hours.isascii() and step.for_hours.isdigit() and len(step.for_hours) <= 3 else 0
    return turn.now + timedelta(hours=hours) if hours else None


def time_is_over(turn: Turn, calendar: str) -> None:
    """The date has come up to which it was switched."""
    turn.emit(HoursSwitchedBack(turn.now, calendar, ""))
    overflowing.hours_changed(turn)


def renewed(turn: Turn, event: CalendarsRenewed) -> None:
    """The same calendars, further ahead; what an imported file says may have changed."""
    turn.state.config = replace(turn.state.config, calendars=event.calendars)
    overflowing.hours_changed(turn)
