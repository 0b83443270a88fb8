"""Facts reach PostgreSQL exactly once, and the books folded from them balance, whoever dies on the way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.audit import in_order
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.migrate import migrate
from callcenter.adapters.db.people import PostgresPeople
from callcenter.domain import facts as f
from callcenter.domain.audit import By, Deed, faults
from callcenter.domain.events import Cause
from callcenter.services.fact_codec import dump
from callcenter.services.journal import Journal
from callcenter.services.journal_records import line_of, segment_path
from callcenter.services.ledger import Shipper
from callcenter.services.people.person import Person
from tests.support import postgres
from tests.support.day import BEGIN, NODE, abandoned_call, answered_call, day, seconds

ROOT = Path(__file__).parent.parent.parent.parent
TABLES = ("fact", "cdr", "contact", "agent_state", "recording", "callback")


def write(folder: Path, events: Sequence[Sequence[f.Fact]], **options: int) -> None:
    journal = Journal(folder, **options)
    for facts in events:
        journal.append(facts)
    journal.close()


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: rows(url, f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in TABLES}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect(database_url, name="test")
    yield engine
    await engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def shipper(folder: Path, engine: AsyncEngine, tmp_path: Path) -> Shipper:
    return shipper_of(folder, engine, tmp_path)


def shipper_of(folder: Path, engine: AsyncEngine, tmp_path: Path, most: int = 200, patience: float = 10.0) -> Shipper:
    return Shipper(folder, PostgresLedger(engine, patience=patience), dead_letters=tmp_path / "dead-letters", most=most)


async def ship_all(shipper: Shipper) -> None:
    while await shipper.step():
        pass
    assert shipper.state(datetime.now(UTC)).behind_records == 0


# --- what is written ----------------------------------------------------------------------------------


async def test_an_answered_call_is_one_cdr_one_contact_one_recording(folder: Path, shipper: Shipper, database_url: str) -> None:
    write(folder, [*answered_call("c1", BEGIN, "alice", wait=12.5)])
    await ship_all(shipper)
    assert rows(
        database_url, """SELECT call_id, started_at, answered_at, ended_at, wait_s, talk_s, hold_s,
            queue, agent, cause, ended_by, contacts FROM cdr"""
    ) == [
        (
            "c1", BEGIN, BEGIN + seconds(16.5), BEGIN + seconds(76.51),
            Decimal("12.5"), Decimal(50), Decimal(10), "support", "alice", "normal", "caller", 1,
        )
    ]  # fmt: skip
    assert rows(database_url, "SELECT state, offers, wrap_up_s::float, short_abandon, served_by FROM contact") == [
        ("ended", 1, 5.0, False, "engine")
    ]
    assert rows(database_url, "SELECT recording_id, state, node FROM recording") == [("c1-recording", "stopped", NODE)]
    assert rows(database_url, "SELECT state, extract(epoch FROM ended_at - began_at)::float FROM agent_state ORDER BY began_at") == [
        ("reserved", 2.0),
        ("talking", 60.0),
        ("wrap_up", 5.0),
        ("ready", None),
    ]


async def test_names_in_any_script_reach_the_books(folder: Path, shipper: Shipper, database_url: str) -> None:
    name = "Zoë 名 \u202e \U0001f600"
    began = f.CallBegan(BEGIN, "c1", NODE, "leg", f.Direction.INBOUND, "+1800", "+1202", name, "trunk", "l")
    write(folder, [[began]])
    await ship_all(shipper)
    assert rows(database_url, "SELECT body->>'caller_name' FROM fact") == [(name,)]
    assert shipper.state(datetime.now(UTC)).dead_letters == 0


async def test_a_call_is_folded_the_same_event_by_event_and_at_once(
    folder: Path, engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    events = day(30)
    write(folder, events)
    by_one = shipper_of(folder, engine, tmp_path, most=1)
    await ship_all(by_one)
    piecemeal = everything(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE fact, cdr, contact, agent_state, recording, journal_position")
    await ship_all(shipper_of(folder, engine, tmp_path, most=10_000))
    assert everything(database_url) == piecemeal


async def test_the_books_balance(folder: Path, shipper: Shipper, database_url: str) -> None:
    events = day(200)
    write(folder, events, segment_bytes=50_000)
    await ship_all(shipper)
    assert rows(database_url, "SELECT count(*), count(ended_at) FROM cdr") == [(200, 200)]
    ((offered, answered, abandoned),) = rows(
        database_url, "SELECT count(*), count(answered_at), count(*) FILTER (WHERE state = 'abandoned') FROM contact"
    )
    assert offered == 200
    assert answered + abandoned == offered  # type: ignore[operator]
    assert rows(database_url, "SELECT count(*) FROM fact") == [(sum(map(len, events)),)]
    # Stays of one agent leave no gap and do not overlap.
    assert rows(
        database_url,
        """SELECT count(*) FROM (SELECT ended_at, lead(began_at) OVER (PARTITION BY agent ORDER BY seq, n) AS next FROM agent_state) s
           WHERE ended_at IS DISTINCT FROM next""",
    ) == [(0,)]


async def test_a_fallback_call_is_a_call_and_a_contact_of_its_own(folder: Path, shipper: Shipper, database_url: str) -> None:
    fact = f.FallbackCallEnded(
        BEGIN + seconds(300), "c1", "k1", NODE, "leg", "support", "+498001", "+4930", BEGIN, BEGIN + seconds(20), BEGIN + seconds(80),
        "alice", False, 77,
    )  # fmt: skip
    lost = replace(fact, call="c2", contact="k2", answered_at=None, agent="", ended_at=BEGIN + seconds(3), short=True)
    write(folder, [[fact], [lost]])
    await ship_all(shipper)
    assert rows(
        database_url,
        "SELECT contact_id, state, wait_s::int, talk_s::int, agent, short_abandon, served_by FROM contact ORDER BY 1",
    ) == [("k1", "ended", 20, 60, "alice", False, "fallback"), ("k2", "abandoned", 3, None, "", True, "fallback")]
    assert rows(database_url, "SELECT call_id, served_by, started_at FROM cdr ORDER BY 1") == [
        ("c1", "fallback", BEGIN),
        ("c2", "fallback", BEGIN),
    ]


@pytest.mark.parametrize("year", [1970, 1999, 2026, 2031, 2399])
async def test_facts_of_any_month_are_taken(folder: Path, shipper: Shipper, database_url: str, year: int) -> None:
    write(folder, [*abandoned_call("c1", datetime(year, 6, 30, 12, tzinfo=UTC))])
    await ship_all(shipper)
    assert rows(database_url, "SELECT count(*) FROM fact") == [(5,)]
    in_default = rows(database_url, "SELECT count(*) FROM fact_default")
    assert in_default == [(0 if 2000 <= year < 2100 else 5,)]


async def test_a_new_journal_ends_the_stays_of_the_old_one(tmp_path: Path, engine: AsyncEngine, database_url: str) -> None:
    for name, at in (("old", BEGIN), ("new", BEGIN + seconds(60))):
        write(tmp_path / name, [[f.AgentStateChanged(at, "alice", f.AgentState.READY)]])
        await ship_all(shipper_of(tmp_path / name, engine, tmp_path))
    assert rows(database_url, "SELECT began_at, ended_at FROM agent_state ORDER BY began_at") == [
        (BEGIN, BEGIN + seconds(60)),
        (BEGIN + seconds(60), None),
    ]


# --- exactly once -------------------------------------------------------------------------------------

BOOKS = """
import asyncio, sys
from pathlib import Path
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.services.ledger import Shipper
async def main():
    shipper = Shipper(Path(sys.argv[1]), PostgresLedger(connect(sys.argv[2], name="test")), dead_letters=Path(sys.argv[1]), most=20)
    while await shipper.step():
        print(flush=True)
asyncio.run(main())
"""


async def test_kill_9_of_the_shipper_loses_and_doubles_nothing(
    folder: Path, shipper: Shipper, database_url: str, postgres_server: postgres.EmbeddedPostgres, tmp_path: Path
) -> None:
    write(folder, day(150))
    for life in range(6):
        with subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", BOOKS, str(folder), database_url], stdout=subprocess.PIPE, cwd=ROOT
        ) as child:
            assert child.stdout
            for _ in range(1 + life):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
    ((position,),) = rows(database_url, "SELECT seq FROM journal_position")
    assert isinstance(position, int)
    assert 100 < position < 1000
    await ship_all(shipper)
    with postgres.database(postgres_server) as undisturbed:
        engine = connect(undisturbed, name="test")
        await ship_all(shipper_of(folder, engine, tmp_path))
        await engine.dispose()
        assert everything(database_url) == everything(undisturbed)


async def test_restored_from_a_backup_it_heals_from_the_journal(folder: Path, shipper: Shipper, database_url: str) -> None:
    write(folder, day(100))
    await ship_all(shipper)
    before = everything(database_url)
    cut = BEGIN + timedelta(minutes=4)
    with psycopg.connect(database_url) as connection:
        ((seq,),) = connection.execute("SELECT min(seq) - 1 FROM fact WHERE at >= %s", [cut]).fetchall()
        connection.execute("DELETE FROM fact WHERE seq > %s", [seq])
        connection.execute("DELETE FROM cdr WHERE started_at >= %s", [cut])
        connection.execute("DELETE FROM contact WHERE entered_at >= %s", [cut])
        connection.execute("DELETE FROM recording WHERE started_at >= %s", [cut])
        connection.execute("DELETE FROM agent_state WHERE seq > %s", [seq])
        connection.execute("UPDATE journal_position SET seq = %s", [seq])
    journal = Journal(folder)
    journal.append(next(abandoned_call("late", BEGIN + timedelta(days=1))))
    journal.close()
    assert await shipper.step() is False  # it finds itself elsewhere
    await ship_all(shipper)
    after = everything(database_url)
    assert {table: [row for row in after[table] if "late" not in str(row)] for table in TABLES} == before


async def test_shipping_everything_again_changes_nothing(folder: Path, engine: AsyncEngine, database_url: str, tmp_path: Path) -> None:
    write(folder, day(50))
    await ship_all(shipper_of(folder, engine, tmp_path))
    before = everything(database_url)
    journal = Journal(folder)
    await PostgresLedger(engine).rewind(journal.id, 0)
    journal.close()
    await ship_all(shipper_of(folder, engine, tmp_path, most=7))
    assert everything(database_url) == before


async def test_two_shippers_do_not_double(folder: Path, engine: AsyncEngine, database_url: str, tmp_path: Path) -> None:
    events = day(60)
    write(folder, events)
    both = [shipper_of(folder, engine, tmp_path, most=30) for _ in range(2)]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(shipper.run(stop)) for shipper in both]
    async with asyncio.timeout(60):
        # In a thread: asked here, it would wait for a lock that only this loop can release.
        while await asyncio.to_thread(rows, database_url, "SELECT count(*) FROM fact") != [(sum(map(len, events)),)]:
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*tasks)
    assert rows(database_url, "SELECT count(*) FROM contact") == [(60,)]


# --- poison -------------------------------------------------------------------------------------------


def with_caller(call: str, caller: str) -> list[f.Fact]:
    return [f.CallBegan(BEGIN, call, NODE, call, f.Direction.INBOUND, "", caller, "", "", "")]


@pytest.mark.parametrize("caller", ["a\0b", "\ud800"], ids=["NUL", "lone surrogate"])
async def test_one_bad_record_in_a_thousand_is_set_aside(
    folder: Path, engine: AsyncEngine, database_url: str, tmp_path: Path, caller: str
) -> None:
    events = [with_caller(f"c{n}", caller if n == 500 else "+4930") for n in range(1000)]
    write(folder, events)
    shipper = shipper_of(folder, engine, tmp_path, most=400)
    await ship_all(shipper)
    assert rows(database_url, "SELECT count(*) FROM cdr") == [(999,)]
    assert rows(database_url, "SELECT seq FROM journal_position") == [(1000,)]
    (letter,) = (tmp_path / "dead-letters").iterdir()
    assert json.loads(letter.read_text())["seq"] == 501
    assert shipper.state(BEGIN).dead_letters == 1


async def test_oversize_values_are_set_aside(folder: Path, shipper: Shipper, database_url: str) -> None:
    events = [with_caller("c1", "+4930"), with_caller(os.urandom(9000).hex(), "+4930"), with_caller("c2", "+4930")]
    write(folder, events)
    await ship_all(shipper)
    assert rows(database_url, "SELECT call_id FROM cdr ORDER BY 1") == [("c1",), ("c2",)]
    assert shipper.state(BEGIN).dead_letters == 1


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_fact_of_an_unknown_kind_is_set_aside(folder: Path, shipper: Shipper, database_url: str, place: int) -> None:
    write(folder, [])
    lines = [line_of(n + 1, b'[{"kind":"Unheard"}]' if n == place else dump(with_caller(f"c{n}", "+4930"))) for n in range(3)]
    segment_path(folder, 1).write_bytes(b"".join(lines))
    await ship_all(shipper)
    assert rows(database_url, "SELECT count(*) FROM cdr") == [(2,)]
    assert shipper.state(BEGIN).dead_letters == 1
    assert shipper.state(BEGIN).behind_records == 0


# --- PostgreSQL away ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["killed", "hanging"])
async def test_postgres_away_in_the_middle(folder: Path, tmp_path: Path, fault: str) -> None:
    events = day(150)
    write(folder, events)
    with postgres.server() as server:
        migrate(server.url())
        engine = connect(server.url(), name="test")
        shipper = shipper_of(folder, engine, tmp_path, most=50, patience=1.0)
        assert await shipper.step()
        pid = server.pid()
        assert pid
        return_to_life = _strike(server, pid, fault)
        while not shipper.state(datetime.now(UTC)).trouble:
            assert not await shipper.step() or fault == "hanging"
        assert shipper.state(datetime.now(UTC)).behind_records > 0
        return_to_life()
        stop = asyncio.Event()
        running = asyncio.create_task(shipper.run(stop))
        async with asyncio.timeout(60):
            while shipper.state(datetime.now(UTC)).behind_records or shipper.state(datetime.now(UTC)).trouble:
                await asyncio.sleep(0.05)
        stop.set()
        await running
        await engine.dispose()
        assert rows(server.url(), "SELECT count(*) FROM fact") == [(sum(map(len, events)),)]
        assert rows(server.url(), "SELECT count(*), count(ended_at) FROM cdr") == [(150, 150)]
        assert list((tmp_path / "dead-letters").glob("*")) == []


def _strike(server: postgres.EmbeddedPostgres, pid: int, fault: str) -> Callable[[], object]:
    """Kill or stop the whole server; what is returned brings it back."""
    if fault == "killed":
        os.kill(pid, signal.SIGKILL)
        return server.start
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for each in (pid, *children):
        os.kill(each, signal.SIGSTOP)
    return lambda: [os.kill(each, signal.SIGCONT) for each in (*children, pid)]


# --- segments -----------------------------------------------------------------------------------------


async def test_old_segments_are_dropped_once_shipped_and_not_needed(folder: Path, shipper: Shipper) -> None:
    write(folder, day(60), segment_bytes=20_000)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert shipper.drop_old_segments(tomorrow) == []  # nothing shipped
    await ship_all(shipper)
    assert shipper.drop_old_segments(tomorrow) == []  # a restart would need them: there is no checkpoint
    journal = Journal(folder)
    last = journal.append([f.CallEnded(BEGIN, "c", Cause.NORMAL)])
    journal.write_checkpoint(last, {})
    await ship_all(shipper)
    assert shipper.drop_old_segments(datetime.now(UTC) - timedelta(days=1)) == []  # too young
    assert len(shipper.drop_old_segments(tomorrow)) > 3
    assert [record.seq for record in journal.read_all(after=last - 1)] == [last]
    journal.close()


# --- deeds by phone -----------------------------------------------------------------------------------


def by_phone(n: int, agent: str, refused: str = "") -> list[f.Fact]:
    fields = ("supervisor", "agent", "mode"), (agent, "alice", "barge")
    return [f.DoneByPhone(BEGIN + seconds(n), f"call-{n}", agent, "", "supervise_begin", refused, *fields)]


async def test_deeds_by_phone_are_in_the_audit_trail_once_and_its_chain_holds(
    folder: Path, engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    """Written while the books were down; shipped again after a rewind; between them somebody does something at a screen."""
    people = PostgresPeople(engine)
    by = By("root", "command line")
    await people.add(Person("sam.smith", "Sam Smith", agent="sam"), by)
    write(folder, [by_phone(1, "sam"), by_phone(2, "bob", "bob is no supervisor"), [*by_phone(3, "sam"), *by_phone(4, "sam")]])
    await ship_all(shipper_of(folder, engine, tmp_path))
    await people.note(Deed("exported", "report kpi"), by)
    journal = Journal(folder)
    await PostgresLedger(engine).rewind(journal.id, 0)
    journal.append(by_phone(5, "sam"))
    journal.close()
    await ship_all(shipper_of(folder, engine, tmp_path, most=2))
    async with engine.connect() as connection:
        trail = [entry async for entry in in_order(connection)]
    assert list(faults(trail)) == []
    expected = ["sam.smith", "bob", "sam.smith", "sam.smith", "root", "sam.smith"]
    assert [(entry.by.person, entry.deed.what) for entry in trail][1:] == [
        (person, "exported" if person == "root" else "supervised") for person in expected
    ]
    _, first, second, *_, last = trail
    assert (first.by.via, first.deed.of, first.deed.after["mode"]) == ("phone of agent sam", "agent alice", "barge")
    assert second.deed.after["refused"] == "bob is no supervisor"
    assert last.deed.after["happened_at"] == (BEGIN + seconds(5)).isoformat()
