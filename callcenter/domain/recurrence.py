"""Recurrence rules (RRULE, RFC 5545 section 3.3.10) over dates, worked out in bounded time.

A rule may be infinite, or match nothing ever ("the 30th of February"): what is worked out is a span of dates, and the work is
at most one look at each date between the rule's beginning and the end of that span. Rules for hours are about days, so parts
finer than a day are refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal, cast

LONGEST_RULE = 300
"""Characters."""
OLDEST = 30
"""Years before the span of interest in which a rule may begin."""

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
FREQUENCIES: tuple[Frequency, ...] = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T\d{6}Z?)?")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule that was understood; each ``by_…`` restricts, empty: not at all."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    """The last date on which it may occur."""
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    """Which one of its period (0: each; -1: the last), and the weekday (0 is Monday)."""
    by_place: tuple[int, ...] = ()
    """BYSETPOS."""
    week_begins: int = 0


def parse(text: str) -> Recurrence:
    """Raises ValueError with a sentence."""
    if len(text) > LONGEST_RULE:
        raise ValueError(f"is longer than {LONGEST_RULE} characters")
    rule: Recurrence | None = None
    parts: dict[str, str] = {}
    for part in text.strip().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise ValueError(f"{part[:40]!r} is not understood; write each part once, such as 'FREQ=MONTHLY;BYDAY=-1FR'")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"needs FREQ, one of {', '.join(FREQUENCIES)}; hours change by the day, not faster")
    rule = Recurrence(cast(Frequency, parts.pop("FREQ")))
    for name, value in parts.items():
        if name not in _PARTS:
            raise ValueError(f"{name[:20]} is not understood; allowed: FREQ, {', '.join(_PARTS)}")
        rule = _PARTS[name](rule, value)
    if rule.count is not None and rule.until is not None:
        raise ValueError("has COUNT and UNTIL; RFC 5545 allows one of them")
    _check_together(rule)
    return rule


def _check_together(rule: Recurrence) -> None:
    if rule.by_week and rule.frequency != "YEARLY":
        raise ValueError("BYWEEKNO needs FREQ=YEARLY")
    if rule.by_year_day and rule.frequency != "YEARLY":
        raise ValueError("BYYEARDAY needs FREQ=YEARLY")
    if rule.by_month_day and rule.frequency == "WEEKLY":
        raise ValueError("BYMONTHDAY means nothing with FREQ=WEEKLY")
    if any(nth for nth, _ in rule.by_day) and (rule.frequency in ("DAILY", "WEEKLY") or rule.by_week):
        raise ValueError("BYDAY with a number, such as 1MO, needs FREQ=MONTHLY or YEARLY, without BYWEEKNO")
    if rule.by_place and not (rule.by_month or rule.by_month_day or rule.by_year_day or rule.by_week or rule.by_day):
        raise ValueError("BYSETPOS needs another BY part")


def _number(least: int, most: int, value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,5}", value) or not least <= int(value) <= most:
        raise ValueError(f"{value[:20]!r} must be a number from {least} to {most}")
    return int(value)


def _numbers(field: str, least: int, most: int) -> Callable[[Recurrence, str], Recurrence]:
    """A list of numbers; where negative ones count from the end, 0 is none."""

    def read(rule: Recurrence, value: str) -> Recurrence:
        numbers = tuple(_number(least, most, each) for each in value.split(","))
        if 0 in numbers:
            raise ValueError(f"{value[:20]!r} holds 0, which is no place; the first is 1, the last -1")
        return replace(rule, **{field: numbers})  # type: ignore[arg-type]

    return read


def _by_day(rule: Recurrence, value: str) -> Recurrence:
    found = [_BY_DAY.fullmatch(each) for each in value.split(",")]
    if None in found:
        raise ValueError(f"BYDAY={value[:40]} must list weekdays, such as MO,WE or 1MO or -1FR")
    return replace(rule, by_day=tuple((int(each[1] or 0), WEEKDAYS.index(each[2])) for each in found if each))


def _until(rule: Recurrence, value: str) -> Recurrence:
    found = _UNTIL.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        return replace(rule, until=datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date())
    except ValueError:
        raise ValueError(f"UNTIL={value[:20]} must be a date, such as 20271231") from None


def _week_begins(rule: Recurrence, value: str) -> Recurrence:
    if value not in WEEKDAYS:
        raise ValueError(f"WKST={value[:20]} must be one of {', '.join(WEEKDAYS)}")
    return replace(rule, week_begins=WEEKDAYS.index(value))


_PARTS: Mapping[str, Callable[[Recurrence, str], Recurrence]] = {
    "INTERVAL": lambda rule, value: replace(rule, interval=_number(1, 1000, value)),
    "COUNT": lambda rule, value: replace(rule, count=_number(1, 10_000, value)),
    "UNTIL": _until,
    "BYMONTH": _numbers("by_month", 1, 12),
    "BYMONTHDAY": _numbers("by_month_day", -31, 31),
    "BYYEARDAY": _numbers("by_year_day", -366, 366),
    "BYWEEKNO": _numbers("by_week", -53, 53),
    "BYDAY": _by_day,
    "BYSETPOS": _numbers("by_place", -366, 366),
    "WKST": _week_begins,
}


# --- the dates ----------------------------------------------------------------------------------


def dates(rule: Recurrence, begins: date, first: date, last: date) -> Iterator[date]:
    """When it occurs from ``first`` up to ``last``, the latter outside; ``begins`` (DTSTART) is the first date of the rule itself.

    Raises ValueError when it began more than ``OLDEST`` years before ``first``.
    """
    if first.year - begins.year > OLDEST:
        raise ValueError(f"begins on {begins}, more than {OLDEST} years ago; give a later date")
    end = last if rule.until is None else min(last, rule.until + _DAY)
    found = (day for day in _occurring(_with_defaults(rule, begins), begins, end) if begins <= day < end)
    for day in found if rule.count is None else islice(found, rule.count):
        if day >= first:
            yield day


def _with_defaults(rule: Recurrence, begins: date) -> Recurrence:
    """What the rule leaves open is as on its first date (RFC 5545: information missing is taken from DTSTART)."""
    if rule.by_day or rule.by_month_day or rule.by_year_day or rule.by_week:
        return rule
    match rule.frequency:
        case "WEEKLY":
            return replace(rule, by_day=((0, begins.weekday()),))
        case "MONTHLY":
            return replace(rule, by_month_day=(begins.day,))
        case "YEARLY":
            return replace(rule, by_month=rule.by_month or (begins.month,), by_month_day=(begins.day,))
        case _:
            return rule


def _occurring(rule: Recurrence, begins: date, end: date) -> Iterator[date]:
    for days in _periods(rule, begins, end):
        matching = [day for day in days if _fits(rule, day)]
        if rule.by_place:
            places = {place - 1 if place > 0 else len(matching) + place for place in rule.by_place}
            matching = [day for place, day in enumerate(matching) if place in places]
        yield from matching


def _periods(rule: Recurrence, begins: date, end: date) -> Iterator[list[date]]:
    """The days of each period the rule looks at, in order, as long as one begins before the end."""
    begin, turn = begins, 0
    if rule.frequency == "WEEKLY":
        begin = begins - timedelta(days=(begins.weekday() - rule.week_begins) % 7)
    while True:
        turn += rule.interval
        match rule.frequency:
            case "DAILY":
                days, following = [begin], begins + turn * _DAY
            case "WEEKLY":
                days = [begin + n * _DAY for n in range(7)]
                following = begin + rule.interval * 7 * _DAY
            case "MONTHLY":
                days, following = _month(begin), _months_on(begins, turn)
            case "YEARLY":
                days, following = _year(rule, begin.year), date(begins.year + turn, 1, 1)
        if not days or days[0] >= end:
            return
        yield days
        begin = following


def _month(day: date) -> list[date]:
    first = day.replace(day=1)
    return [first + n * _DAY for n in range((_months_on(first, 1) - first).days)]


def _months_on(day: date, months: int) -> date:
    """The first of the month so many months later."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _year(rule: Recurrence, year: int) -> list[date]:
    """Its days; when weeks are counted, those of its weeks, of which the first and the last reach over the year's ends."""
    first, last = date(year, 1, 1), date(year + 1, 1, 1)
    if rule.by_week:
        first, last = _first_week(year, rule.week_begins), _first_week(year + 1, rule.week_begins)
    return [first + n * _DAY for n in range((last - first).days)]


def _first_week(year: int, week_begins: int) -> date:
    """The beginning of week 1: the first with four days or more in the year."""
    fourth = date(year, 1, 4)
    return fourth - timedelta(days=(fourth.weekday() - week_begins) % 7)


def _fits(rule: Recurrence, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day and not _in_place(rule.by_month_day, day.day, len(_month(day))):
        return False
    if rule.by_year_day:
        length = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
        if not _in_place(rule.by_year_day, day.timetuple().tm_yday, length):
            return False
    if rule.by_week and not _week_fits(rule, day):
        return False
    return not rule.by_day or any(weekday == day.weekday() and _nth_fits(rule, nth, day) for nth, weekday in rule.by_day)


def _in_place(places: tuple[int, ...], place: int, length: int) -> bool:
    return place in places or place - length - 1 in places


def _week_fits(rule: Recurrence, day: date) -> bool:
    week_begin = day - timedelta(days=(day.weekday() - rule.week_begins) % 7)
    year = (week_begin + 3 * _DAY).year
    first, following = _first_week(year, rule.week_begins), _first_week(year + 1, rule.week_begins)
    return _in_place(rule.by_week, (week_begin - first).days // 7 + 1, (following - first).days // 7)


def _nth_fits(rule: Recurrence, nth: int, day: date) -> bool:
    """Whether it is the nth such weekday: of its month, or of the year where no month is named."""
    if nth == 0:
        return True
    if rule.frequency == "MONTHLY" or rule.by_month:
        place, length = day.day, len(_month(day))
    else:
        place, length = day.timetuple().tm_yday, (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
    return nth == ((place - 1) // 7 + 1 if nth > 0 else -((length - place) // 7 + 1))
