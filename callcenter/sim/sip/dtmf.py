"""Digits as named events: the four bytes of RFC 4733 §2.3, written and read."""

from __future__ import annotations

import struct

EVENTS = "0123456789*#ABCD"
EVENT_OF = {digit: number for number, digit in enumerate(EVENTS)}
END_PACKETS = 3
"""How often the packet with the end bit is sent, against loss."""

_EVENT = struct.Struct("!BBH")
_END = 0x80
_VOLUME = 10
"""−dBm0."""


def event_payload(event: int, duration: int, ended: bool) -> bytes:
    """``duration`` in samples, counted from the event's begin."""
    return _EVENT.pack(event, (_END if ended else 0) | _VOLUME, min(duration, 0xFFFF))


def read_event(payload: bytes) -> tuple[str, int, bool] | None:
    """Digit, duration in samples so far, whether it ended; ``None`` for what is no digit."""
    if len(payload) < 4:
        return None
    event, flags, duration = _EVENT.unpack_from(payload)
    if event >= len(EVENTS):
        return None
    return EVENTS[event], duration, bool(flags & _END)
