"""Recordings in other formats than WAV: made WAV by a decoder of this machine, ffmpeg or sox, if there is one.

Such programs are large, and what they read comes from outside: they run in a sandbox (bubblewrap) with the programs and libraries of
``/usr`` and nothing else, as nobody, without a network, with little memory and time. Without bubblewrap none is run. What comes out is read
by ``decode_child`` like any other WAV file that nobody vouches for.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from callcenter.runtime.audio import WIDE, AudioError

MEMORY = 1 << 30
CPU_S = 60
LARGEST_WAV = 1 << 25
"""Bytes; five minutes are a third of it."""
NOBODY = "65534"
OUTSIDE = "/decoder"
"""Where a program that is not below ``/usr`` is in the sandbox."""
HEAD = 64
"""Bytes that tell the formats apart."""


@dataclass(frozen=True, slots=True)
class Format:
    """What it is called, and by the decoders."""

    name: str
    ffmpeg: str
    sox: str


MP3 = Format("MP3", "mp3", "mp3")
FLAC = Format("FLAC", "flac", "flac")
VORBIS = Format("Ogg Vorbis", "ogg", "vorbis")
OPUS = Format("Opus", "ogg", "opus")
OGG_FLAC = Format("FLAC in Ogg", "ogg", "flac")


def format_of(head: bytes) -> Format | None:
    """By its first bytes, whatever it is called; None: none of these."""
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):  # layer 3 of ISO/IEC 11172-3
        return MP3
    if head.startswith(b"fLaC"):
        return FLAC
    if head.startswith(b"OggS"):
        found = {b"OpusHead": OPUS, b"\x01vorbis": VORBIS, b"\x7fFLAC": OGG_FLAC}
        return next((known for mark, known in found.items() if mark in head), None)
    return None


def _ffmpeg(program: str, known: Format, longest_s: float) -> Sequence[str]:
    reading = (program, "-nostdin", "-v", "error", "-protocol_whitelist", "pipe", "-threads", "1", "-f", known.ffmpeg, "-i", "pipe:0")
    writing = ("-map", "0:a:0", "-ac", "1", "-ar", f"{WIDE}", "-c:a", "pcm_s16le", "-threads", "1", "-f", "wav", "pipe:1")
    return (*reading, "-t", f"{longest_s + 1:g}", *writing)


def _sox(program: str, known: Format, longest_s: float) -> Sequence[str]:
    wav = ("-t", "wav", "-r", f"{WIDE}", "-c", "1", "-b", "16", "-")
    return (program, "-V1", "-t", known.sox, "-", *wav, "trim", "0", f"{longest_s + 1:g}")


DECODERS: dict[str, Callable[[str, Format, float], Sequence[str]]] = {"ffmpeg": _ffmpeg, "sox": _sox}
"""In the order in which they are tried."""
WITHIN_S = 90.0


def made_wav(source: int, known: Format, longest_s: float) -> IO[bytes]:
    """The recording of that descriptor as a WAV file, a little longer than ``longest_s`` at most. Raises AudioError."""
    found = {name: program for name in DECODERS if (program := shutil.which(name))}
    save = "or save it as WAV (PCM, 16 bit)"
    if not found:
        raise AudioError(f"is {known.name}, which needs a decoder: install ffmpeg, or sox with libsox-fmt-all, {save}")
    if shutil.which("bwrap") is None:
        raise AudioError(f"is {known.name}, whose decoder is run in a sandbox only: install bubblewrap, {save}")
    for name, program in found.items():
        wav = _run(source, DECODERS[name](program, known, longest_s), program)
        if wav is not None:
            return wav
    raise AudioError(f"is {known.name} that {' and '.join(found)} cannot read; install ffmpeg, or sox with libsox-fmt-all, {save}")


def _run(source: int, command: Sequence[str], program: str) -> IO[bytes] | None:
    """None: it made nothing of it."""
    os.lseek(source, 0, os.SEEK_SET)
    wav = tempfile.TemporaryFile()  # noqa: SIM115  # closed by who reads it
    try:
        done = subprocess.run(
            [*_sandbox(program), program if program.startswith("/usr/") else OUTSIDE, *command[1:]],
            stdin=source,
            stdout=wav,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=WITHIN_S,
            check=False,
            preexec_fn=_limit,  # which calls setrlimit and nothing else
        )
    except subprocess.TimeoutExpired:
        wav.close()
        return None
    if done.returncode == 0 and wav.seek(0, os.SEEK_END) > 0:
        wav.seek(0)
        return wav
    wav.close()
    return None


def _sandbox(program: str) -> Sequence[str]:
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", NOBODY, "--gid", NOBODY]
    command += ["--ro-bind", "/usr", "/usr", "--dev", "/dev", "--chdir", "/", "--clearenv"]
    for name in ("/bin", "/lib", "/lib32", "/lib64"):
        place = Path(name)
        if place.is_symlink():
            command += ["--symlink", os.readlink(place), name]
        elif place.exists():
            command += ["--ro-bind", name, name]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):  # where Debian's libraries are looked for
        command += ["--ro-bind-try", name, name]
    if not program.startswith("/usr/"):
        command += ["--ro-bind", program, OUTSIDE]
    return [*command, "--remount-ro", "/", "--"]


def _limit() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, LARGEST_WAV),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
