"""``[calendar.NAME]``, checked and worked out: weekly hours, public holidays, rules, ICS files and exceptions become a plan."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callcenter.domain.hours import Calendar, Why, WhyKind
from callcenter.domain.hours_plan import AHEAD, BEHIND, Layer, Part, Plan, Ruling, TooManyParts, Window, expand, moment
from callcenter.domain.recurrence import dates
from callcenter.runtime.calendar_copies import CalendarCopies, Import, Imported
from callcenter.runtime.settings_calendars_model import CalendarSection, DaysSection, HolidaysSection
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.runtime.settings_model import NumberSection, QueueSection

_DAY = timedelta(days=1)
_A_WEEK = 7 * 24 * 60
NEVER_WITHIN = 9
"""Years in which a rule must occur at least once: the 29th of February is 8 years away when the century ends."""
SEVERAL = "; "
"""Between the names of holidays that fall on one day."""
MOST_DAYS = 400
"""Of one exception."""


class CalendarError(ValueError):
    """A calendar cannot be worked out: the key below ``calendar``, and a sentence."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"calendar.{key}: {sentence}")
        self.key = key
        self.sentence = sentence


def calendars(settings: "Settings", today: date) -> dict[str, Calendar]:
    """All calendars, worked out for the time around today, those of queues that close by the clock included. Raises CalendarError.

    An imported file that is gone or broken stops nobody: its last good copy is gone by, or the calendar without it, and says so.
    """
    made = {name: _made(settings, name, section, today) for name, section in settings.calendars.items()}
    alike: dict[tuple[time, time], Calendar] = {}
    for queue in settings.queues:
        closing = queue.closing
        if closing is not None and closing.at is not None and closing.until is not None:
            clock = closing.until, closing.at
            if clock not in alike:
                alike[clock] = expand(Plan("", settings.center.time_zone, dict.fromkeys(range(7), (clock,))), today)
            made[own_calendar(queue.name)] = replace(alike[clock], name=own_calendar(queue.name))
    return made


def own_calendar(queue: str) -> str:
    """The name of the calendar of a queue that closes by the clock; no calendar of people's has a colon in it."""
    return f"queue:{queue}"


def _made(settings: "Settings", name: str, section: CalendarSection, today: date) -> Calendar:
    found = dict(_read_imports(settings, name, section, today))
    warnings = tuple(f"calendar.{key}: {one.warning}" for key, one in found.items() if one.warning)
    try:
        made = expand(_plan(settings, name, section, today, [one.layer for one in found.values()]), today)
    except TooManyParts as error:
        if not found:
            raise CalendarError(name, str(error)) from None
        try:
            made = expand(_plan(settings, name, section, today, []), today)
        except TooManyParts as of_itself:
            raise CalendarError(name, str(of_itself)) from None
        warnings = (*warnings, f"calendar.{name}.ics: {error}; the calendar goes by its other hours, without its files")
    return replace(made, warnings=warnings)


def _read_imports(settings: "Settings", name: str, section: CalendarSection, today: date) -> Iterator[tuple[str, Imported]]:
    copies = CalendarCopies(settings.data)
    return ((key, copies.read(wanted)) for key, wanted in _imports(settings, name, section, today))


def _imports(settings: "Settings", name: str, section: CalendarSection, today: date) -> Iterator[tuple[str, Import]]:
    """By the key that names each."""
    zone = ZoneInfo(section.time_zone or settings.center.time_zone)
    first, last = _span(today)
    for place, ics in enumerate(section.ics):
        file = settings.beside_the_file(ics.file)
        yield f"{name}.ics[{place}].file", Import(file, zone, first, last, means_open=ics.means == "open")


def keep_copies(settings: "Settings", today: date) -> None:
    """Of all imported files that are good now. Raises OSError."""
    copies = CalendarCopies(settings.data)
    for name, section in settings.calendars.items():
        for _, wanted in _imports(settings, name, section, today):
            copies.keep(wanted)


def forsaken_imports(settings: "Settings", today: date) -> Iterator[str]:
    """Imported files that cannot be read and never could: whoever changes the configuration has probably misspelled something."""
    for name, section in settings.calendars.items():
        for key, found in _read_imports(settings, name, section, today):
            if found.forsaken:
                yield f"calendar.{key}: {found.warning}"


def _span(today: date) -> tuple[date, date]:
    return today - (BEHIND + 1) * _DAY, today + AHEAD * _DAY


def _plan(settings: "Settings", name: str, section: CalendarSection, today: date, imported: Iterable[Layer]) -> Plan:
    """What is written, for the dates around today."""
    zone_name = section.time_zone or settings.center.time_zone
    zone = ZoneInfo(zone_name)
    first, last = _span(today)
    layers = [_holidays(section.holidays, first, last)] if section.holidays is not None else []
    layers += [
        _otherwise(rule, Why(WhyKind.RULE, rule.reason), dates(rule.rrule, rule.begins, first, last), zone) for rule in section.rules
    ]
    layers += imported
    for written in section.exceptions:
        days = (written.date + n * _DAY for n in range(((written.until or written.date) - written.date).days + 1))
        layers.append(_otherwise(written, Why(WhyKind.EXCEPTION, written.reason), (day for day in days if first <= day < last), zone))
    return Plan(name, zone_name, _weekly(section), tuple(layers))


def _weekly(section: CalendarSection) -> Mapping[int, tuple[Window, ...]]:
    weekly: dict[int, tuple[Window, ...]] = defaultdict(tuple)
    for days, windows in section.weekly:
        for day in days:
            weekly[day] += windows
    return dict(weekly)


def _otherwise(section: DaysSection, why: Why, days: Iterable[date], zone: ZoneInfo) -> Layer:
    if section.closed:
        return Layer(parts=tuple(_part(day, window, zone, why) for day in days for window in section.closed))
    return Layer({day: Ruling(why, section.hours) for day in days})


def _part(day: date, window: Window, zone: ZoneInfo, why: Why) -> Part:
    begin, end = window
    return Part(moment(day, begin, zone), moment(day if begin < end else day + _DAY, end, zone), False, why)


def _holidays(section: HolidaysSection, first: date, last: date) -> Layer:
    named = public_holidays(section, first.year, last.year)
    usual = set(section.open_as_usual)
    kept = {day: name for day, name in named.items() if not usual.issuperset(name.split(SEVERAL))}
    return Layer({day: Ruling(Why(WhyKind.HOLIDAY, name), section.hours) for day, name in kept.items()})


def public_holidays(section: HolidaysSection, first_year: int, last_year: int) -> dict[date, str]:
    """By date; several on one day are joined with ``SEVERAL``, as the library does."""
    from holidays import country_holidays

    years = range(first_year, last_year + 1)
    return dict(sorted(country_holidays(section.country, subdiv=section.subdivision, years=years).items()))


# --- what no table can know alone ---------------------------------------------------------------


def calendar_faults(settings: "Settings") -> Iterator[Problem]:
    today = datetime.now(UTC).date()
    for name, section in settings.calendars.items():
        key = f"calendar.{name}"
        found = [*_section_faults(key, section)]
        yield from found
        if not found:
            try:
                _made(settings, name, section, today)
            except CalendarError as error:
                yield Problem(f"calendar.{error.key}", error.sentence)
    for index, number in enumerate(settings.numbers):
        yield from _number_faults(f"number[{index}]", number, list(settings.calendars))
    for index, queue in enumerate(settings.queues):
        yield from _queue_faults(f"queue[{index}]", queue, list(settings.calendars))


def _number_faults(key: str, number: "NumberSection", names: list[str]) -> Iterator[Problem]:
    if (number.flow is None) is (number.switch is None):
        yield Problem(f"{key}.flow", 'is missing; a number needs a flow, or switch = "NAME" of a calendar, one of both')
    if number.switch is not None and number.switch not in names:
        known = ", ".join(sorted(names)) or "none"
        yield Problem(f"{key}.switch", f"names calendar '{number.switch}', which does not exist; calendars: {known}")
    if number.fallback_hours is not None and number.fallback_hours not in names:
        known = ", ".join(sorted(names)) or "none"
        yield Problem(f"{key}.fallback_hours", f"names calendar '{number.fallback_hours}', which does not exist; calendars: {known}")


def _queue_faults(key: str, queue: "QueueSection", names: list[str]) -> Iterator[Problem]:
    if queue.hours is not None and queue.hours not in names:
        yield Problem(
            f"{key}.hours", f"names calendar '{queue.hours}', which does not exist; calendars: {', '.join(sorted(names)) or 'none'}"
        )
    closing = queue.closing
    if closing is None:
        return
    by_clock = (closing.at is not None) + (closing.until is not None)
    if queue.hours is not None and by_clock:
        yield Problem(f"{key}.closing.at", "and until are not needed: the queue has hours; take them out, or the hours")
    elif queue.hours is None and by_clock != 2:
        yield Problem(f"{key}.closing", f'needs hours = "NAME" of a calendar in {key}, or both at and until')
    elif closing.at is not None and closing.at == closing.until:
        yield Problem(f"{key}.closing.until", "is the time at which it closes; it would never open")


def _section_faults(key: str, section: CalendarSection) -> Iterator[Problem]:
    yield from _weekly_faults(key, section)
    for index, rule in enumerate(section.rules):
        yield from _days_faults(f"{key}.rule[{index}]", rule)
        end = rule.begins.replace(day=1, year=rule.begins.year + NEVER_WITHIN)
        if not 1990 <= rule.begins.year <= 2200:
            yield Problem(f"{key}.rule[{index}].begins", f"is in the year {rule.begins.year}; give a date from 1990 to 2200")
        elif next(dates(rule.rrule, rule.begins, rule.begins, end), None) is None:
            yield Problem(
                f"{key}.rule[{index}].rrule", f"never occurs within {NEVER_WITHIN} years of {rule.begins}; correct it or take it out"
            )
    yield from _exception_faults(key, section)
    if section.holidays is not None:
        yield from _holidays_faults(f"{key}.holidays", section.holidays)
    if not _ever_open(section):
        yield Problem(key, "is never open; give it weekly hours")


def _ever_open(section: CalendarSection) -> bool:
    hours = [*(rule.hours for rule in section.rules), *(written.hours for written in section.exceptions)]
    if section.holidays is not None:
        hours.append(section.holidays.hours)
    return bool(section.weekly) or any(hours) or any(ics.means == "open" for ics in section.ics)


def _minutes(window: Window) -> tuple[int, int]:
    begin, end = (clock.hour * 60 + clock.minute for clock in window)
    return begin, end if begin < end else end + 24 * 60


def _weekly_faults(key: str, section: CalendarSection) -> Iterator[Problem]:
    """Windows that overlap are a slip of the pen: which of the two was meant?"""
    taken: list[tuple[int, int, int]] = []
    for index, (days, windows) in enumerate(section.weekly):
        for day in days:
            for window in windows:
                begin, end = (day * 24 * 60 + minute for minute in _minutes(window))
                other = next((place for *theirs, place in taken if _overlap((begin, end), (theirs[0], theirs[1]))), None)
                if other is not None:
                    where = f"{key}.weekly[{other}]" if other != index else "itself"
                    yield Problem(f"{key}.weekly[{index}]", f"overlaps with {where}; each time of the week belongs to one line")
                    return
                taken.append((begin, end, index))


def _overlap(ours: tuple[int, int], theirs: tuple[int, int]) -> bool:
    """Within a week that begins anew."""
    return any(ours[0] + shift < theirs[1] and theirs[0] < ours[1] + shift for shift in (-_A_WEEK, 0, _A_WEEK))


def _days_faults(key: str, section: DaysSection) -> Iterator[Problem]:
    if section.hours and section.closed:
        yield Problem(key, "has hours and closed; say one: other hours, or the usual ones but for a part")
    yield from _overlap_faults(f"{key}.hours", section.hours)
    yield from _overlap_faults(f"{key}.closed", section.closed)


def _overlap_faults(key: str, windows: Iterable[Window]) -> Iterator[Problem]:
    spans = sorted(map(_minutes, windows))
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        yield Problem(key, "overlap; each time of the day belongs to one of them")


def _exception_faults(key: str, section: CalendarSection) -> Iterator[Problem]:
    ruled: dict[date, int] = {}
    for index, written in enumerate(section.exceptions):
        here = f"{key}.exception[{index}]"
        yield from _days_faults(here, written)
        last = written.until or written.date
        if last < written.date:
            yield Problem(f"{here}.until", f"is before {written.date}; it is the last day")
            continue
        if (last - written.date).days >= MOST_DAYS:
            yield Problem(f"{here}.until", f"makes it longer than {MOST_DAYS} days; change the weekly hours instead")
            continue
        for day in (written.date + n * _DAY for n in range((last - written.date).days + 1)):
            if not written.closed and ruled.setdefault(day, index) != index:
                yield Problem(here, f"and {key}.exception[{ruled[day]}] both say what {day} is; take one of them out")
                break


def _holidays_faults(key: str, section: HolidaysSection) -> Iterator[Problem]:
    from holidays import list_supported_countries

    known = list_supported_countries()[section.country]
    if section.subdivision is not None and section.subdivision not in known:
        listed = ", ".join(known) if known else "none"
        yield Problem(f"{key}.subdivision", f"{section.subdivision!r} is none of {section.country}'s; known: {listed}")
        return
    yield from _overlap_faults(f"{key}.hours", section.hours)
    year = datetime.now(UTC).year
    names = {name for several in public_holidays(section, year - 1, year + 2).values() for name in several.split(SEVERAL)}
    for place, name in enumerate(section.open_as_usual):
        if name not in names:
            yield Problem(f"{key}.open_as_usual[{place}]", f"{name!r} is no holiday there; known: {', '.join(sorted(names))}")
