"""What the charts ask of PostgreSQL: the sums of each quarter of an hour, by each queue's own target."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.rows import seconds
from callcenter.services.trends import Quarter, TrendsAway

_QUARTERS = text("""
    SELECT slice_at, sum(offered) AS offered, sum(answered) AS answered, sum(abandoned) AS abandoned, sum(answered_in_time) AS in_time,
        sum(answered + abandoned - short_abandoned) AS counted, sum(wait_s) AS wait_s,
        sum(handled_talk_s + handled_hold_s + handled_wrap_up_s) AS handle_s, sum(handled) AS handled
    FROM kpi_sums_in(:from_at, :to_at, '15min', :zone, :target_s)
    WHERE queue = ANY(:queues)
    GROUP BY 1 ORDER BY 1
""")


class PostgresTrends:
    """Implements ``services.trends.TrendSource``."""

    def __init__(
        self,
        engine: AsyncEngine,
        zone: str,
        targets: Mapping[str, timedelta],
        default: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``targets``: by queue, within which wait a contact is answered in time; ``default``: of queues that are not there."""
        self._engine, self._zone, self._targets, self._default, self._now = engine, ZoneInfo(zone), targets, default, now

    def day(self, weeks_ago: int) -> tuple[datetime, datetime]:
        today = self._now().astimezone(self._zone).date() - timedelta(weeks=weeks_ago)
        return self._midnight(today), self._midnight(today + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), self._zone).astimezone(UTC)

    async def quarters(self, queues: Sequence[str], from_at: datetime, to_at: datetime) -> Sequence[Quarter]:
        found: dict[datetime, Quarter] = {}
        try:
            async with self._engine.connect() as connection:
                for target, names in _by_target(queues, self._targets, self._default).items():
                    span = {"from_at": from_at, "to_at": to_at, "zone": self._zone.key}
                    for row in await connection.execute(_QUARTERS, {**span, "target_s": seconds(target), "queues": names}):
                        quarter = _quarter(row)
                        found[quarter.at] = _sum(found.get(quarter.at), quarter)
        except (SQLAlchemyError, OSError) as error:
            raise TrendsAway(type(error).__name__) from error
        return [found[at] for at in sorted(found)]


def _quarter(row: Row[Any]) -> Quarter:
    return Quarter(
        row.slice_at.astimezone(UTC),
        int(row.offered),
        int(row.answered),
        int(row.abandoned),
        int(row.in_time),
        int(row.counted),
        float(row.wait_s),
        float(row.handle_s),
        int(row.handled),
    )


def _by_target(queues: Sequence[str], targets: Mapping[str, timedelta], default: timedelta) -> dict[timedelta, list[str]]:
    grouped: dict[timedelta, list[str]] = {}
    for queue in queues:
        grouped.setdefault(targets.get(queue, default), []).append(queue)
    return grouped


def _sum(one: Quarter | None, other: Quarter) -> Quarter:
    if one is None:
        return other
    return Quarter(
        one.at,
        one.offered + other.offered,
        one.answered + other.answered,
        one.abandoned + other.abandoned,
        one.in_time + other.in_time,
        one.counted + other.counted,
        one.wait_s + other.wait_s,
        one.handle_s + other.handle_s,
        one.handled + other.handled,
    )
