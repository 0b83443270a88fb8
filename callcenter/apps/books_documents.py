"""``books`` keeps the documents in step: in PostgreSQL, on the engine's disk, and in the engine.

What a crash left half done is ended here; and what the engine took up from an edited ``callcenter.toml`` becomes a version.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.apps.configuring import Configuring
from callcenter.runtime.settings import SettingsError
from callcenter.services.configuration import ChangeRefused, Stale
from callcenter.services.ledger import StoreAway, StoreRefused

log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0
"""Seconds."""
LOOK_AGAIN = 60.0
"""Seconds, although nothing seems to have changed: an engine may have refused what it would take now."""


async def keep_documents(file: Path, engine: AsyncEngine, stop: asyncio.Event) -> None:
    """Until ``stop`` is set. What is in the way is said once."""
    center = Configuring(file, PostgresDocuments(engine))
    said, settled_until = "", 0.0
    settled: tuple[object, ...] = ()
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        try:
            if (standing := await center.standing()) != settled or loop.time() > settled_until:
                if await center.catch_up():
                    log.info("documents_in_step")
                else:
                    settled, settled_until = standing, loop.time() + LOOK_AGAIN
            said = ""
        except (StoreAway, Stale):
            pass  # the shipper says so; somebody else was quicker
        except (StoreRefused, ChangeRefused, SettingsError) as error:
            if said != str(error):
                said = str(error)
                log.warning("documents_not_in_step", why=said)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await stop.wait()
