"""The process ``dips``: asks other systems on behalf of flows, over HTTP and in PostgreSQL, away from the engine's loop.

A slow, huge or hostile answer costs this process, never a call's control; killed, it is started again, and meanwhile flows get
the default values of their sources at once. Neither questions nor answers are ever logged.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.dips import SqlAsker, dip_connection
from callcenter.adapters.dips.http import HttpAsker
from callcenter.apps.stopping import told_to_stop
from callcenter.domain.dips.source import DipAnswer, HttpSource, Source
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.runtime.settings_dips import LONGEST_BUDGET, SecretError, secret, sources
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlError
from callcenter.services.dips.runner import Asker, Dips, SourceFailed
from callcenter.services.dips.server import DipServer

log = structlog.get_logger(__name__)

OLD_ENDS_AFTER = LONGEST_BUDGET.total_seconds() + 1
"""Seconds: after a reload, what was asked before is answered by those who were asked."""


class Unaskable:
    """A source whose secrets cannot be had: everything else goes on, and the log says what is missing."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def ask(self, values: Mapping[str, str]) -> DipAnswer:
        raise SourceFailed(self._why)


class DipsProcess:
    """All that runs in this process, put together."""

    def __init__(self, settings: Settings, config_file: Path) -> None:
        self._file = config_file
        self._dips = Dips(SteadyClock())
        self._open: list[HttpAsker | AsyncEngine] = []
        self._closing: set[asyncio.Task[None]] = set()
        token = load_secrets(settings.data).control_token
        self._server = DipServer(data_folder(settings).dips_socket, token, self._dips, self._reload)
        self._take(settings)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises ControlError."""
        stopping = told_to_stop()
        await self._server.start()
        log.info("dips_up")
        await stopping.wait()
        await self._server.stop()
        for task in self._closing:
            task.cancel()
        async with asyncio.timeout(2):
            await _close(self._open)

    async def _reload(self) -> None:
        try:
            settings = await asyncio.to_thread(load, self._file)
        except SettingsError as error:
            raise ControlError(str(error)) from None
        old = self._open
        self._take(settings)
        task = asyncio.create_task(_close_later(old))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _take(self, settings: Settings) -> None:
        self._open = []
        databases: dict[str, Asker | AsyncEngine] = {name: self._database(settings, name) for name in settings.connections}
        asked: dict[str, tuple[Source, Asker]] = {}
        for name, source in sources(settings).items():
            if isinstance(source, HttpSource):
                asked[name] = source, self._http(settings, source)
            else:
                database = databases[source.connection]
                asked[name] = source, SqlAsker(source, database) if isinstance(database, AsyncEngine) else database
        self._dips.configure(asked)
        log.info("dips_configured", sources=sorted(asked))

    def _http(self, settings: Settings, source: HttpSource) -> Asker:
        section = settings.dips[source.name]
        try:
            secrets = {name: secret(settings, where) for name, where in section.secrets.items()}
            asker = HttpAsker(source, secrets, settings.beside_the_file(section.ca_file) if section.ca_file else None)
        except (SecretError, OSError) as error:
            return _unaskable(f"dip.{source.name}", str(error))
        self._open.append(asker)
        return asker

    def _database(self, settings: Settings, name: str) -> Asker | AsyncEngine:
        try:
            engine = dip_connection(secret(settings, settings.connections[name].url), name, LONGEST_BUDGET.total_seconds())
        except (SecretError, ValueError) as error:
            return _unaskable(f"connection.{name}", str(error))
        self._open.append(engine)
        return engine


def _unaskable(key: str, why: str) -> Asker:
    log.error("dip_unaskable", key=key, why=why, advice="put it right and run: callcenter reload")
    return Unaskable(f"{key}: {why}")


async def _close_later(opened: list[HttpAsker | AsyncEngine]) -> None:
    await asyncio.sleep(OLD_ENDS_AFTER)
    await _close(opened)


async def _close(opened: list[HttpAsker | AsyncEngine]) -> None:
    for each in opened:
        await (each.close() if isinstance(each, HttpAsker) else each.dispose())


def main(config_file: Path) -> None:
    """Run until told to stop."""
    logs.configure("dips")
    try:
        settings = load(config_file)

        async def serve() -> None:
            await DipsProcess(settings, config_file).run()

        asyncio.run(serve())
    except (SettingsError, ControlError) as error:
        raise SystemExit(f"callcenter: {error}") from None
