"""Monthly partitions of ``fact``, made ahead of time. A month that has none lands in ``fact_default``: no fact is ever refused."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

_AHEAD = 2
_YEARS = range(2000, 2100)


class Partitions:
    """Remembers which months have been seen to."""

    def __init__(self) -> None:
        self._done: set[tuple[int, int]] = set()

    def lacks(self, moments: Iterable[datetime]) -> bool:
        """Whether one of these moments lies in a month not yet seen to."""
        return any(_month(at) not in self._done for at in moments)

    async def create(self, connection: AsyncConnection, moments: Iterable[datetime]) -> None:
        """Make partitions for the months of these moments and the months after them."""
        months = {_later(_month(at), ahead) for at in moments for ahead in range(_AHEAD + 1)} - self._done
        for year, month in sorted(months):
            if year in _YEARS:
                await _create(connection, year, month)

    def remember(self, moments: Iterable[datetime]) -> None:
        """What was made is committed now."""
        self._done |= {_month(at) for at in moments}


def _month(at: datetime) -> tuple[int, int]:
    at = at.astimezone(UTC)
    return at.year, at.month


def _later(month: tuple[int, int], months: int) -> tuple[int, int]:
    count = month[0] * 12 + month[1] - 1 + months
    return count // 12, count % 12 + 1


async def _create(connection: AsyncConnection, year: int, month: int) -> None:
    end = _later((year, month), 1)
    statement = (
        f"CREATE TABLE IF NOT EXISTS fact_{year:04d}_{month:02d} PARTITION OF fact "
        f"FOR VALUES FROM ('{year:04d}-{month:02d}-01 00:00+00') TO ('{end[0]:04d}-{end[1]:02d}-01 00:00+00')"
    )
    try:
        async with connection.begin_nested():
            await connection.execute(text("SET LOCAL lock_timeout = '1s'"))  # a long report must not hold us up
            await connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.warning("partition_not_made month=%d-%02d why=%s", year, month, " ".join(str(error.orig).split())[:200])
