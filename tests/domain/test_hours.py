"""Opening hours: the wall clock decides, whatever a zone does to it; days that are otherwise; the switch by hand."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.hours import Calendar, Hours, Switched, Why, WhyKind
from callcenter.domain.hours_plan import AHEAD, BEHIND, Layer, Part, Plan, Ruling, TooManyParts, Window, expand, moment

OFFICE: Mapping[int, tuple[Window, ...]] = {day: ((time(9), time(12)), (time(13), time(17))) for day in range(5)}
ODD_ZONES = (
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Europe/Dublin",  # winter time is the one that is "saved"
    "Africa/Casablanca",  # back for the month of Ramadan
    "Africa/Cairo",  # jumps at midnight
    "America/Santiago",
    "America/Havana",  # falls back over midnight
    "Antarctica/Troll",  # two hours
    "Asia/Kathmandu",  # +05:45, never changes
    "Pacific/Chatham",
    "America/Phoenix",
)
zones = st.sampled_from(ODD_ZONES)
YEAR_ENDS_AND_LEAP_DAYS = [date(2027, 12, 31), date(2028, 2, 28), date(2028, 2, 29), date(2027, 1, 1)]
todays = st.dates(date(2026, 1, 1), date(2031, 12, 31)) | st.sampled_from(YEAR_ENDS_AND_LEAP_DAYS)


@st.composite
def weeks(draw: st.DrawFn) -> dict[int, tuple[Window, ...]]:
    """Windows that do not overlap, some of them over midnight."""
    ordered = sorted(draw(st.sets(st.integers(0, 7 * 96 - 1), max_size=16)))
    weekly: dict[int, tuple[Window, ...]] = {}
    for begin, end in zip(ordered[::2], ordered[1::2], strict=False):
        if end - begin < 96:
            window = tuple(time(quarter % 96 // 4, quarter % 4 * 15) for quarter in (begin, end))
            weekly[begin // 96] = (*weekly.get(begin // 96, ()), (window[0], window[1]))
    return weekly


def on_the_clock(weekly: Mapping[int, tuple[Window, ...]], shown: datetime) -> bool:
    """Whether it is open when the wall clock shows this; looked up, without any conversion of zones."""
    for day in (shown.date(), shown.date() - timedelta(days=1)):
        for begin, end in weekly.get(day.weekday(), ()):
            last = day if begin < end else day + timedelta(days=1)
            if datetime.combine(day, begin) <= shown < datetime.combine(last, end):
                return True
    return False


def read_off(at: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock shows; while an hour comes the second time, the last that it showed the first time."""
    shown = at.astimezone(zone)
    while shown.fold:  # the same wall time, one offset earlier, until the first pass ends
        again = shown.replace(fold=0).astimezone(UTC)
        ends = again
        while ends.astimezone(zone).fold == 0:
            ends += timedelta(minutes=15)
        shown = (ends - timedelta(minutes=1)).astimezone(zone)
    return shown.replace(tzinfo=None)


@given(weeks(), zones, todays, st.integers(0, (AHEAD - 3) * 24 * 12))
def test_it_is_open_when_the_wall_clock_says_so(weekly: dict[int, tuple[Window, ...]], name: str, today: date, fives: int) -> None:
    zone = ZoneInfo(name)
    at = datetime.combine(today, time(0), UTC) + timedelta(minutes=5 * fives)
    assert expand(Plan("main", name, weekly), today).is_open(at) is on_the_clock(weekly, read_off(at, zone))


def changes_of_clock(name: str, year: int) -> list[datetime]:
    zone, found = ZoneInfo(name), []
    begin = datetime(year, 1, 1, tzinfo=UTC)
    for minutes in range(0, 366 * 24 * 60, 15):
        at = begin + timedelta(minutes=minutes)
        if at.astimezone(zone).utcoffset() != (at - timedelta(minutes=15)).astimezone(zone).utcoffset():
            found.append(at)
    return found


@pytest.mark.parametrize("name", ODD_ZONES)
def test_around_each_change_of_the_clock(name: str) -> None:
    """Every quarter of an hour within a day of a change, with windows that begin and end at all of them."""
    zone = ZoneInfo(name)
    weekly = {day: tuple((time(hour, 15 * (day % 4)), time(hour, 15 * (day % 4) + 14)) for hour in range(24)) for day in range(7)}
    for change in changes_of_clock(name, 2027):
        calendar = expand(Plan("main", name, weekly), change.date())
        for minutes in range(-24 * 60, 24 * 60, 7):
            at = change + timedelta(minutes=minutes)
            assert calendar.is_open(at) is on_the_clock(weekly, read_off(at, zone)), at


@given(weeks(), zones, todays, st.integers(0, 300 * 24), st.none() | st.tuples(st.booleans(), st.none() | st.integers(1, 90 * 24)))
def test_the_next_opening_is_the_first_and_a_change(
    weekly: dict[int, tuple[Window, ...]], name: str, today: date, hour: int, switch: tuple[bool, int | None] | None
) -> None:
    at = datetime.combine(today, time(0), UTC) + timedelta(hours=hour)
    switched = Switched(switch[0], at + timedelta(hours=switch[1]) if switch[1] else None) if switch else None
    hours = Hours(expand(Plan("main", name, weekly), today), switched)
    for opening, found in ((True, hours.opens_at(at)), (False, hours.closes_at(at))):
        end = found or at + timedelta(days=60)
        if found is not None:
            assert found > at
            assert hours.is_open(found) is opening
            assert hours.is_open(found - timedelta(seconds=1)) is not opening
        passed = [at + n * (end - at) / 40 for n in range(1, 40)]
        states = [hours.is_open(moment) for moment in (at, *passed)]
        assert states in ([hours.is_open(at)] * 40, sorted(states, reverse=opening)), "nothing but one change the other way lies in between"


# --- what the clock jumps over, and what comes twice --------------------------------------------


def local(name: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "is_at"),
    [
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00+00:00"),  # 02:00 becomes 03:00
        ("America/New_York", "2026-03-08", "03:00", "2026-03-08T07:00:00+00:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00+00:00"),  # the first of the two
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00+00:00"),  # 02:00 becomes 02:30
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00+00:00"),
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00:00+00:00"),  # the day begins at 01:00
        ("America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30:00+00:00"),  # half past midnight comes twice
    ],
)
def test_odd_moments(zone: str, day: str, clock: str, is_at: str) -> None:
    assert moment(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(zone)).isoformat() == is_at


def test_a_window_within_the_missing_hour_is_empty() -> None:
    weekly = {6: ((time(2, 10), time(2, 50)),)}
    calendar = expand(Plan("main", "America/New_York", weekly), date(2026, 3, 7))
    assert calendar.opens_at(local("America/New_York", "2026-03-07T12:00")) == local("America/New_York", "2026-03-15T02:10")


def test_a_night_shift_over_the_hour_that_comes_twice_is_an_hour_longer() -> None:
    calendar = expand(Plan("main", "America/New_York", {5: ((time(22), time(6)),)}), date(2026, 10, 31))
    opens = calendar.opens_at(local("America/New_York", "2026-10-31T12:00"))
    assert opens is not None
    closes = calendar.closes_at(opens)
    assert closes is not None
    assert closes - opens == timedelta(hours=9)


def test_leap_day_and_year_end() -> None:
    calendar = expand(Plan("main", "Europe/London", {day: ((time(23), time(1)),) for day in range(7)}), date(2027, 12, 30))
    assert calendar.is_open(local("Europe/London", "2027-12-31T23:59"))
    assert calendar.is_open(local("Europe/London", "2028-01-01T00:59"))
    assert not calendar.is_open(local("Europe/London", "2028-01-01T01:00"))
    assert calendar.opens_at(local("Europe/London", "2028-02-29T12:00")) == local("Europe/London", "2028-02-29T23:00")


# --- days that are otherwise --------------------------------------------------------------------

CHRISTMAS = Why(WhyKind.HOLIDAY, "Christmas Day")
PARTY = Why(WhyKind.EXCEPTION, "office party")
AUDIT = Why(WhyKind.RULE, "audit")
BERLIN = "Europe/Berlin"


def in_berlin(weekly: Mapping[int, tuple[Window, ...]] = OFFICE, *layers: Layer) -> Calendar:
    return expand(Plan("main", BERLIN, weekly, layers), date(2026, 12, 1))


def test_what_comes_later_rules_the_day() -> None:
    holidays = Layer({date(2026, 12, 25): Ruling(CHRISTMAS)})
    exceptions = Layer({date(2026, 12, 25): Ruling(PARTY, ((time(10), time(11)),))})
    for layers, opens in (((holidays, exceptions), "2026-12-25T10:00"), ((exceptions, holidays), "2026-12-28T09:00")):
        calendar = in_berlin(OFFICE, *layers)
        assert calendar.opens_at(local(BERLIN, "2026-12-24T17:00")) == local(BERLIN, opens)
    assert in_berlin(OFFICE, holidays).why(local(BERLIN, "2026-12-25T10:00")) == CHRISTMAS
    assert in_berlin(OFFICE, exceptions).why(local(BERLIN, "2026-12-25T14:00")) == PARTY


def test_a_closed_day_is_closed_from_midnight_to_midnight() -> None:
    nights = {day: ((time(22), time(4)),) for day in range(7)}
    calendar = in_berlin(nights, Layer({date(2026, 12, 25): Ruling(CHRISTMAS)}))
    assert calendar.is_open(local(BERLIN, "2026-12-24T23:59"))
    assert calendar.opens_at(local(BERLIN, "2026-12-25T00:00")) == local(BERLIN, "2026-12-26T22:00"), "nor is its own night served"


def test_part_of_a_day_is_laid_over_the_hours_unless_the_day_is_ruled_later() -> None:
    part = Part(local(BERLIN, "2026-12-03T10:00"), local(BERLIN, "2026-12-04T10:00"), False, AUDIT)
    calendar = in_berlin(OFFICE, Layer(parts=(part,)), Layer({date(2026, 12, 4): Ruling(PARTY, ((time(8), time(9)),))}))
    assert calendar.closes_at(local(BERLIN, "2026-12-03T09:00")) == local(BERLIN, "2026-12-03T10:00")
    assert calendar.why(local(BERLIN, "2026-12-03T14:00")) == AUDIT
    assert calendar.is_open(local(BERLIN, "2026-12-04T08:30"))


def test_an_evening_may_be_opened() -> None:
    part = Part(local(BERLIN, "2026-12-05T20:00"), local(BERLIN, "2026-12-06T01:00"), True, AUDIT)
    calendar = in_berlin(OFFICE, Layer(parts=(part,)))
    assert calendar.opens_at(local(BERLIN, "2026-12-05T12:00")) == local(BERLIN, "2026-12-05T20:00")
    assert calendar.closes_at(local(BERLIN, "2026-12-05T20:00")) == local(BERLIN, "2026-12-06T01:00")


def test_outside_of_what_is_known_it_is_closed() -> None:
    calendar = expand(Plan("main", "UTC", {day: ((time(0), time(0)),) for day in range(7)}), date(2026, 12, 1))
    before, after = (datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=days) for days in (-BEHIND, AHEAD))
    assert calendar.is_open(before)
    assert not calendar.is_open(before - timedelta(seconds=1))
    assert calendar.is_open(after - timedelta(seconds=1))
    assert calendar.why(after).kind is WhyKind.UNKNOWN
    assert calendar.opens_at(after) is None
    assert calendar.closes_at(before) is None, "that it is no longer known is not a closing time"


def test_parts_without_end_are_refused() -> None:
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    with pytest.raises(TooManyParts, match="more than 20000 parts"):
        in_berlin(OFFICE, Layer(parts=(Part(begins, ends, False, AUDIT),) * 100))


# --- the switch by hand -------------------------------------------------------------------------

NOON, EVENING = local(BERLIN, "2026-12-02T12:30"), local(BERLIN, "2026-12-02T20:00")
TEN = local(BERLIN, "2026-12-02T10:00")


@pytest.mark.parametrize(
    ("switched", "at", "is_open", "opens", "closes"),
    [
        (Switched(False), TEN, False, None, None),
        (Switched(False, until=local(BERLIN, "2026-12-02T11:00")), TEN, False, "2026-12-02T11:00", "2026-12-02T12:00"),
        (Switched(False, until=EVENING), TEN, False, "2026-12-03T09:00", "2026-12-03T12:00"),
        (Switched(True), EVENING, True, None, None),
        (Switched(True, until=EVENING), NOON, True, "2026-12-03T09:00", "2026-12-02T20:00"),
        (Switched(True, until=local(BERLIN, "2026-12-02T14:00")), NOON, True, "2026-12-03T09:00", "2026-12-02T17:00"),
        (Switched(False, until=NOON), local(BERLIN, "2026-12-02T14:00"), True, "2026-12-03T09:00", "2026-12-02T17:00"),
    ],
)
def test_the_switch_overrules_the_hours_until_its_date(
    switched: Switched, at: datetime, is_open: bool, opens: str | None, closes: str | None
) -> None:
    hours = Hours(in_berlin(), switched)
    assert hours.is_open(at) is is_open
    assert hours.why(at).kind is (WhyKind.SWITCH if switched.holds(at) else WhyKind.WEEKLY)
    assert hours.closes_at(at) == (local(BERLIN, closes) if closes else None)
    assert hours.opens_at(at) == (local(BERLIN, opens) if opens else None)
