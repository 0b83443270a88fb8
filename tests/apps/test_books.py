"""The books process as a whole: started, fed, stopped, told that the database is not for it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest

from callcenter.adapters.db.migrate import DatabaseNewer
from callcenter.adapters.db.targets import CenterTargets, QueueTarget
from callcenter.apps.books import Keeping, retry_dead_letters, run_books, targets_in
from callcenter.domain import facts as f
from callcenter.domain.events import Cause
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.settings import load
from callcenter.services.journal import Journal
from tests.support import postgres
from tests.support.day import BEGIN, NODE, answered_call, day

SAMPLES = b"\x01\x00\xff\xff" * 4000


@asynccontextmanager
async def books(tmp_path: Path, url: str, **more: Any) -> AsyncIterator[Path]:
    """The process's inside, running; gives the status file."""
    stop = asyncio.Event()
    status = tmp_path / "state.json"
    running = asyncio.create_task(run_books(tmp_path / "journal", lambda: url, {NODE: tmp_path / "recording"}, status, stop, **more))
    yield status
    stop.set()
    async with asyncio.timeout(20):
        await running


async def eventually(url: str, statement: str, wanted: object) -> None:
    """Ask until it is so; in a thread, because the question may wait for a lock that the books hold."""

    def ask() -> bool:
        with psycopg.connect(url) as connection, suppress(psycopg.errors.UndefinedTable):
            return connection.execute(statement.encode()).fetchall() == [(wanted,)]
        return False

    async with asyncio.timeout(30):
        while not await asyncio.to_thread(ask):
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


# --- recordings -----------------------------------------------------------------------------------------


async def test_recordings_left_behind_by_a_crash_are_finished(tmp_path: Path, database_url: str) -> None:
    """Asterisk died in mid-talk: nobody said that the recording stopped. We died while writing the file of another."""
    folder = tmp_path / "recording"
    folder.mkdir()
    for name, samples in (("c1-recording", SAMPLES + b"\x01"), ("c2-recording", SAMPLES)):
        (folder / f"{name}.raw").write_bytes(samples)
        os.utime(folder / f"{name}.raw", (0, 0))
    (folder / "c2-recording.wav.partial").write_bytes(b"RIFF")
    journal = Journal(tmp_path / "journal")
    cut, *_ = (
        n for n, facts in enumerate(answered_call("c1", BEGIN, "alice")) if any(isinstance(fact, f.RecordingStarted) for fact in facts)
    )
    for facts in list(answered_call("c1", BEGIN, "alice"))[: cut + 1]:
        journal.append(facts)
    journal.append([f.CallEnded(BEGIN + timedelta(minutes=1), "c1", Cause.NODE_CRASH)])
    for facts in answered_call("c2", BEGIN, "bob"):
        journal.append(facts)
    journal.close()
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT count(*) FROM recording WHERE state = 'finished'", 2)
    assert sorted(path.name for path in folder.iterdir()) == ["c1-recording.wav", "c2-recording.wav"]
    for path in folder.iterdir():
        with wave.open(str(path)) as sound:
            assert sound.readframes(10**6) == SAMPLES


async def test_recordings_are_deleted_when_their_time_is_over(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    today = datetime.now(UTC) - timedelta(hours=1)
    journal = Journal(tmp_path / "journal")
    for call, at in (("old", today - timedelta(days=90)), ("young", today - timedelta(days=89))):
        (folder / f"{call}-recording.raw").write_bytes(SAMPLES)
        os.utime(folder / f"{call}-recording.raw", (0, 0))
        for facts in answered_call(call, at, "alice"):
            journal.append(facts)
    journal.close()
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT count(*) FROM recording WHERE state = 'finished'", 2)
    (folder / "elsewhere").mkdir()
    async with books(tmp_path, database_url, keep=Keeping(recordings=timedelta(days=90))):
        await eventually(database_url, "SELECT recording_id FROM recording WHERE state = 'deleted' AND file IS NULL", "old-recording")
    assert sorted(path.name for path in folder.iterdir()) == ["elsewhere", "young-recording.wav"]
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE journal_position SET seq = 0")  # all facts once more do not bring it back
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT seq FROM journal_position", 18)
        await eventually(database_url, "SELECT recording_id FROM recording WHERE state = 'deleted'", "old-recording")


# --- what the views need --------------------------------------------------------------------------------


async def test_targets_follow_the_settings(tmp_path: Path, database_url: str) -> None:
    Journal(tmp_path / "journal").close()

    def target(wait: int) -> CenterTargets:
        return CenterTargets("ours", "Europe/Berlin", (QueueTarget("support", 0.8, timedelta(seconds=wait), timedelta(seconds=5)),))

    for wait in (20, 30):
        async with books(tmp_path, database_url, targets=lambda wait=wait: target(wait)):
            await eventually(database_url, "SELECT target_wait_s::int FROM queue_target", wait)
            await eventually(database_url, "SELECT time_zone FROM kpi_zone", "Europe/Berlin")


def test_the_settings_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    text = '[center]\ntime_zone = "UTC"\n[[agent]]\nname = "alice"\nqueues = ["support"]\n[[queue]]\nname = "support"\ntarget_wait_s = %s\n'
    file.write_text(text % 20)
    read = targets_in(file, load(file))
    for written, wait in ((text % 30, 30), ("[center", 30), (text % 40, 40)):
        file.write_text(written)
        os.utime(file, ns=(0, os.stat(file).st_mtime_ns + 1_000_000))
        assert read().queues == (QueueTarget("support", 0.8, timedelta(seconds=wait), timedelta(seconds=5)),)


# --- dead letters ---------------------------------------------------------------------------------------


async def test_dead_letters_are_shipped_once_their_cause_is_gone(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE contact ADD CONSTRAINT none_of_c2 CHECK (call_id <> 'c2')")
    journal = Journal(tmp_path / "journal")
    for call in ("c1", "c2", "c3"):
        for facts in answered_call(call, BEGIN, "alice"):
            journal.append(facts)
    journal.close()
    async with books(tmp_path, database_url):
        await eventually(database_url, "SELECT count(*) FROM contact WHERE state = 'ended'", 2)
    letters = tmp_path / "journal" / "dead-letters"
    assert len(list(letters.iterdir())) >= 1
    still = await retry_dead_letters(tmp_path / "journal", database_url)
    assert still.shipped == 0
    assert all("none_of_c2" in why for why in still.refused.values())
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE contact DROP CONSTRAINT none_of_c2")
    (letters / "half.json").write_text('{"seq": 1')
    retried = await retry_dead_letters(tmp_path / "journal", database_url)
    assert (retried.shipped, list(retried.refused)) == (len(still.refused), ["half.json"])
    assert [path.name for path in letters.iterdir()] == ["half.json"]
    await eventually(database_url, "SELECT state FROM contact WHERE call_id = 'c2'", "ended")
    await eventually(database_url, "SELECT count(*) FROM agent_state WHERE ended_at IS NULL", 1)


# --- the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_told_to_stop_it_ends_within_five_seconds_of_a_frozen_database(tmp_path: Path, when: str) -> None:
    """PostgreSQL stopped by SIGSTOP before we migrate, or while we ship."""
    config = tmp_path / "callcenter.toml"
    config.write_text('[center]\ntime_zone = "UTC"\n[[agent]]\nname = "alice"\nqueues = ["support"]\n[[queue]]\nname = "support"\n')
    journal = Journal(tmp_path / "data" / "journal")
    with postgres.server() as server:
        if when == "before":
            frozen = _freeze(server)
        environment = {**os.environ, "CALLCENTER_DATA": str(tmp_path / "data"), "CALLCENTER_DATABASE_URL": server.url()}
        command = [sys.executable, "-m", "callcenter.apps.cli", "books", "--config", str(config)]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr
        try:
            if when == "after":
                state = tmp_path / "data" / "run" / "books-state.json"
                _until(lambda: _reads(state).get("journal"))
                frozen = _freeze(server)
                for facts in answered_call("c1", BEGIN, "alice"):
                    journal.append(facts)
                _until(lambda: _reads(state).get("behind_records"))
            else:
                _until((tmp_path / "data" / "run" / "books-state.json").exists)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
    journal.close()


def _reads(state: Path) -> dict[str, object]:
    return json.loads(state.read_text()) if state.exists() else {}


def _until(question: Callable[[], object]) -> None:
    ends = monotonic() + 60
    while not question():
        assert monotonic() < ends
        sleep(0.05)


def _freeze(server: EmbeddedPostgres) -> list[int]:
    """The whole server; gives the processes to be woken."""
    pid = server.pid()
    assert pid
    frozen = [pid]
    os.kill(pid, signal.SIGSTOP)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(child), signal.SIGSTOP)
        frozen.insert(0, int(child))
    return frozen
