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
from collections.abc import Mapping, Sequence
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


def finish(folders: Mapping[str, Path], recording: Unfinished, now: datetime) -> Finished | None:
    """Finish one recording; None when it is too early, or its node's folder is not ours to see. Blocks. Raises OSError."""
    folder = folders.get(recording.node)
    if folder is None or not folder.is_dir():
        return None
    if not _NAME.fullmatch(recording.recording_id):  # it names a file
        return Finished(recording.recording_id, RecordingState.MISSING, why="refused")
    raw, wav = folder / f"{recording.recording_id}.raw", folder / f"{recording.recording_id}.wav"
    frames = 0
    with suppress(FileNotFoundError):
        if now.timestamp() - raw.stat().st_mtime < _SETTLED_AFTER.total_seconds():
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
    if now - recording.stopped_at < _MISSING_AFTER:
        return None
    return Finished(recording.recording_id, RecordingState.MISSING, why="empty" if raw.exists() else "no_file")


async def finish_some(store: RecordingStore, folders: Mapping[str, Path], now: datetime) -> int:
    """Finish what can be finished now; return how many. Raises StoreAway."""
    done: list[Finished] = []
    for recording in await store.unfinished(200):
        try:
            if finished := await asyncio.to_thread(finish, folders, recording, now):
                done.append(finished)
        except OSError as error:  # a full disk, say: later
            log.warning("recording_not_finished recording=%s why=%s", recording.recording_id, error.strerror)
    if done:
        await store.settle(done)
    return len(done)


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
