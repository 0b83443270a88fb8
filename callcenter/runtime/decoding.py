"""Recordings from outside, read in a child process that may do nothing else: what is huge, malicious or no sound is refused."""

import array
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from callcenter.runtime.audio import AudioError, Samples
from callcenter.runtime.transcoding import HEAD, format_of, made_wav

MOST_BYTES = 64 * 1024 * 1024
"""Of a file."""
LONGEST_S = 300.0
"""Of its sound."""
WITHIN_S = 120.0
"""In which it must have been read."""


def decoded(path: Path, longest_s: float = LONGEST_S) -> Samples:
    """Mono samples of 16 kHz. Raises AudioError with what is wrong with the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place must not hold us up
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise AudioError("is not a file")
        if found.st_size > MOST_BYTES:
            raise AudioError(f"is larger than {MOST_BYTES // 1024 // 1024} MiB, which a prompt must not be")
        known = format_of(os.pread(descriptor, HEAD, 0))
        with (
            made_wav(descriptor, known, longest_s) if known else os.fdopen(os.dup(descriptor), "rb") as wav,
            tempfile.TemporaryFile() as answer,
        ):
            _run(wav.fileno(), answer.fileno(), longest_s)
            answer.seek(0)
            samples = array.array("h", answer.read())
    finally:
        os.close(descriptor)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _run(source: int, target: int, longest_s: float) -> None:
    command = [sys.executable, "-I", "-m", "callcenter.runtime.decode_child", f"{longest_s:g}"]
    try:
        child = subprocess.run(command, stdin=source, stdout=target, stderr=subprocess.PIPE, env={}, cwd="/", timeout=WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        raise AudioError(f"took longer than {WITHIN_S:g} seconds to read") from None
    if child.returncode == 3:
        raise AudioError(child.stderr.decode(errors="replace").strip()[:300])
    if child.returncode != 0:
        raise AudioError("cannot be read: the decoder gave up (too much time, memory or data)")
