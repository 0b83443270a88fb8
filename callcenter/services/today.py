"""Today's measures by queue from the books, some seconds old, for all who watch: asked once, and never waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from callcenter.services.wallboard import Today

log = structlog.get_logger(__name__)

ASKED_EVERY = 5.0
GIVEN_UP_AFTER = 3.0
"""Seconds after which the database is taken to be away."""

Source = Callable[[], Awaitable[Sequence[Mapping[str, object]]]]


class TodaysFigures:
    """``now`` answers at once with what is known; nothing at all while the database is away."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: Today = {}
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def now(self) -> Today:
        """Whoever comes first of all waits for the first answer; nobody waits for another."""
        elapsed = asyncio.get_running_loop().time()
        first = self._asked_at is None
        if self._asking is None and (self._asked_at is None or elapsed - self._asked_at > ASKED_EVERY):
            self._asked_at = elapsed
            self._asking = asyncio.create_task(self._ask())
        if first and self._asking is not None:
            await asyncio.shield(self._asking)
        return self._known

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(GIVEN_UP_AFTER):
                rows = await self._source()
            self._known = {str(row["queue"]): row for row in rows}
        except Exception as error:  # whatever is wrong with it: nobody knows
            log.warning("todays_figures_missing", error=type(error).__name__)
            self._known = {}
        finally:
            self._asking = None
