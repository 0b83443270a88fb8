"""The same numbers in SQL and in Python, on 100,000 contacts around daylight saving changes and midnight."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
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


CONTACTS = [contact(number, random.Random(number)) for number in range(COUNT)]
STAYS = list(stays(random.Random(9)))
INSIDE = [each for each in CONTACTS if FROM <= each.entered_at < TO]


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
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
        yield connection


def ask(connection: psycopg.Connection, function: str, *more: object, size: Slice, zone: str) -> dict[tuple[str, datetime], list[Decimal]]:
    marks = ", ".join(["%s"] * (4 + len(more)))
    rows = connection.execute(f"SELECT * FROM {function}({marks})".encode(), [FROM, TO, size.value, zone, *more]).fetchall()
    found = {(row[0], row[1].astimezone(UTC)): list(row[2:]) for row in rows}
    assert len(found) == len(rows)
    return found


def close(ours: dict[tuple[str, datetime], float | None], theirs: dict[tuple[str, datetime], list[Decimal]], within: float = 0.0) -> bool:
    assert ours.keys() == theirs.keys()
    for key, (value,) in theirs.items():
        expected = ours[key]
        assert (value is None) == (expected is None), key
        assert value is None or float(value) == pytest.approx(expected, rel=1e-9, abs=within), key
    return True


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def exact(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 10**6


def counted(size: Slice, zone: str) -> dict[tuple[str, datetime], Sums]:
    return {key: kpi.sums(each, TARGET) for key, each in kpi.by_queue_and_slice(INSIDE, size, ZoneInfo(zone)).items()}


CASES = [*((size, "Europe/Berlin") for size in Slice), *((size, zone) for zone in ZONES[2:] for size in (Slice.HOUR, Slice.DAY))]


@pytest.mark.parametrize(("size", "zone"), CASES)
def test_contacts(connection: psycopg.Connection, size: Slice, zone: str) -> None:
    ours = counted(size, zone)
    theirs = ask(connection, "kpi_sums", exact(TARGET), size=size, zone=zone)
    assert theirs == {
        key: [
            s.offered, s.answered, s.abandoned, s.short_abandoned, s.overflowed, s.still_waiting, s.answered_in_time, s.handled,
            exact(s.wait), exact(s.handled_talk), exact(s.handled_hold), exact(s.handled_wrap_up), exact(s.longest_wait),
        ]
        for key, s in ours.items()
    }  # fmt: skip
    assert sum(ours.values(), Sums()) == kpi.sums(INSIDE, TARGET)  # nothing lost, nothing twice
    assert all(s.offered == s.answered + s.abandoned + s.overflowed + s.still_waiting for s in ours.values())


@pytest.mark.parametrize("size", [Slice.HOUR, Slice.DAY, Slice.MONTH])
def test_each_kpi_of_contacts(connection: psycopg.Connection, size: Slice) -> None:
    zone = "Europe/Berlin"
    ours = counted(size, zone)

    def same(function: str, expected: dict[tuple[str, datetime], float | None], within: float = 0.0) -> bool:
        return close(expected, ask(connection, function, size=size, zone=zone), within)

    assert same("kpi_service_level", {key: kpi.service_level(s) for key, s in ours.items()})
    assert same("kpi_asa", {key: seconds(kpi.asa(s)) for key, s in ours.items()}, MICROSECOND)
    assert same("kpi_abandon_rate", {key: kpi.abandon_rate(s) for key, s in ours.items()})
    assert same("kpi_aht", {key: seconds(kpi.aht(s)) for key, s in ours.items()}, MICROSECOND)
    assert same("kpi_offered_load", {key: kpi.offered_load(s, length(key[1], size, zone)) for key, s in ours.items()})
    offered = ask(connection, "kpi_offered", size=size, zone=zone)
    assert {key: row[0] for key, row in offered.items()} == {key: s.offered for key, s in ours.items()}


def length(start: datetime, size: Slice, zone: str) -> timedelta:
    return min(kpi.slice_end(start, size, ZoneInfo(zone)), TO) - max(start, FROM)


@pytest.mark.parametrize("days", [1, 7])
def test_fcr(connection: psycopg.Connection, days: int) -> None:
    zone = "America/New_York"
    groups = kpi.by_queue_and_slice(INSIDE, Slice.MONTH, ZoneInfo(zone))
    by_queue: dict[str, list[ContactRecord]] = defaultdict(list)
    for each in CONTACTS:
        by_queue[each.queue].append(each)
    ours = {key: kpi.fcr(each, by_queue[key[0]], days) for key, each in groups.items()}
    assert close(ours, ask(connection, "kpi_fcr", days, size=Slice.MONTH, zone=zone))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("size", [Slice.HOUR, Slice.DAY])
def test_agents(connection: psycopg.Connection, size: Slice, zone: str) -> None:
    ours = kpi.agent_time(STAYS, FROM, TO, UNTIL, size, ZoneInfo(zone))
    theirs = ask(connection, "kpi_agent_time", UNTIL, size=size, zone=zone)
    assert theirs == {
        key: [exact(t.talking), exact(t.wrap_up), exact(t.ready), exact(t.reserved), exact(t.not_ready)] for key, t in ours.items()
    }
    assert sum(ours.values(), AgentTime()) == whole(STAYS)
    assert close({key: kpi.occupancy(t) for key, t in ours.items()}, ask(connection, "kpi_occupancy", UNTIL, size=size, zone=zone))
    assert close({key: kpi.utilisation(t) for key, t in ours.items()}, ask(connection, "kpi_utilisation", UNTIL, size=size, zone=zone))


def whole(all_stays: Sequence[Stay]) -> AgentTime:
    """Counted without slices."""
    total: dict[str, timedelta] = defaultdict(timedelta)
    for stay in all_stays:
        span = min(stay.ended_at or UNTIL, TO) - max(stay.began_at, FROM)
        if stay.state is not AgentState.LOGGED_OUT and span > timedelta(0):
            total[stay.state.value] += span
    return AgentTime(**cast("dict[str, timedelta]", total))
