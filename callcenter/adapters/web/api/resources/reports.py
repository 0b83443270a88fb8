"""KPI of queues and agents, over a window of time or by interval."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, model_validator

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import Ports, ReportsAway
from callcenter.adapters.web.api.problems import away, not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.domain.rights import Of, Right, may, of_queue

TAG = "reports"
LONGEST = timedelta(days=400)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Before 1884, zones were apart by odd seconds, which ISO 8601 has no way to write."""
MOST_SLICES = 3000


class Interval(StrEnum):
    """Of which length slices are; days, weeks and months by the center's wall clock."""

    QUARTER = "15min"
    HALF = "30min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


SHORTEST = {
    Interval.QUARTER: timedelta(minutes=15),
    Interval.HALF: timedelta(minutes=30),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(hours=23),
    Interval.WEEK: timedelta(days=6),
    Interval.MONTH: timedelta(days=28),
}


class KpiQuery(Request):
    from_at: Annotated[AwareDatetime | None, Field(description="Without it, midnight in the center's zone.")] = None
    to_at: Annotated[AwareDatetime | None, Field(description="Not included; without it, now.")] = None
    queue: Annotated[Line, Field(description="Only this one.")] = ""

    @model_validator(mode="after")
    def in_order(self) -> "KpiQuery":
        if any(at is not None and not EARLIEST <= at <= LATEST for at in (self.from_at, self.to_at)):
            raise ValueError(f"from_at and to_at must lie between {EARLIEST:%Y} and {LATEST:%Y}")
        if self.from_at is not None and self.to_at is not None:
            if self.from_at >= self.to_at:
                raise ValueError("from_at must lie before to_at")
            if self.to_at - self.from_at > LONGEST:
                raise ValueError(f"at most {LONGEST.days} days at once")
        return self


class IntervalQuery(KpiQuery):
    interval: Interval = Interval.QUARTER


class QueueKpi(Shown):
    """The measures of one queue, or of all of them (with an empty name). Definitions: docs/glossary.md."""

    queue: str
    offered: int
    answered: int
    abandoned: int
    short_abandoned: int
    overflowed: int
    still_waiting: int
    handled: int
    service_level: float | None
    target_wait_s: float | None
    asa_s: float | None
    longest_wait_s: float | None
    abandon_rate: float | None
    aht_s: float | None
    offered_load: float | None
    fcr: float | None
    conversion: Annotated[float | None, Field(description="Contacts whose disposition is marked success ÷ contacts connected.")]
    ewt_came_true: float | None


class SliceKpi(QueueKpi):
    """The measures of one queue in one interval."""

    slice_at: Annotated[AwareDatetime, Field(description="When it begins.")]


class AgentKpi(Shown):
    """How an agent's time was spent."""

    agent: str
    talking_s: float
    wrap_up_s: float
    ready_s: float
    reserved_s: float
    not_ready_s: float
    occupancy: float | None
    utilisation: float | None


class DispositionKpi(Shown):
    """How many contacts of a queue were given a disposition, and how many of them carry each flag of what it meant then."""

    queue: str
    disposition: str
    contacts: int
    success: int
    resolved: int
    do_not_call: int
    call_back: int
    retry: int
    never_again: int


class KpiReport(Shown):
    """Contacts that entered a queue, and agents' time, within the window."""

    from_at: AwareDatetime
    to_at: AwareDatetime
    time_zone: str
    service_level_formula: str
    queues: list[QueueKpi]
    total: Annotated[QueueKpi | None, Field(description="null for who is limited to some queues.")]
    dispositions: list[DispositionKpi]
    agents: Annotated[list[AgentKpi], Field(description="Empty in a report on one queue: agents' time belongs to no queue.")]


class IntervalReport(Shown):
    """The measures of each queue in each interval in which contacts entered it."""

    from_at: AwareDatetime
    to_at: AwareDatetime
    time_zone: str
    interval: Interval
    items: list[SliceKpi]


async def kpi(asked: Asked[KpiQuery, Nothing], ports: Ports) -> KpiReport:
    query = asked.query
    try:
        told: Any = await ports.reports.kpi(query.from_at, query.to_at, _queue(asked, ports))
    except ReportsAway as error:
        raise away(str(error)) from None
    limit, configured = asked.signed.scope, ports.configured()
    queues = [each for each in told["queues"] if limit.has_queue(each["queue"])]
    agents = [each for each in told["agents"] if _reaches(asked, configured.agent(each["agent"]))]
    given = [each for each in told["dispositions"] if limit.has_queue(each["queue"])]
    total = told["total"] if limit.queues is None else None
    return KpiReport.model_validate({**told, "queues": queues, "dispositions": given, "agents": agents, "total": total})


async def kpi_by_interval(asked: Asked[IntervalQuery, Nothing], ports: Ports) -> IntervalReport:
    query = asked.query
    try:
        told: Any = await ports.reports.by_interval(query.from_at, query.to_at, _queue(asked, ports), query.interval)
    except ReportsAway as error:
        raise away(str(error)) from None
    items = [each for each in told["items"] if asked.signed.scope.has_queue(each["queue"])]
    return IntervalReport.model_validate({**told, "interval": query.interval, "items": items})


def _queue(asked: Asked[Any, Any], ports: Ports) -> str | None:
    name: str = asked.query.queue
    if not name:
        return None
    scope.check(asked, Right.SEE_REPORTS, of_queue(name))
    if name not in ports.configured().queues:
        raise not_found(f"there is no queue '{name}'")
    return name


def _reaches(asked: Asked[Any, Any], of: Of) -> bool:
    return may(asked.signed, Right.SEE_REPORTS, of)


ENDPOINTS = (
    Endpoint(
        "GET", "/reports/kpi", kpi, "KPI of queues and agents", Right.SEE_REPORTS, TAG, query=KpiQuery, answers=KpiReport, problems=(404,)
    ),
    Endpoint(
        "GET",
        "/reports/kpi/intervals",
        kpi_by_interval,
        "KPI of queues by interval",
        Right.SEE_REPORTS,
        TAG,
        query=IntervalQuery,
        answers=IntervalReport,
        problems=(404,),
    ),
)
