"""The process ``webhooks``: tells other systems what happens. Nothing waits for it: while it is away, messages wait in PostgreSQL.

It is a process of its own because it speaks with strangers, who may be slow or worse: neither the books nor a flow that asks
another system, nor a console shall share a loop with them.
"""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import structlog

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.webhooks import PostgresWebhooks
from callcenter.adapters.webhooks.http import HttpSender
from callcenter.apps.books import changing
from callcenter.apps.stopping import told_to_stop
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder, database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, load
from callcenter.services.webhooks import Deliverer

log = structlog.get_logger(__name__)


def url_of(settings: Settings) -> str:
    """An embedded server that does not run is a database out of reach, like any other."""
    try:
        return database_url(settings)
    except PostgresError as error:
        raise ConnectionError(str(error)) from None


async def serve(settings: Settings, config_file: Path, stop: asyncio.Event) -> None:
    """Deliver until ``stop`` is set."""
    now = changing(config_file, settings)
    engine = connect(lambda: url_of(settings), name="webhooks", statement_timeout=5.0, pool_size=4)
    sender = HttpSender(allow_private=lambda: now().webhooks.allow_private)
    key = load_secrets(settings.data).webhook_key.encode()
    reporting = asyncio.create_task(_report(data_folder(settings).run / "webhooks-state.json"))
    try:
        log.info("webhooks_up")
        await Deliverer(PostgresWebhooks(engine), sender, key).run(stop)
    finally:
        reporting.cancel()
        await sender.close()
        await engine.dispose()


async def _report(status: Path) -> None:
    """Say once a second that the loop turns, for whoever watches over processes."""
    while True:
        with contextlib.suppress(OSError):  # a full disk keeps nobody from being told
            await asyncio.to_thread(status.write_text, json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds")}) + "\n")
        await asyncio.sleep(1.0)


def main(config_file: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises SystemExit with a sentence."""
    logs.configure("webhooks")
    settings = load(config_file)

    async def run() -> None:
        await serve(settings, config_file, told_to_stop())

    try:
        asyncio.run(run())
    except (OSError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
