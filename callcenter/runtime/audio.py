"""Samples of sound, in plain Python: WAV files read, rates changed, tones made, and files written as telephones want them.

What is kept of a prompt, side by side under one name: ``.sln16`` (16 kHz, 16 bit, no header) for wideband telephones (G.722,
Opus), ``.ulaw`` and ``.alaw`` (8 kHz, G.711) for the others, and a WAV file of 8 kHz for whoever wants to listen. Asterisk
takes the one that needs the least recoding.
"""

import array
import math
import os
import struct
import sys
import wave
from collections.abc import Callable
from functools import cache
from operator import mul
from pathlib import Path
from typing import BinaryIO, TypeAlias

from callcenter.runtime.catalogue import Tones

RATE = 8000
"""Samples per second, of narrow-band telephones."""
WIDE = 16_000
"""Of wideband telephones."""
SUFFIXES = (".sln16", ".ulaw", ".alaw", ".wav")
LEVEL = 8000
"""Peak of one test tone; two of them stay below the limit of 32767."""
SILENT = 300
"""Peak of what nobody hears on a telephone."""

Samples: TypeAlias = "array.array[int]"
"""Mono, 16 bit."""


class AudioError(ValueError):
    """It is no sound that we can read; the sentence says why."""


# --- WAV files --------------------------------------------------------------------------------------

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_BLOCK = 1 << 16
"""Frames taken at once."""


def read_wav(file: BinaryIO, longest_s: float = math.inf) -> tuple[Samples, int]:
    """The samples of a WAV file (PCM of 8 to 32 bit, float, µ-law or A-law; up to 8 channels) as mono, and its rate. Raises AudioError."""
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise AudioError(f"is not a WAV file{_looks_like(head)}; save it as WAV (PCM, 16 bit)")
    form: tuple[int, int, int, int] | None = None
    while len(head := file.read(8)) == 8:
        kind, size = head[:4], struct.unpack("<I", head[4:])[0]
        if kind == b"fmt ":
            form = _form(file.read(min(size, 64)))
            _skip(file, size - min(size, 64) + size % 2)
        elif kind == b"data":
            if form is None:
                raise AudioError("is not a WAV file that can be read: its samples come before their format")
            return _mono(file, size, form, longest_s), form[2]
        else:
            _skip(file, size + size % 2)
    raise AudioError("is not a WAV file that can be read: there are no samples in it")


def _looks_like(head: bytes) -> str:
    for start, name in ((b"ID3", "MP3"), (b"\xff\xfb", "MP3"), (b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"FORM", "AIFF")):
        if head.startswith(start):
            return f", but {name}"
    return ", but MP4" if head[4:8] == b"ftyp" else ""


def _skip(file: BinaryIO, count: int) -> None:
    """Read on; the file may be a pipe, and its sizes may lie."""
    while count > 0:
        taken = len(file.read(min(count, _BLOCK)))
        if not taken:
            return
        count -= taken


def _form(content: bytes) -> tuple[int, int, int, int]:
    """Coding, channels, rate, bytes per sample."""
    if len(content) < 16:
        raise AudioError("is not a WAV file that can be read: its format is cut off")
    coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", content[:16])
    if coding == _EXTENSIBLE and len(content) >= 26:
        coding = struct.unpack("<H", content[24:26])[0]
    if (coding, bits) not in _WIDTHS:
        raise AudioError(f"is coded in a way we do not read (WAV format {coding} of {bits} bit); save it as WAV (PCM, 16 bit)")
    if not 1 <= channels <= 8:
        raise AudioError(f"must have 1 to 8 channels, but has {channels}")
    if not 4000 <= rate <= 192_000:
        raise AudioError(f"must have 4000 to 192000 samples a second, but has {rate}")
    return coding, channels, rate, bits // 8


def _mono(file: BinaryIO, size: int, form: tuple[int, int, int, int], longest_s: float) -> Samples:
    coding, channels, rate, width = form
    decode = _WIDTHS[coding, 8 * width]
    most = longest_s * rate
    samples = array.array("h")
    left = size
    while left > 0:
        block = file.read(min(left, _BLOCK * channels * width))
        if not block:
            break  # the size lies; what is there is taken
        left -= len(block)
        heard = decode(block[: len(block) - len(block) % (channels * width)])
        if channels > 1:
            heard = array.array(
                "h", (sum(frame) // channels for frame in zip(*(heard[at::channels] for at in range(channels)), strict=True))
            )
        samples += heard
        if len(samples) > most:
            raise AudioError(f"is longer than {longest_s:g} seconds, which a prompt must not be")
    return samples


def _native(code: str, content: bytes) -> "array.array[int]":
    values = array.array(code, content)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _from_float(content: bytes) -> Samples:
    return array.array("h", (_clipped(32767 * value) if value == value else 0 for value in _native("f", content)))


def _clipped(value: float) -> int:
    return int(max(-32768.0, min(32767.0, value)))


@cache
def _ulaw_table() -> tuple[int, ...]:
    """From octet to sample."""
    magnitudes = [(((~octet & 0x0F) << 3) + 132 << (~octet >> 4 & 0x07)) - 132 for octet in range(256)]
    return tuple(-magnitude if ~octet & 0x80 else magnitude for octet, magnitude in enumerate(magnitudes))


@cache
def _alaw_table() -> tuple[int, ...]:
    """From octet to sample."""
    found = []
    for octet in (each ^ 0x55 for each in range(256)):
        segment, step = octet >> 4 & 0x07, octet & 0x0F
        magnitude = (step << 4) + 8 if segment == 0 else (step << 4) + 264 << segment - 1
        found.append(magnitude if octet & 0x80 else -magnitude)
    return tuple(found)


_WIDTHS: dict[tuple[int, int], Callable[[bytes], Samples]] = {
    (_PCM, 8): lambda content: array.array("h", (value - 128 << 8 for value in content)),
    (_PCM, 16): lambda content: _native("h", content),
    (_PCM, 24): lambda content: _native("h", _high_bytes(content, 3)),
    (_PCM, 32): lambda content: _native("h", _high_bytes(content, 4)),
    (_FLOAT, 32): _from_float,
    (_ULAW, 8): lambda content: array.array("h", map(_ulaw_table().__getitem__, content)),
    (_ALAW, 8): lambda content: array.array("h", map(_alaw_table().__getitem__, content)),
}


def _high_bytes(content: bytes, width: int) -> bytes:
    """The two most significant octets of each sample."""
    high = bytearray(2 * (len(content) // width))
    high[0::2], high[1::2] = content[width - 2 :: width], content[width - 1 :: width]
    return bytes(high)


# --- rates ------------------------------------------------------------------------------------------

_CROSSINGS = 6
"""Of the sinc function, on each side: how sharply the low-pass cuts."""


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """At another rate, band-limited: a windowed sinc, one set of weights for each phase between old and new samples."""
    if rate == wanted or not samples:
        return samples
    common = math.gcd(rate, wanted)
    up, down = wanted // common, rate // common
    half = max(1, math.ceil(_CROSSINGS * max(1.0, down / up)))
    padded = array.array("h", bytes(2 * (half - 1))) + samples + array.array("h", bytes(2 * (half + 1)))
    phases = [_weights(phase / up, half, min(1.0, up / down)) for phase in range(min(up, len(samples) * up // down))]
    width = 2 * half
    found = [sum(map(mul, phases[at % up], padded[at // up : at // up + width])) for at in range(0, len(samples) * up // down * down, down)]
    return array.array("h", map(int, found)) if not found or max(map(abs, found)) < 32767 else array.array("h", map(_clipped, found))


def _half_band() -> tuple[float, ...]:
    """Of a windowed sinc at half the band, the weights of the odd neighbours; those of the even ones are zero. All make 1."""
    raw = [math.sin(math.pi * away / 2) / (math.pi * away / 2) * (0.54 + 0.46 * math.cos(math.pi * away / 8)) for away in (1, 3, 5, 7)]
    return tuple(weight / (4 * sum(raw)) for weight in raw)


_HALVING = _half_band()


def halved(samples: Samples) -> Samples:
    """Every second sample, below half the rate: 16 kHz becomes 8 kHz."""
    padded = [0] * 8 + samples.tolist() + [0] * 8
    near, third, fifth, seventh = _HALVING
    count = (len(samples) + 1) // 2
    around = [padded[8 + away :: 2][:count] for away in (-7, -5, -3, -1, 0, 1, 3, 5, 7)]
    return array.array(
        "h",
        (
            int(min(32767, max(-32768, 0.5 * e + near * (d + f) + third * (c + g) + fifth * (b + h) + seventh * (a + i))))
            for a, b, c, d, e, f, g, h, i in zip(*around, strict=True)
        ),
    )


def _weights(offset: float, half: int, band: float) -> tuple[float, ...]:
    """For the samples from ``half - 1`` before to ``half`` after; their sum is 1."""
    raw = []
    for place in range(1 - half, half + 1):
        away = place - offset
        sinc = math.sin(math.pi * away * band) / (math.pi * away * band) if away else 1.0
        raw.append(sinc * (0.5 + 0.5 * math.cos(math.pi * away / (half + 1))))
    total = sum(raw)
    return tuple(weight / total for weight in raw)


# --- made by ourselves ------------------------------------------------------------------------------


def tone_samples(wanted: Tones, rate: int = RATE) -> Samples:
    """The tones together, without a click at the ends."""
    count = int(wanted.duration * rate)
    edge = rate // 100
    steps = [2 * math.pi * frequency / rate for frequency in wanted.frequencies]
    return array.array(
        "h",
        (
            int(LEVEL * min(1.0, index / edge, (count - 1 - index) / edge) * sum(math.sin(step * index) for step in steps))
            for index in range(count)
        ),
    )


def trimmed(samples: Samples, rate: int) -> Samples:
    """Without the silence at both ends, but for a breath of about 60 ms behind and half of it before."""
    breath = rate // 16
    step = breath // 4
    loud = [index for index in range(0, len(samples), step) if max(map(abs, samples[index : index + step])) > SILENT]
    return samples[max(0, loud[0] - breath // 2) : loud[-1] + breath] if loud else samples


# --- files ------------------------------------------------------------------------------------------


def write_audio(wav: Path, wide: Samples) -> None:
    """Write what we keep of a sound given at 16 kHz; the WAV file last, so that its presence means all are there."""
    put(wav.with_suffix(".sln16"), _little(wide))
    write_narrow(wav, halved(wide))


def write_narrow(wav: Path, samples: Samples) -> None:
    """Write the WAV file and its µ-law and A-law twins."""
    ulaw, alaw = _tables()
    for suffix, table in ((".ulaw", ulaw), (".alaw", alaw)):
        put(wav.with_suffix(suffix), bytes(map(table.__getitem__, (sample + 32768 for sample in samples))))
    temporary = wav.with_name(f".{wav.name}.{os.getpid()}")
    with wave.open(str(temporary), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(_little(samples))
    temporary.chmod(0o644)
    os.replace(temporary, wav)


def put(path: Path, content: bytes) -> None:
    """The whole file at once, under its name or not at all; whoever reads the old one goes on reading it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.chmod(0o644)
    os.replace(temporary, path)


def _little(samples: Samples) -> bytes:
    if sys.byteorder == "big":
        samples = array.array("h", samples)
        samples.byteswap()
    return samples.tobytes()


# --- G.711 ------------------------------------------------------------------------------------------


@cache
def _tables() -> tuple[bytes, bytes]:
    """For each 16-bit sample (plus 32768) its µ-law and its A-law octet."""
    return bytes(map(_ulaw, range(-32768, 32768))), bytes(map(_alaw, range(-32768, 32768)))


def _ulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def _alaw(sample: int) -> int:
    sign = 0 if sample < 0 else 0x80
    magnitude = min(~sample if sample < 0 else sample, 32767) >> 4
    exponent = max(magnitude.bit_length() - 4, 0)
    mantissa = (magnitude >> max(exponent - 1, 0)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55
