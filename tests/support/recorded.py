"""What a finished recording holds: who is heard on which channel, tenth of a second by tenth of a second."""

import wave
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.sim.sip.tones import QUIET, TonePair, goertzel

WINDOW_S = 0.1
SHARE = 0.1
"""The least part of a window's energy that each of the two frequencies has: a quarter of each when two parties speak at once."""


@dataclass(frozen=True)
class Channel:
    """One side of a recording."""

    heard: list[set[str]]
    """Who, by window."""

    def seconds(self, name: str) -> float:
        return sum(name in names for names in self.heard) * WINDOW_S

    def begins(self, name: str) -> float:
        """When it is heard first, seconds since the beginning of the file."""
        return next(n for n, names in enumerate(self.heard) if name in names) * WINDOW_S

    def names(self, at_least: float = 0.3) -> list[str]:
        """Who is heard for so long, in the order in which they begin."""
        found = dict.fromkeys(name for names in self.heard for name in sorted(names))
        return [name for name in found if self.seconds(name) >= at_least]

    def silent(self) -> float:
        """Seconds in which nobody is heard."""
        return sum(not names for names in self.heard) * WINDOW_S

    def ends(self) -> float:
        """Seconds of silence at the end."""
        return next((n for n, names in enumerate(reversed(self.heard)) if names), len(self.heard)) * WINDOW_S


@dataclass(frozen=True)
class Recorded:
    """A file as a player reads it."""

    left: Channel
    right: Channel
    seconds: float


def recorded(file: Path, tones: Mapping[str, TonePair]) -> Recorded:
    """Read the WAV; ``tones`` by the name of who says them, no frequency in two of them."""
    with wave.open(str(file)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, 8000)
        frames = wav.getnframes()
        samples = array("h", wav.readframes(frames))
    return Recorded(_channel(samples[0::2], tones), _channel(samples[1::2], tones), frames / 8000)


def _channel(samples: "array[int]", tones: Mapping[str, TonePair]) -> Channel:
    size = int(8000 * WINDOW_S)
    return Channel([_names(list(samples[at : at + size]), tones) for at in range(0, len(samples) - size + 1, size)])


def _names(window: list[int], tones: Mapping[str, TonePair]) -> set[str]:
    energy = sum(sample * sample for sample in window)
    if energy < QUIET * QUIET * len(window):
        return set()
    return {name for name, pair in tones.items() if all(goertzel(window, frequency) / energy >= SHARE for frequency in pair)}
