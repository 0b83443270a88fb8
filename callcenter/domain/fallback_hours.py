"""What the dialplan must know of opening hours so that it can tell callers that we are closed while the engine is away.

By number one hint: whether it is open now, when that changes, and until when this is known, as seconds since 1970::

    1-1795366800-1795424400-1796000000        open; closes; opens; beyond that nobody knows

Beyond the end, and for numbers without a hint, callers are served: better an agent's phone rings than that a caller is turned away.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from callcenter.domain.hours import Hours
from callcenter.domain.state import State

AHEAD = timedelta(days=14)
MOST_CHANGES = 60
"""The dialplan reads them one by one, and its values have an end."""


def hints(state: State, now: datetime) -> Mapping[str, str]:
    """By number, of those that have hours."""
    found = {did: state.hours(number.fallback_hours) for did, number in state.config.numbers.items() if number.fallback_hours}
    return {did: hint(hours, now) for did, hours in found.items() if hours is not None}


def hint(hours: Hours, now: datetime) -> str:
    """It changes when the hours do, and once a day."""
    until = datetime.combine(now.date(), time(0), now.tzinfo) + AHEAD
    changes: list[datetime] = []
    at, is_open = now, hours.is_open(now)
    while (following := hours.closes_at(at) if is_open else hours.opens_at(at)) is not None and following < until:
        if len(changes) == MOST_CHANGES:
            until = following
            break
        changes.append(following)
        at, is_open = following, not is_open
    return "-".join(
        (str(int(hours.is_open(now))), *(str(int(change.timestamp())) for change in (*changes, min(until, hours.calendar.ends_at))))
    )


def says_closed(hint: str, at: datetime) -> bool:
    """As the dialplan reads it (``dialplan/90-fallback.conf.j2``)."""
    first, *changes = hint.split("-")
    passed = sum(int(change) <= int(at.timestamp()) for change in changes)
    return passed < len(changes) and (first == "1") is bool(passed % 2)
