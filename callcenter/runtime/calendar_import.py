"""ICS files (RFC 5545) read into what a calendar of ours lays over its hours: whole days and parts of days.

Such a file comes from outside and is renewed by others, so it is bounded in size, events and occurrences. Time zones are taken
by their name from our own database; what the file itself says about zones is never worked out, because it may hold rules
without end.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar, Event
from icalendar.error import InvalidCalendar

from callcenter.domain.hours import Why, WhyKind
from callcenter.domain.hours_plan import Layer, Part, Ruling, moment
from callcenter.domain.recurrence import OLDEST, dates, parse

LARGEST = 512 * 1024
"""Bytes."""
MOST_EVENTS = 2_000
MOST_OCCURRENCES = 5_000
LONGEST = timedelta(days=400)
"""An event that goes on for longer is cut off there."""

_ZONES = re.compile(rb"^BEGIN:VTIMEZONE\s*$.*?^END:VTIMEZONE\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_NOT_SHOWN = re.compile(r"[^\w .,'&()/:+-]+")


def printable(text: str) -> str:
    """What came from outside, on one short line."""
    return _NOT_SHOWN.sub(" ", text)[:100].strip()


class IcsError(ValueError):
    """The file cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the file, once: its first date and clock, and how long it lasts."""

    name: str
    begins: datetime | date
    lasts: timedelta

    @property
    def whole_days(self) -> bool:
        return not isinstance(self.begins, datetime)


def read_ics(path: Path, zone: ZoneInfo, first: date, last: date, *, means_open: bool) -> Layer:
    """What the file says about the dates from ``first`` to ``last``. Raises IcsError."""
    return layer_of(content(path), zone, first, last, means_open=means_open)


def layer_of(raw: bytes, zone: ZoneInfo, first: date, last: date, *, means_open: bool) -> Layer:
    """What a file with this content says about these dates. Raises IcsError."""
    try:
        happenings = _within(_events(raw), zone, first, last)
    except InvalidCalendar as error:  # icalendar keeps what it could not read, and says so when it is looked at
        raise IcsError(f"has an event that cannot be read: {printable(str(error))}") from None
    rulings: dict[date, Ruling] = {}
    parts: list[Part] = []
    for happening in happenings:
        why = Why(WhyKind.IMPORTED, happening.name)
        if happening.whole_days and not means_open:
            rulings.update((day, Ruling(why)) for day in _days_of(happening, first, last))
        else:
            begins_at = _moment(happening.begins, zone)
            ends_at = _moment(happening.begins + happening.lasts, zone) if happening.whole_days else begins_at + happening.lasts
            parts.append(Part(begins_at, ends_at, means_open, why))
    return Layer(rulings, tuple(parts))


def _days_of(happening: Happening, first: date, last: date) -> Iterator[date]:
    begin = happening.begins
    end = min(begin + happening.lasts, last)
    day = max(begin, first)
    while day < end:
        yield day
        day += timedelta(days=1)


def _moment(when: datetime | date, zone: ZoneInfo) -> datetime:
    """A time without a zone is one by the calendar's own clock."""
    if isinstance(when, datetime):
        return when.astimezone(UTC) if when.tzinfo is not None else moment(when.date(), when.time(), zone)
    return moment(when, datetime.min.time(), zone)


# --- the file -----------------------------------------------------------------------------------


def content(path: Path) -> bytes:
    """At most a byte more than is allowed. Raises IcsError."""
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise IcsError(f"cannot be read: {error.strerror}") from None


def _events(raw: bytes) -> list[Event]:
    if len(raw) > LARGEST:
        raise IcsError(f"is larger than {LARGEST // 1024} KiB; export fewer years or events")
    if raw.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise IcsError(f"has more than {MOST_EVENTS} events; export fewer years or events")
    try:
        found = Calendar.from_ical(_ZONES.sub(b"", raw))
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        raise IcsError(f"is no iCalendar file (RFC 5545): {printable(str(error))}") from None
    if not isinstance(found, Calendar):
        raise IcsError("is no iCalendar file (RFC 5545): it does not begin with BEGIN:VCALENDAR")
    return [event for event in found.subcomponents if isinstance(event, Event) and str(event.get("STATUS", "")).upper() != "CANCELLED"]


def _within(events: Iterable[Event], zone: ZoneInfo, first: date, last: date) -> list[Happening]:
    """Each event, as often as it occurs within the span; single occurrences that were moved (RECURRENCE-ID) as they are now."""
    listed = list(events)
    moved: dict[str, set[date]] = defaultdict(set)
    for event in listed:
        if "RECURRENCE-ID" in event:
            moved[str(event.get("UID", ""))].add(_date_of(_value(event, "RECURRENCE-ID")))
    happenings: list[Happening] = []
    for event in listed:
        skipped = moved[str(event.get("UID", ""))] if "RECURRENCE-ID" not in event else set()
        for happening in _occurrences(event, zone, first, last):
            if _date_of(happening.begins) not in skipped:
                happenings.append(happening)
            if len(happenings) > MOST_OCCURRENCES:
                raise IcsError(f"has more than {MOST_OCCURRENCES} occurrences in {(last - first).days} days; its rules repeat too often")
    return happenings


def _occurrences(event: Event, zone: ZoneInfo, first: date, last: date) -> Iterator[Happening]:
    name = printable(str(event.get("SUMMARY", "")))
    begins = _value(event, "DTSTART")
    lasts = min(_lasting(event, begins), LONGEST)
    if lasts <= timedelta(0):
        return
    for day in _dates(event, name, begins, first - lasts - timedelta(days=1), last):
        on = datetime.combine(day, begins.timetz()) if isinstance(begins, datetime) else day
        yield Happening(name, on, lasts)


def _dates(event: Event, name: str, begins: datetime | date, first: date, last: date) -> Iterator[date]:
    excluded = {_date_of(value) for value in _values(event, "EXDATE")}
    found = {_date_of(begins), *(_date_of(value) for value in _values(event, "RDATE"))}
    rules = event.get("RRULE")
    if rules is not None:
        if isinstance(rules, list):
            raise IcsError(f"event '{name}' has several RRULEs; RFC 5545 allows one")
        try:
            found.update(_by_rule(rules.to_ical().decode(), begins, first, last))
        except ValueError as error:
            raise IcsError(f"the RRULE of event '{name}' {error}") from None
    yield from sorted(day for day in found if day not in excluded and first <= day < last)


def _by_rule(rule: str, begins: datetime | date, first: date, last: date) -> Iterator[date]:
    """UNTIL may be a moment in UTC (RFC 5545); then what begins after it does not occur, whatever its date."""
    until = re.search(r"UNTIL=(\d{8}T\d{6})Z", rule)
    ends_at = datetime.strptime(until[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if until else None
    day_before = first.replace(year=first.year - OLDEST + 1)
    origin = _date_of(begins)
    if origin < day_before:
        raise ValueError(f"began on {origin}, more than {OLDEST - 1} years ago; give it a later DTSTART")
    for day in dates(parse(rule), origin, first, last):
        if ends_at is not None and isinstance(begins, datetime) and _moment_on(day, begins) > ends_at:
            return
        yield day


def _moment_on(day: date, begins: datetime) -> datetime:
    """When it begins on that day; a time without a zone counts as UTC, which is near enough to an end that is in UTC."""
    return datetime.combine(day, begins.timetz() if begins.tzinfo is not None else begins.replace(tzinfo=UTC).timetz()).astimezone(UTC)


def _lasting(event: Event, begins: datetime | date) -> timedelta:
    if "DTEND" in event:
        ends = _value(event, "DTEND")
        if isinstance(ends, datetime) is not isinstance(begins, datetime):
            raise IcsError(
                f"event '{printable(str(event.get('SUMMARY', '')))}' begins on a date and ends at a time, or the other way round"
            )
        if isinstance(ends, datetime) and isinstance(begins, datetime):
            if (ends.tzinfo is None) is not (begins.tzinfo is None):
                ends, begins = ends.replace(tzinfo=None), begins.replace(tzinfo=None)
            return ends - begins
        return ends - begins
    duration = _dt(event.get("DURATION"))
    if isinstance(duration, timedelta):
        return duration
    return timedelta(0) if isinstance(begins, datetime) else timedelta(days=1)


def _date_of(value: datetime | date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _value(event: Event, name: str) -> datetime | date:
    """A date, or a date and time. Raises IcsError."""
    return _checked(event, name, event.get(name))


def _values(event: Event, name: str) -> Iterator[datetime | date]:
    held = event.get(name)
    for several in held if isinstance(held, list) else [held] if held is not None else []:
        for one in getattr(several, "dts", ()):
            one.params.update({key: value for key, value in several.params.items() if key == "TZID"})
            yield _checked(event, name, one)


def _dt(held: object) -> object:
    """What the property says as a date or a duration; None: it says none."""
    try:
        return getattr(held, "dt", None)
    except (AttributeError, ValueError):  # icalendar keeps what it could not read, and says so when it is looked at
        return None


def _checked(event: Event, name: str, held: object) -> datetime | date:
    called = printable(str(event.get("SUMMARY", "")))
    value = _dt(held)
    if not isinstance(value, date):
        raise IcsError(f"event '{called}' has a {name} that is missing or no date")
    if not 1900 <= value.year <= 2200:
        raise IcsError(f"event '{called}' is in the year {value.year}")
    zone = str(getattr(held, "params", {}).get("TZID", ""))
    if isinstance(value, datetime) and zone:
        if zone not in available_timezones() and value.tzinfo is None:
            raise IcsError(f"event '{called}' is in time zone {zone[:60]!r}, which is not in the IANA database")
        if zone in available_timezones():
            value = value.replace(tzinfo=ZoneInfo(zone))
    return value
