"""Finishing recordings: from the raw samples Asterisk wrote to a file that any player plays.

Asterisk appends to ``<recording>.raw`` (16 bit, 8 kHz, two channels) while the contact lasts, so that a crash costs
nothing but its last moments. Once it has stopped, we write ``<recording>.wav`` and delete the raw file. Which
recordings are to be finished stands in the store; after a crash of ours the same question gives the same answer.
"""

import asyncio
import logging
import os
import re
import struct
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from callcenter.domain.records import RecordingState

log = logging.getLogger(__name__)

RATE = 8000
CHANNELS = 2
BYTES_PER_SAMPLE = 2
_FRAME = CHANNELS * BYTES_PER_SAMPLE
_HEADER = 44
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")
_SETTLED_AFTER = timedelta(seconds=1)
"""Asterisk closes the file a moment after it was told to stop."""
_MISSING_AFTER = timedelta(seconds=10)
_CHUNK = 1 << 20
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A recording that has stopped and whose file nobody has seen to."""

    recording_id: str
    node: str
    stopped_at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of the file."""

    recording_id: str
    state: RecordingState
    """``FINISHED`` or ``MISSING``."""
    why: str = ""
    file: str | None = None
    bytes: int | None = None
    seconds: float | None = None


class RecordingStore(Protocol):
    """Where recording records are kept."""

    async def unfinished(self, limit: int) -> Sequence[Unfinished]:
        """The oldest recordings to be finished. Raises StoreAway."""

    async def settle(self, finished: Sequence[Finished]) -> None:
        """Keep what became of them. Raises StoreAway."""

    async def expired(self, nodes: Collection[str], before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """The oldest finished recordings of these nodes that began before ``before``: recording and node. Raises StoreAway."""

    async def deleted(self, recordings: Collection[str]) -> None:
        """Keep that their files are gone. Raises StoreAway."""


def finish(folders: Mapping[str, Path], recording: Unfinished, now: datetime) -> Finished | None:
    """Finish one recording; None when it is too early, or its node's folder is not ours to see. Blocks. Raises OSError.

    A date in the future is one from before the clock was set back.
    """
    folder = folders.get(recording.node)
    if folder is None or not folder.is_dir():
        return None
    if not _NAME.fullmatch(recording.recording_id):  # it names a file
        return Finished(recording.recording_id, RecordingState.MISSING, why="refused")
    raw, wav = folder / f"{recording.recording_id}.raw", folder / f"{recording.recording_id}.wav"
    frames = 0
    with suppress(FileNotFoundError):
        if abs(now.timestamp() - raw.stat().st_mtime) < _SETTLED_AFTER.total_seconds():
            return None
        frames = raw.stat().st_size // _FRAME
        if frames and not wav.exists():
            _write_wav(raw, wav, frames)
    if wav.exists():
        raw.unlink(missing_ok=True)
        size = wav.stat().st_size
        return Finished(
            recording.recording_id, RecordingState.FINISHED, file=wav.name, bytes=size, seconds=(size - _HEADER) // _FRAME / RATE
        )
    if abs(now - recording.stopped_at) < _MISSING_AFTER:
        return None
    return Finished(recording.recording_id, RecordingState.MISSING, why="empty" if raw.exists() else "no_file")


async def finish_some(store: RecordingStore, folders: Mapping[str, Path], now: datetime) -> int:
    """Finish what can be finished now; return how many. Raises StoreAway."""
    done: list[Finished] = []
    for recording in await store.unfinished(_AT_ONCE):
        try:
            if finished := await asyncio.to_thread(finish, folders, recording, now):
                done.append(finished)
        except OSError as error:  # a full disk, say: later
            log.warning("recording_not_finished recording=%s why=%s", recording.recording_id, error.strerror)
    if done:
        await store.settle(done)
    return len(done)


async def delete_expired(store: RecordingStore, folders: Mapping[str, Path], before: datetime) -> int:
    """Delete the files of recordings that began before ``before``, then mark their rows; return how many. Raises StoreAway.

    Only in folders that are there: a disk that is not mounted must not make us believe that files are gone.
    """
    here = {node: folder for node, folder in folders.items() if folder.is_dir()}
    count = 0
    while expired := await store.expired(list(here), before, _AT_ONCE):
        gone = await asyncio.to_thread(_delete, here, expired)
        if not gone:
            break
        await store.deleted(gone)
        count += len(gone)
    return count


def _delete(folders: Mapping[str, Path], recordings: Sequence[tuple[str, str]]) -> list[str]:
    gone: list[str] = []
    for recording, node in recordings:
        if not _NAME.fullmatch(recording):
            continue
        try:
            for suffix in (".wav", ".raw"):
                (folders[node] / f"{recording}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            log.warning("recording_not_deleted recording=%s why=%s", recording, error.strerror)
        else:
            gone.append(recording)
    return gone


def _write_wav(raw: Path, wav: Path, frames: int) -> None:
    """The same samples behind a header; the file has its name only when it is whole."""
    partial = wav.with_suffix(".wav.partial")
    left = frames * _FRAME
    with raw.open("rb") as source, partial.open("wb") as target:
        os.fchmod(target.fileno(), 0o640)
        target.write(_wav_header(left))
        while left and (chunk := source.read(min(_CHUNK, left))):
            target.write(chunk)
            left -= len(chunk)
        target.flush()
        os.fsync(target.fileno())
    partial.replace(wav)


def _wav_header(size: int) -> bytes:
    """RIFF/WAVE, PCM."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE",
        b"fmt ", 16, 1, CHANNELS, RATE, RATE * _FRAME, _FRAME, 8 * BYTES_PER_SAMPLE,
        b"data", min(size, 0xFFFFFFFF),
    )  # fmt: skip
