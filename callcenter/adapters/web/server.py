"""The web process's pages: /healthz, /readyz, /metrics, and the live page with its events."""

import asyncio
import contextlib
import hmac
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from callcenter.adapters.web.access import PUBLIC, Routes, signed, signed_if_any, while_signed_in
from callcenter.adapters.web.live import TABLES, TOTALS, page, within
from callcenter.adapters.web.metrics import CONTENT_TYPE, exposition
from callcenter.adapters.web.readiness import Readiness
from callcenter.adapters.web.requests import Requests
from callcenter.adapters.web.shell import Shell
from callcenter.domain.rights import EVERYTHING, Right, Scope, may
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import JsonObject
from callcenter.services.live_feed import LiveFeed

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
WATCHERS = 100
KPI_EVERY = 5.0
SEND_AT_LEAST_EVERY = 15.0
SEND_SECONDS = 10.0
DATABASE_SECONDS = 3.0
STATIC = {"live.js": "text/javascript", "live.css": "text/css"}

KpiRows = Sequence[Mapping[str, object]]


async def _no_dips() -> Sequence[Mapping[str, object]]:
    return ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the pages' figures come from."""

    feed: LiveFeed
    kpi_today: Callable[[], Awaitable[KpiRows]]
    """One row per queue, in the words of the glossary; raises when the database is away."""
    database: Callable[[], Awaitable[None]]
    """Raises when the database is away."""
    shipped: Callable[[], int | None]
    """The number of the last journal record in the database; None: nobody knows."""
    data: Path
    dips: Callable[[], Awaitable[Sequence[Mapping[str, object]]]] = _no_dips
    """The measures of the dips process; raises OSError or TimeoutError when it is away."""
    webhooks: Callable[[], Awaitable[Mapping[MessageState, int]]] | None = None
    """Messages to other systems that wait, and dead ones; raises when the database is away."""
    metrics_token: str = ""
    """Who has it may take the metrics, and nothing else; empty: people with the right only."""


class Pages:
    """All pages of one center."""

    def __init__(self, sources: Sources, shell: Shell, center: str, time_zone: str, requests: Requests | None = None) -> None:
        self._sources = sources
        self._requests = requests or Requests()
        self._names = {"center": center, "time_zone": time_zone}
        self._kpi: tuple[float, KpiRows | None] | None = None
        self._watchers = 0
        self._live = shell.templates.get_template("live.html")
        self._static = {name: (HERE / "static" / name).read_bytes() for name in STATIC}

    def register(self, routes: Routes) -> None:
        for path, handler in {"/healthz": self.healthz, "/readyz": self.readyz, "/metrics": self.metrics}.items():
            routes.add("GET", path, handler, needs=PUBLIC)
        routes.add("GET", "/live", self.live, needs=Right.SEE_WALLBOARD, menu="shell.live")
        routes.add("GET", "/live/events", self.events, needs=Right.SEE_WALLBOARD)
        for name in STATIC:
            routes.add("GET", f"/live/{name}", self.static, needs=PUBLIC)

    async def feeding(self, _app: web.Application) -> AsyncIterator[None]:
        feeding = asyncio.create_task(self._sources.feed.run())
        yield
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)

    # --- for machines ---------------------------------------------------------------------------

    async def healthz(self, _request: web.Request) -> web.Response:
        """This process lives; nothing else is asked."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """The whole center is able to do its work: 200, else 503; what is missing is in the body."""
        _, readiness = await self._look()
        return web.json_response(readiness.as_json(), status=200 if readiness.ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """For who has the token for it, or may see the wallboard."""
        if not self._may_measure(request):
            challenge = {"WWW-Authenticate": "Bearer"}
            return web.Response(status=401, text="Send the token for metrics (docs/operations.md).\n", headers=challenge)
        (picture, readiness), dips, webhooks = await asyncio.gather(self._look(), self._dips(), self._webhooks())
        body = exposition(picture, readiness, dips, webhooks, self._requests.families())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    def _may_measure(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        wanted = self._sources.metrics_token
        if wanted and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(errors="replace"), wanted.encode()):
            return True
        who = signed_if_any(request)
        return who is not None and may(who, Right.SEE_WALLBOARD) and who.scope == EVERYTHING

    async def _webhooks(self) -> Mapping[MessageState, int] | None:
        if self._sources.webhooks is None:
            return None
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                return await self._sources.webhooks()
        except Exception as error:  # whatever is wrong with it: the other metrics are worth having
            log.warning("webhook_counts_missing", error=type(error).__name__)
            return None

    async def _dips(self) -> Sequence[Mapping[str, object]] | None:
        try:
            return await self._sources.dips()
        except (OSError, TimeoutError):
            return None

    async def _look(self) -> tuple[JsonObject | None, Readiness]:
        picture, database = await asyncio.gather(self._sources.feed.ask(), self._database())
        free = await asyncio.to_thread(_free, self._sources.data)
        shipped = await asyncio.to_thread(self._sources.shipped)
        seq = picture.get("seq") if picture else None
        lag = max(0, seq - shipped) if isinstance(seq, int) and shipped is not None else None
        return picture, Readiness(picture is not None, database, free, _nodes(picture), _trouble(picture), lag)

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._sources.database()
        except Exception as error:  # whatever is wrong with it: it cannot be used
            log.warning("database_away", error=type(error).__name__)
            return False
        return True

    async def health(self) -> Mapping[str, object]:
        """What /readyz says."""
        return (await self._look())[1].as_json()

    # --- for people -----------------------------------------------------------------------------

    async def live(self, request: web.Request) -> web.Response:
        picture = self._sources.feed.picture or await self._sources.feed.ask()
        seen = within(picture, await self._kpi_now(), signed(request).scope)
        shown = self._live.render(page=page(*seen), tables=TABLES, totals=TOTALS, **self._names)
        return web.Response(text=shown, content_type="text/html")

    async def static(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/live/")
        return web.Response(body=self._static[name], content_type=STATIC[name], charset="utf-8")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole page's figures at once, whenever they have changed; until she is signed out."""
        if self._watchers >= WATCHERS:
            return web.Response(status=503, text="Too many live pages are open.\n", headers={"Retry-After": "30"})
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await stream.prepare(request)
        self._watchers += 1
        try:
            with self._sources.feed.watching(), while_signed_in(request) as ended, contextlib.suppress(OSError, TimeoutError):
                await self._stream(stream, signed(request).scope, ended)
        finally:
            self._watchers -= 1
        return stream

    async def _stream(self, stream: web.StreamResponse, scope: Scope, ended: asyncio.Event) -> None:
        """Until the browser leaves, or she is signed out. Who is slow gets fewer pictures, never older ones."""
        feed = self._sources.feed
        version = 0
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SEND_AT_LEAST_EVERY):
                    version = await feed.newer(version)
            text = json.dumps(page(*within(feed.picture, await self._kpi_now(), scope)))
            async with asyncio.timeout(SEND_SECONDS):
                await stream.write(f"event: page\ndata: {text}\n\n".encode())

    async def _kpi_now(self) -> KpiRows | None:
        """Today's figures, at most some seconds old; asked once for all who watch."""
        now = asyncio.get_running_loop().time()
        if self._kpi is None or now - self._kpi[0] > KPI_EVERY:
            self._kpi = now, self._kpi[1] if self._kpi else None  # who comes meanwhile takes the former ones
            try:
                async with asyncio.timeout(DATABASE_SECONDS):
                    self._kpi = now, await self._sources.kpi_today()
            except Exception as error:
                log.warning("kpi_missing", error=type(error).__name__)
                self._kpi = now, None
        return self._kpi[1]


def _trouble(picture: JsonObject | None) -> str:
    """Of the journal, as the engine tells it."""
    journal = picture.get("journal") if picture else None
    return str(journal.get("trouble") or "") if isinstance(journal, dict) else ""


def _nodes(picture: JsonObject | None) -> dict[str, bool]:
    nodes = picture.get("nodes") if picture else None
    return {str(node["name"]): bool(node.get("connected")) for node in nodes if isinstance(node, dict)} if isinstance(nodes, list) else {}


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
