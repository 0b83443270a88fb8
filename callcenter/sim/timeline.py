"""Virtual time: things that are going to happen, in order, with no waiting in between."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When simulated centers open: a Monday morning."""


class Timeline:
    """Runs what was planned, earliest first; plans of the same date run in the order they were made."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self.now = start
        self._plans: list[tuple[datetime, int, Callable[..., None], tuple[object, ...]]] = []
        self._made = 0

    def at(self, when: datetime, do: Callable[..., None], *args: object) -> None:
        self._made += 1
        heappush(self._plans, (max(when, self.now), self._made, do, args))

    def after(self, delay: timedelta, do: Callable[..., None], *args: object) -> None:
        self.at(self.now + delay, do, *args)

    @property
    def next(self) -> datetime | None:
        return self._plans[0][0] if self._plans else None

    def step(self) -> None:
        """Go to the next plan and carry it out."""
        when, _, do, args = heappop(self._plans)
        self.now = when
        do(*args)
