"""The documents of a center, reached from the command line: its database, its disk and its engine."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.adapters.db.migrate import SchemaError, check_schema
from callcenter.apps.configuring import Configuring
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError
from callcenter.runtime.settings import center_source, data_of
from callcenter.services.ledger import StoreAway


def url_of(file: Path) -> str:
    """Of the center's database, whatever else is wrong in the file. Raises StoreAway."""
    named = center_source(file).site.get("database")
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
