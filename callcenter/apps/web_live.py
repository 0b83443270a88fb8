"""What is live in the web process: the replica of the center's state, and all that follows it: consoles, wallboards, alerts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from callcenter.adapters.mail.alert_mail import SmtpAlertMailer
from callcenter.adapters.mail.smtp import MailServer, SmtpMailer
from callcenter.adapters.web import console_socket
from callcenter.adapters.web.access import Routes
from callcenter.adapters.web.alert_pages import AlertPages, KeptAlerts
from callcenter.adapters.web.site import Site
from callcenter.adapters.web.supervisor_pages import SupervisorPages
from callcenter.adapters.web.wallboard_pages import WallboardPages
from callcenter.apps.engine import journal_folder
from callcenter.domain import permitted
from callcenter.domain.audit import By
from callcenter.domain.config import CenterConfig
from callcenter.domain.hours import Calendar
from callcenter.domain.rights import Signed
from callcenter.domain.webhooks import MessageState
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, load
from callcenter.runtime.settings_voicemail import mail_password
from callcenter.services.alert_keeper import AlertKeeper
from callcenter.services.boards import Boards
from callcenter.services.clock import SteadyClock
from callcenter.services.console_commands import Commands
from callcenter.services.consoles import Consoles
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import ask
from callcenter.services.hours_keeper import HoursKeeper
from callcenter.services.people.store import PeopleAway
from callcenter.services.replica import Replica
from callcenter.services.today import TodaysFigures
from callcenter.services.trends import TrendSource
from callcenter.services.vitals import Watchkeeper
from callcenter.services.voicemail_mail import NotTaken

log = structlog.get_logger(__name__)

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
        alerts: KeptAlerts,
        webhooks: Callable[[], Awaitable[Mapping[MessageState, int]]],
        shipped: Callable[[], Awaitable[int | None]],
    ) -> None:
        self._settings, self._file = settings, config_file
        self._socket = data_folder(settings).control_socket
        self._token = load_secrets(settings.data).control_token
        self.replica = Replica(self._socket, self._token, journal_folder(settings), self._config)
        self.consoles = Consoles(self.replica, self.ask)
        self._people, self._note = site.signing.store, site.note
        self.commands = Commands(self.replica, self.ask, self._audit)
        mailer = alert_mailer(settings)
        self._watchkeeper = Watchkeeper(lambda: self.ask("trunks"), webhooks, shipped)
        watchkeeper = self._watchkeeper
        self.alerts = AlertKeeper(self.replica, alerts, self.consoles, mailer, vitals=watchkeeper.vitals, trunks=watchkeeper.trunks)
        zone = settings.center.time_zone
        self._alert_pages = AlertPages(
            site.shell, alerts, self.alerts, self._people, lambda: self.replica.state, zone, mails=mailer is not None
        )
        self.boards = Boards(self.replica, TodaysFigures(kpi_today).now)
        self._supervisor = SupervisorPages(site.shell, lambda: self.replica.state, trends)
        self._wallboard = WallboardPages(site.shell, self.boards, zone)

    @property
    def settings(self) -> Settings:
        """As they were read last."""
        return self._settings

    def register(self, routes: Routes) -> None:
        console_socket.add_routes(routes, self.consoles, self.commands)
        self._wallboard.register(routes)
        self._supervisor.register(routes)
        self._alert_pages.register(routes)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        hours = HoursKeeper(self._opening_hours, self.replica.renew_hours, SteadyClock())
        work = [self.replica.run(), self.consoles.run(), self.boards.run(), hours.run(), self.alerts.run(), self._watchkeeper.run()]
        tasks = [asyncio.create_task(part) for part in work]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        """An operation of the engine's. Raises EngineAway, RequestRefused."""
        return await ask(self._socket, self._token, do, ANSWER_WITHIN, **fields)

    async def _audit(self, signed: Signed, do: str, fields: JsonObject, refused: str) -> None:
        """What a supervisor did, and what came of it; a database that is away keeps nobody from working, and the facts name her, too."""
        deed = permitted.deed(do, fields, refused)
        if deed is None:
            return
        try:
            await self._note(deed, By(signed.person, signed.via))
        except PeopleAway as error:
            log.warning("not_audited", person=signed.person, do=do, why=str(error))

    def _config(self) -> CenterConfig:
        """The configuration in use, as the engine reads it. Blocks."""
        self._settings = settings = load(self._file)
        return settings.center_config(load_secrets(settings.data, [agent.name for agent in settings.agents]).endpoints)

    async def _opening_hours(self, today: date) -> Mapping[str, Calendar]:
        return await asyncio.to_thread(self._settings.opening_hours, today)


def alert_mailer(settings: Settings) -> SmtpAlertMailer | None:
    """Through the server of the settings; None: there is none."""
    mail = settings.mail
    if mail is None:
        return None
    server = MailServer(mail.host, mail.port, mail.security, mail.sender, mail.user or "", mail.timeout.total_seconds())
    zone = ZoneInfo(settings.center.time_zone)

    def password() -> str | None:
        try:
            return mail_password(settings)
        except (OSError, UnicodeDecodeError):
            raise NotTaken("the password file cannot be read", forever=False) from None

    return SmtpAlertMailer(SmtpMailer(server, password, settings.data, settings.center.name, zone), server, settings.center.name, zone)
