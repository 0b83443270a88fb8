"""A second state of the center, in another process: made as the engine restores its own, and kept equal by the same fold over the facts.

::

    checkpoint ──► journal on disk, read-only ──► records from the control socket, in order, each whole ──► State.apply

Whoever watches reads it, and the engine does nothing for that. It starts anew from the disk whenever the two could differ: after a gap,
under another life of the engine (which may never have written down what the one before told us), under other rules.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from callcenter.domain.config import CenterConfig
from callcenter.domain.events import CalendarsRenewed, Event
from callcenter.domain.facts import Fact
from callcenter.domain.state import State
from callcenter.services import checkpoints, fact_codec
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused, answers
from callcenter.services.fact_codec import FactError, decode
from callcenter.services.journal_reader import JournalReader

log = structlog.get_logger(__name__)

RETRY_EVERY = 0.5
"""Seconds between two tries to reach the engine."""
LOOK_EVERY = 2.0
"""Seconds without a word from the engine after which it is asked whether it is there."""
STALE = timedelta(minutes=1)
"""Alarms so long overdue are dropped: the engine has dealt with them, and here nobody does."""

Watcher = Callable[[int, Sequence[Fact]], None]
"""Told of each record once it is applied; its number, and its facts. No facts: the state was made anew."""


class ReplicaBehind(Exception):
    """The facts on disk and those of the engine do not meet yet."""


class Replica:
    """``state`` is the engine's after record ``seq``; None until it could be made for the first time."""

    def __init__(self, path: Path, token: str, journal: Path, config: Callable[[], CenterConfig]) -> None:
        """``config`` reads the configuration in use; it works in a thread, and may raise what it likes: then it is tried again."""
        self._path, self._token, self._journal, self._config = path, token, journal, config
        self.state: State | None = None
        self.seq = 0
        self.here = False
        """Whether the engine is there, and the state up to date."""
        self.made = 0
        """How often it was made anew."""
        self._life = self._rules = ""
        self._watchers: list[Watcher] = []
        self._heard_at = 0.0
        self._told_up_to = 0
        """The engine's record at the subscription."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell the watcher from now on; returns how it leaves. A watcher must be quick and never raises."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def renew_hours(self, event: Event) -> None:
        """The calendars are made further ahead, here as in the engine (``services.hours_keeper``)."""
        if self.state is not None and isinstance(event, CalendarsRenewed):
            self.state.config = replace(self.state.config, calendars=event.calendars)

    async def run(self) -> None:
        """Follow the engine until cancelled, whatever becomes of it."""
        while True:
            try:
                async with ControlClient(self._path, self._token) as engine:
                    await self._follow(engine)
            except (EngineAway, RequestRefused, ReplicaBehind) as error:
                log.debug("replica_waits", why=str(error))
            except Exception as bug:  # whatever made it fail, the disk is the truth
                log.error("replica_failed", exc_info=bug)
                self._life = ""
            self._leave()
            await asyncio.sleep(RETRY_EVERY)

    # --- inside ---------------------------------------------------------------------------------

    async def _follow(self, engine: ControlClient) -> None:
        """Until the engine leaves, or is another one, or has other rules: then the caller begins again."""
        there = await engine.ask("ping")
        if self.state is None or (there.get("life"), there.get("rules")) != (self._life, self._rules):
            await self._make()
            self._life, self._rules = str(there.get("life")), str(there.get("rules"))
        looking = asyncio.create_task(self._look())
        try:
            async for message in engine.records(self.seq):
                self._heard_at = asyncio.get_running_loop().time()
                self._take(message)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def _take(self, message: JsonObject) -> None:
        assert self.state is not None
        if "rules" in message and message["rules"] != self._rules:
            self._life = ""
            raise ReplicaBehind("the rules have changed")
        if "gap" in message:
            self._life = ""
            raise ReplicaBehind("records are missing")
        seq = message.get("seq")
        if "life" in message and isinstance(seq, int):  # the answer to the subscription
            self._told_up_to = seq
        elif isinstance(seq, int) and isinstance(facts := message.get("facts"), list):
            self._apply(self.state, seq, _read(facts))
        if not self.here and self.seq >= self._told_up_to:
            self._come()

    def _apply(self, state: State, seq: int, facts: Sequence[Fact]) -> None:
        for fact in facts:
            state.apply(fact)
        self.seq = seq
        _drop_stale(state)
        for watcher in list(self._watchers):
            watcher(seq, facts)

    def _come(self) -> None:
        self.here = True
        self._tell_anew()

    def _leave(self) -> None:
        if self.here:
            self.here = False
            self._tell_anew()

    def _tell_anew(self) -> None:
        for watcher in list(self._watchers):
            watcher(self.seq, ())

    async def _make(self) -> None:
        """From the disk. The loop goes on meanwhile."""
        self.state, self.seq = await asyncio.to_thread(restore_state, self._journal, self._config)
        self.made += 1

    async def _look(self) -> None:
        """An engine that is frozen keeps its connections; what we show would be of the past."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if loop.time() - self._heard_at >= LOOK_EVERY:
                there = await answers(self._path, self._token, LOOK_EVERY)
                if not there:
                    self._leave()
                elif not self.here and self.seq >= self._told_up_to:
                    self._come()


def restore_state(journal: Path, config: Callable[[], CenterConfig]) -> tuple[State, int]:
    """The state from the latest checkpoint and the journal after it, and the number of the last record. Blocks."""
    state, seq = State(config()), 0
    latest = checkpoints.latest_checkpoint(journal)
    if latest is not None:
        seq, content = latest
        kept = content.get("facts")
        for written in kept if isinstance(kept, list) else []:
            state.apply(decode(written))
    reader = JournalReader(journal, seq + 1)
    try:
        for record in reader.read_all():
            with contextlib.suppress(FactError):  # as the engine does: a kind a newer version wrote
                for fact in fact_codec.load(record.payload):
                    state.apply(fact)
            seq = record.seq
    finally:
        reader.close()
    _drop_stale(state)
    return state, seq


def _read(facts: Sequence[Json]) -> list[Fact]:
    """As the engine does at a restore: a record with a fact of an unknown kind, which a newer version wrote, is passed by."""
    with contextlib.suppress(FactError):
        return [decode(fact) for fact in facts if isinstance(fact, dict)]
    return []


def _drop_stale(state: State) -> None:
    """Nobody acts on alarms here."""
    if state.at is not None:
        before: datetime = state.at - STALE
        while state.deadlines.take_due(before) is not None:
            pass
