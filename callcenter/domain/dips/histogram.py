"""How long answers took, as counts of so many within so long: what Prometheus calls a histogram."""

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Seconds."""


@dataclass(slots=True)
class Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """Each of its own; the last is for what took longer than all bounds."""
    total: float = 0.0
    """Seconds."""

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        return sum(self.counts)

    def cumulative(self) -> list[tuple[str, int]]:
        """Up to each bound, the last one ``+Inf``."""
        running, rows = 0, []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            running += count
            rows.append((bound, running))
        return rows
