"""When somebody may be called: our own hours, those of a calendar, and the clock where they are."""

from datetime import datetime, timedelta

from callcenter.domain.calling_hours import NextOpen, in_all_zones, next_permitted
from callcenter.domain.numbers import CheckedNumber
from callcenter.domain.turn import Turn

LOOK_AGAIN = timedelta(minutes=15)
"""When a calendar was closed by hand until further notice."""
THEIR_DAYS = timedelta(days=3)
"""Zones of a number that have no permitted time in common within so long never have one."""


def may_call_at(turn: Turn, checked: CheckedNumber) -> datetime | None:
    """Now, when they may be called now; else when it is worth to look again; None: never.

    A number may tell of several zones (a mobile, a toll-free number). Then it must be a permitted time in all of them, which is the
    strictest; zones so far apart that there is none tell nothing.
    """
    config = turn.state.config.calling
    limits: list[NextOpen] = [config.hours.next_open]
    hours = turn.state.hours(config.calendar)
    if hours is not None:
        if hours.next_open(turn.now) is None and hours.switched is not None:
            return turn.now + LOOK_AGAIN
        limits.append(hours.next_open)
    theirs = in_all_zones(checked.zones, config.local) if config.local else []
    if theirs and next_permitted(turn.now, theirs, THEIR_DAYS) is not None:
        limits += theirs
    return next_permitted(turn.now, limits)
