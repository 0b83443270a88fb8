"""What machines ask the web process: /healthz, /readyz, /metrics."""

import asyncio
import hmac
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from callcenter.adapters.web.access import PUBLIC, Routes, signed_if_any
from callcenter.adapters.web.metrics import CONTENT_TYPE, exposition
from callcenter.adapters.web.readiness import Readiness
from callcenter.adapters.web.requests import Requests
from callcenter.domain.rights import EVERYTHING, Right, may
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import JsonObject

log = structlog.get_logger(__name__)

DATABASE_SECONDS = 3.0


async def _no_dips() -> Sequence[Mapping[str, object]]:
    return ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from."""

    picture: Callable[[], Awaitable[JsonObject | None]]
    """What goes on right now, as the engine tells it; None: the engine is away."""
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


class Health:
    """How the center is, for those who watch over it."""

    def __init__(self, sources: Sources, requests: Requests | None = None) -> None:
        self._sources = sources
        self._requests = requests or Requests()

    def register(self, routes: Routes) -> None:
        for path, handler in {"/healthz": self.healthz, "/readyz": self.readyz, "/metrics": self.metrics}.items():
            routes.add("GET", path, handler, needs=PUBLIC)

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
        picture, database = await asyncio.gather(self._sources.picture(), self._database())
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
