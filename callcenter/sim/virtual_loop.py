"""An asyncio loop in which time passes only when nobody has anything left to do.

The real engine and outbox run on it unchanged: ``asyncio.sleep`` and ``asyncio.timeout`` take no time at all. Tasks that
are ready at the same moment run in the order in which they became so, as asyncio promises; who wants other interleavings
varies how long things take (``sim.fake_telephony``).
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from heapq import heappush
from typing import Any, TypeVar

from callcenter.sim.timeline import EPOCH, Timeline

T = TypeVar("T")


class NothingWillHappen(RuntimeError):
    """Everybody waits for somebody else: in virtual time this would last for ever."""


class _Jump(selectors.BaseSelector):
    """Never waits: time jumps to the next thing that is going to happen."""

    def __init__(self, inner: selectors.BaseSelector) -> None:
        self.now = 0.0
        self._inner = inner

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._inner.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise NothingWillHappen("nothing is going to happen any more, and something is still waited for")
        self.now += max(timeout, 0.0)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map() or {}

    def close(self) -> None:
        self._inner.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """``loop.time()`` is virtual and begins at 0."""

    def __init__(self) -> None:
        self._jump = _Jump(selectors.DefaultSelector())
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


class LoopTimeline(Timeline):
    """The timeline of things that are not asyncio (the fake PBX), carried by the loop's time. Its order is never shuffled."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = EPOCH) -> None:
        self._loop = loop
        self._start = start
        self._context = contextvars.copy_context()  # what is planned is the world's, whoever planned it (sim.processes)
        super().__init__(start)

    @property
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    @now.setter
    def now(self, when: datetime) -> None:
        """Time is the loop's matter."""

    def at(self, when: datetime, do: Callable[..., None], *args: object) -> None:
        self._made += 1
        when = max(when, self.now)
        heappush(self._plans, (when, self._made, do, args))
        self._loop.call_at((when - self._start).total_seconds(), self._pump, context=self._context)

    def _pump(self) -> None:
        while self.next is not None and self.next <= self.now:
            self.step()


class LoopClock:
    """Implements ``services.ports.Clock`` on a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now(self) -> datetime:
        return self._timeline.now


def run_virtual(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story())
