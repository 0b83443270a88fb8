"""Words spoken by espeak-ng, as they sound over a telephone: 8 kHz, 16 bit, through G.711."""

import io
import subprocess
import wave
from array import array
from functools import cache
from itertools import pairwise

from callcenter.sim.sip.g711 import ULAW

RATE = 8000
VOICES = ("en-us", "en-us+f2", "en-us+m3", "en-gb", "en-gb-x-rp+f3", "en-029", "en-us+f4", "en-us+m7")


@cache
def spoken(text: str, voice: str = "en-us", speed: int = 160) -> tuple[int, ...]:
    """Samples of 8 kHz, without silence around them but what the voice makes itself."""
    made = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(made)) as wav:
        rate, samples = wav.getframerate(), array("h", wav.readframes(wav.getnframes()))
    return narrow(samples, rate)


def narrow(samples: array, rate: int) -> tuple[int, ...]:  # type: ignore[type-arg]  # until Python 3.12
    """To 8 kHz: each sample the mean of what lies between it and the next, which keeps most of what is above 4 kHz out."""
    step = rate / RATE
    edges = [round(index * step) for index in range(int(len(samples) / step) + 1)]
    return tuple(sum(samples[a:b]) // max(1, b - a) for a, b in pairwise(edges))


def over_the_telephone(samples: tuple[int, ...], before_s: float = 0.4, after_s: float = 1.0) -> bytes:
    """As a leg carries it, with silence around."""
    padded = (*(0,) * int(before_s * RATE), *samples, *(0,) * int(after_s * RATE))
    return _decoded(ULAW.encode(padded))


def _decoded(encoded: bytes) -> bytes:
    return array("h", (ULAW.linear[code] for code in encoded)).tobytes()
