"""Keeps each node's dialplan told of opening hours, so that it can say that we are closed while we are away."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog

from callcenter.domain.fallback_hours import hints
from callcenter.services.engine import Engine
from callcenter.services.ports import Clock, CommandError, Telephony

log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0
"""Seconds."""


class FallbackHours:
    """What was written is forgotten when the node starts anew, as the node forgets it."""

    def __init__(self, engine: Engine, telephony: Telephony, clock: Clock) -> None:
        self._engine = engine
        self._telephony = telephony
        self._clock = clock
        self._written: dict[str, tuple[datetime | None, dict[str, str]]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wanted = hints(self._engine.center.state, self._clock.now())
            await asyncio.gather(*(self._tell(node, wanted) for node in self._telephony.nodes))
            await asyncio.sleep(LOOK_EVERY)

    async def _tell(self, name: str, wanted: Mapping[str, str]) -> None:
        """Only what has changed; a number that has no hours any more is told so."""
        node = self._engine.center.state.node(name)
        if node.away or node.started_at is None:
            return
        started_at, written = self._written.get(name, (None, {}))
        if started_at != node.started_at:
            written = {}
        self._written[name] = node.started_at, written
        try:
            for did in [*wanted, *(did for did in written if did not in wanted)]:
                told = wanted.get(did, "")
                if written.get(did, "") != told:
                    await self._telephony.tell_hours(name, did, told)
                    written[did] = told
        except CommandError as error:  # it is tried again
            log.debug("hours_not_told", node=name, error=str(error))
