"""The books process as a whole: started, fed, stopped, told that the database is not for it."""

import asyncio
import json
import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from callcenter.adapters.db.migrate import DatabaseNewer
from callcenter.apps.books import run_books
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.services.journal import Journal
from tests.support import postgres
from tests.support.day import BEGIN, NODE, answered_call, day

SAMPLES = b"\x01\x00\xff\xff" * 4000


@asynccontextmanager
async def books(tmp_path: Path, url: str, keep: timedelta = timedelta(hours=24)) -> AsyncIterator[Path]:
    """The process's inside, running; gives the status file."""
    stop = asyncio.Event()
    status = tmp_path / "state.json"
    running = asyncio.create_task(run_books(tmp_path / "journal", lambda: url, {NODE: tmp_path / "recording"}, status, stop, keep=keep))
    yield status
    stop.set()
    async with asyncio.timeout(20):
        await running


async def eventually(url: str, statement: str, wanted: object) -> None:
    """Ask until it is so."""
    async with asyncio.timeout(30):
        while True:
            with psycopg.connect(url) as connection:
                try:
                    if connection.execute(statement.encode()).fetchall() == [(wanted,)]:
                        return
                except psycopg.errors.UndefinedTable:
                    pass
            await asyncio.sleep(0.05)


async def test_facts_written_while_it_runs_become_books_and_recordings(tmp_path: Path, postgres_server: EmbeddedPostgres) -> None:
    (tmp_path / "recording").mkdir()
    raw = tmp_path / "recording" / "c1-recording.raw"
    raw.write_bytes(SAMPLES)
    os.utime(raw, (0, 0))
    with postgres.database(postgres_server, template="template1") as url:  # it migrates by itself
        async with books(tmp_path, url) as status:
            journal = Journal(tmp_path / "journal")  # it was there before the engine
            for facts in answered_call("c1", BEGIN, "alice"):
                journal.append(facts)
            await eventually(url, "SELECT state FROM contact", "ended")
            await eventually(url, "SELECT state FROM recording", "finished")
            journal.close()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT file, bytes, seconds::float FROM recording").fetchall() == [("c1-recording.wav", 16044, 0.5)]
    with wave.open(str(tmp_path / "recording" / "c1-recording.wav")) as sound:
        assert sound.readframes(10**6) == SAMPLES
    state = json.loads(status.read_text())
    assert (state["behind_records"], state["trouble"], state["dead_letters"]) == (0, "", 0)
    assert state["shipped_seq"] == 9


async def test_stopped_and_started_it_goes_on_where_it_was(tmp_path: Path, database_url: str) -> None:
    events = day(40)
    journal = Journal(tmp_path / "journal")
    for facts in events[:100]:
        journal.append(facts)
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT seq FROM journal_position", 100)
    for facts in events[100:]:
        journal.append(facts)
    journal.close()
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT count(*) FROM fact", sum(map(len, events)))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*), count(ended_at) FROM cdr").fetchall() == [(40, 40)]


async def test_a_newer_database_ends_it_with_a_sentence(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNewer, match="newer version"):
        await run_books(tmp_path / "journal", lambda: database_url, {}, tmp_path / "state.json", asyncio.Event())


async def test_without_a_database_it_waits_and_stops_when_told(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").close()
    stop = asyncio.Event()
    running = asyncio.create_task(
        run_books(tmp_path / "journal", lambda: "postgresql://x:y@127.0.0.1:1/z", {}, tmp_path / "state.json", stop)
    )
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(20):
        await running
