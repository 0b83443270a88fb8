"""Whether opening hours ever open, and whether the emergency switch can be used."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from callcenter.domain.hours_plan import AHEAD
from callcenter.domain.ivr.switching import holder_of
from callcenter.runtime.checks import Check, fail, ok, warn
from callcenter.runtime.pins import PinError, Pins
from callcenter.runtime.settings import Settings, SettingsError


def check_hours(settings: Settings, today: date | None = None) -> Iterator[Check]:
    """One finding for each calendar that people wrote."""
    if not settings.calendars:
        return
    on = today or datetime.now(UTC).date()
    try:
        made = settings.opening_hours(on)
        with_pin = Pins(settings.data).holders()
    except (SettingsError, PinError) as error:
        yield fail("hours", str(error), "correct the file that it names")
        return
    switches = {number.switch for number in settings.numbers}
    begins = datetime.combine(on, time(0), UTC) - timedelta(seconds=1)
    for name in settings.calendars:
        yield from (warn(f"hours {name}", warning, "put the file back, or correct it") for warning in made[name].warnings)
        opens_at = made[name].opens_at(begins)
        if opens_at is None and not made[name].is_open(begins):
            yield warn(f"hours {name}", f"never opens within {AHEAD} days", f"look at its hours: callcenter calendar show {name}")
        elif name in switches and holder_of(name) not in with_pin:
            yield warn(f"hours {name}", "has a number for its emergency switch, and no PIN", f"set one: callcenter calendar pin {name}")
        else:
            yield ok(f"hours {name}", "open all the time" if opens_at is None else f"opens next at {opens_at.isoformat()}")
