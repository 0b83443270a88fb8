"""The process ``books``: from the journal to PostgreSQL, and from raw samples to recordings.

Nothing waits for it: while it or PostgreSQL is away, the journal grows and calls go on. Told to stop, it ends within a
few seconds even when PostgreSQL hangs: what was not committed is shipped by the next one.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.migrate import DatabaseAway, SchemaError, migrate
from callcenter.adapters.db.recordings import PostgresRecordings
from callcenter.adapters.db.targets import CenterTargets, QueueTarget, keep_targets
from callcenter.apps.books_documents import keep_documents
from callcenter.apps.books_flows import keep_flows
from callcenter.apps.books_voicemail import VoicemailWork
from callcenter.apps.stopping import told_to_stop
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder, database_url
from callcenter.runtime.document_cache import DocumentCache
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings, SettingsError, data_of, load
from callcenter.services.dead_letters import Retried, retry
from callcenter.services.ledger import Shipper, StoreAway, StoreRefused, as_json
from callcenter.services.recordings import RecordingStore, delete_expired, finish_some

log = logging.getLogger(__name__)

DEAD_LETTERS = "dead-letters"
_STATUS_EVERY = 1.0
_SEGMENTS_EVERY = 600.0
_RECORDINGS_EVERY = 1.0
_RETENTION_EVERY = 600.0
_TARGETS_EVERY = 5.0
_GRACE = 1.5


def status_file(settings: Settings) -> Path:
    """Where ``run_books`` says how far it is: ``services.ledger.ShippingState`` and ``at`` as JSON, once a second."""
    return data_folder(settings).run / "books-state.json"


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long things are kept."""

    segments: timedelta = timedelta(hours=24)
    """Sealed ones that are in PostgreSQL."""
    recordings: timedelta = timedelta(days=90)


async def run_books(
    journal: Path,
    url: Callable[[], str],
    recordings: Mapping[str, Path],
    status: Path,
    stop: asyncio.Event,
    *,
    targets: Callable[[], CenterTargets | None] = lambda: None,
    keep: Keeping = Keeping(),
    voicemail: VoicemailWork | None = None,
    config: Path | None = None,
) -> None:
    """Ship, fold and finish until ``stop`` is set. ``recordings`` are the folders by node; ``targets`` is asked for changes.

    ``config`` is the file whose center's documents are kept in step. Raises SchemaError when the database is not for us.
    """
    engine = connect(_reachable(url), name="books", statement_timeout=5.0, pool_size=3)
    shipper = Shipper(journal, PostgresLedger(engine), dead_letters=journal / DEAD_LETTERS)
    files = PostgresRecordings(engine)
    reporting = asyncio.create_task(_report(shipper, status), name="report")
    try:
        await _migrate(url, stop)
        async with asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(shipper.run(stop), name="ship"),
                tasks.create_task(_finish_recordings(files, recordings, stop), name="recordings"),
                tasks.create_task(_delete_recordings(files, recordings, keep.recordings, stop), name="retention"),
                tasks.create_task(_drop_segments(shipper, keep.segments, stop), name="segments"),
                tasks.create_task(_keep_targets(engine, targets, stop), name="targets"),
                *(tasks.create_task(part, name="documents") for part in _configuration(config, engine, stop)),
                *(tasks.create_task(part, name="voicemail") for part in (voicemail.parts(engine, stop) if voicemail else ())),
            ]
            tasks.create_task(_end(work, stop), name="end")
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        _write(status, shipper)
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await engine.dispose()


def _configuration(file: Path | None, engine: AsyncEngine, stop: asyncio.Event) -> Iterator[Coroutine[None, None, None]]:
    """What keeps documents and flows in step; nothing without the center's file."""
    if file is not None:
        yield keep_documents(file, engine, stop)
        yield keep_flows(data_of(file), engine, stop)


async def _end(work: Collection[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Give the work a moment to end by itself. The driver takes the first cancel for a wish to ask the server; hence more than one."""
    await stop.wait()
    _, late = await asyncio.wait(work, timeout=_GRACE)
    while late:
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(late, timeout=0.3)


async def _migrate(url: Callable[[], str], stop: asyncio.Event) -> None:
    """Wait for the database and bring it to our schema. Raises SchemaError."""
    said = ""
    while not stop.is_set():
        try:
            await _unless(stop, lambda: migrate(url()))
            return
        except (DatabaseAway, PostgresError) as error:
            if said != str(error):
                said = str(error)
                log.warning("database_away %s", said)
        await _pause(1.0, stop)


async def _unless(stop: asyncio.Event, work: Callable[[], object]) -> None:
    """Do blocking work in a thread of its own, and leave it behind when told to stop: a server that hangs may hold it for ever."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    Thread(target=run, daemon=True).start()
    working, stopping = asyncio.wrap_future(done), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()


async def _finish_recordings(store: RecordingStore, folders: Mapping[str, Path], stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(StoreAway):  # the shipper says so
            await finish_some(store, folders, datetime.now(UTC))
        await _pause(_RECORDINGS_EVERY, stop)


async def _delete_recordings(store: RecordingStore, folders: Mapping[str, Path], keep: timedelta, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(StoreAway):
            if count := await delete_expired(store, folders, datetime.now(UTC) - keep):
                log.warning("recordings_deleted count=%d kept_days=%g", count, keep / timedelta(days=1))
        await _pause(_RETENTION_EVERY, stop)


async def _keep_targets(engine: AsyncEngine, targets: Callable[[], CenterTargets | None], stop: asyncio.Event) -> None:
    """Keep the database's copy of the settings that its KPI views need."""
    kept: CenterTargets | None = None
    while not stop.is_set():
        wanted = targets()
        if wanted is not None and wanted != kept:
            try:
                await keep_targets(engine, wanted)
                kept = wanted
            except StoreAway:
                pass
            except StoreRefused as error:
                log.error("targets_not_kept why=%s", error)
        await _pause(_TARGETS_EVERY, stop)


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


def targets_of(settings: Settings) -> CenterTargets:
    queues = (QueueTarget(each.name, each.target_ratio, each.target_wait, each.short_abandon) for each in settings.queues)
    return CenterTargets(settings.center.name, settings.center.time_zone, tuple(queues))


def targets_in(file: Path, settings: Settings) -> Callable[[], CenterTargets]:
    """Those of the settings."""
    read = changing(file, settings)
    return lambda: targets_of(read())


def changing(file: Path, settings: Settings) -> Callable[[], Settings]:
    """The settings, read again when the file or the documents have changed; what has faults changes nothing."""
    cache = DocumentCache(settings.data)
    current, seen = settings, (_changed_at(file), cache.written_at())

    def read() -> Settings:
        nonlocal current, seen
        if (changed := (_changed_at(file), cache.written_at())) != seen:
            seen = changed
            with suppress(SettingsError):
                current = load(file)
        return current

    return read


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


async def retry_dead_letters(journal: Path, url: str) -> Retried:
    """Ship once more what was set aside. Raises StoreAway."""
    engine = connect(url, name="dead letters", statement_timeout=5.0)
    try:
        return await retry(PostgresLedger(engine), journal / DEAD_LETTERS)
    finally:
        await engine.dispose()


def retry_main(config_file: Path) -> None:
    """``callcenter books --retry-dead-letters``. Raises SystemExit with a sentence when some are left."""
    settings = load(config_file)
    try:
        retried = asyncio.run(retry_dead_letters(settings.data / "journal", database_url(settings)))
    except (StoreAway, PostgresError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
    print(f"{retried.shipped} dead letters shipped, {len(retried.refused)} left")
    if retried.refused:
        raise SystemExit("\n".join(f"{name}: {why}" for name, why in retried.refused.items()))


def main(config_file: Path) -> None:
    """Run the books until SIGTERM or SIGINT. Raises SystemExit with a sentence when the database is not for us."""
    logs.configure("books")
    settings = load(config_file)

    async def serve() -> None:
        await run_books(
            settings.data / "journal",
            lambda: database_url(settings),
            recording_folders(settings),
            status_file(settings),
            told_to_stop(),
            targets=targets_in(config_file, settings),
            keep=Keeping(recordings=timedelta(days=settings.recording.keep_days)),
            voicemail=VoicemailWork(settings.data / "voicemail", recording_folders(settings), changing(config_file, settings)),
            config=config_file,
        )

    try:
        asyncio.run(serve())
    except (SchemaError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
