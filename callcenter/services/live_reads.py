"""What is going on now, for who asks once: read from the replica, so that it costs the engine nothing.

Who has told the engine something reads what came of it: each answer of the engine's names its latest record (``told``), and nobody is
shown a state without that one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from callcenter.domain.facts import Fact
from callcenter.domain.state import State
from callcenter.services import explanations
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway
from callcenter.services.live_view import live_view
from callcenter.services.replica import Replica

WITHIN = 2.0
"""Seconds that a reader waits for the replica; it is behind by some milliseconds, or the engine is away."""
PICTURE_SECONDS = 0.3
"""So old a picture may be that is given to the next reader, too, unless something was told meanwhile."""


class LiveReads:
    """One of each process that has a replica."""

    def __init__(self, replica: Replica, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._replica, self._clock = replica, clock
        self._least = self._made = 0
        self._came: asyncio.Event | None = None
        """Set when the replica has changed; None: nobody waits for that."""
        self._picture: tuple[datetime, int, Mapping[str, object]] | None = None
        """Made when, after which making of the replica, and itself."""
        replica.watch(self._changed)

    def told(self, seq: int) -> None:
        """The engine has carried out something, and its latest record was this one."""
        if self._made != self._replica.made:
            self._least, self._made = seq, self._replica.made
        elif seq > self._least:
            self._least = seq
        else:
            return
        self._picture = None

    async def state(self) -> State:
        """As it is after all that the engine has told. Raises EngineAway."""
        try:
            async with asyncio.timeout(WITHIN):
                while not self._is_up_to_date():
                    self._came = self._came or asyncio.Event()
                    await self._came.wait()
        except TimeoutError:
            raise EngineAway("the engine does not answer; it may be restarting, try again in some seconds") from None
        assert self._replica.state is not None
        return self._replica.state

    async def picture(self) -> Mapping[str, object]:
        """Everything, as ``live_view`` shows it; one for all who ask at the same moment. Raises EngineAway."""
        state, now, made = await self.state(), self._clock(), self._replica.made
        known = self._picture
        if known is None or known[1] != made or (now - known[0]).total_seconds() >= PICTURE_SECONDS:
            self._picture = known = now, made, live_view(state, self._replica.seq, now)
        return known[2]

    async def explanation(self, contact: str) -> JsonObject:
        """Why it waits. Raises EngineAway, ControlError."""
        return explanations.waiting(await self.state(), contact, self._clock())

    async def queue_of(self, contact: str) -> str | None:
        """The queue of a contact of this moment; None: it is over, or there was none. Raises EngineAway."""
        found = (await self.state()).contacts.get(contact)
        return found.entered.queue if found is not None else None

    def _is_up_to_date(self) -> bool:
        """A replica made anew began with all that the engine had kept by then, and nobody waits for what an engine told and never kept."""
        replica = self._replica
        return replica.here and replica.state is not None and (replica.made != self._made or replica.seq >= self._least)

    def _changed(self, seq: int, facts: Sequence[Fact]) -> None:
        """A watcher of the replica."""
        if self._came is not None:
            self._came.set()
            self._came = None
