"""``[calendar.NAME]``: opening hours as they are written down."""

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from callcenter.domain.hours_plan import Window
from callcenter.domain.recurrence import Recurrence, parse
from callcenter.runtime.settings_fields import WEEKDAYS, Date, Plain, Section, TimeZone

WeeklyHoursLine = tuple[tuple[int, ...], tuple[Window, ...]]

_LINE = re.compile(r"([a-z, -]+?) (\d\d:\d\d-\d\d:\d\d(?: *, *\d\d:\d\d-\d\d:\d\d)*)")
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")


def _clock(text: str) -> time:
    """``24:00`` is midnight. Raises ValueError."""
    return time(0) if text == "24:00" else time.fromisoformat(text)


def _span(text: str) -> Window:
    """Raises ValueError. An end that is not after the beginning is on the next day."""
    begin, _, end = text.strip().partition("-")
    if begin == "24:00" or (begin == end):
        raise ValueError
    return _clock(begin), _clock(end)


def _days(text: str) -> tuple[int, ...]:
    """Raises ValueError."""
    days: list[int] = []
    for each in text.split(","):
        found = _DAYS.fullmatch(each.strip())
        if found is None:
            raise ValueError
        first = WEEKDAYS.index(found[1])
        last = WEEKDAYS.index(found[2]) if found[2] else first
        if last < first:
            raise ValueError
        days += range(first, last + 1)
    if len(set(days)) != len(days):
        raise ValueError
    return tuple(days)


def _weekly_hours(text: object) -> object:
    found = _LINE.fullmatch(text) if isinstance(text, str) else None
    try:
        if found is None:
            raise ValueError
        return _days(found[1]), tuple(_span(span) for span in found[2].split(","))
    except ValueError:
        raise ValueError(
            f"must be weekdays and times, such as 'mon-fri 09:00-12:00, 13:00-17:00' or 'sat,sun 22:00-04:00', but is {text!r}"
        ) from None


def _day_span(text: object) -> object:
    try:
        if not isinstance(text, str) or not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text):
            raise ValueError
        return _span(text)
    except ValueError:
        raise ValueError(f"must be from and to, such as '09:00-12:00', but is {text!r}") from None


def _rule(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{error} (RFC 5545, section 3.3.10)") from None


def _supported_country(code: str) -> str:
    import holidays  # here, because few calendars need it and it loads a while

    if code not in holidays.list_supported_countries():
        raise ValueError(f"must be a country in two capital letters whose holidays are known, such as 'US' or 'DE', but is {code!r}")
    return code


WeeklyHours = Annotated[WeeklyHoursLine, BeforeValidator(_weekly_hours)]
"""``mon-fri 09:00-12:00, 13:00-17:00``; an end before the beginning is on the next day."""
DaySpan = Annotated[Window, BeforeValidator(_day_span)]
RecurrenceRule = Annotated[Recurrence, BeforeValidator(_rule)]
HolidayCountry = Annotated[str, AfterValidator(_supported_country)]


class DaysSection(Section):
    """What is done on days that are otherwise: other hours, closed for a part, or (neither given) closed."""

    hours: tuple[DaySpan, ...] = Field(default=(), max_length=20)
    """In place of the weekday's."""
    closed: tuple[DaySpan, ...] = Field(default=(), max_length=20)
    """The weekday's hours, but for these."""


class ExceptionSection(DaysSection):
    date: Date
    until: Date | None = None
    """The last day; without it, it is one day."""
    reason: Plain


class RuleSection(DaysSection):
    """Days that are otherwise again and again."""

    rrule: RecurrenceRule
    begins: Date
    """The rule's own first day (DTSTART), from which it counts."""
    reason: Plain


class HolidaysSection(Section):
    """Public holidays."""

    country: HolidayCountry
    subdivision: Plain | None = None
    """A state or province, such as 'CA'."""
    hours: tuple[DaySpan, ...] = Field(default=(), max_length=20)
    """On holidays; without them, closed."""
    open_as_usual: tuple[Plain, ...] = ()
    """Holidays that are days like any other, by their names."""


class IcsSection(Section):
    """Events of an iCalendar file."""

    file: Path
    means: Literal["closed", "open"] = "closed"
    """What its events mean."""


class CalendarSection(Section):
    """Opening hours. What comes later in this list wins: weekly, holidays, rules, ICS files, exceptions."""

    time_zone: TimeZone | None = None
    """``center.time_zone`` when not given."""
    weekly: tuple[WeeklyHours, ...] = Field(default=(), max_length=100)
    holidays: HolidaysSection | None = None
    rules: tuple[RuleSection, ...] = Field(default=(), alias="rule", max_length=50)
    ics: tuple[IcsSection, ...] = Field(default=(), max_length=10)
    exceptions: tuple[ExceptionSection, ...] = Field(default=(), alias="exception", max_length=1000)
