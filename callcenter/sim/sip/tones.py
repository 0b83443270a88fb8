"""Tone pairs: made once as encoded frames, recognised by Goertzel's filter.

A pair is two sines at once. Tests give each prompt and each party a pair of its own, so that *who hears whom* can be asserted.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations

from callcenter.sim.sip.g711 import BY_PAYLOAD_TYPE, Law

RATE = 8000
"""Samples per second."""
FRAME_MS = 20
FRAME = RATE * FRAME_MS // 1000
"""Samples in a frame."""

TonePair = tuple[float, float]

DTMF: dict[str, TonePair] = {
    digit: (low, high)
    for low, row in zip((697.0, 770.0, 852.0, 941.0), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, digit in zip((1209.0, 1336.0, 1477.0, 1633.0), row, strict=True)
}

_GRID = (400.0, 550.0, 1000.0, 1100.0, 1800.0, 1950.0, 2100.0, 2250.0, 2400.0, 2550.0, 2700.0, 2850.0, 3000.0)
"""Multiples of 50 Hz, thus orthogonal over one 20 ms frame, at least 100 Hz apart and 50 Hz away from every DTMF frequency."""
_PAIRS = tuple(pair for pair in combinations(_GRID, 2))

SHARE = 0.15
"""The least part of a frame's energy each of the two frequencies must have: 0.5 when alone, 0.25 when two pairs are mixed."""
QUIET = 80.0
"""Below this RMS (of 32,768) a frame is silence, whatever its spectrum."""


def tone_pair(number: int) -> TonePair:
    """The ``number``-th agreed pair; the first 78 differ from each other in at least one frequency."""
    return _PAIRS[number % len(_PAIRS)]


def samples_of(pair: TonePair, count: int, *, level: float = 6000.0, start: int = 0) -> list[int]:
    """``count`` samples of both sines, each with amplitude ``level``."""
    low, high = (2 * math.pi * frequency / RATE for frequency in pair)
    return [round(level * (math.sin(low * n) + math.sin(high * n))) for n in range(start, start + count)]


@lru_cache(maxsize=256)
def tone_frames(pair: TonePair | None, law: Law, packet_ms: int = FRAME_MS) -> tuple[bytes, ...]:
    """Encoded frames to be sent round and round without a click; silence for ``None``. Frequencies in whole Hz."""
    size = RATE * packet_ms // 1000
    if pair is None:
        return (bytes([law.silence]) * size,)
    period = RATE // math.gcd(RATE, *(round(frequency) for frequency in pair))
    frames = math.lcm(period, size) // size
    encoded = law.encode(samples_of(pair, frames * size))
    return tuple(encoded[at : at + size] for at in range(0, len(encoded), size))


def goertzel(samples: list[int], frequency: float) -> float:
    """The energy at ``frequency``, as a part of ``samples``' energy scale: a pure sine of that frequency gives Σ s² (nearly)."""
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    return 2 * (last * last + before * before - factor * last * before) / max(len(samples), 1)


@lru_cache(maxsize=4096)
def shares(payload: bytes, payload_type: int, pair: TonePair) -> tuple[float, float]:
    """What part of the frame's energy each frequency has; zeros for silence. Cached: tones repeat the same few frames."""
    linear = BY_PAYLOAD_TYPE[payload_type].linear
    samples = [linear[code] for code in payload]
    energy = sum([sample * sample for sample in samples])
    if not samples or energy < QUIET * QUIET * len(samples):
        return 0.0, 0.0
    return goertzel(samples, pair[0]) / energy, goertzel(samples, pair[1]) / energy


def sounds(payload: bytes, payload_type: int, pair: TonePair, share: float = SHARE) -> bool:
    """Whether this frame holds both tones of the pair."""
    low, high = shares(payload, payload_type, pair)
    return low >= share and high >= share
