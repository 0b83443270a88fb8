"""The process ``web``: health, metrics, sign-in and pages. Stateless; callers and talking agents never notice it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from aiohttp.log import server_logger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.alerts import PostgresAlerts
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.adapters.db.reports import sums_by_queue
from callcenter.adapters.db.trends import PostgresTrends
from callcenter.adapters.db.webhooks import PostgresWebhooks
from callcenter.adapters.web.config.flow_pages import FlowPages
from callcenter.adapters.web.config.pages import ConfigPages
from callcenter.adapters.web.config.prompt_pages import PromptPages
from callcenter.adapters.web.door import NoHttp
from callcenter.adapters.web.health import Health, Sources
from callcenter.adapters.web.phone_files import PhoneFiles
from callcenter.adapters.web.site import Site
from callcenter.apps.api import api_of
from callcenter.apps.books import status_file
from callcenter.apps.config_pages import CenterPrompts, PublishedFlows
from callcenter.apps.configuring import Configuring
from callcenter.apps.document_forms import forms
from callcenter.apps.reports import DEFAULT_TARGET, QueueKpi, queue_json, window
from callcenter.apps.stopping import told_to_stop
from callcenter.apps.web_agent import AgentConsoles
from callcenter.apps.web_live import Live
from callcenter.apps.web_people import People
from callcenter.domain.kpi import Sums
from callcenter.runtime import logs, ports
from callcenter.runtime.data_folder import data_folder, database_url
from callcenter.runtime.phone_files import PATH as PHONE_FILES
from callcenter.runtime.phone_files import text_for
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, load
from callcenter.runtime.settings_dips import dip_defaults
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused, ask
from callcenter.services.dips.client import DipsClient

log = structlog.get_logger(__name__)

ENGINE_SECONDS = 2.0


class Database:
    """What the pages ask of PostgreSQL. Every wait has a limit; a database that is away only leaves figures out."""

    def __init__(self, settings: Settings) -> None:
        self._targets: Mapping[str, timedelta] = {queue.name: queue.target_wait for queue in settings.queues}
        self._zone = ZoneInfo(settings.center.time_zone)
        self._engine: AsyncEngine = connect(lambda: _url(settings), name="web")
        self.people: AsyncEngine = connect(lambda: _url(settings), name="people", pool_size=4)
        """Apart, so that no report keeps people from signing in."""
        self.api: AsyncEngine = connect(lambda: _url(settings), name="api", statement_timeout=10.0, pool_size=4)

    async def answers(self) -> None:
        """Raises when it does not."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def kpi_today(self) -> Sequence[Mapping[str, object]]:
        """The measures of each queue since midnight in the center's zone."""
        from_at, to_at = window(None, None, self._zone, datetime.now(UTC))
        async with self._engine.connect() as connection:
            counted = {
                target: await sums_by_queue(connection, from_at, to_at, target) for target in {*self._targets.values(), DEFAULT_TARGET}
            }
        names = sorted({*self._targets, *counted[DEFAULT_TARGET]})
        targets = {name: self._targets.get(name, DEFAULT_TARGET) for name in names}
        return [
            queue_json(QueueKpi(name, counted[target].get(name, Sums()), target, None, to_at - from_at)) for name, target in targets.items()
        ]

    def documents(self) -> PostgresDocuments:
        return PostgresDocuments(self._engine)

    def alerts(self) -> PostgresAlerts:
        return PostgresAlerts(self._engine)

    def trends(self) -> PostgresTrends:
        return PostgresTrends(self._engine, self._zone.key, self._targets, DEFAULT_TARGET)

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    async def close(self) -> None:
        await self._engine.dispose()
        await self.people.dispose()
        await self.api.dispose()


def _url(settings: Settings) -> str:
    """An embedded server that does not run is a database out of reach, like any other."""
    try:
        return database_url(settings)
    except PostgresError as error:
        raise ConnectionError(str(error)) from None


def shipped(status: Path) -> int | None:
    """How far the books are, as they last wrote it down."""
    try:
        seq = json.loads(status.read_text()).get("shipped_seq")
    except (OSError, ValueError, AttributeError):
        return None
    return seq if isinstance(seq, int) else None


async def picture(socket: Path, token: str) -> JsonObject | None:
    """What goes on right now; None: the engine is away."""
    try:
        return await ask(socket, token, "state", ENGINE_SECONDS)
    except (EngineAway, RequestRefused):
        return None


def add_configuration(site: Site, settings: Settings, database: Database) -> None:
    """The pages of the documents, of flows and of prompts."""
    site.add(ConfigPages(site.shell, Configuring(settings.file, database.documents()), forms()))
    site.add(FlowPages(site.shell, PublishedFlows(settings.file)))
    site.add(PromptPages(site.shell, CenterPrompts(settings.file)))


def put_together(settings: Settings, config_file: Path, database: Database, ending: AsyncExitStack) -> Site:
    """All that this process serves; nothing runs yet. ``ending`` closes what was opened for it."""
    secrets = load_secrets(settings.data)
    status = status_file(settings)
    dips = DipsClient(data_folder(settings).dips_socket, secrets.control_token)
    ending.push_async_callback(dips.close)
    webhooks = PostgresWebhooks(database.api)
    sources = Sources(
        lambda: picture(data_folder(settings).control_socket, secrets.control_token),
        database.answers,
        lambda: shipped(status),
        settings.data,
        dips.measures,
        webhooks.counts,
        secrets.metrics_token,
    )
    people = People(settings, database.people)
    site = people.site
    health = Health(sources, site.requests)
    site.add(health)
    live = Live(
        settings,
        config_file,
        site,
        database.kpi_today,
        database.trends(),
        database.alerts(),
        webhooks.counts,
        lambda: asyncio.to_thread(shipped, status),
    )
    site.add(live, live.running)
    consoles = AgentConsoles(live, site, database.engine)
    site.add(consoles, consoles.running)
    people.follow(lambda: live.replica.state.config if live.replica.state else None)
    site.add(people, people.running)
    add_configuration(site, settings, database)
    asking = DipsClient(data_folder(settings).dips_socket, secrets.control_token, dip_defaults(settings))
    ending.push_async_callback(asking.close)
    site.add(PhoneFiles(PHONE_FILES, phone_files(live), people.trail.note))
    api, api_running = api_of(
        config_file,
        settings,
        secrets,
        database.api,
        asking,
        live.replica,
        health.health,
        lambda by, deed: people.trail.note(deed, by),
    )
    site.add(api, api_running)
    return site


def phone_files(live: Live) -> Callable[[str, str], Awaitable[tuple[str, str] | None]]:
    """By secret and name: the agent and the text, with the settings of that moment."""

    def find(secret: str, name: str) -> tuple[str, str] | None:
        found = text_for(live.settings, secret, name)
        return (found[0].agent, found[1]) if found is not None else None

    return lambda secret, name: asyncio.to_thread(find, secret, name)


async def serve(settings: Settings, config_file: Path, stop: asyncio.Event) -> None:
    """Serve pages and API until ``stop`` is set. Raises OSError when the port cannot be had."""
    async with AsyncExitStack() as ending:
        database = Database(settings)
        ending.push_async_callback(database.close)
        site = put_together(settings, config_file, database, ending)
        # No access log: an address may hold a caller's number.
        server_logger.addFilter(NoHttp())
        runner = web.AppRunner(
            site.application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=1.0,
            keepalive_timeout=30.0,  # also for who never ends the first lines of a request
            auto_decompress=False,  # what is packed is refused at the door
        )
        ending.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, settings.web.host, settings.web.port).start()
        log.info("web_up", host=settings.web.host, port=settings.web.port)
        await stop.wait()


def main(config_file: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises SystemExit with a sentence."""
    logs.configure("web")
    settings = load(config_file)

    async def run() -> None:
        await serve(settings, config_file, told_to_stop())

    try:
        asyncio.run(run())
    except OSError as error:
        wanted = next((port for port in ports.all_of(settings) if port.owner == "web"), None)
        raise SystemExit(f"callcenter: {wanted.sentence if wanted and not wanted.is_free() else error}") from None
    except ValueError as error:
        raise SystemExit(f"callcenter: {error}") from None
