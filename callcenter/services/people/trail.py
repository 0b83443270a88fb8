"""The audit trail as the web process writes it: nothing that happened goes unwritten because the database is away.

What cannot be written now goes into a file of the data folder (fsynced) and into the trail once the database is back; an
interrupted transfer may write an entry twice, never lose one. Each minute the end of the trail is anchored in another file,
so that a trail that was cut off or written anew is found (``callcenter audit verify``).
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import structlog

from callcenter.domain.audit import Anchor, By, Deed
from callcenter.services.people.store import PeopleAway, PeopleStore

log = structlog.get_logger(__name__)

SPOOL, DRAINED, ANCHORS = "audit-spool.jsonl", "audit-spool.drained", "audit-anchors.jsonl"
DRAIN_EVERY = 5.0
ANCHOR_EVERY = 60.0


class AuditTrail:
    """Writes entries; ``folder`` is the data folder, shared by all web processes of the machine."""

    def __init__(self, store: PeopleStore, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._spool, self._drained, self._anchors = folder / SPOOL, folder / DRAINED, folder / ANCHORS
        self._now = now
        self._anchored = 0

    async def note(self, deed: Deed, by: By) -> None:
        """Written, or kept to be written. Raises OSError only when neither database nor disk takes it."""
        try:
            await self._store.note(deed, by)
        except PeopleAway:
            await asyncio.to_thread(self._keep, deed, by)

    def _keep(self, deed: Deed, by: By) -> None:
        line = {
            "at": self._now().isoformat(),
            "by": [by.person, by.via, by.address],
            "deed": [deed.what, deed.of, deed.reason, dict(deed.before), dict(deed.after)],
        }
        with _alone(self._spool) as file:
            file.seek(0, os.SEEK_END)
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        log.warning("audit_kept", what=deed.what, person=by.person)

    async def run(self) -> None:
        """For ever: what was kept goes into the trail; its end is anchored."""
        passes = 0
        while True:
            try:
                await self.drain()
                if passes % round(ANCHOR_EVERY / DRAIN_EVERY) == 0:
                    await self.anchor()
            except PeopleAway:
                pass
            except (OSError, ValueError) as trouble:
                log.error("audit_trouble", error=str(trouble))
            passes += 1
            await asyncio.sleep(DRAIN_EVERY)

    async def drain(self) -> int:
        """Write what was kept; how many. Raises PeopleAway."""
        if not self._spool.exists():
            return 0
        with _held(self._drained) as mark:
            if mark is None:
                return 0  # another web process is at it
            lines = await asyncio.to_thread(self._kept, mark)
            written = 0
            try:
                for line in lines:
                    kept = json.loads(line)
                    what, of, reason, before, after = kept["deed"]
                    await self._store.note(Deed(what, of, reason, before, {**after, "happened_at": kept["at"]}), By(*kept["by"]))
                    written += 1
            finally:
                if written:
                    await asyncio.to_thread(self._move_mark, mark, sum(map(len, lines[:written])))
        return written

    def _kept(self, mark: BinaryIO) -> Sequence[bytes]:
        """The lines behind the mark."""
        with _alone(self._spool) as file:
            file.seek(_read_mark(mark))
            return file.read().splitlines(keepends=True)

    def _move_mark(self, mark: BinaryIO, by: int) -> None:
        """So many bytes more are in the trail. Once all are, the file begins anew: first the mark, so that nothing is ever passed over."""
        with _alone(self._spool) as file:
            reached = _read_mark(mark) + by
            is_all = reached >= file.seek(0, os.SEEK_END)
            _write_mark(mark, 0 if is_all else reached)
            if is_all:
                file.truncate(0)

    async def anchor(self) -> None:
        """Keep number and hash of the last entry. Raises PeopleAway."""
        last = await self._store.audit(limit=1)
        if last and last[0].seq > self._anchored:
            self._anchored = last[0].seq
            await asyncio.to_thread(add_anchor, self._anchors, Anchor(last[0].seq, last[0].hash))


def add_anchor(file: Path, anchor: Anchor) -> None:
    with _alone(file) as stream:
        stream.seek(0, os.SEEK_END)
        stream.write(json.dumps({"seq": anchor.seq, "hash": anchor.hash}).encode() + b"\n")


def anchors(folder: Path) -> Iterator[Anchor]:
    """Those of this data folder. Raises ValueError when the file holds something else."""
    try:
        lines = (folder / ANCHORS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        read = json.loads(line)
        yield Anchor(int(read["seq"]), str(read["hash"]))


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """The file, opened for reading and writing, held by nobody else; for our eyes only."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO | None]:
    """The file, held by nobody else; None while somebody else holds it."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _read_mark(mark: BinaryIO) -> int:
    mark.seek(0)
    return int(mark.read() or b"0")


def _write_mark(mark: BinaryIO, at: int) -> None:
    mark.seek(0)
    mark.write(b"%020d" % at)
    mark.flush()
    os.fsync(mark.fileno())
