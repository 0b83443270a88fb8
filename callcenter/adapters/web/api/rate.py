"""How often one token, or one signed-in person, may ask: a bucket that fills evenly."""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil

KNOWN = 10_000
"""Buckets kept; the one unused for longest goes first, which by then is full again."""


class Buckets:
    """``rate`` requests a second on average, ``burst`` at once."""

    def __init__(self, rate: float, burst: int, elapsed: Callable[[], float]) -> None:
        self._rate, self._burst = rate, float(burst)
        self._elapsed = elapsed
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> int:
        """0: go on; else after so many seconds."""
        now = self._elapsed()
        left, then = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        allowed = left >= 1.0
        self._left[who] = (left - 1.0 if allowed else left), now
        if len(self._left) > KNOWN:
            self._left.popitem(last=False)
        return 0 if allowed else max(1, ceil((1.0 - left) / self._rate))
