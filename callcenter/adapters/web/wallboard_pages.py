"""The wallboard: a page, and its figures as server-sent events, within the scope of who looks."""

import asyncio
import contextlib

import structlog
from aiohttp import web

from callcenter.adapters.web.access import Routes, require, signed, while_signed_in
from callcenter.adapters.web.shell import Shell
from callcenter.domain.facts import AgentState
from callcenter.domain.rights import Right
from callcenter.services.boards import Boards
from callcenter.services.wallboard import View

log = structlog.get_logger(__name__)

WATCHERS = 1000
SEND_SECONDS = 10.0

TOTALS = ("waiting", "longest", "ready", "talking", "wrap_up", "not_ready", "calls", "answered", "abandoned")
QUEUES = (
    "name",
    "waiting",
    "longest",
    "ready",
    "talking",
    "logged_in",
    "service_level_now",
    "service_level",
    "offered",
    "answered",
    "abandoned",
)


class WallboardPages:
    """Registers its routes at the one door."""

    def __init__(self, shell: Shell, boards: Boards, time_zone: str) -> None:
        self._shell, self._boards, self._time_zone = shell, boards, time_zone
        self.watchers = 0

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/wallboard", self.page, needs=Right.SEE_WALLBOARD, menu="wallboard.title")
        routes.add("GET", "/wallboard/events", self.events, needs=Right.SEE_WALLBOARD)

    async def page(self, request: web.Request) -> web.Response:
        return self._shell.page(
            request,
            "wallboard.html",
            totals=TOTALS,
            queues=QUEUES,
            states=[state.value for state in AgentState],
            time_zone=self._time_zone,
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """``whole``, then ``change`` as things happen; ``still`` when nothing does; ``over`` when her session has ended.

        With ``?details=1`` callers and calls one by one, for who may see contacts.
        """
        details = request.query.get("details") == "1"
        if details:
            require(request, Right.SEE_CONTACTS)
        if self.watchers >= WATCHERS:
            return web.Response(status=503, text="Too many wallboards are open.\n", headers={"Retry-After": "30"})
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"})
        await stream.prepare(request)
        self.watchers += 1
        try:
            with while_signed_in(request) as ended, contextlib.suppress(OSError, TimeoutError):
                await self._follow(stream, View(signed(request).scope, details), ended)
        finally:
            self.watchers -= 1
        return stream

    async def _follow(self, stream: web.StreamResponse, view: View, ended: asyncio.Event) -> None:
        """Until the browser leaves, or she is signed out."""
        async with contextlib.aclosing(self._boards.follow(view)) as messages:
            async for kind, text in messages:
                kind, text = ("over", b"{}") if ended.is_set() else (kind, text)
                async with asyncio.timeout(SEND_SECONDS):
                    await stream.write(b"event: %b\ndata: %b\n\n" % (kind.encode(), text))
                if kind == "over":
                    return
