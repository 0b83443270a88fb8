"""Opening hours are made some time ahead; a day later they are made anew, without a restart, and imported files are read again.

While one of those cannot be read it is tried again every ten minutes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date

import structlog

from callcenter.domain.events import CalendarsRenewed, Event
from callcenter.domain.hours import Calendar
from callcenter.services.ports import Clock

log = structlog.get_logger(__name__)

LOOK_EVERY = 600.0
"""Seconds between two looks at the date; also how long after a failure it is tried again."""


class HoursKeeper:
    """Makes the calendars each day. A failure leaves those there are: they reach a year ahead."""

    def __init__(
        self,
        make: Callable[[date], Awaitable[Mapping[str, Calendar]]],
        tell: Callable[[Event], None],
        clock: Clock,
        in_use: Callable[[], Mapping[str, Calendar]] = dict,
    ) -> None:
        """``make`` works elsewhere than on the loop; whatever it raises means that it could not."""
        self._make = make
        self._tell = tell
        self._clock = clock
        self._made_on = clock.now().date()
        self._in_use = in_use

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            today = self._clock.now().date()
            if today == self._made_on and not warnings_of(self._in_use()):
                continue
            try:
                calendars = await self._make(today)
            except Exception as error:  # the hours we have go on
                log.error("hours_not_renewed", error=str(error)[:300], advice="correct what it names; it is tried again in 10 minutes")
                continue
            self._made_on = today
            if calendars != self._in_use():
                self._tell(CalendarsRenewed(calendars))
                log.info("hours_renewed", calendars=len(calendars))
                warn_of(calendars)


def warnings_of(calendars: Mapping[str, Calendar]) -> list[str]:
    """What could not be read when they were made."""
    return [warning for calendar in calendars.values() for warning in calendar.warnings]


def warn_of(calendars: Mapping[str, Calendar]) -> None:
    """Say in the log what could not be read; the hours go on without it."""
    for warning in warnings_of(calendars):
        log.warning("hours_not_as_imported", warning=warning, advice="put the file back, or correct it; it is tried again in 10 minutes")
