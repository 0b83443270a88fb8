"""The measures, by hand-made examples; ``tests/adapters/db/test_kpi.py`` holds them against SQL on many contacts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain import kpi
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.kpi import Slice, Sums
from callcenter.domain.records import ContactRecord, ServedBy, Stay

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Atlantic/Azores",
    "America/Havana",
]


def s(count: float) -> timedelta:
    return timedelta(seconds=count)


def waiting(caller: str = "+4930", entered_at: datetime = AT) -> ContactRecord:
    return ContactRecord(
        "k", "c", "support", caller, 0, entered_at, 0, 0, None, "", None, None, ContactState.WAITING, None, None, None, None, "", False, "",
        ServedBy.ENGINE,
    )  # fmt: skip


def handled(wait: float, talk: float = 100, hold: float = 20, wrap_up: float = 10, **changes: str) -> ContactRecord:
    return replace(
        waiting(**changes), answered_at=AT + s(wait), state=ContactState.ENDED, wait=s(wait), talk=s(talk), hold=s(hold), wrap_up=s(wrap_up)
    )


def abandoned(wait: float) -> ContactRecord:
    return replace(waiting(), state=ContactState.ABANDONED, wait=s(wait), short_abandon=wait <= 5)


def overflowed(wait: float) -> ContactRecord:
    return replace(waiting(), state=ContactState.OVERFLOWED, wait=s(wait), why="max_wait")


HOUR = [handled(5), handled(20), handled(21, talk=70), abandoned(3), abandoned(30), overflowed(60), waiting()]
COUNTED = kpi.sums(HOUR, s(20))


def test_offered_is_the_sum_of_what_became_of_them() -> None:
    assert COUNTED.offered == 7 == COUNTED.answered + COUNTED.abandoned + COUNTED.overflowed + COUNTED.still_waiting


def test_service_level_leaves_short_abandons_out() -> None:
    assert kpi.service_level(COUNTED) == 2 / (3 + 2 - 1)


def test_asa_is_of_the_answered_alone() -> None:
    assert kpi.asa(COUNTED) == s(46 / 3)


def test_abandon_rate_leaves_short_abandons_out() -> None:
    assert kpi.abandon_rate(COUNTED) == 1 / 6


def test_aht_counts_talk_hold_and_wrap_up_of_the_handled() -> None:
    assert kpi.aht(COUNTED) == s(120)
    talking = replace(handled(5, talk=9999), state=ContactState.CONNECTED)
    assert kpi.aht(kpi.sums([*HOUR, talking], s(20))) == s(120)


def test_offered_load_is_in_erlangs() -> None:
    assert kpi.offered_load(COUNTED, timedelta(hours=1)) == pytest.approx(7 * 120 / 3600)


@pytest.mark.parametrize("measure", [kpi.service_level, kpi.asa, kpi.abandon_rate, kpi.aht])
def test_of_nothing_there_is_no_ratio(measure: object) -> None:
    assert measure(Sums()) is None  # type: ignore[operator]


def test_sums_add_up() -> None:
    assert kpi.sums(HOUR[:3], s(20)) + kpi.sums(HOUR[3:], s(20)) == COUNTED


def test_fcr_counts_callers_who_do_not_return() -> None:
    once, twice, again = (
        handled(1, caller="+1"),
        handled(1, caller="+2"),
        replace(handled(1, caller="+2"), entered_at=AT + timedelta(days=3)),
    )
    withheld = handled(1, caller="")
    everybody = [once, twice, again, withheld, replace(withheld, entered_at=AT + s(60))]
    assert kpi.fcr([once, twice, withheld], everybody) == 1 / 2
    assert kpi.fcr([once, twice, again], everybody) == 2 / 3
    assert kpi.fcr([once, twice], everybody, days=2) == 1.0
    assert kpi.fcr([withheld], everybody) is None


def stay(state: AgentState, begin: float, end: float | None) -> Stay:
    return Stay("alice", state, "", "", AT + s(begin), AT + s(end) if end is not None else None)


STAYS = [
    stay(AgentState.LOGGED_OUT, -5000, 0),
    stay(AgentState.READY, 0, 100),
    stay(AgentState.RESERVED, 100, 110),
    stay(AgentState.TALKING, 110, 400),
    stay(AgentState.WRAP_UP, 400, 500),
    stay(AgentState.NOT_READY, 500, 1000),
    stay(AgentState.READY, 1000, None),
]


def test_occupancy_knows_no_not_ready_time_and_utilisation_does() -> None:
    (spent,) = kpi.agent_time(STAYS, AT - timedelta(days=1), AT + timedelta(days=1), AT + s(1200), Slice.DAY, BERLIN).values()
    assert kpi.occupancy(spent) == 390 / 700
    assert kpi.utilisation(spent) == 390 / 1200


def test_stays_are_cut_at_the_edges_of_slices() -> None:
    cut = kpi.agent_time(STAYS, AT, AT + timedelta(hours=1), AT + s(2000), Slice.QUARTER_HOUR, BERLIN)
    assert [start for _, start in cut] == [AT, AT + s(900), AT + s(1800)]
    assert sum(cut.values(), kpi.AgentTime()) == next(
        iter(kpi.agent_time(STAYS, AT, AT + timedelta(hours=1), AT + s(2000), Slice.DAY, BERLIN).values())
    )
    assert cut["alice", AT].not_ready == s(400)


# --- slices -------------------------------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "size", "zone", "begins", "hours"),
    [
        ("2026-03-29T12:00Z", Slice.DAY, "Europe/Berlin", "2026-03-28T23:00Z", 23),
        ("2026-10-25T12:00Z", Slice.DAY, "Europe/Berlin", "2026-10-24T22:00Z", 25),
        ("2026-11-01T12:00Z", Slice.DAY, "America/New_York", "2026-11-01T04:00Z", 25),
        ("2026-04-05T12:00+10:30", Slice.DAY, "Australia/Lord_Howe", "2026-04-05T00:00+11:00", 24.5),
        ("2026-04-24T12:00Z", Slice.DAY, "Africa/Cairo", "2026-04-23T22:00Z", 23),  # midnight never comes
        ("2026-10-25T00:30Z", Slice.DAY, "Atlantic/Azores", "2026-10-25T00:00Z", 25),  # midnight comes twice
        ("2026-10-25T01:30Z", Slice.DAY, "Atlantic/Azores", "2026-10-25T00:00Z", 25),
        ("2026-11-02T08:20Z", Slice.QUARTER_HOUR, "Asia/Kathmandu", "2026-11-02T08:15Z", 0.25),
        ("2026-11-02T08:20Z", Slice.HOUR, "Asia/Kathmandu", "2026-11-02T08:15Z", 1),
        ("2026-10-25T00:10Z", Slice.HOUR, "Europe/Berlin", "2026-10-25T00:00Z", 1),  # 02:10, the first time
        ("2026-10-25T01:10Z", Slice.HOUR, "Europe/Berlin", "2026-10-25T01:00Z", 1),  # and the second
        ("2026-03-29T12:00Z", Slice.WEEK, "Europe/Berlin", "2026-03-22T23:00Z", 7 * 24 - 1),
        ("2026-03-29T12:00Z", Slice.MONTH, "Europe/Berlin", "2026-02-28T23:00Z", 31 * 24 - 1),
        ("2026-12-31T23:30Z", Slice.MONTH, "Europe/Berlin", "2026-12-31T23:00Z", 31 * 24),
    ],
)
def test_slices_follow_the_wall_clock(at: str, size: Slice, zone: str, begins: str, hours: float) -> None:
    start = kpi.slice_start(utc(at), size, ZoneInfo(zone))
    assert start == utc(begins)
    assert kpi.slice_end(start, size, ZoneInfo(zone)) - start == timedelta(hours=hours)


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    size=st.sampled_from(Slice),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_every_moment_lies_in_its_slice(at: datetime, size: Slice, zone: ZoneInfo) -> None:
    start = kpi.slice_start(at, size, zone)
    assert start <= at < kpi.slice_end(start, size, zone)
