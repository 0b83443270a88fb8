"""The documents of a center, reached from the command line: its database, its disk and its engine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.adapters.db.migrate import SchemaError, check_schema
from callcenter.apps.configuring import Configuring
from callcenter.runtime.center_source import source
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.document_cache import CacheError, DocumentCache
from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError
from callcenter.runtime.settings import SettingsError, data_of, read_file
from callcenter.services.configuration import ChangeRefused, Stale
from callcenter.services.ledger import StoreAway, StoreRefused


def url_of(file: Path) -> str:
    """Of the center's database, whatever else is wrong in the file or on the engine's disk. Raises StoreAway, SettingsError."""
    named = source(read_file(file), file, None).site.get("database")
    url = os.environ.get("CALLCENTER_DATABASE_URL") or (named.get("url") if isinstance(named, dict) else "")
    try:
        return str(url) if url else EmbeddedPostgres(DataFolder(data_of(file)).postgres).url()
    except PostgresError as error:
        raise StoreAway(str(error)) from None


@asynccontextmanager
async def configuring(file: Path) -> AsyncIterator[Configuring]:
    """Raises StoreAway, and SettingsError when the file cannot be read."""
    url = url_of(file)
    try:
        check_schema(url)
        engine = connect(url, name="config", statement_timeout=10.0)
    except (SchemaError, ValueError) as error:
        raise StoreAway(str(error)) from None
    try:
        yield Configuring(file, PostgresDocuments(engine))
    finally:
        await engine.dispose()


def put_back(file: Path, *, start: bool = False) -> bool:
    """When the documents on the engine's disk cannot be used, write them again from the database; whether that had to be done.

    ``start``: an embedded server is started for it when it does not run, and left to who needs it next. Raises SettingsError: neither the
    disk nor the database has them.
    """
    cache = DocumentCache(data_of(file))
    try:
        cache.look()
        return False
    except CacheError as damaged:
        sentence = str(damaged)
    try:
        server = EmbeddedPostgres(DataFolder(data_of(file)).postgres)
        if start and server.folder.exists() and server.pid() is None:
            server.start()
        asyncio.run(_put_back(file))
        cache.look()
        return True
    except (StoreAway, StoreRefused, ChangeRefused, Stale, PostgresError) as why:
        raise SettingsError([f"{sentence}. The database: {why}"]) from None
    except (CacheError, SettingsError):
        raise SettingsError([f"{sentence}. The database holds no documents"]) from None


async def _put_back(file: Path) -> None:
    async with configuring(file) as center:
        await center.catch_up()
