"""What the center was at one record of the journal, so that a restart need not read all of it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

_KEPT = 2


def write_checkpoint(folder: Path, seq: int, content: Mapping[str, object]) -> Path:
    """Write ``content`` (JSON values) as the checkpoint after record ``seq``; it is there whole or not at all.

    Blocks for an fsync: use a thread. Raises OSError.
    """
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")
    path = folder / f"checkpoint-{seq:020d}.json"
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(b"%08x " % crc32(body) + body)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(folder)
    for old in _checkpoints(folder)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def latest_checkpoint(folder: Path) -> tuple[int, dict[str, object]] | None:
    """The newest checkpoint that is intact, with its record's sequence number."""
    for path in _checkpoints(folder):
        try:
            crc, _, body = path.read_bytes().partition(b" ")
            if int(crc, 16) != crc32(body):
                continue
            content = json.loads(body)
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            return _seq(path), content
    return None


def kept_from(folder: Path) -> int:
    """The records after this one are needed for a restore: the oldest kept checkpoint's, or 0 without one."""
    return min((_seq(path) for path in _checkpoints(folder)), default=0)


def sync_folder(folder: Path) -> None:
    """Make new names in ``folder`` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _checkpoints(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob("checkpoint-*.json"), reverse=True)


def _seq(path: Path) -> int:
    return int(path.stem.removeprefix("checkpoint-"))
