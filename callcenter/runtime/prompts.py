"""Prompts and music as audio files: spoken once by espeak-ng, kept under the hash of what they say.

All files are 8 kHz, mono; WAV with 16 bits for whoever wants to listen, and beside it µ-law and A-law,
so that Asterisk sends them to a telephone without recoding.
"""

import array
import hashlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from callcenter.runtime.catalogue import CatalogueError, Prompt, Tones, tones

RATE = 8000
"""Samples per second."""
LEVEL = 8000
"""Peak of one test tone; two of them stay below the limit of 32767."""

SILENT = 300
"""Peak of what nobody hears on a telephone."""
BREATH = RATE // 16
"""Samples of silence after a word, about 60 ms."""


class PromptError(Exception):
    """A prompt cannot be made."""


def prepare(prompts: Iterable[Prompt], kept: Path) -> dict[str, Path]:
    """Make the prompts that are not yet in ``kept``; return each one's WAV file by id. Raises PromptError."""
    kept.mkdir(parents=True, exist_ok=True)
    return {prompt.id: _prepare(prompt, kept) for prompt in prompts}


def _prepare(prompt: Prompt, kept: Path) -> Path:
    wav = kept / f"{_fingerprint(prompt)}.wav"
    if not wav.exists():
        write_audio(wav, _samples(prompt))
    return wav


def _fingerprint(prompt: Prompt) -> str:
    said = prompt.file.read_bytes() if prompt.file else f"{prompt.language}\0{prompt.text}\0{prompt.source}".encode()
    said += b"\0word" if prompt.word else b""
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _samples(prompt: Prompt) -> "array.array[int]":
    if prompt.file is not None:
        return read_wav(prompt.file)
    if prompt.source:
        try:
            return tone_samples(tones(prompt.source))
        except CatalogueError as error:
            raise PromptError(f"prompt '{prompt.id}': source {error}") from None
    return _spoken(prompt)


def _spoken(prompt: Prompt) -> "array.array[int]":
    program = shutil.which("espeak-ng")
    if program is None:
        raise PromptError("espeak-ng is not installed, and prompts cannot be spoken; run: make setup")
    with tempfile.TemporaryDirectory(prefix="callcenter-prompt-") as folder:
        wav = Path(folder) / "spoken.wav"
        command = [program, "-v", prompt.language, "-s", "155", "-w", str(wav), "--stdin"]
        done = subprocess.run(command, input=prompt.text.encode(), capture_output=True, check=False, timeout=60)
        if done.returncode != 0 or not wav.exists():
            why = done.stderr.decode(errors="replace").strip().splitlines()
            raise PromptError(
                f"prompt '{prompt.id}': espeak-ng cannot say it in '{prompt.language}': {why[-1] if why else 'no reason given'}"
            )
        return _trimmed(read_wav(wav)) if prompt.word else read_wav(wav)


def _trimmed(samples: "array.array[int]") -> "array.array[int]":
    """Without the silence at both ends, but for a breath."""
    loud = [index for index in range(0, len(samples), BREATH // 4) if max(map(abs, samples[index : index + BREATH // 4])) > SILENT]
    return samples[max(0, loud[0] - BREATH // 2) : loud[-1] + BREATH] if loud else samples


def read_wav(path: Path) -> "array.array[int]":
    """The samples of a WAV file at 8 kHz, mono, 16 bit; other rates and stereo are converted. Raises PromptError."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise PromptError(f"{path}: must be a WAV file of 16 bit, but has {8 * file.getsampwidth()}")
            channels, rate = file.getnchannels(), file.getframerate()
            samples = array.array("h", file.readframes(file.getnframes()))
    except (OSError, EOFError, wave.Error) as error:
        raise PromptError(f"{path}: is not a WAV file that can be read: {error}") from None
    if sys.byteorder == "big":
        samples.byteswap()
    if channels > 1:
        samples = array.array("h", (sum(samples[at : at + channels]) // channels for at in range(0, len(samples) - channels + 1, channels)))
    return _resampled(samples, rate)


def _resampled(samples: "array.array[int]", rate: int) -> "array.array[int]":
    """At 8 kHz: each new sample is the mean of those it covers (a simple low-pass), or lies between its neighbours."""
    if rate == RATE or not samples:
        return samples
    step = rate / RATE
    last = len(samples) - 1
    resampled = array.array("h")
    for index in range(int(len(samples) / step)):
        at = index * step
        if step > 1:
            covered = samples[int(at) : max(int(at) + 1, int(at + step))]
            resampled.append(sum(covered) // len(covered))
        else:
            left = int(at)
            right = min(left + 1, last)
            resampled.append(int(samples[left] + (samples[right] - samples[left]) * (at - left)))
    return resampled


def tone_samples(wanted: Tones) -> "array.array[int]":
    """The tones together, without a click at the ends."""
    count = int(wanted.duration * RATE)
    edge = RATE // 100
    steps = [2 * math.pi * frequency / RATE for frequency in wanted.frequencies]
    return array.array(
        "h",
        (
            int(LEVEL * min(1.0, index / edge, (count - 1 - index) / edge) * sum(math.sin(step * index) for step in steps))
            for index in range(count)
        ),
    )


def write_audio(wav: Path, samples: "array.array[int]") -> None:
    """Write the WAV file and its µ-law and A-law twins; the WAV last, so that its presence means all are there."""
    little = array.array("h", samples)
    if sys.byteorder == "big":
        little.byteswap()
    ulaw, alaw = _tables()
    for suffix, table in ((".ulaw", ulaw), (".alaw", alaw)):
        _put(wav.with_suffix(suffix), bytes(table[sample + 32768] for sample in samples))
    temporary = wav.with_name(f".{wav.name}.{os.getpid()}")
    with wave.open(str(temporary), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(little.tobytes())
    temporary.chmod(0o644)
    os.replace(temporary, wav)


def _put(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.chmod(0o644)
    os.replace(temporary, path)


@cache
def _tables() -> tuple[bytes, bytes]:
    """G.711: for each 16-bit sample (plus 32768) its µ-law and its A-law octet."""
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
