"""The dialplan, told once, says the same of a number as the engine would, for days."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.fallback_hours import AHEAD, MOST_CHANGES, hint, says_closed
from callcenter.domain.hours import Hours, Switched
from callcenter.domain.hours_plan import Plan, expand

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
clocks = st.integers(0, 23).map(time)
windows = st.tuples(clocks, clocks).filter(lambda window: window[0] != window[1])
weeks = st.dictionaries(st.integers(0, 6), st.tuples(windows), max_size=7)
minutes = st.integers(1, 9 * 24 * 60).map(lambda minute: timedelta(minutes=minute))
switches = st.none() | st.builds(
    lambda is_open, after: Switched(is_open, NOW + after if after else None, ""), st.booleans(), st.none() | minutes
)


@given(weeks, switches, st.lists(minutes, max_size=20))
def test_it_agrees_with_the_hours_until_its_end(
    weekly: dict[int, tuple[tuple[time, time], ...]], switch: Switched | None, later: list[timedelta]
) -> None:
    hours = Hours(expand(Plan("main", "Europe/London", weekly), NOW.date()), switch)
    told = hint(hours, NOW)
    for after in (timedelta(0), *later):
        assert says_closed(told, NOW + after) is not hours.is_open(NOW + after)
    assert not says_closed(told, NOW + AHEAD), "beyond what is known callers are served"


def test_it_never_grows_too_long_for_the_dialplan() -> None:
    hourly = tuple((time(hour), time(hour, 30)) for hour in range(24))
    told = hint(Hours(expand(Plan("main", "UTC", dict.fromkeys(range(7), hourly)), NOW.date())), NOW)
    assert len(told.split("-")) == MOST_CHANGES + 2
    assert len(told) < 1000
    assert says_closed(told, NOW + timedelta(minutes=45))
    assert not says_closed(told, NOW + timedelta(hours=30, minutes=45))
