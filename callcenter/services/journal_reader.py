"""Reading the journal, also from another process while the engine writes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

from callcenter.domain.facts import Fact
from callcenter.services.fact_codec import FactError, load
from callcenter.services.journal_records import Damage, Record, first_seq, quarantine, scan, segments

_CHUNK = 1 << 18
_TAIL = 1 << 16


class JournalMissing(Exception):
    """There is no journal in this folder (yet)."""


def read_identity(folder: Path) -> dict[str, object]:
    """What ``journal.json`` says. Raises JournalMissing."""
    try:
        identity = json.loads((folder / "journal.json").read_bytes())
    except FileNotFoundError:
        raise JournalMissing(f"there is no journal in {folder}") from None
    except (OSError, ValueError) as error:
        raise JournalMissing(f"{folder / 'journal.json'} cannot be read: {error}") from error
    if not isinstance(identity, dict):
        raise JournalMissing(f"{folder / 'journal.json'} is not a journal's identity")
    return identity


class JournalReader:
    """A position in the journal that only moves forward. Damage is quarantined, counted and passed by."""

    def __init__(self, folder: Path, from_seq: int = 1) -> None:
        self.folder = folder
        self.quarantined = 0
        self._fd = -1
        self.seek(from_seq)

    @property
    def journal(self) -> UUID:
        """The id of the journal. Raises JournalMissing."""
        return UUID(str(read_identity(self.folder)["journal"]))

    def seek(self, from_seq: int) -> None:
        """The next record read is the first whose sequence number is ``from_seq`` or higher."""
        self.close()
        self._wanted = from_seq
        self._segment: Path | None = None
        self._offset = 0
        self._chunk = _CHUNK
        self._suspect: tuple[int, bytes] | None = None

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self, limit: int = 1000) -> list[Record]:
        """Up to about ``limit`` records that are there now, in order; empty when there is nothing new."""
        found: list[Record] = []
        while len(found) < limit:
            # Whether a newer segment exists must be known before reading, or its birth could hide the end of this one.
            newer = self._next_segment()
            if self._segment is None:
                if newer is None:
                    break
                self._open(newer)
                continue
            progress = self._read_chunk(found, limit, sealed=newer is not None)
            if not progress:
                if newer is None:
                    break
                self._open(newer)
        return found

    def read_all(self) -> Iterator[Record]:
        """Every record that is there now."""
        while batch := self.read():
            yield from batch

    async def tail(self, poll: float = 0.05) -> AsyncIterator[list[Record]]:
        """Batches of records as they come, for ever; looks every ``poll`` seconds when there is nothing."""
        while True:
            if batch := self.read():
                yield batch
            else:
                await asyncio.sleep(poll)

    def last_seq(self) -> int:
        """The highest sequence number in the journal, cheaply: only the end of the newest segments is read."""
        for segment in reversed(segments(self.folder)):
            try:
                with segment.open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                    content = file.read()
            except FileNotFoundError:
                continue
            records, _ = scan(content)
            if records:
                return records[-1][1].seq
        return 0

    def _next_segment(self) -> Path | None:
        """The segment to go to after the current one; at first the one that holds the wanted record."""
        paths = segments(self.folder)
        if self._segment is not None:
            return next((path for path in paths if path.name > self._segment.name), None)
        holding = [path for path in paths if first_seq(path) <= self._wanted]
        return holding[-1] if holding else next(iter(paths), None)

    def _open(self, segment: Path) -> None:
        self.close()
        self._segment, self._offset, self._chunk, self._suspect = segment, 0, _CHUNK, None
        try:
            self._fd = os.open(segment, os.O_RDONLY)
        except FileNotFoundError:  # dropped meanwhile: shipped long ago
            self._fd = os.open(os.devnull, os.O_RDONLY)

    def _read_chunk(self, found: list[Record], limit: int, *, sealed: bool) -> bool:
        """Read on in the current segment; False when it has no more for now."""
        content = os.pread(self._fd, self._chunk, self._offset)
        if not content:
            return False
        more = len(content) == self._chunk
        records, damages = scan(content)
        torn = bool(damages) and damages[-1].torn
        if more and torn:
            del damages[-1]  # the record goes on in the next chunk
        if not sealed and not more:
            if torn or (records and not content.endswith(b"\n")):
                content = content[: content.rfind(b"\n") + 1]  # a write is under way
                records, damages = scan(content)
            if self._unsure(damages):
                content = content[: damages[0].offset]
                records, damages = scan(content)
        if not records and not damages:
            if more:
                self._chunk *= 2
            return more
        return self._take(content, records, damages, found, limit)

    def _unsure(self, damages: list[Damage]) -> bool:
        """Where the engine may be writing, damage is believed when it is seen twice."""
        if not damages:
            self._suspect = None
            return False
        seen = (self._offset + damages[0].offset, damages[0].content)
        if self._suspect == seen:
            return False
        self._suspect = seen
        return True

    def _take(self, content: bytes, records: list[tuple[int, Record]], damages: list[Damage], found: list[Record], limit: int) -> bool:
        assert self._segment is not None
        end = records[-1][0] if records else 0
        room = max(limit - len(found), 1)
        wanted = [(after, record) for after, record in records if record.seq >= self._wanted]
        if len(wanted) > room:
            wanted = wanted[:room]
            end = wanted[-1][0]
        for damage in damages:
            if len(wanted) < room or damage.offset < end:
                end = max(end, damage.offset + len(damage.content))
        for damage in damages:
            if damage.offset < end:
                self.quarantined += 1
                quarantine(self._segment, Damage(self._offset + damage.offset, damage.content, damage.torn))
        for _, record in wanted:
            if record.seq >= self._wanted:
                found.append(record)
                self._wanted = record.seq + 1
        self._offset += end
        self._chunk = _CHUNK
        return True


def read_facts(records: Iterator[Record], refused: list[tuple[Record, FactError]]) -> Iterator[tuple[int, tuple[Fact, ...]]]:
    """Decode records for a restore; those we cannot decode are put into ``refused``, never raised."""
    for record in records:
        try:
            yield record.seq, load(record.payload)
        except FactError as error:
            refused.append((record, error))
