"""When we may call: weekly windows, dates that are otherwise, and the clock being changed."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.calling_hours import CallingHours

NEW_YORK = CallingHours(
    "America/New_York",
    {day: ((time(9), time(12)), (time(13), time(20))) for day in range(5)},
    {date(2026, 12, 25): (), date(2026, 12, 24): ((time(9), time(10)),)},
)


def at(text: str) -> datetime:
    """By the clock of New York."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23 10:00", "2026-11-23 10:00"),
        ("2026-11-23 08:59:59", "2026-11-23 09:00"),
        ("2026-11-23 12:00", "2026-11-23 13:00"),
        ("2026-11-23 19:59:59", "2026-11-23 19:59:59"),
        ("2026-11-23 20:00", "2026-11-24 09:00"),
        ("2026-11-20 20:00", "2026-11-23 09:00"),
        ("2026-12-24 10:00", "2026-12-28 09:00"),
        ("2026-12-24 08:00", "2026-12-24 09:00"),
    ],
)
def test_the_next_opening(now: str, opens: str) -> None:
    assert NEW_YORK.next_open(at(now)) == at(opens)


def test_without_any_window_it_is_always_open() -> None:
    assert CallingHours().next_open(at("2026-12-25 03:00")) == at("2026-12-25 03:00")


def test_hours_that_never_come() -> None:
    closed = CallingHours("UTC", {0: ()}, {})
    assert closed.next_open(at("2026-11-23 10:00")) is None


def test_an_open_end_is_midnight() -> None:
    late = CallingHours("America/New_York", {0: ((time(22), time(0)),)})
    assert late.next_open(at("2026-11-23 23:59:59")) == at("2026-11-23 23:59:59")
    assert late.next_open(at("2026-11-24 00:00")) == at("2026-11-30 22:00")


def test_a_window_that_daylight_saving_swallows_is_no_opening() -> None:
    """On 8 March 2026 the hour from 2 to 3 does not exist in New York."""
    night = CallingHours("America/New_York", {6: ((time(2), time(3)),)})
    opens = night.next_open(at("2026-03-08 01:00"))
    assert opens == at("2026-03-15 02:00")
