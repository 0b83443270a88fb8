"""How the processes are, for alerts about the center itself: looked at each second, told at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from callcenter.domain.alert_figures import Vitals
from callcenter.domain.conditions import Figure
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds between two looks at the engine, and at the database."""
WITHIN = 3.0
"""Seconds after which who has not answered is away."""


class Watchkeeper:
    """One of each web process."""

    def __init__(
        self,
        trunks: Callable[[], Awaitable[JsonObject]],
        webhooks: Callable[[], Awaitable[Mapping[MessageState, int]]],
        shipped: Callable[[], Awaitable[int | None]],
    ) -> None:
        """``trunks`` is the engine's operation, and raises EngineAway; ``webhooks`` counts messages, and may raise anything; ``shipped`` is
        how far the books are.
        """
        self._ask, self._count, self._shipped = trunks, webhooks, shipped
        self._engine_here_at: float | None = None
        self._database_here_at: float | None = None
        self._lag: float | None = None
        self._behind: float | None = None
        self._waiting: float | None = None
        self._trunks: Mapping[str, bool] | None = None

    def vitals(self) -> Vitals:
        """As they were seen last. Away: for so many seconds, 0 when it is there."""
        return {
            Figure.ENGINE_AWAY: _since(self._engine_here_at),
            Figure.ENGINE_LAG: self._lag,
            Figure.DATABASE_AWAY: _since(self._database_here_at),
            Figure.BOOKS_BEHIND: self._behind,
            Figure.WEBHOOKS_WAITING: self._waiting,
        }

    def trunks(self) -> Mapping[str, bool] | None:
        """Which of them can be reached; None: nobody knows."""
        return self._trunks

    async def run(self) -> None:
        """Until cancelled."""
        now = asyncio.get_running_loop().time()
        self._engine_here_at = self._database_here_at = now  # who never comes is away since we began
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_each_second(self.look_at_engine))
            tasks.create_task(_each_second(self.look_at_database))

    async def look_at_engine(self) -> None:
        """Whether it answers, and how quickly; how far the books are behind it."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            async with asyncio.timeout(WITHIN):
                answer = await self._ask()
        except (EngineAway, RequestRefused, TimeoutError):
            self._lag = self._behind = self._trunks = None
            return
        self._engine_here_at, self._lag = loop.time(), loop.time() - asked_at
        told = answer.get("trunks")
        self._trunks = {name: reached is True for name, reached in told.items()} if isinstance(told, dict) else None
        seq, shipped = answer.get("seq"), await self._shipped()
        self._behind = float(max(0, seq - shipped)) if isinstance(seq, int) and shipped is not None else None

    async def look_at_database(self) -> None:
        """Whether it answers, and what waits in it to be sent."""
        try:
            async with asyncio.timeout(WITHIN):
                counts = await self._count()
        except Exception as error:  # whatever is wrong with it: it cannot be used
            log.debug("database_away", error=type(error).__name__)
            self._waiting = None
            return
        self._database_here_at = asyncio.get_running_loop().time()
        self._waiting = float(counts.get(MessageState.DUE, 0))


async def _each_second(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await look()
        except Exception as bug:
            log.error("vitals_failed", exc_info=bug)
        await asyncio.sleep(EVERY)


def _since(here_at: float | None) -> float | None:
    """Seconds; 0 while it answered at the last look or the one before."""
    if here_at is None:
        return None
    away = asyncio.get_running_loop().time() - here_at
    return 0.0 if away <= EVERY + WITHIN else away
