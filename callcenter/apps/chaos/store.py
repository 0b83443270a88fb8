"""A database that is not there, with the ways in which a real one fails the books (services.ledger.Store, recordings.RecordingStore)."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from callcenter.domain.books import call_touched, fold_call
from callcenter.domain.facts import Fact
from callcenter.domain.records import CallBooks, RecordingState
from callcenter.services.ledger import PositionMoved, Shipment, StoreAway, StoreRefused
from callcenter.services.recordings import Finished, Unfinished

PATIENCE = 5.0
"""Seconds after which a server that hangs is taken for away."""
UNDONE = 20
"""So many transactions a crash may take back: their commit does not wait for the disk."""


class Mood(StrEnum):
    WELL = "well"
    AWAY = "away"
    HANGS = "hangs"


class SimulatedStore:
    """One transaction per batch: facts, folded rows and position, all or nothing."""

    def __init__(self, takes: Callable[[], float], loses_answer: Callable[[], bool], refuses: Callable[[Shipment], bool]) -> None:
        self.mood = Mood.WELL
        self.facts: dict[tuple[int, int], Fact] = {}
        """By record and place in it."""
        self.books: dict[str, CallBooks] = {}
        self.settled: dict[str, Finished] = {}
        self.contradictions: list[str] = []
        """Facts that came under a number that another fact has."""
        self._position = 0
        self._takes = takes
        self._loses_answer = loses_answer
        self._refuses = refuses
        self._of_call: dict[str, dict[tuple[int, int], Fact]] = {}
        self._undo: deque[tuple[int, list[tuple[int, int]]]] = deque(maxlen=UNDONE)

    # --- services.ledger.Store ------------------------------------------------------------------

    async def position(self, journal: UUID) -> int:
        await self._answer()
        return self._position

    async def ship(self, journal: UUID, after: int, shipments: Sequence[Shipment], upto: int) -> None:
        await self._answer()
        if after != self._position:
            raise PositionMoved(f"the store is at record {self._position}, not at {after}")
        if any(self._refuses(shipment) for shipment in shipments):
            raise StoreRefused("a value is out of range")
        self._commit(shipments, upto)
        if self._loses_answer():
            await asyncio.sleep(PATIENCE)
            raise StoreAway("no answer; it was committed")

    def _commit(self, shipments: Sequence[Shipment], upto: int) -> None:
        added: list[tuple[int, int]] = []
        touched: set[str] = set()
        for shipment in shipments:
            for n, fact in enumerate(shipment.facts):
                key = (shipment.record.seq, n)
                if key in self.facts:
                    if self.facts[key] != fact:
                        self.contradictions.append(f"record {key[0]}: {fact} instead of {self.facts[key]}")
                    continue
                self.facts[key] = fact
                added.append(key)
                call = call_touched(fact)
                if call:
                    self._of_call.setdefault(call, {})[key] = fact
                    touched.add(call)
        self._undo.append((self._position, added))
        self._position = upto
        self._fold(touched)

    def _fold(self, calls: Collection[str]) -> None:
        for call in calls:
            of_call = self._of_call.get(call, {})
            self.books[call] = fold_call(of_call[key] for key in sorted(of_call))

    async def _answer(self) -> None:
        await asyncio.sleep(self._takes())
        if self.mood is Mood.HANGS:
            await asyncio.sleep(PATIENCE)
        if self.mood is not Mood.WELL:
            raise StoreAway("no answer" if self.mood is Mood.HANGS else "connection refused")

    def crash(self, transactions: int) -> None:
        """It is killed, and has forgotten the latest transactions, position and all, when it is back."""
        for _ in range(min(transactions, len(self._undo))):
            self._position, added = self._undo.pop()
            touched: set[str] = set()
            for key in added:
                call = call_touched(self.facts.pop(key))
                if call:
                    del self._of_call[call][key]
                    touched.add(call)
            self._fold(touched)

    # --- services.recordings.RecordingStore -----------------------------------------------------

    async def unfinished(self, limit: int) -> Sequence[Unfinished]:
        await self._answer()
        found = [
            Unfinished(row.recording_id, row.node, row.stopped_at)
            for books in self.books.values()
            for row in books.recordings
            if row.state is RecordingState.STOPPED and row.stopped_at is not None and row.recording_id not in self.settled
        ]
        return sorted(found, key=lambda each: (each.stopped_at, each.recording_id))[:limit]

    async def settle(self, finished: Sequence[Finished]) -> None:
        await self._answer()
        self.settled |= {each.recording_id: each for each in finished}

    async def expired(self, nodes: Collection[str], before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        return []

    async def deleted(self, recordings: Collection[str]) -> None:
        """Nothing expires in a simulated hour."""
