"""Recurrence rules over dates: as dateutil works them out, but never longer than the span that is asked about."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.recurrence import WEEKDAYS, dates, parse

numbers = st.integers


def _list(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(lambda some: ",".join(map(str, some)))


def _either_end(most: int) -> st.SearchStrategy[int]:
    return numbers(-most, most).filter(bool)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that RFC 5545 allows over dates."""
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    plain_days = _list(st.sampled_from(WEEKDAYS))
    numbered_days = _list(st.tuples(_either_end(5), st.sampled_from(WEEKDAYS)).map(lambda both: f"{both[0]}{both[1]}"))
    parts = {"FREQ": frequency, "INTERVAL": str(draw(numbers(1, 6)))}
    choices = {"BYMONTH": _list(numbers(1, 12))}
    choices["BYDAY"] = numbered_days | plain_days if frequency in ("MONTHLY", "YEARLY") else plain_days
    if frequency != "WEEKLY":
        choices["BYMONTHDAY"] = _list(_either_end(31))
    if frequency == "YEARLY":
        choices["BYYEARDAY"] = _list(_either_end(366))
    for name in draw(st.sets(st.sampled_from(sorted(choices)), max_size=2)):
        parts[name] = draw(choices[name])
    if len(parts) > 2 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(_list(_either_end(3)))
    if draw(st.booleans()):
        parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    if draw(st.booleans()):
        parts["COUNT"] = str(draw(numbers(1, 40)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _by_dateutil(rule: str, begins: date, first: date, last: date) -> Sequence[date]:
    """UNTIL keeps dateutil from going on to the year 9999; it excludes COUNT."""
    bounded = rule if "COUNT" in rule else f"{rule};UNTIL={last:%Y%m%d}T000000Z"
    found = rrulestr(bounded, dtstart=datetime(begins.year, begins.month, begins.day, tzinfo=UTC))
    return [moment.date() for moment in found if first <= moment.date() < last]


@given(rules(), st.dates(date(2023, 1, 1), date(2026, 12, 31)), numbers(0, 800))
def test_it_occurs_when_dateutil_says_so(rule: str, begins: date, later: int) -> None:
    first = begins + timedelta(days=later)
    last = first + timedelta(days=400)
    ours = list(dates(parse(rule), begins, first, last))
    if any(dates(parse(rule), begins, begins, begins + timedelta(days=4000))):  # that a rule never matches, dateutil needs long to find out
        assert ours == _by_dateutil(rule, begins, first, last)


@pytest.mark.parametrize(
    ("rule", "begins", "occurs"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29", ["2028-02-29"]),
        ("FREQ=YEARLY", "2024-02-29", ["2028-02-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-12-31", ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2020-01-01", ["2027-11-25", "2028-11-23"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "2027-12-01", ["2027-12-31", "2028-01-31"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2020-01-01", ["2028-01-03"]),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;COUNT=5", "2020-01-01", []),
        ("RRULE:FREQ=WEEKLY;UNTIL=20271115", "2027-11-01", ["2027-11-01", "2027-11-08", "2027-11-15"]),
    ],
)
def test_known_rules(rule: str, begins: str, occurs: list[str]) -> None:
    found = dates(parse(rule), date.fromisoformat(begins), date(2027, 11, 1), date(2028, 12, 1))
    assert [day.isoformat() for day in found][: len(occurs) or None] == occurs


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300"]
)
def test_a_rule_that_never_occurs_ends_all_the_same(rule: str) -> None:
    assert list(dates(parse(rule), date(2000, 1, 1), date(2026, 1, 1), date(2027, 2, 5))) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("FREQ=SECONDLY", "needs FREQ, one of DAILY, WEEKLY, MONTHLY, YEARLY; hours change by the day, not faster"),
        ("BYDAY=MO", "needs FREQ, one of"),
        ("every friday", "'every friday' is not understood"),
        ("FREQ=DAILY;FREQ=DAILY", "'FREQ=DAILY' is not understood; write each part once"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR is not understood; allowed: FREQ, INTERVAL"),
        ("FREQ=DAILY;INTERVAL=0", "'0' must be a number from 1 to 1000"),
        ("FREQ=DAILY;COUNT=99999999999", "must be a number from 1 to 10000"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "has COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL=20270230 must be a date"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "'0' holds 0, which is no place"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY means nothing with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO needs FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY needs FREQ=YEARLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX must list weekdays"),
        ("FREQ=DAILY;BYDAY=6MO", "BYDAY with a number, such as 1MO, needs FREQ=MONTHLY or YEARLY"),
        ("FREQ=WEEKLY;WKST=8", "WKST=8 must be one of MO"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another BY part"),
        ("FREQ=DAILY;" * 100, "is longer than 300 characters"),
    ],
)
def test_what_is_no_rule_over_dates_is_refused(rule: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse(rule)


def test_a_rule_from_long_ago_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 30 years ago"):
        list(dates(parse("FREQ=DAILY"), date(1900, 1, 1), date(2026, 1, 1), date(2027, 1, 1)))
