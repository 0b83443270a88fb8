"""How one record lies in a segment, and what is done about damage.

A record is one line: ``SEQ CRC LENGTH PAYLOAD\\n``, where CRC is the CRC-32 of ``SEQ LENGTH PAYLOAD``. The
payload is ASCII without line breaks, so after damage the next line break is the next chance of a record.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

SEGMENT_GLOB = "*.segment"
_HEADER = re.compile(rb"(\d{1,19}) ([0-9a-f]{8}) (\d{1,9}) ")
_LONGEST_HEADER = 19 + 1 + 8 + 1 + 9 + 1


@dataclass(frozen=True, slots=True)
class Record:
    """The facts of one event, not yet decoded (``fact_codec.load``)."""

    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record. ``torn``: the last ones of the file, without line break; a write was interrupted."""

    offset: int
    content: bytes
    torn: bool


def line_of(seq: int, payload: bytes) -> bytes:
    """The record as it is written."""
    return b"%d %08x %d %b\n" % (seq, crc32(b"%d %d %b" % (seq, len(payload), payload)), len(payload), payload)


def scan(content: bytes, start: int = 0) -> tuple[list[tuple[int, Record]], list[Damage]]:
    """All intact records from ``start``, each with the offset after it, and all damage.

    A record that lacks only its line break is intact.
    """
    records: list[tuple[int, Record]] = []
    damages: list[Damage] = []
    offset = start
    while offset < len(content):
        found = _record_at(content, offset)
        if found:
            records.append(found)
            offset = found[0]
            continue
        end = content.find(b"\n", offset) + 1
        if end != offset + 1:  # a lone line break is what a repair adds
            damages.append(Damage(offset, content[offset : end or None], torn=not end))
        offset = end or len(content)
    return records, damages


def _record_at(content: bytes, offset: int) -> tuple[int, Record] | None:
    header = _HEADER.match(content, offset, offset + _LONGEST_HEADER)
    if not header:
        return None
    seq, crc, length = int(header[1]), int(header[2], 16), int(header[3])
    start = header.end()
    payload = content[start : start + length]
    if len(payload) != length or crc32(b"%d %d %b" % (seq, length, payload)) != crc:
        return None
    end = start + length
    # The line break is not under the CRC: whatever became of it, the records around it are whole.
    return min(end + 1, len(content)), Record(seq, payload)


def segment_path(folder: Path, first_seq: int) -> Path:
    return folder / f"{first_seq:020d}.segment"


def first_seq(segment: Path) -> int:
    """The sequence number that the first record of the segment has or would have."""
    return int(segment.stem)


def segments(folder: Path) -> list[Path]:
    """All segments, oldest first."""
    return sorted(path for path in folder.glob(SEGMENT_GLOB) if path.stem.isdigit())


def quarantine(segment: Path, damage: Damage) -> None:
    """Keep damaged bytes in a side file, once, for people to look at; on a full disk they stay where they are."""
    folder = segment.parent / "quarantine"
    side = folder / f"{segment.stem}-{damage.offset}.damaged"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if not side.exists():
            side.write_bytes(damage.content)
