"""``books`` copies the published flows to PostgreSQL, and puts them back on a disk that has lost them."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.flow_versions import KeptVersion, PostgresFlows
from callcenter.runtime.flow_store import DOCUMENT, VERSION, FlowStore, PublishedVersion, StoreError
from callcenter.runtime.whole_files import make_folder_whole, write_whole
from callcenter.services.ledger import StoreAway, StoreRefused

log = structlog.get_logger(__name__)

LOOK_EVERY = 3.0
IN_USE = "in-use.json"


async def keep_flows(data: Path, engine: AsyncEngine, stop: asyncio.Event) -> None:
    """Until ``stop`` is set. What is in the way is said once."""
    store, kept = FlowStore(data), PostgresFlows(engine)
    said, seen = "", -1
    while not stop.is_set():
        try:
            changed = await asyncio.to_thread(_changed_at, store)
            if changed != seen:
                await copy(store, kept)
                seen = changed
            said = ""
        except StoreAway:
            pass  # the shipper says so
        except (StoreRefused, StoreError, OSError) as error:
            if said != str(error):
                said = str(error)
                log.warning("flows_not_kept", why=said)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await stop.wait()


async def copy(store: FlowStore, kept: PostgresFlows) -> None:
    """Both ways: what is not in PostgreSQL yet goes there; a disk on which nothing was ever published takes what is there.

    Raises StoreAway, StoreRefused, StoreError, OSError.
    """
    if not await asyncio.to_thread((store.folder / IN_USE).exists):
        versions, used = await kept.all()
        if used:
            await asyncio.to_thread(_put_back, store, versions, used)
            log.warning("flows_put_back", versions=len(versions), advice="callcenter reload")
        return
    known = await kept.known()
    for version in await asyncio.to_thread(lambda: list(_versions(store))):
        if (version.flow, version.number, version.sha256) not in known:
            await kept.keep(await asyncio.to_thread(_read, version))
    await kept.use(await asyncio.to_thread((store.folder / IN_USE).read_text, encoding="utf-8"))


def _versions(store: FlowStore) -> Iterator[PublishedVersion]:
    for flow in store.flows():
        yield from store.versions(flow)


def _read(version: PublishedVersion) -> KeptVersion:
    """Raises StoreError when it was changed since it was published."""
    text = version.read()
    recordings = {name: (version.folder / name).read_bytes() for name in version.recordings.values()}
    about = (version.folder / VERSION).read_text(encoding="utf-8")
    return KeptVersion(version.flow, version.number, version.at, version.author, version.note, version.sha256, text, about, recordings)


def _put_back(store: FlowStore, versions: Sequence[KeptVersion], used: str) -> None:
    """First all versions, then what is in use: a crash in between is ended by the next look."""
    with store.alone():
        for version in versions:
            folder = store.folder / version.flow
            folder.mkdir(mode=0o700, exist_ok=True)
            if not (folder / f"{version.version:04}").exists():
                files = {DOCUMENT: version.document.encode(), VERSION: version.about.encode(), **version.recordings}
                make_folder_whole(folder / f"{version.version:04}", files)
        json.loads(used)
        write_whole(store.folder / IN_USE, used, mode=0o600)


def _changed_at(store: FlowStore) -> int:
    """0: nothing was ever published."""
    try:
        return (store.folder / IN_USE).stat().st_mtime_ns
    except OSError:
        return 0
