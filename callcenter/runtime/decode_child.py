"""The child process that reads a sound nobody vouches for: ``python -m callcenter.runtime.decode_child SECONDS``.

A WAV file comes in on standard input; mono samples of 16 kHz go out on standard output, or one sentence on standard error.
Before the first octet is read the process gives up whatever a decoder that was tricked could misuse: root's rights, memory,
time, large files, and every new file, socket and process (no descriptor beyond those it has can be opened).
"""

import os
import resource
import sys

from callcenter.runtime.audio import WIDE, AudioError, read_wav, resampled

MEMORY = 1 << 30
CPU_S = 120
"""A prompt of five minutes takes about 15."""
NOBODY = 65534


def confine() -> None:
    """From here on nothing new can be opened."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 1 << 25),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(limit, (most, most))
    if os.geteuid() == 0:  # who is root could take the limits off again
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def main() -> int:
    longest_s = float(sys.argv[1])
    confine()
    try:
        samples, rate = read_wav(sys.stdin.buffer, longest_s)
        wide = resampled(samples, rate, WIDE)
        if not wide:
            raise AudioError("has no sound in it")
        if sys.byteorder == "big":
            wide.byteswap()
        sys.stdout.buffer.write(wide.tobytes())
        sys.stdout.buffer.flush()
    except AudioError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except MemoryError:
        sys.stderr.write("needs more memory than a prompt may\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
