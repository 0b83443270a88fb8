"""Trends: what each quarter of an hour of a day was like, beside the same day a week before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.services.control import Json, JsonObject

QUARTER = timedelta(minutes=15)
PER_DAY = 96


class TrendsAway(Exception):
    """The books cannot be read now."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """What the contacts came to that entered in one quarter of an hour."""

    at: datetime
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    in_time: int = 0
    """Answered within their queue's target."""
    counted: int = 0
    """Those by which the service level is measured: answered, and abandoned but for the short ones."""
    wait_s: float = 0.0
    """Of the answered, in all."""
    handle_s: float = 0.0
    """Talk, hold and wrap-up, in all."""
    handled: int = 0


class TrendSource(Protocol):
    """Where they come from."""

    def day(self, weeks_ago: int) -> tuple[datetime, datetime]:
        """When that day begins and ends, by the center's clock."""
        ...

    async def quarters(self, queues: Sequence[str], from_at: datetime, to_at: datetime) -> Sequence[Quarter]:
        """Those in which anything happened, in order. Raises TrendsAway."""
        ...


async def series(source: TrendSource, queues: Sequence[str]) -> JsonObject:
    """Lines for charts: seconds since the day began, and for each measure its values of today and of a week ago; null where none is."""
    days: dict[str, Json] = {}
    for name, weeks in (("today", 0), ("week_ago", 1)):
        from_at, to_at = source.day(weeks)
        found = await source.quarters(queues, from_at, to_at) if queues else ()
        days[name] = lines(from_at, {quarter.at: quarter for quarter in found})
    return {"seconds": [int(QUARTER.total_seconds()) * place for place in range(PER_DAY)], **days}


def lines(from_at: datetime, quarters: Mapping[datetime, Quarter]) -> dict[str, Json]:
    """One list for each measure, a value for each quarter of an hour."""
    day = [quarters.get(from_at + place * QUARTER) for place in range(PER_DAY)]
    return {
        "offered": [quarter.offered if quarter else None for quarter in day],
        "answered": [quarter.answered if quarter else None for quarter in day],
        "abandoned": [quarter.abandoned if quarter else None for quarter in day],
        "service_level": [_ratio(quarter.in_time, quarter.counted) if quarter else None for quarter in day],
        "asa": [_ratio(quarter.wait_s, quarter.answered) if quarter else None for quarter in day],
        "aht": [_ratio(quarter.handle_s, quarter.handled) if quarter else None for quarter in day],
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None
