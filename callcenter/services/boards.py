"""Wallboards that are watched: made once a second for each scope, however many screens show it, and told as what has changed since.

A screen begins with everything and is then told the rows that changed. Who is too slow to take one change is given everything again, never
a heap of old ones.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import structlog

from callcenter.services.control import Json
from callcenter.services.replica import Replica
from callcenter.services.wallboard import Board, Today, View, board

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds between two pictures."""
SPOKEN_EVERY = 15.0
"""Seconds after which a screen is told something even if nothing happened, so that it knows that we are there."""


@dataclass(eq=False)
class _Watched:
    """One scope's."""

    now: Board = field(default_factory=lambda: Board({}))
    version: int = 0
    change: bytes = b""
    """From the version before to this one."""
    whole: bytes = b""
    """Made when somebody asks, kept as long as it is this version's."""
    watchers: int = 0


class Boards:
    """All that are watched now."""

    def __init__(
        self, replica: Replica, today: Callable[[], Awaitable[Today]], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """``today`` is asked once a second and must answer at once: what it knows, however old."""
        self._replica, self._today, self._clock = replica, today, clock
        self._watched: dict[View, _Watched] = {}
        self._changed = asyncio.Condition()
        self._begun = asyncio.Event()
        self.made = 0
        """How many pictures there were."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._begun.wait()
            if self._watched:
                await self._look()
            else:
                self._begun.clear()
            await asyncio.sleep(EVERY)

    async def follow(self, view: View) -> AsyncGenerator[tuple[str, bytes], None]:
        """The kind of message (``whole``, ``change`` or ``still``) and its JSON, as they come."""
        with self._watching(view) as watched:
            if not watched.version:
                self._make(view, watched, await self._today())
            version = 0
            while True:
                if version == watched.version:
                    yield "still", orjson.dumps({"at": self._clock().isoformat()})
                elif version and version == watched.version - 1:
                    version = watched.version
                    yield "change", watched.change
                else:
                    version = watched.version
                    yield "whole", self._whole(watched)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SPOKEN_EVERY), self._changed:
                        await self._changed.wait_for(lambda version=version: watched.version != version)  # type: ignore[misc]

    @contextlib.contextmanager
    def _watching(self, view: View) -> Iterator[_Watched]:
        watched = self._watched.setdefault(view, _Watched())
        watched.watchers += 1
        self._begun.set()
        try:
            yield watched
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                self._watched.pop(view, None)

    async def _look(self) -> None:
        today = await self._today()
        for view, watched in list(self._watched.items()):
            self._make(view, watched, today)
        async with self._changed:
            self._changed.notify_all()

    def _make(self, view: View, watched: _Watched, today: Today) -> None:
        state = self._replica.state
        here = self._replica.here and state is not None
        now = board(state, view, self._clock(), today) if here and state is not None else Board({})
        tables: dict[str, Mapping[str, Mapping[str, Json]]] = {**now.tables, "center": {"center": {"here": here, "books": bool(today)}}}
        self.made += 1
        change = _change(watched.now.tables, tables)
        if change or not watched.version:
            watched.now, watched.version, watched.whole = Board(tables), watched.version + 1, b""  # type: ignore[arg-type]
            watched.change = orjson.dumps({"at": self._clock().isoformat(), "tables": change})

    def _whole(self, watched: _Watched) -> bytes:
        if not watched.whole:
            watched.whole = orjson.dumps({"at": self._clock().isoformat(), "tables": watched.now.tables})
        return watched.whole


def _change(before: Mapping[str, Mapping[str, object]], now: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """By table: the rows that are new or different, and the keys of those that are gone."""
    changed: dict[str, object] = {}
    for name in before.keys() | now.keys():
        old, new = before.get(name, {}), now.get(name, {})
        put = {key: row for key, row in new.items() if old.get(key) != row}
        gone = [key for key in old if key not in new]
        if put or gone:
            changed[name] = {"put": put, "gone": gone}
    return changed
