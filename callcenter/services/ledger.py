"""From the journal into the store, exactly once, in order, however often either of us dies.

The store keeps, in the same transaction as the facts, how far it has come in each journal; that is the only
position there is. A record the store cannot take (it is tried three times, alone) goes into a file of its own.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path
from random import uniform
from time import monotonic
from typing import Protocol
from uuid import UUID

from callcenter.domain.facts import Fact
from callcenter.services.checkpoints import kept_from
from callcenter.services.fact_codec import FactError, load
from callcenter.services.journal_reader import JournalMissing, JournalReader
from callcenter.services.journal_records import Record, first_seq, segments

log = logging.getLogger(__name__)

_TRIES = 3
_LONGEST_PAUSE = 2.0
_LOOK_EVERY = 2.0


class StoreAway(Exception):
    """The store cannot be reached, or does not answer in time; it will be tried again."""


class StoreRefused(Exception):
    """The store says that there is something wrong with what it was given."""


class PositionMoved(Exception):
    """The store is elsewhere in the journal than we thought: restored from a backup, or another shipper is at work."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """One record on its way."""

    record: Record
    facts: tuple[Fact, ...]


class Store(Protocol):
    """Where facts and the books folded from them live."""

    async def position(self, journal: UUID) -> int:
        """The last record of this journal that is in the store; 0 for none. Raises StoreAway."""

    async def ship(self, journal: UUID, after: int, shipments: Sequence[Shipment], upto: int) -> None:
        """Take these records, fold them, and move the position from ``after`` to ``upto``: all or nothing.

        Raises StoreAway, StoreRefused, PositionMoved.
        """


@dataclass(frozen=True, slots=True)
class ShippingState:
    """For readyz: how far the store is behind."""

    journal: str
    shipped_seq: int
    behind_records: int
    behind_s: float
    """The age of the oldest fact that is not in the store."""
    trouble: str
    """Empty while the store takes records."""
    facts: int
    dead_letters: int
    quarantined: int


class Shipper:
    """Carries records from one journal to one store."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        dead_letters: Path,
        most: int = 1000,
        poll: float = 0.2,
        elapsed: Callable[[], float] = monotonic,
        spread: Callable[[], float] = lambda: uniform(0.8, 1.2),
    ) -> None:
        """``elapsed`` is the monotonic clock; ``spread`` keeps many shippers from knocking at the same moment."""
        self._folder = folder
        self._store = store
        self._dead_letters = dead_letters
        self._most, self._now_at_most, self._poll = most, most, poll
        self._elapsed, self._spread = elapsed, spread
        self._reader: JournalReader | None = None
        self._journal = UUID(int=0)
        self._position = 0
        self._pending: deque[Record] = deque()
        self._behind_since: datetime | None = None
        self._tries = 0
        self._trouble = ""
        self._pause = 0.0
        self._facts = 0
        self._buried = 0
        self._look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Ship until ``stop`` is set; the store's absence is waited out."""
        while not stop.is_set():
            moved = await self.step()
            pause = self._pause or (0.0 if moved else self._poll)
            if pause:
                try:
                    async with asyncio.timeout(pause):
                        await stop.wait()
                except TimeoutError:
                    continue

    async def step(self) -> bool:
        """Ship one batch; false when there was nothing to ship or it did not work."""
        try:
            if self._reader is None:
                await self._begin()
            return await self._digest()
        except (StoreAway, JournalMissing) as error:
            self._rest(str(error))
            self._now_at_most = max(self._now_at_most // 2, min(self._most, 50))  # a slow machine manages smaller batches in time
        except PositionMoved as error:
            log.warning("position_moved %s", error)
            self._begin_anew()
        except OSError as error:
            self._rest(f"the journal's disk fails: {error.strerror or error}")
        return False

    async def _digest(self) -> bool:
        """Ship a batch. What is refused, or upsets our folds, must not stop what comes after it.

        Raises StoreAway, PositionMoved, OSError.
        """
        try:
            return await self._ship_some()
        except (StoreAway, PositionMoved, OSError):
            raise
        except StoreRefused as error:
            await self._refused(str(error))
        except Exception as bug:
            log.exception("bug_while_shipping")
            await self._refused(f"{type(bug).__name__}: {bug}")
        return True

    def state(self, now: datetime) -> ShippingState:
        """How far we are behind. Reads the end of the journal."""
        last = self._reader.last_seq() if self._reader else 0
        behind = max(last - self._position, 0)
        since = self._behind_since if behind else None
        return ShippingState(
            journal=str(self._journal) if self._reader else "",
            shipped_seq=self._position,
            behind_records=behind,
            behind_s=max((now - since).total_seconds(), 0.0) if since else 0.0,
            trouble=self._trouble,
            facts=self._facts,
            dead_letters=self._buried,
            quarantined=self._reader.quarantined if self._reader else 0,
        )

    def drop_old_segments(self, before: datetime) -> list[Path]:
        """Delete sealed segments last written before ``before`` that are in the store and not needed for a restore."""
        done = min(self._position, kept_from(self._folder))
        dropped: list[Path] = []
        paths = segments(self._folder)
        for segment, newer in pairwise(paths):
            if first_seq(newer) > done + 1 or datetime.fromtimestamp(segment.stat().st_mtime, UTC) >= before:
                break
            segment.unlink()
            dropped.append(segment)
        return dropped

    # --- inside -------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        reader = JournalReader(self._folder)
        self._journal = reader.journal
        self._position = await self._store.position(self._journal)
        reader.seek(self._position + 1)
        self._pending.clear()
        self._reader = reader

    def _begin_anew(self) -> None:
        if self._reader:
            self._reader.close()
        self._reader = None
        self._pending.clear()

    async def _ship_some(self) -> bool:
        assert self._reader
        if len(self._pending) < self._now_at_most:
            self._pending.extend(self._reader.read(self._now_at_most - len(self._pending)))
        if not self._pending:
            await self._look()
            return False
        shipments = await self._decoded()
        if shipments:
            await self._store.ship(self._journal, self._position, shipments, shipments[-1].record.seq)
            self._shipped(shipments)
        return True

    async def _look(self) -> None:
        """Nothing to do: make sure now and then that the store is there, and has not forgotten anything in a crash."""
        if self._elapsed() < self._look_at and not self._trouble:
            return
        position = await self._store.position(self._journal)
        if position != self._position:
            raise PositionMoved(f"the store is at record {position} of the journal, not at {self._position}")
        self._look_at = self._elapsed() + _LOOK_EVERY
        self._well()

    async def _decoded(self) -> list[Shipment]:
        """The next batch, up to the first record that cannot be read as facts; that one is set aside when it comes first."""
        shipments: list[Shipment] = []
        for record in list(islice(self._pending, self._now_at_most)):
            try:
                shipments.append(Shipment(record, load(record.payload)))
            except FactError as error:
                if not shipments:
                    await self._bury(str(error))
                break
        return shipments

    def _shipped(self, shipments: Sequence[Shipment]) -> None:
        for _ in shipments:
            self._pending.popleft()
        self._position = shipments[-1].record.seq
        self._facts += sum(len(shipment.facts) for shipment in shipments)
        self._tries = 0
        self._now_at_most = min(self._now_at_most * 2, self._most)
        self._well()

    async def _refused(self, why: str) -> None:
        """Find the culprit by halving; alone, it is tried three times and then set aside."""
        size = min(len(self._pending), self._now_at_most)
        if not size:
            return
        if size > 1:
            self._now_at_most = size // 2
            return
        self._tries += 1
        if self._tries >= _TRIES:
            await self._bury(why)

    async def _bury(self, why: str) -> None:
        """Set the first pending record aside, whole, for people to look at, and go on behind it."""
        record = self._pending[0]
        letter = {"journal": str(self._journal), "seq": record.seq, "why": why, "payload": record.payload.decode("ascii", "replace")}
        self._dead_letters.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._dead_letters / f"{self._journal}-{record.seq:020d}.json").write_text(json.dumps(letter) + "\n")
        await self._store.ship(self._journal, self._position, [], record.seq)
        log.error("dead_letter seq=%d why=%s", record.seq, " ".join(why.split())[:300])
        self._pending.popleft()
        self._position = record.seq
        self._buried += 1
        self._tries = 0

    def _rest(self, trouble: str) -> None:
        if not self._trouble:
            log.warning("store_away %s", " ".join(trouble.split())[:300])
        self._trouble = trouble
        self._behind_since = self._behind_since or self._oldest()
        self._pause = min(max(self._pause * 2, 0.1), _LONGEST_PAUSE) * self._spread()

    def _well(self) -> None:
        if self._trouble:
            log.warning("store_back")
        self._trouble, self._pause = "", 0.0
        self._behind_since = self._oldest()

    def _oldest(self) -> datetime | None:
        """When the oldest fact that waits here happened."""
        if not self._pending:
            return None
        try:
            return next((fact.at for fact in load(self._pending[0].payload)), None)
        except FactError:
            return None


def as_json(state: ShippingState, now: datetime) -> Mapping[str, object]:
    """The status file's content."""
    return {"at": now.isoformat(timespec="milliseconds"), **{name: getattr(state, name) for name in ShippingState.__slots__}}
