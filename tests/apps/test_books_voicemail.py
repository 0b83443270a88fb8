"""The books process and voicemail: a message that was left is kept, mailed with its audio, and destroyed when it is deleted."""

import asyncio
import os
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import web

from callcenter.apps.books import run_books
from callcenter.apps.books_voicemail import VoicemailWork
from callcenter.domain import facts as f
from callcenter.runtime.settings import parse
from callcenter.services import transcripts
from callcenter.services.journal import Journal
from tests.support.asterisk import raw_settings
from tests.support.smtp import Sink, smtp_sink

SAMPLES = array("h", [0, 9000, -9000, 100] * 4000)


def settings(folder: Path, sink: Sink, **speech: object) -> dict[str, Any]:
    mailbox = {"email": ["team@example.com", "boss@example.com"]}
    mail = {"host": "127.0.0.1", "port": sink.port, "security": "none", "sender": "callcenter@example.com"}
    return raw_settings(folder, mail=mail, queue=[{"name": "support", "voicemail": mailbox}], speech=speech)


@asynccontextmanager
async def books(folder: Path, url: str, sink: Sink, **speech: object) -> AsyncIterator[None]:
    stop = asyncio.Event()
    read = parse(settings(folder, sink, **speech))
    work = VoicemailWork(folder / "voicemail", {"node1": folder / "recording"}, lambda: read)
    running = asyncio.create_task(run_books(folder / "journal", lambda: url, {}, folder / "state.json", stop, voicemail=work))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running


async def eventually(url: str, statement: str, wanted: object) -> None:
    def ask() -> object:
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchone()

    async with asyncio.timeout(30):
        while await asyncio.to_thread(ask) != (wanted,):
            await asyncio.sleep(0.05)


async def test_a_message_is_kept_mailed_once_and_destroyed(tmp_path: Path, database_url: str) -> None:
    now = datetime.now(UTC)
    (tmp_path / "recording").mkdir()
    recorded = tmp_path / "recording" / "voicemail-m1.wav"
    with wave.open(str(recorded), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(SAMPLES.tobytes())
    os.utime(recorded, (now.timestamp() - 5,) * 2)
    journal = Journal(tmp_path / "journal")
    kept_until, length = now + timedelta(days=30), timedelta(seconds=2)
    journal.append([f.MessageLeft(now, "c1", "node1", "queue:support", "m1", "contact-1", "+12025550123", "Ann", length, kept_until)])
    async with smtp_sink() as sink:
        for _ in range(2):  # started anew, nothing is mailed again
            async with books(tmp_path, database_url, sink):
                await eventually(database_url, "SELECT count(*) FROM message_mail WHERE state = 'sent'", 2)
                kept = tmp_path / "voicemail" / "m1.wav"
                assert kept.read_bytes() == recorded.read_bytes()
        assert sorted(sink.recipients) == [["boss@example.com"], ["team@example.com"]]
        for mail in sink.mails:
            assert mail["Subject"] == "Voicemail for queue support from Ann +12025550123"
            _, audio = mail.iter_parts()
            assert audio.get_content() == kept.read_bytes()
        async with books(tmp_path, database_url, sink):
            journal.append([f.MessageDeleted(now, "queue:support", "m1", "alice")])
            await eventually(database_url, "SELECT audio FROM message", "deleted")
        assert not kept.exists()
        assert not recorded.exists()
        assert len(sink.mails) == 2
    journal.close()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT state, deleted_by, peaks, seconds::float FROM message").fetchall() == [
            ("deleted", "alice", None, 2.0)
        ]


async def test_a_message_is_written_down_and_the_mail_waits_for_it(tmp_path: Path, database_url: str) -> None:
    now = datetime.now(UTC)
    (tmp_path / "recording").mkdir()
    recorded = tmp_path / "recording" / "voicemail-m1.wav"
    with wave.open(str(recorded), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(SAMPLES.tobytes())
    os.utime(recorded, (now.timestamp() - 5,) * 2)
    journal = Journal(tmp_path / "journal")
    journal.append([f.MessageLeft(now, "c1", "node1", "queue:support", "m1", "", "", "", timedelta(seconds=2), now + timedelta(days=1))])
    journal.close()
    asked: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.read())
        return web.json_response({"text": "call me back"}, status=200 if len(asked) > 1 else 503)

    app = web.Application()
    app.router.add_post("/write", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    transcripts.FIRST_PAUSE, pause = timedelta(seconds=1), transcripts.FIRST_PAUSE
    try:
        async with (
            smtp_sink() as sink,
            books(tmp_path, database_url, sink, transcript_url=f"http://127.0.0.1:{runner.addresses[0][1]}/write"),
        ):
            await eventually(database_url, "SELECT count(*) FROM message_mail WHERE state = 'sent'", 2)
            await eventually(database_url, "SELECT transcript FROM message", "call me back")
            for mail in sink.mails:
                said = mail.get_body()
                assert said is not None
                assert "What was understood of it:\n\ncall me back" in said.get_content().replace("\r", "")
        assert len(asked) == 2
    finally:
        transcripts.FIRST_PAUSE = pause
        await runner.cleanup()


async def test_a_server_that_is_away_costs_nothing_but_time(tmp_path: Path, database_url: str) -> None:
    now = datetime.now(UTC)
    journal = Journal(tmp_path / "journal")
    left = now - timedelta(minutes=5)
    journal.append([f.MessageLeft(left, "c1", "node1", "queue:support", "m1", "", "", "", timedelta(seconds=2), now + timedelta(days=1))])
    journal.close()
    async with smtp_sink() as sink:
        sink.verdict = lambda verb: "421 later" if verb == "MAIL" else None
        async with books(tmp_path, database_url, sink):
            await eventually(database_url, "SELECT count(*) FROM message_mail WHERE why LIKE '421%'", 1)
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE message_mail SET due_at = now()")
        sink.verdict = lambda verb: None
        async with books(tmp_path, database_url, sink):
            await eventually(database_url, "SELECT count(*) FROM message_mail WHERE state = 'sent'", 2)
        assert [mail["Subject"] for mail in sink.mails] == ["Voicemail for queue support from an unknown number"] * 2
