"""The same numbers in SQL and in Python, on 100,000 contacts around daylight saving changes and midnight.

``…_in`` functions count in any window, slice and zone; the views, which need no parameters, per quarter of an hour and
per day of the center. A few zones and slices in each run, all of them in the long one.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

import psycopg
import pytest

from callcenter.adapters.db.rows import UPSERT_CONTACTS, as_json
from callcenter.domain import kpi
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.kpi import AgentTime, Slice, Sums
from callcenter.domain.records import ContactRecord, ServedBy, Stay
from callcenter.runtime.postgres import EmbeddedPostgres
from tests.support import postgres

COUNT = 100_000
FROM, TO = datetime(2026, 3, 7, 3, 30, tzinfo=UTC), datetime(2026, 11, 3, 1, 10, tzinfo=UTC)
CHANGES = [  # local clocks jump here: New York, Berlin, Cairo, Lord Howe, the Azores
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 4, 23, 22, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "Atlantic/Azores"]
TARGET = timedelta(seconds=20)
TARGETS = {"sales": TARGET, "support": timedelta(seconds=10)}
"""Billing has none: 20 s."""
MICROSECOND = 1e-6
"""A mean span is rounded to that in Python."""
UNTIL = TO + timedelta(hours=1)


def moment(chance: random.Random) -> datetime:
    """Mostly near a change of the clocks or a midnight, sometimes exactly at an edge."""
    if chance.random() < 0.6:
        at = chance.choice(CHANGES) + timedelta(microseconds=chance.randrange(-20 * 3600 * 10**6, 20 * 3600 * 10**6))
    else:
        at = FROM + timedelta(seconds=chance.randrange(int((TO - FROM).total_seconds())))
    return at.replace(minute=chance.choice((0, 15, 30, 45)), second=0, microsecond=0) if chance.random() < 0.05 else at


def contact(number: int, chance: random.Random) -> ContactRecord:
    def some(longest: float) -> timedelta:
        return timedelta(microseconds=chance.randrange(int(longest * 1e6)))

    entered_at = moment(chance)
    state = chance.choices(list(ContactState), weights=(1, 1, 2, 2, 60, 20, 14))[0]
    answered = state in (ContactState.CONNECTED, ContactState.WRAPPING, ContactState.ENDED)
    wait = None if state in (ContactState.WAITING, ContactState.OFFERED) else TARGET if chance.random() < 0.02 else some(90)
    ended = state is ContactState.ENDED
    parted = ended or state is ContactState.WRAPPING
    return ContactRecord(
        contact_id=f"contact-{number}",
        call_id=f"call-{number // 2}",
        queue=chance.choice(("sales", "support", "billing")),
        caller=chance.choice(("", f"+49{chance.randrange(20_000)}")),
        priority=0,
        entered_at=entered_at,
        offers=1,
        offers_missed=0,
        answered_at=entered_at + wait if answered and wait is not None else None,
        agent="alice" if answered else "",
        parted_at=None,
        ended_at=None,
        state=state,
        wait=wait,
        talk=some(600) if parted else None,
        hold=some(60) if parted else None,
        wrap_up=some(30) if ended else None,
        why="",
        short_abandon=state is ContactState.ABANDONED and wait is not None and wait <= timedelta(seconds=5),
        transferred_from="",
        served_by=ServedBy.ENGINE,
        disposition=chance.choice(("", "sale", "no_sale")) if answered else "",
        disposition_flags=chance.choice(
            ((), ("success",), ("success", "resolved"), ("retry", "call_back"), ("do_not_call", "never_again"))
        ),
        told_right=chance.choice((0, 0, 1, 3)),
        told_wrong=chance.choice((0, 0, 0, 1)),
    )


def stays(chance: random.Random) -> Iterator[Stay]:
    """Each agent is always in some state, from before the window until now."""
    for agent in range(4):
        at = FROM - timedelta(hours=chance.randrange(1, 30))
        while at < TO + timedelta(hours=2):
            longest = 30 * 3600 if chance.random() < 0.1 else 1800
            end = at + timedelta(microseconds=chance.randrange(longest * 20 * 10**6))
            last = end >= TO + timedelta(hours=2)
            yield Stay(f"agent-{agent}", chance.choice(list(AgentState)), "", "", at, None if last else end)
            at = end


chance = random.Random(1)
CONTACTS = [contact(number, chance) for number in range(COUNT)]
STAYS = list(stays(random.Random(9)))
INSIDE = [each for each in CONTACTS if FROM <= each.entered_at < TO]

Key = tuple[str, datetime]


@pytest.fixture(scope="module")
def connection(postgres_server: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    with postgres.database(postgres_server) as url, psycopg.connect(url) as connection:
        for first in range(0, COUNT, 10_000):
            connection.execute(UPSERT_CONTACTS.text.replace(":rows", "%s").encode(), [as_json(CONTACTS[first : first + 10_000])])
        with connection.cursor().copy(
            b"COPY agent_state (journal, seq, n, agent, state, reason, contact_id, began_at, ended_at) FROM STDIN"
        ) as copy:
            for seq, stay in enumerate(STAYS):
                copy.write_row(("0" * 32, seq, 0, stay.agent, stay.state.value, "", "", stay.began_at, stay.ended_at))
        for queue, target in TARGETS.items():
            connection.execute("INSERT INTO queue_target VALUES (%s, 0.8, %s, 5)", [queue, target.total_seconds()])
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
        yield connection


def keyed(rows: Sequence[tuple[object, ...]]) -> dict[Key, list[Decimal]]:
    found = {(str(row[0]), cast(datetime, row[1]).astimezone(UTC)): cast("list[Decimal]", list(row[2:])) for row in rows}
    assert len(found) == len(rows)
    return found


def ask(connection: psycopg.Connection, function: str, *more: object, size: Slice, zone: str) -> dict[Key, list[Decimal]]:
    marks = ", ".join(["%s"] * (4 + len(more)))
    return keyed(connection.execute(f"SELECT * FROM {function}({marks})".encode(), [FROM, TO, size.value, zone, *more]).fetchall())


def same(ours: Mapping[Key, float | None], theirs: Mapping[Key, Decimal | None], within: float = 0.0) -> bool:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        expected = ours[key]
        assert (value is None) == (expected is None), key
        assert value is None or abs(float(value) - cast(float, expected)) <= max(within, 1e-9 * float(value)), key
    return True


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def exact(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 10**6


def in_order(s: Sums) -> list[object]:
    return [
        s.offered, s.answered, s.abandoned, s.short_abandoned, s.overflowed, s.still_waiting, s.answered_in_time, s.handled,
        exact(s.wait), exact(s.handled_talk), exact(s.handled_hold), exact(s.handled_wrap_up), exact(s.longest_wait),
    ]  # fmt: skip


def times_in_order(t: AgentTime) -> list[object]:
    return [exact(t.talking), exact(t.wrap_up), exact(t.ready), exact(t.reserved), exact(t.not_ready)]


def some(*sampled: tuple[Slice, str]) -> list[object]:
    """These in each run, the whole grid in the long one."""
    grid = [(size, zone) for zone in ZONES for size in Slice]
    return [pytest.param(*case, marks=() if case in sampled else pytest.mark.long) for case in grid]


# --- any window, slice and zone -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "zone"),
    some(
        (Slice.QUARTER_HOUR, "Asia/Kathmandu"),
        (Slice.HOUR, "Australia/Lord_Howe"),
        (Slice.DAY, "Africa/Cairo"),
        (Slice.WEEK, "Europe/Berlin"),
        (Slice.MONTH, "America/New_York"),
    ),
)
def test_contacts(connection: psycopg.Connection, size: Slice, zone: str) -> None:
    ours = {key: kpi.sums(each, TARGET) for key, each in kpi.by_queue_and_slice(INSIDE, size, ZoneInfo(zone)).items()}
    theirs = ask(connection, "kpi_sums_in", exact(TARGET), size=size, zone=zone)
    assert theirs == {key: in_order(s) for key, s in ours.items()}
    assert sum(ours.values(), Sums()) == kpi.sums(INSIDE, TARGET)  # nothing lost, nothing twice
    assert all(s.offered == s.answered + s.abandoned + s.overflowed + s.still_waiting for s in ours.values())


@pytest.mark.parametrize("days", [1, pytest.param(7, marks=pytest.mark.long)])
def test_fcr(connection: psycopg.Connection, days: int) -> None:
    zone = "America/New_York"
    ours = fcr_of(kpi.by_queue_and_slice(INSIDE, Slice.MONTH, ZoneInfo(zone)), days)
    theirs = ask(connection, "kpi_fcr_in", days, size=Slice.MONTH, zone=zone)
    assert same(ours, {key: value for key, (value,) in theirs.items()})


def fcr_of(groups: Mapping[Key, Sequence[ContactRecord]], days: int) -> dict[Key, float | None]:
    entries: dict[tuple[str, str], list[ContactRecord]] = defaultdict(list)
    for each in CONTACTS:
        entries[each.queue, each.caller].append(each)

    def everybody(group: Sequence[ContactRecord]) -> Iterator[ContactRecord]:
        for entry in {(each.queue, each.caller) for each in group if each.caller}:
            yield from entries[entry]

    return {key: kpi.fcr(group, everybody(group), days) for key, group in groups.items()}


@pytest.mark.parametrize(("size", "zone"), some((Slice.HOUR, "Australia/Lord_Howe"), (Slice.DAY, "Atlantic/Azores")))
def test_agents(connection: psycopg.Connection, size: Slice, zone: str) -> None:
    ours = kpi.agent_time(STAYS, FROM, TO, UNTIL, size, ZoneInfo(zone))
    assert ask(connection, "kpi_agent_time_in", UNTIL, size=size, zone=zone) == {key: times_in_order(t) for key, t in ours.items()}
    assert sum(ours.values(), AgentTime()) == whole(STAYS)


def whole(all_stays: Sequence[Stay]) -> AgentTime:
    """Counted without slices."""
    total: dict[str, timedelta] = defaultdict(timedelta)
    for stay in all_stays:
        span = min(stay.ended_at or UNTIL, TO) - max(stay.began_at, FROM)
        if stay.state is not AgentState.LOGGED_OUT and span > timedelta(0):
            total[stay.state.value] += span
    return AgentTime(**cast("dict[str, timedelta]", total))


# --- the views ----------------------------------------------------------------------------------------

VIEWS_OF_COUNTS = ["offered", "answered", "abandoned", "short_abandoned", "overflowed", "still_waiting"]
OF_CONTACTS: Mapping[str, Callable[[Sums, timedelta], float | None]] = {
    "service_level": lambda s, _: kpi.service_level(s),
    "asa": lambda s, _: seconds(kpi.asa(s)),
    "abandon_rate": lambda s, _: kpi.abandon_rate(s),
    "aht": lambda s, _: seconds(kpi.aht(s)),
    "offered_load": kpi.offered_load,
}
OF_AGENTS: Mapping[str, Callable[[AgentTime], float | None]] = {"occupancy": kpi.occupancy, "utilisation": kpi.utilisation}


def view(connection: psycopg.Connection, name: str) -> dict[Key, list[Decimal]]:
    return keyed(connection.execute(f"SELECT * FROM {name}".encode()).fetchall())


def value_of(rows: Mapping[Key, Sequence[Decimal]]) -> dict[Key, Decimal]:
    return {key: row[0] for key, row in rows.items()}


def elapsed(start: datetime, end: datetime, now: datetime) -> timedelta:
    return (now if start < now < end else end) - start


@pytest.fixture(scope="module")
def quarters() -> dict[Key, Sums]:
    groups = kpi.by_queue_and_slice(CONTACTS, Slice.QUARTER_HOUR, ZoneInfo("UTC"))
    return {key: kpi.sums(each, TARGETS.get(key[0], TARGET)) for key, each in groups.items()}


def test_views_of_counts(connection: psycopg.Connection, quarters: dict[Key, Sums]) -> None:
    rows = view(connection, "kpi_sums")
    assert {key: [*row[:6], *row[7:14]] for key, row in rows.items()} == {key: in_order(s) for key, s in quarters.items()}
    for name in VIEWS_OF_COUNTS:
        assert value_of(view(connection, f"kpi_{name}")) == {key: getattr(s, name) for key, s in quarters.items()}


@pytest.mark.parametrize("name", list(OF_CONTACTS))
def test_views_of_measures(connection: psycopg.Connection, quarters: dict[Key, Sums], name: str) -> None:
    with connection.transaction():
        now = cast("tuple[datetime]", connection.execute("SELECT now()").fetchone())[0]
        theirs = value_of(view(connection, f"kpi_{name}"))
    quarter = timedelta(minutes=15)
    ours = {key: OF_CONTACTS[name](s, elapsed(key[1], key[1] + quarter, now)) for key, s in quarters.items()}
    assert same(ours, theirs, MICROSECOND)  # a mean span is rounded to that in Python


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_estimated_waits_that_came_true(connection: psycopg.Connection, zone: str) -> None:
    groups = kpi.by_queue_and_slice(INSIDE, Slice.DAY, ZoneInfo(zone))
    ours = {key: share for key, each in groups.items() if (share := kpi.ewt_came_true(each)) is not None}
    theirs = ask(connection, "kpi_ewt_came_true_in", size=Slice.DAY, zone=zone)
    assert same(ours, {key: value for key, (value,) in theirs.items()}, MICROSECOND)
    assert min(cast("list[float]", list(ours.values()))) < 0.8


def test_view_of_estimated_waits_that_came_true(connection: psycopg.Connection) -> None:
    groups = kpi.by_queue_and_slice(CONTACTS, Slice.QUARTER_HOUR, ZoneInfo("UTC"))
    ours = {key: share for key, each in groups.items() if (share := kpi.ewt_came_true(each)) is not None}
    assert same(ours, value_of(view(connection, "kpi_ewt_came_true")), MICROSECOND)


def disposed(each: Sequence[ContactRecord]) -> dict[str, tuple[int, ...]]:
    return {name: astuple(counted) for name, counted in kpi.dispositions(each).items()}


def test_conversion_and_dispositions(connection: psycopg.Connection) -> None:
    zone = "America/New_York"
    groups = kpi.by_queue_and_slice(INSIDE, Slice.DAY, ZoneInfo(zone))
    ours = {key: share for key, each in groups.items() if (share := kpi.conversion(each)) is not None}
    theirs = ask(connection, "kpi_conversion_in", size=Slice.DAY, zone=zone)
    assert same(ours, {key: value for key, (value,) in theirs.items()}, MICROSECOND)
    assert 0.3 < cast(float, kpi.conversion(INSIDE)) < 0.5
    counted = {(*key, name): sums for key, each in groups.items() for name, sums in disposed(each).items()}
    rows = connection.execute("SELECT * FROM kpi_dispositions_in(%s, %s, 'day', %s)", [FROM, TO, zone]).fetchall()
    assert {(row[0], row[1].astimezone(UTC), row[2]): row[3:] for row in rows} == counted


def test_views_of_conversion_and_dispositions(connection: psycopg.Connection) -> None:
    groups = kpi.by_queue_and_slice(CONTACTS, Slice.QUARTER_HOUR, ZoneInfo("UTC"))
    ours = {key: share for key, each in groups.items() if (share := kpi.conversion(each)) is not None}
    assert same(ours, value_of(view(connection, "kpi_conversion")), MICROSECOND)
    counted = {(*key, name): sums for key, each in groups.items() for name, sums in disposed(each).items()}
    rows = connection.execute("SELECT * FROM kpi_dispositions").fetchall()
    assert {(row[0], row[1].astimezone(UTC), row[2]): row[3:] for row in rows} == counted


def test_view_of_fcr(connection: psycopg.Connection) -> None:
    ours = fcr_of(kpi.by_queue_and_slice(CONTACTS, Slice.QUARTER_HOUR, ZoneInfo("UTC")), 7)
    assert same(ours, value_of(view(connection, "kpi_fcr")))


def test_views_of_agents(connection: psycopg.Connection) -> None:
    end = TO.replace(minute=0)
    with connection.transaction():
        now = cast("tuple[datetime]", connection.execute("SELECT now()").fetchone())[0]
        times, *theirs = (before(end, view(connection, f"kpi_{name}")) for name in ("agent_time", *OF_AGENTS))
    ours = kpi.agent_time(STAYS, FROM - timedelta(days=2), end, now, Slice.QUARTER_HOUR, ZoneInfo("UTC"))
    assert times == {key: times_in_order(t) for key, t in ours.items()}
    for measure, rows in zip(OF_AGENTS.values(), theirs, strict=True):
        assert same({key: measure(t) for key, t in ours.items()}, value_of(rows))


def before(end: datetime, rows: Mapping[Key, list[Decimal]]) -> dict[Key, list[Decimal]]:
    """Who is still in a state is so until now, long after the rest."""
    return {key: row for key, row in rows.items() if key[1] < end}


def days(connection: psycopg.Connection, zone: str, columns: str, name: str) -> tuple[datetime, dict[Key, list[Decimal]]]:
    """A view per day of a center in this zone, each day by the moment it begins; and the moment of asking."""
    with connection.transaction():
        connection.execute(
            "INSERT INTO center VALUES (true, 'x', %s) ON CONFLICT (one) DO UPDATE SET time_zone = excluded.time_zone", [zone]
        )
        now = cast("tuple[datetime]", connection.execute("SELECT now()").fetchone())[0]
        return now, keyed(connection.execute(f"SELECT {columns} FROM {name}".encode(), [zone]).fetchall())


DAYS_IN = [pytest.param(zone, marks=() if zone in ("Africa/Cairo", "America/New_York") else pytest.mark.long) for zone in ZONES]


@pytest.mark.parametrize("zone", DAYS_IN)
def test_the_view_by_queue(connection: psycopg.Connection, zone: str) -> None:
    counts = ", ".join([*VIEWS_OF_COUNTS, "answered_in_time", "handled", "wait_s", "handled_talk_s", "handled_hold_s", "handled_wrap_up_s"])
    columns = f"queue, kpi_midnight(day, %s), {counts}, longest_wait_s, service_level, asa_s, abandon_rate, aht_s, offered_load, fcr"
    now, theirs = days(connection, zone, columns, "kpi_by_queue")
    groups = kpi.by_queue_and_slice(CONTACTS, Slice.DAY, ZoneInfo(zone))
    ours = {key: kpi.sums(each, TARGETS.get(key[0], TARGET)) for key, each in groups.items()}
    assert {key: row[:13] for key, row in theirs.items()} == {key: in_order(s) for key, s in ours.items()}
    for place, measure in enumerate(OF_CONTACTS.values(), 13):
        wanted = {key: measure(s, elapsed(key[1], kpi.slice_end(key[1], Slice.DAY, ZoneInfo(zone)), now)) for key, s in ours.items()}
        assert same(wanted, {key: row[place] for key, row in theirs.items()}, MICROSECOND)
    assert same(fcr_of(groups, 7), {key: row[18] for key, row in theirs.items()})


@pytest.mark.parametrize("zone", DAYS_IN)
def test_the_view_by_agent(connection: psycopg.Connection, zone: str) -> None:
    columns = "agent, kpi_midnight(day, %s), talking_s, wrap_up_s, ready_s, reserved_s, not_ready_s, occupancy, utilisation"
    now, found = days(connection, zone, columns, "kpi_by_agent")
    end = kpi.slice_start(TO, Slice.DAY, ZoneInfo(zone))
    theirs = before(end, found)
    ours = kpi.agent_time(STAYS, FROM - timedelta(days=2), end, now, Slice.DAY, ZoneInfo(zone))
    assert {key: row[:5] for key, row in theirs.items()} == {key: times_in_order(t) for key, t in ours.items()}
    for place, measure in enumerate(OF_AGENTS.values(), 5):
        assert same({key: measure(t) for key, t in ours.items()}, {key: row[place] for key, row in theirs.items()})


def test_a_view_asked_for_a_day_reads_that_day(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")  # our contacts lie in no order at all, so an index gains nothing
        plan = connection.execute("EXPLAIN SELECT * FROM kpi_offered WHERE interval_start >= '2026-11-01'").fetchall()
    assert "contact_interval" in "".join(line for (line,) in plan)


def test_without_settings_days_are_of_utc(postgres_server: EmbeddedPostgres) -> None:
    with postgres.database(postgres_server) as url, psycopg.connect(url) as fresh:
        assert fresh.execute("SELECT time_zone FROM kpi_zone").fetchall() == [("UTC",)]
        assert fresh.execute("SELECT * FROM kpi_by_queue").fetchall() == []
