"""The local, durable record of facts: written before anything else happens (ports.Journal).

A folder of segments, one line per event (``journal_records``). One engine writes it; ``books`` and a
restarting engine read it (``journal_reader``). Appending costs one ``write``; fsync happens in a thread, at
most 200 ms after an append, one for all that wait. When the disk is full, records are held in memory,
bounded and counted, and written when space returns.
"""

import asyncio
import errno
import fcntl
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid4

from callcenter.domain.facts import Fact
from callcenter.services import checkpoints
from callcenter.services.fact_codec import dump
from callcenter.services.journal_reader import JournalMissing, JournalReader, read_identity
from callcenter.services.journal_records import Record, first_seq, line_of, quarantine, scan, segment_path, segments

_LEAP = 1_000_000
"""Numbers passed over when written records may have been lost, so that none is ever used for two records."""
_RETRY = 0.2


class JournalError(Exception):
    """The journal cannot be used as asked."""


class JournalLocked(JournalError):
    """Another engine writes this journal."""


class JournalFull(JournalError):
    """Records are held in memory, because the disk takes none."""


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """For readyz and metrics."""

    seq: int
    synced_seq: int
    held: int
    """Records in memory that the disk did not take yet."""
    lost: int
    """Records that no longer fitted into memory: gone."""
    trouble: str
    """What the disk said last; empty when it takes records."""


class Journal:
    """The writer's end."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 16 << 20,
        segment_age: timedelta = timedelta(hours=1),
        sync_after: float = 0.2,
        most_held: int = 20_000,
        write: Callable[[int, bytes], int] = os.write,
        sync: Callable[[int], None] = os.fdatasync,
        elapsed: Callable[[], float] = monotonic,
        boot: Callable[[], str] = lambda: _boot_id(),
    ) -> None:
        """Open or create the journal in ``folder`` and cut what an interrupted write left. Raises JournalError, JournalLocked.

        ``write`` and ``sync`` are the disk, ``elapsed`` the monotonic clock, ``boot`` names this run of the machine.
        """
        self.folder = folder
        self._segment_bytes, self._segment_age = segment_bytes, segment_age.total_seconds()
        self._sync_after, self._write, self._sync_disk, self._elapsed = sync_after, write, sync, elapsed
        self._held: deque[tuple[int, bytes]] = deque(maxlen=most_held)
        self._lost = 0
        self._trouble = ""
        self._retry_at = 0.0
        self._fd = -1
        self._size = 0
        self._segment_end = 0.0
        self._sealed: list[int] = []
        self._new_names = False
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "journal-sync")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(folder / "lock")
            self.id, seq = _open(folder, boot(), sync)
            self._seq = self._synced = self._written = seq
        except OSError as error:
            raise JournalError(f"the journal in {folder} cannot be opened: {error.strerror}") from error

    # --- writing ------------------------------------------------------------------------------

    def append(self, facts: Sequence[Fact]) -> int:
        """Write the facts of one event as one record; return its number. Raises FactError.

        A disk that takes nothing raises nothing here (calls go on): see ``health`` and ``sync``.
        """
        payload = dump(facts)
        self._seq += 1
        line = line_of(self._seq, payload)
        if self._held:
            self._hold(self._seq, line)
            self._drain()
        else:
            try:
                self._put(self._seq, line)
            except OSError as error:
                self._note(error)
                self._hold(self._seq, line)
        self._sync_soon()
        return self._seq

    async def sync(self) -> None:
        """Return once all appended so far is on disk.

        Raises JournalFull while records are held in memory, JournalError when the disk fails.
        """
        wanted = self._seq
        while self._synced < wanted:
            if not self._drain():
                raise JournalFull(f"{len(self._held)} records wait for space in {self.folder}: {self._trouble}")
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush(), name="journal flush")
            try:
                await asyncio.shield(self._flushing)
            except OSError as error:
                raise JournalError(f"the disk below {self.folder} fails: {error.strerror}") from error

    def health(self) -> JournalHealth:
        return JournalHealth(self._seq, self._synced, len(self._held), self._lost, self._trouble)

    def close(self) -> None:
        """Write and fsync everything, and let another engine in. Raises JournalFull when held records had to be given up."""
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=True)
        drained = self._drain(at_once=True)
        self._sync_files(self._sealed, self._fd)
        if self._fd >= 0:
            os.close(self._fd)
        os.close(self._lock)
        if not drained:
            raise JournalFull(f"{len(self._held)} records are given up: {self._trouble}")

    # --- reading (for a restore) -----------------------------------------------------------------

    def read_all(self, after: int = 0) -> Iterator[Record]:
        """Every record after number ``after``."""
        reader = JournalReader(self.folder, after + 1)
        try:
            yield from reader.read_all()
        finally:
            reader.close()

    def write_checkpoint(self, seq: int, content: Mapping[str, object]) -> None:
        """Keep what the center is after record ``seq``. Blocks for an fsync: use a thread. Raises JournalError."""
        try:
            checkpoints.write_checkpoint(self.folder, seq, content)
        except OSError as error:
            raise JournalError(f"no checkpoint could be written in {self.folder}: {error.strerror}") from error

    def latest_checkpoint(self) -> tuple[int, dict[str, object]] | None:
        """The newest intact checkpoint and the number of the record it stands after."""
        return checkpoints.latest_checkpoint(self.folder)

    # --- inside -----------------------------------------------------------------------------------

    def _put(self, seq: int, line: bytes) -> None:
        if self._fd < 0 or self._size + len(line) > self._segment_bytes or self._elapsed() > self._segment_end:
            self._begin_segment(seq)
        written = 0
        try:
            while written < len(line):
                written += self._write(self._fd, line[written:] if written else line)
        except OSError:
            if written:
                os.ftruncate(self._fd, self._size)
            raise
        self._size += len(line)
        self._written = seq

    def _begin_segment(self, seq: int) -> None:
        fd = os.open(segment_path(self.folder, seq), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if self._fd >= 0:
            self._sealed.append(self._fd)
        self._fd, self._size, self._new_names = fd, 0, True
        self._segment_end = self._elapsed() + self._segment_age

    def _hold(self, seq: int, line: bytes) -> None:
        if len(self._held) == self._held.maxlen:
            self._lost += 1  # the oldest makes room
        self._held.append((seq, line))

    def _drain(self, *, at_once: bool = False) -> bool:
        """Try to write what is held; true when nothing is held any more."""
        if self._held and (at_once or self._elapsed() >= self._retry_at):
            try:
                while self._held:
                    self._put(*self._held[0])
                    self._held.popleft()
                self._trouble = ""
            except OSError as error:
                self._note(error)
        return not self._held

    def _note(self, error: OSError) -> None:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        self._trouble = "the disk is full" if full else f"the disk takes no records: {error.strerror}"
        self._retry_at = self._elapsed() + _RETRY

    def _sync_soon(self) -> None:
        if self._timer is None:
            with suppress(RuntimeError):  # without a running loop, ``close`` does it
                self._timer = asyncio.get_running_loop().call_later(self._sync_after, self._sync_in_background)

    def _sync_in_background(self) -> None:
        self._timer = None
        self._drain()
        if self._flushing is None and self._synced < self._written:
            self._flushing = asyncio.create_task(self._flush(), name="journal flush")
            self._flushing.add_done_callback(_look_at)
        if self._held or self._flushing:
            self._sync_soon()

    async def _flush(self) -> None:
        """One fsync for everything written until now."""
        written, sealed, self._sealed = self._written, self._sealed, []
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._sync_files, sealed, self._fd)
            self._synced = max(self._synced, written)
        except OSError as error:
            self._note(error)
            raise
        finally:
            self._sealed = sealed + self._sealed  # those the thread did not come to
            self._flushing = None

    def _sync_files(self, sealed: list[int], fd: int) -> None:
        """Runs in the thread."""
        while sealed:
            self._sync_disk(sealed[0])
            os.close(sealed.pop(0))
        if fd >= 0:
            self._sync_disk(fd)
        if self._new_names:
            self._new_names = False
            checkpoints.sync_folder(self.folder)


def _look_at(flushing: asyncio.Task[None]) -> None:
    """The trouble is noted in ``health``; nobody waits for this one."""
    if not flushing.cancelled():
        flushing.exception()


def _lock(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 20).decode("ascii", "replace").strip()
        os.close(fd)
        raise JournalLocked(f"another engine (process {holder or 'unknown'}) writes the journal in {path.parent}; stop it first") from None
    with suppress(OSError):  # who it is is for people only
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd


def _open(folder: Path, boot: str, sync: Callable[[int], None]) -> tuple[UUID, int]:
    """The journal's id, made at first use, and the last number that may have been used.

    When the machine was started since, unsynced records may be gone that others have read: their numbers are passed
    over, and that is written down before any is used.
    """
    try:
        identity = read_identity(folder)
        journal, floor = UUID(str(identity["journal"])), int(str(identity.get("floor", 0)))
    except (JournalMissing, KeyError, ValueError):
        if segments(folder):
            raise JournalError(f"{folder} holds segments without a readable journal.json; put that back or move the folder away") from None
        identity, journal, floor = {}, uuid4(), 0
    restarted = bool(identity) and (identity.get("boot") != boot or not boot)
    seq = _mend(folder, restarted, floor)
    for segment in segments(folder):  # whoever wrote them may have been killed before it came to that
        with segment.open("rb") as file:
            sync(file.fileno())
    checkpoints.sync_folder(folder)
    wanted = {"journal": str(journal), "format": 1, "boot": boot, "floor": seq if restarted else floor}
    if identity != wanted:  # seldom: a full disk must not keep us from starting
        _write_identity(folder / "journal.json", wanted)
    return journal, seq


def _write_identity(path: Path, identity: Mapping[str, object]) -> None:
    with path.with_suffix(".new").open("w") as file:
        json.dump(identity, file)
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".new").replace(path)
    checkpoints.sync_folder(path.parent)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _mend(folder: Path, unclean: bool, floor: int) -> int:
    """Cut a torn tail, keep damage aside; return the last number that may have been used, not below ``floor``."""
    checkpoint = checkpoints.latest_checkpoint(folder)
    seq = max(floor, checkpoint[0] if checkpoint else 0)
    paths = segments(folder)
    if paths:
        last = paths[-1]
        content = last.read_bytes()
        records, damages = scan(content)
        seq = max(seq, first_seq(last) - 1, records[-1][1].seq if records else 0)
        for damage in damages:
            quarantine(last, damage)
        with last.open("r+b") as file:
            if damages and damages[-1].torn:
                file.truncate(damages[-1].offset)
            elif content and not content.endswith(b"\n"):
                file.seek(0, os.SEEK_END)
                file.write(b"\n")
        unclean = unclean or bool(damages)
    return seq + _LEAP if unclean and seq else seq
