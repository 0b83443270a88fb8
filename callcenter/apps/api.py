"""The API put together: what it asks of the engine, of PostgreSQL, of files, and of the code of the command line."""

import asyncio
import contextlib
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.archive import PostgresArchive
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.adapters.db.idempotency import PostgresKeys
from callcenter.adapters.db.reports import sums_by_slice
from callcenter.adapters.db.webhooks import PostgresWebhooks
from callcenter.adapters.web.api.all import ENDPOINTS, TAGS
from callcenter.adapters.web.api.dispatch import Api
from callcenter.adapters.web.api.ports import Configured, Ports, ReportsAway
from callcenter.apps.api_flows import FlowDesk
from callcenter.apps.books import changing, recording_folders
from callcenter.apps.configuring import Configuring
from callcenter.apps.reports import DEFAULT_TARGET, QueueKpi, ReportError, kpi_report, queue_json, report_json, window
from callcenter.domain.audit import By, Deed
from callcenter.domain.skills import parse, skills_of
from callcenter.domain.state import State
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.number_forms import forms
from callcenter.runtime.secrets import Secrets
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_dips import sources
from callcenter.services.contact_lookup import LookedUp, Lookup, known_of, look_up
from callcenter.services.dips.client import DipsClient
from callcenter.services.engine_asker import EngineAsker
from callcenter.services.ledger import StoreAway, StoreRefused
from callcenter.services.live_reads import LiveReads
from callcenter.services.replica import Replica
from callcenter.services.voicemail_audio import kept_file

EXPLAIN_SECONDS = 25.0
AT_ONCE_EXPLAINED = 2
KEYS_TIDIED_EVERY = 3600.0
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the configuration has changed."""


def api_of(
    file: Path,
    settings: Settings,
    secrets: Secrets,
    database: AsyncEngine,
    dips: DipsClient,
    replica: Replica,
    health: Callable[[], Awaitable[Mapping[str, object]]],
    audit: Callable[[By, Deed], Awaitable[object]],
) -> tuple[Api, Callable[[web.Application], AsyncIterator[None]]]:
    """All endpoints, and what has to run beside them."""
    now = Current(file, settings)
    keys = PostgresKeys(database)
    seed = secrets.webhook_key.encode()
    live = LiveReads(replica)
    ports = Ports(
        engine=EngineAsker(data_folder(settings).control_socket, secrets.control_token, live.told),
        live=live,
        archive=PostgresArchive(database),
        keys=keys,
        webhooks=PostgresWebhooks(database),
        flows=FlowDesk(file),
        configuration=Configuring(file, PostgresDocuments(database)),
        reports=KpiReports(database, now),
        configured=_Known(now),
        now=lambda: datetime.now(UTC),
        recordings=lambda node, name: _recording(now(), node, name),
        messages=lambda message: _message(now(), message),
        explain_past=Explainer(file),
        number_forms=lambda number: forms(number, now().center.country),
        lookup=Lookups(now, dips, lambda: replica.state),
        health=health,
        audit=audit,
        cursor_key=hashlib.sha256(b"cursors of lists" + seed).digest(),
        webhook_key=seed,
    )
    rate = settings.web.api_requests_per_second
    api = Api(ENDPOINTS, ports, TAGS, rate=rate, burst=4 * rate)

    async def running(_app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(now.follow()), asyncio.create_task(_tidy(keys))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ports.engine.close()

    return api, running


class Current:
    """The settings in use. They are read again in a thread when they have changed: no request waits for that."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self._read, self._settings = changing(file, settings), settings

    def __call__(self) -> Settings:
        return self._settings

    async def follow(self) -> None:
        while True:
            self._settings = await asyncio.to_thread(self._read)
            await asyncio.sleep(LOOK_EVERY)


async def _tidy(keys: PostgresKeys) -> None:
    """Forget keys of requests that are kept no longer."""
    while True:
        with contextlib.suppress(StoreAway, StoreRefused):
            await keys.tidy()
        await asyncio.sleep(KEYS_TIDIED_EVERY)


class _Known:
    """What the configuration names; made anew when that has changed."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._of: Settings | None = None
        self._made: Configured | None = None

    def __call__(self) -> Configured:
        settings = self._settings()
        if self._made is None or settings is not self._of:
            self._of, self._made = settings, configured(settings)
        return self._made


def configured(settings: Settings) -> Configured:
    """As requests are judged by it."""
    queues: dict[str, Mapping[str, object]] = {
        queue.name: {
            "strategy": str(queue.strategy),
            "target_ratio": queue.target_ratio,
            "target_wait_s": queue.target_wait.total_seconds(),
            "hours": queue.hours,
        }
        for queue in settings.queues
    }
    teams = settings.team_of
    agents: dict[str, Mapping[str, object]] = {
        agent.name: {
            "queues": list(dict.fromkeys((*agent.queues, *agent.memberships))),
            "skills": dict(agent.skills),
            "team": teams.get(agent.name, ""),
        }
        for agent in settings.agents
    }
    lists = {each.name: [{"number": entry.number, "reason": entry.reason} for entry in each.entries] for each in settings.caller_lists}
    return Configured(queues, agents, lists, _skills(settings), list(settings.calendars), settings.webhooks.allow_private)


def _skills(settings: Settings) -> list[Mapping[str, object]]:
    """Each with who has it, and which queues speak of it."""
    needed = {queue.name: {name for rule in (queue.require, queue.prefer) for name in skills_of(parse(rule))} for queue in settings.queues}
    names = {*settings.routing.skills, *(name for agent in settings.agents for name in agent.skills), *set().union(*needed.values())}
    return [
        {
            "name": name,
            "agents": {agent.name: agent.skills[name] for agent in settings.agents if name in agent.skills},
            "required_by": sorted(queue for queue, skills in needed.items() if name in skills),
        }
        for name in sorted(names)
    ]


class Lookups:
    """What other systems know of callers: by the dips process."""

    def __init__(self, settings: Callable[[], Settings], dips: DipsClient, state: Callable[[], State | None]) -> None:
        self._settings, self._dips, self._state = settings, dips, state

    async def __call__(self, contact: str, known: Mapping[str, str] | None) -> LookedUp | None:
        settings = self._settings()
        values = known_of(self._state(), contact) or known
        if values is None:
            raise LookupError(contact)
        name = next((queue.lookup for queue in settings.queues if queue.name == values["queue"]), None)
        source = sources(settings).get(name) if name is not None else None
        if source is None:
            return None
        return await look_up(Lookup(source.name, source.names(), source.rules.budget), values, self._dips.ask)


# --- reports ------------------------------------------------------------------------------------------


class KpiReports:
    """Implements ``adapters.web.api.ports.Reports``."""

    def __init__(self, database: AsyncEngine, settings: Callable[[], Settings]) -> None:
        self._database, self._settings = database, settings

    async def kpi(self, from_at: datetime | None, to_at: datetime | None, queue: str | None) -> Mapping[str, object]:
        settings = self._settings()
        zone, targets = ZoneInfo(settings.center.time_zone), _targets(settings)
        begin, end = _window(from_at, to_at, zone)
        try:
            return report_json(await kpi_report(self._database, begin, end, queue, zone=zone, targets=targets))
        except ReportError as error:
            raise ReportsAway(str(error)) from None

    async def by_interval(self, from_at: datetime | None, to_at: datetime | None, queue: str | None, interval: str) -> Mapping[str, object]:
        settings = self._settings()
        zone, targets = ZoneInfo(settings.center.time_zone), _targets(settings)
        begin, end = _window(from_at, to_at, zone)
        items: list[Mapping[str, object]] = []
        try:
            async with self._database.connect() as connection:
                for target in {*targets.values(), DEFAULT_TARGET}:
                    found = await sums_by_slice(connection, begin, end, interval, zone.key, target, queue)
                    items += [
                        {**queue_json(QueueKpi(name, sums, target, None, timedelta(0))), "slice_at": at}
                        for name, at, sums in found
                        if targets.get(name, DEFAULT_TARGET) == target
                    ]
        except (SQLAlchemyError, OSError) as error:
            raise ReportsAway(f"the database does not give the report: {type(error).__name__}") from None
        items.sort(key=lambda item: (str(item["slice_at"]), str(item["queue"])))
        return {"from_at": begin, "to_at": end, "time_zone": zone.key, "items": items}


def _targets(settings: Settings) -> Mapping[str, timedelta]:
    return {queue.name: queue.target_wait for queue in settings.queues}


def _window(from_at: datetime | None, to_at: datetime | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Raises ReportsAway for one that is empty, such as one that begins in the future."""
    now = datetime.now(UTC)
    begin = from_at or window(None, None, zone, now)[0]
    end = to_at or now
    if begin >= end:
        begin, end = end - timedelta(microseconds=1), end
    return begin, end


# --- files and commands -------------------------------------------------------------------------------


def _recording(settings: Settings, node: str, name: str) -> Path | None:
    folder = recording_folders(settings).get(node)
    if folder is None or not name or Path(name).name != name:
        return None
    file = folder / name
    return file if file.is_file() else None


def _message(settings: Settings, message: str) -> Path | None:
    try:
        file = kept_file(settings.data / "voicemail", message)
    except ValueError:
        return None
    return file if file.is_file() else None


class Explainer:
    """``callcenter explain`` in a process of its own: it reads a day of facts, and no console shall wait for that."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._room = asyncio.Semaphore(AT_ONCE_EXPLAINED)

    async def __call__(self, contact: str) -> Mapping[str, object]:
        """Raises LookupError with a sentence, TimeoutError."""
        command = (sys.executable, "-m", "callcenter.apps.cli", "explain", "--json", "--config", str(self._file), "--", contact)
        async with self._room, asyncio.timeout(EXPLAIN_SECONDS):
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            try:
                said, complained = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
        if process.returncode:
            raise LookupError(complained.decode(errors="replace").strip().removeprefix("callcenter: ")[:500] or "it cannot be explained")
        told: Mapping[str, object] = json.loads(said)
        return told
