"""The supervisor's page: who waits, who talks, the agents, and what can be done about each; and the charts of trends."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web

from callcenter.adapters.web.access import Routes, signed
from callcenter.adapters.web.shell import Shell
from callcenter.domain.rights import Right, Signed, may
from callcenter.domain.state import State
from callcenter.domain.supervision_modes import SupervisionMode
from callcenter.services.trends import TrendsAway, TrendSource, series

log = structlog.get_logger(__name__)

AGENTS = ("name", "team", "state", "since", "queue", "phone")
WAITING = ("caller", "queue", "place", "priority", "since")
CALLS = ("caller", "dialed", "phase", "since", "queue", "agent", "began")
TODAY = ("name", "offered", "answered", "abandoned", "overflowed", "service_level", "asa", "aht", "abandon_rate")
CALENDARS = ("calendar", "open", "until", "explained")
NUMBERS = frozenset({"since", "began", "place", "priority"}) | frozenset(TODAY[1:])
DATABASE_SECONDS = 10.0


class SupervisorPages:
    """Registers its routes at the one door."""

    def __init__(self, shell: Shell, state: Callable[[], State | None], trends: TrendSource) -> None:
        self._shell, self._state, self._trends = shell, state, trends

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/supervisor", self.page, needs=Right.SEE_REPORTS, menu="supervisor.title")
        routes.add("GET", "/trends", self.charts, needs=Right.SEE_REPORTS, menu="trends.title")
        routes.add("GET", "/trends/series", self.series, needs=Right.SEE_REPORTS)

    async def page(self, request: web.Request) -> web.Response:
        who, state = signed(request), self._state()
        return self._shell.page(
            request,
            "supervisor.html",
            tables={"waiting": WAITING, "calls": CALLS, "agents": AGENTS},
            figures={"today": TODAY, "calendars": CALENDARS},
            numbers=NUMBERS,
            modes=[mode.value for mode in SupervisionMode],
            queues=queues_of(who, state),
            reasons=list(state.config.not_ready_reasons) if state is not None else [],
            has_phone=bool(who.agent),
            details=may(who, Right.SEE_CONTACTS),
            rights={
                name: may(who, right)
                for name, right in {
                    "force": Right.FORCE_STATE,
                    "listen": Right.LISTEN,
                    "move": Right.MOVE_CONTACTS,
                    "notices": Right.SEND_NOTICES,
                    "own": Right.COMMAND_OWN_AGENT,
                    "contacts": Right.SEE_CONTACTS,
                }.items()
            },
        )

    async def charts(self, request: web.Request) -> web.Response:
        return self._shell.page(request, "trends.html", queues=queues_of(signed(request), self._state()))

    async def series(self, request: web.Request) -> web.Response:
        """Each quarter of an hour of today and of the same day a week ago: of one queue, or of all in scope."""
        names, wanted = queues_of(signed(request), self._state()), request.query.get("queue", "")
        if wanted and wanted not in names:
            raise web.HTTPNotFound(text="There is no such queue in your scope.\n")
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                found = await series(self._trends, [wanted] if wanted else names)
        except (TrendsAway, TimeoutError) as error:
            log.warning("trends_missing", error=str(error))
            return web.json_response({"error": "the database does not answer"}, status=503)
        return web.json_response(found)


def queues_of(who: Signed, state: State | None) -> list[str]:
    """Those in her scope, by name."""
    return [name for name in sorted(state.config.queues) if who.scope.has_queue(name)] if state is not None else []
