"""The web process's pages: /healthz, /readyz, /metrics, and the live page with its events."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callcenter.adapters.web.door import Door, add_headers, contain
from callcenter.adapters.web.live import TABLES, TOTALS, page
from callcenter.adapters.web.metrics import CONTENT_TYPE, exposition
from callcenter.adapters.web.readiness import Readiness
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


class Pages:
    """All pages of one center."""

    def __init__(self, sources: Sources, token: str, center: str, time_zone: str) -> None:
        self._sources = sources
        self._door = Door(token)
        self._names = {"center": center, "time_zone": time_zone}
        self._kpi: tuple[float, KpiRows | None] | None = None
        self._watchers = 0
        templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
        self._live = templates.get_template("live.html")
        self._static = {name: (HERE / "static" / name).read_bytes() for name in STATIC}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[contain], client_max_size=64 * 1024)
        app.on_response_prepare.append(add_headers)
        app.cleanup_ctx.append(self._feeding)
        app.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
                web.get("/metrics", self.metrics),
                web.get("/live", self.live),
                web.get("/live/events", self.events),
                web.get("/live/{name:live\\.(?:js|css)}", self.static),
            ]
        )
        return app

    async def _feeding(self, _app: web.Application) -> AsyncIterator[None]:
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

    async def metrics(self, _request: web.Request) -> web.Response:
        (picture, readiness), dips = await asyncio.gather(self._look(), self._dips())
        return web.Response(body=exposition(picture, readiness, dips), headers={"Content-Type": CONTENT_TYPE})

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

    # --- for people -----------------------------------------------------------------------------

    async def live(self, request: web.Request) -> web.Response:
        if "token" in request.query:
            if not self._door.knows_token(request):
                return _refused()
            response = web.Response(status=303, headers={"Location": "/live"})
            self._door.let_in(response, request.secure)
            return response
        if not self._door.is_open(request):
            return _refused()
        picture = self._sources.feed.picture or await self._sources.feed.ask()
        shown = self._live.render(page=page(picture, await self._kpi_now()), tables=TABLES, totals=TOTALS, **self._names)
        return web.Response(text=shown, content_type="text/html")

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(body=self._static[name], content_type=STATIC[name], charset="utf-8")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole page's figures at once, whenever they have changed."""
        if not self._door.is_open(request):
            return _refused()
        if self._watchers >= WATCHERS:
            return web.Response(status=503, text="Too many live pages are open.\n", headers={"Retry-After": "30"})
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await stream.prepare(request)
        self._watchers += 1
        try:
            with self._sources.feed.watching(), contextlib.suppress(OSError, TimeoutError):
                await self._stream(stream)
        finally:
            self._watchers -= 1
        return stream

    async def _stream(self, stream: web.StreamResponse) -> None:
        """Until the browser leaves. Who is slow gets fewer pictures, never older ones."""
        feed = self._sources.feed
        version = 0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SEND_AT_LEAST_EVERY):
                    version = await feed.newer(version)
            text = json.dumps(page(feed.picture, await self._kpi_now()))
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


def _refused() -> web.Response:
    return web.Response(status=403, text="Open this page by the address with the token: callcenter serve prints it.\n")


def _nodes(picture: JsonObject | None) -> dict[str, bool]:
    nodes = picture.get("nodes") if picture else None
    return {str(node["name"]): bool(node.get("connected")) for node in nodes if isinstance(node, dict)} if isinstance(nodes, list) else {}


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
