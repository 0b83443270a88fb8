"""What the web process itself has done, counted by route: never by address, which strangers make up, and which may hold a number."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""
NOWHERE = "(none)"
"""The route of what no route was found for."""


@dataclass(slots=True)
class _Took:
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Requests:
    """Counts everything that passes its middleware, which is the outermost."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._took: dict[str, _Took] = {}
        self._open: Counter[str] = Counter()

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._counted(request, handler)

        return counted

    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route, status, began = _route(request), 500, self._elapsed()
        kind = "socket" if "websocket" in request.headers.get("Upgrade", "").lower() else "request"
        self._open[kind] += 1
        lasting = kind == "socket"
        try:
            response = await handler(request)
            status = response.status
            lasting = lasting or response.content_type == "text/event-stream"
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            self._open[kind] -= 1
            method = request.method if route != NOWHERE else "any"
            self._answered[method, route, status] += 1
            if not lasting:
                self._took.setdefault(route, _Took()).add(self._elapsed() - began)

    def families(self) -> Iterator[Metric]:
        """For Prometheus."""
        answered = CounterMetricFamily("callcenter_web_requests", "Requests answered", labels=["method", "route", "status"])
        for (method, route, status), count in sorted(self._answered.items()):
            answered.add_metric([method, route, str(status)], count)
        took = HistogramMetricFamily(
            "callcenter_web_request_seconds", "How long answers took; without sockets and streams", labels=["route"]
        )
        bounds = [*map(str, BOUNDS), "+Inf"]
        for route, spent in sorted(self._took.items()):
            took.add_metric([route], list(zip(bounds, accumulate(spent.buckets), strict=True)), spent.total)
        going_on = GaugeMetricFamily("callcenter_web_open", "Sockets open, and requests not answered yet", labels=["kind"])
        for kind in ("request", "socket"):
            going_on.add_metric([kind], self._open[kind])
        yield from (answered, took, going_on)


def _route(request: web.Request) -> str:
    """As it was registered, with names of parts in braces."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else NOWHERE
