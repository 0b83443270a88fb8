"""What is live in the web process: the replica of the center's state, and all that follows it: consoles, wallboards, alerts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from aiohttp import web

from callcenter.adapters.web import console_socket
from callcenter.adapters.web.access import Routes
from callcenter.adapters.web.site import Site
from callcenter.adapters.web.supervisor_pages import SupervisorPages
from callcenter.adapters.web.wallboard_pages import WallboardPages
from callcenter.apps.engine import journal_folder
from callcenter.domain.config import CenterConfig
from callcenter.domain.hours import Calendar
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, load
from callcenter.services.boards import Boards
from callcenter.services.clock import SteadyClock
from callcenter.services.console_commands import Commands
from callcenter.services.consoles import Consoles
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import ask
from callcenter.services.hours_keeper import HoursKeeper
from callcenter.services.replica import Replica
from callcenter.services.today import TodaysFigures
from callcenter.services.trends import TrendSource

ANSWER_WITHIN = 5.0


class Live:
    """Everything live, put together. A ``Part`` of the site."""

    def __init__(
        self,
        settings: Settings,
        config_file: Path,
        site: Site,
        kpi_today: Callable[[], Awaitable[Sequence[Mapping[str, object]]]],
        trends: TrendSource,
    ) -> None:
        self._settings, self._file = settings, config_file
        self._socket = data_folder(settings).control_socket
        self._token = load_secrets(settings.data).control_token
        self.replica = Replica(self._socket, self._token, journal_folder(settings), self._config)
        self.consoles = Consoles(self.replica, self.ask)
        self.commands = Commands(self.replica, self.ask)
        self.boards = Boards(self.replica, TodaysFigures(kpi_today).now)
        self._supervisor = SupervisorPages(site.shell, lambda: self.replica.state, trends)
        self._wallboard = WallboardPages(site.shell, self.boards, settings.center.time_zone)

    @property
    def settings(self) -> Settings:
        """As they were read last."""
        return self._settings

    def register(self, routes: Routes) -> None:
        console_socket.add_routes(routes, self.consoles, self.commands)
        self._wallboard.register(routes)
        self._supervisor.register(routes)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        hours = HoursKeeper(self._opening_hours, self.replica.renew_hours, SteadyClock())
        work = [self.replica.run(), self.consoles.run(), self.boards.run(), hours.run()]
        tasks = [asyncio.create_task(part) for part in work]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        """An operation of the engine's. Raises EngineAway, RequestRefused."""
        return await ask(self._socket, self._token, do, ANSWER_WITHIN, **fields)

    def _config(self) -> CenterConfig:
        """The configuration in use, as the engine reads it. Blocks."""
        self._settings = settings = load(self._file)
        return settings.center_config(load_secrets(settings.data, [agent.name for agent in settings.agents]).endpoints)

    async def _opening_hours(self, today: date) -> Mapping[str, Calendar]:
        return await asyncio.to_thread(self._settings.opening_hours, today)
