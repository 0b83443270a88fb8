"""G.711 by tables: μ-law and A-law bytes to 16-bit linear samples and back (ITU-T G.711)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field


def _ulaw_to_linear(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _alaw_to_linear(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = (code & 0x0F) << 4
    magnitude += 8 if segment == 0 else 0x108
    if segment > 1:
        magnitude <<= segment - 1
    return magnitude if code & 0x80 else -magnitude


def _linear_to_ulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 0x84
    segment = max(magnitude.bit_length() - 8, 0)
    return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)) & 0xFF


def _linear_to_alaw(sample: int) -> int:
    mask = 0xD5
    if sample < 0:
        mask, sample = 0x55, ~sample
    segment = max(sample.bit_length() - 8, 0)
    return ((segment << 4) | ((sample >> (segment + 3 if segment else 4)) & 0x0F)) ^ mask


QUIET = 300
"""Peak of silence, of 32,768: about -41 dBFS."""


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """One of the two laws: its SDP name, static RTP payload type, and tables."""

    name: str
    payload_type: int
    silence: int
    linear: tuple[int, ...] = field(repr=False)
    """Byte to sample, −32124…32124."""
    code: bytes = field(repr=False)
    """Sample (as an unsigned 16-bit index) to byte."""

    quiet: bytes = field(init=False, repr=False)
    """The codes that nobody hears."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "quiet", bytes(code for code, sample in enumerate(self.linear) if abs(sample) <= QUIET))

    def decode(self, payload: bytes) -> array[int]:
        """Samples of these bytes, 8,000 a second."""
        return array("h", map(self.linear.__getitem__, payload))

    def encode(self, samples: Iterable[int]) -> bytes:
        """Bytes of these samples; each sample within −32768…32767."""
        code = self.code
        return bytes([code[sample & 0xFFFF] for sample in samples])


def _signed(index: int) -> int:
    return index - 0x10000 if index & 0x8000 else index


ULAW = Law("PCMU", 0, 0xFF, tuple(map(_ulaw_to_linear, range(256))), bytes(_linear_to_ulaw(_signed(index)) for index in range(0x10000)))
ALAW = Law("PCMA", 8, 0xD5, tuple(map(_alaw_to_linear, range(256))), bytes(_linear_to_alaw(_signed(index)) for index in range(0x10000)))
LAWS = {law.name: law for law in (ULAW, ALAW)}
BY_PAYLOAD_TYPE = {law.payload_type: law for law in (ULAW, ALAW)}
