"""The process ``books``: from the journal to PostgreSQL, and from raw samples to recordings.

Nothing waits for it: while it or PostgreSQL is away, the journal grows and calls go on.
"""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.migrate import DatabaseAway, SchemaError, migrate
from callcenter.adapters.db.recordings import PostgresRecordings
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder, database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings, load
from callcenter.services.ledger import Shipper, StoreAway, as_json
from callcenter.services.recordings import RecordingStore, finish_some

log = logging.getLogger(__name__)

KEEP_SEGMENTS = timedelta(hours=24)
_STATUS_EVERY = 1.0
_SEGMENTS_EVERY = 600.0
_RECORDINGS_EVERY = 1.0


def status_file(settings: Settings) -> Path:
    """Where ``run_books`` says how far it is: ``services.ledger.ShippingState`` and ``at`` as JSON, once a second."""
    return data_folder(settings).run / "books-state.json"


async def run_books(
    journal: Path,
    url: Callable[[], str],
    recordings: Mapping[str, Path],
    status: Path,
    stop: asyncio.Event,
    *,
    keep: timedelta = KEEP_SEGMENTS,
) -> None:
    """Ship, fold and finish until ``stop`` is set. ``recordings`` are the folders by node.

    Raises SchemaError when the database is not for us.
    """
    engine = connect(_reachable(url), name="books", statement_timeout=5.0)
    shipper = Shipper(journal, PostgresLedger(engine), dead_letters=journal / "dead-letters")
    reporting = asyncio.create_task(_report(shipper, status), name="report")
    try:
        await _migrate(url, stop)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shipper.run(stop), name="ship")
            tasks.create_task(_finish_recordings(PostgresRecordings(engine), recordings, stop), name="recordings")
            tasks.create_task(_drop_segments(shipper, keep, stop), name="segments")
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        _write(status, shipper)
        await engine.dispose()


async def _migrate(url: Callable[[], str], stop: asyncio.Event) -> None:
    """Wait for the database and bring it to our schema. Raises SchemaError."""
    said = ""
    while not stop.is_set():
        try:
            await asyncio.to_thread(lambda: migrate(url()))
            return
        except (DatabaseAway, PostgresError) as error:
            if said != str(error):
                said = str(error)
                log.warning("database_away %s", said)
        await _pause(1.0, stop)


async def _finish_recordings(store: RecordingStore, folders: Mapping[str, Path], stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(StoreAway):  # the shipper says so
            await finish_some(store, folders, datetime.now(UTC))
        await _pause(_RECORDINGS_EVERY, stop)


async def _drop_segments(shipper: Shipper, keep: timedelta, stop: asyncio.Event) -> None:
    while not stop.is_set():
        dropped = await asyncio.to_thread(shipper.drop_old_segments, datetime.now(UTC) - keep)
        if dropped:
            log.warning("segments_dropped count=%d", len(dropped))
        await _pause(_SEGMENTS_EVERY, stop)


async def _report(shipper: Shipper, status: Path) -> None:
    while True:
        _write(status, shipper)
        await asyncio.sleep(_STATUS_EVERY)


def _write(status: Path, shipper: Shipper) -> None:
    now = datetime.now(UTC)
    fresh = status.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(as_json(shipper.state(now), now)) + "\n")
        fresh.replace(status)
    except OSError as error:  # a full disk does not stop the shipping, which makes room
        log.warning("status_not_written %s", error.strerror)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _reachable(url: Callable[[], str]) -> Callable[[], str]:
    """An embedded server that does not run is a database out of reach, like any other."""

    def ask() -> str:
        try:
            return url()
        except PostgresError as error:
            raise ConnectionError(str(error)) from None

    return ask


def recording_folders(settings: Settings) -> dict[str, Path]:
    """Of the nodes on this machine."""
    nodes = data_folder(settings).nodes
    return {node.name: nodes / node.name / "spool" / "recording" for node in settings.nodes if not node.remote}


def main(config_file: Path) -> None:
    """Run the books until SIGTERM or SIGINT. Raises SystemExit with a sentence when the database is not for us."""
    logs.configure("books")
    settings = load(config_file)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await run_books(settings.data / "journal", lambda: database_url(settings), recording_folders(settings), status_file(settings), stop)

    try:
        asyncio.run(serve())
    except (SchemaError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
