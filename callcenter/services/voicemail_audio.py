"""The audio of messages and greetings: taken in from where Asterisk recorded it, kept in the data folder, destroyed when its time is over.

Asterisk writes ``voicemail-ID.wav`` beside the recordings of its node and plays it from there to phones. What is kept is ``ID.wav`` in a
folder of ours, under the same inode where the disk allows it; the other nodes of this machine get it too, so that every phone can hear it.
What is to be done stands in the store; after a crash of ours the same question gives the same answer.
"""

import asyncio
import logging
import os
import re
import shutil
import wave
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol

log = logging.getLogger(__name__)

PEAKS = 100
"""Parts of a waveform."""
LOUDEST = 32768
AT_ONCE = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}")
_SETTLED_AFTER = timedelta(seconds=1)
_MISSING_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A message or greeting whose audio nobody has seen to."""

    message_id: str
    node: str
    left_at: datetime


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of the audio: it is kept, or missing (no peaks)."""

    message_id: str
    bytes: int | None = None
    seconds: float | None = None
    peaks: tuple[int, ...] | None = None


class MessageStore(Protocol):
    """Where message rows are kept."""

    async def awaited(self, nodes: Sequence[str], limit: int) -> Sequence[Awaited]:
        """The oldest whose audio is on one of these nodes, and not taken in. Raises StoreAway."""

    async def taken_in(self, taken: Sequence[TakenIn]) -> None:
        """Keep what became of them. Raises StoreAway."""

    async def unwanted(self, limit: int) -> Sequence[str]:
        """Messages whose audio is to be destroyed. Raises StoreAway."""

    async def destroyed(self, messages: Sequence[str]) -> None:
        """Keep that their audio is gone. Raises StoreAway."""


def recorded_file(folder: Path, message: str) -> Path:
    """Where a node has it."""
    return folder / f"voicemail-{message}.wav"


def kept_file(kept: Path, message: str) -> Path:
    """Where we have it. Raises ValueError for what is no id of ours."""
    if not _NAME.fullmatch(message):
        raise ValueError(f"not a message: {message[:40]!r}")
    return kept / f"{message}.wav"


def peaks(samples: Sequence[int], parts: int = PEAKS) -> tuple[int, ...]:
    """The loudest sample of each of so many equal parts, 0 to 100."""
    if not samples:
        return ()
    edges = [len(samples) * part // parts for part in range(parts + 1)]
    loudest = (max(max(samples[begin:end]), -min(samples[begin:end])) for begin, end in pairwise(edges) if end > begin)
    return tuple(min(100, 100 * each // LOUDEST) for each in loudest)


def take_in(folders: Mapping[str, Path], kept: Path, awaited: Awaited, now: datetime) -> TakenIn | None:
    """Take in one; None when it is too early. Blocks. Raises OSError.

    A node that crashed in mid-message left a header that knows nothing of the samples after it: only those it tells of are lost.
    """
    source, target = recorded_file(folders[awaited.node], awaited.message_id), kept_file(kept, awaited.message_id)
    try:
        age = now.timestamp() - source.stat().st_mtime
    except FileNotFoundError:
        late = abs(now - awaited.left_at) > _MISSING_AFTER
        return TakenIn(awaited.message_id) if late else None
    if abs(age) < _SETTLED_AFTER.total_seconds():
        return None
    try:
        with wave.open(str(source), "rb") as file:
            seconds = file.getnframes() / file.getframerate()
            samples = array("h", file.readframes(file.getnframes()))
    except (wave.Error, EOFError, ValueError):
        return TakenIn(awaited.message_id)
    _put(source, target)
    for folder in folders.values():
        if folder.is_dir() and not recorded_file(folder, awaited.message_id).exists():
            _put(source, recorded_file(folder, awaited.message_id))
    return TakenIn(awaited.message_id, target.stat().st_size, round(seconds, 6), peaks(samples))


def _put(source: Path, target: Path) -> None:
    """The same file under another name, or a copy of it; the name is there only when it is whole."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:  # another disk, or none that knows links
        shutil.copyfile(source, partial)
        owner = target.parent.stat()
        if os.geteuid() == 0:
            os.chown(partial, owner.st_uid, owner.st_gid)
        partial.chmod(0o640)
    partial.replace(target)


def destroy(folders: Mapping[str, Path], kept: Path, message: str) -> None:
    """On every node of this machine, and ours. Blocks. Raises OSError."""
    kept_file(kept, message).unlink(missing_ok=True)
    for folder in folders.values():
        recorded_file(folder, message).unlink(missing_ok=True)


async def take_in_some(store: MessageStore, folders: Mapping[str, Path], kept: Path, now: datetime) -> int:
    """Take in what can be now; return how many. Raises StoreAway."""
    here = {node: folder for node, folder in folders.items() if folder.is_dir()}
    done: list[TakenIn] = []
    for awaited in await store.awaited(list(here), AT_ONCE):
        try:
            if taken := await asyncio.to_thread(take_in, here, kept, awaited, now):
                done.append(taken)
        except (OSError, ValueError) as error:  # a full disk, say: later
            log.warning("message_not_taken_in message=%s why=%s", awaited.message_id, error)
    if done:
        await store.taken_in(done)
    return len(done)


async def destroy_some(store: MessageStore, folders: Mapping[str, Path], kept: Path) -> int:
    """Destroy what is no longer wanted; return how much. Raises StoreAway.

    Only while all nodes' folders are there: a disk that is not mounted must not make us believe that the audio is gone.
    """
    if not all(folder.is_dir() for folder in folders.values()):
        return 0
    gone: list[str] = []
    for message in await store.unwanted(AT_ONCE):
        try:
            await asyncio.to_thread(destroy, folders, kept, message)
            gone.append(message)
        except (OSError, ValueError) as error:
            log.warning("message_not_destroyed message=%s why=%s", message, error)
    if gone:
        await store.destroyed(gone)
    return len(gone)
