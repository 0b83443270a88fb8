"""EWT: how long a caller at a position will wait, as a quantile, learned from what the queue has done lately.

Who is at position k waits for k departures from the line: agents take callers from its head, and callers ahead give
up. Both rates are counted while somebody waits (a queue without a line says nothing about waiting), the first per agent
who serves the queue, so that the forecast follows agents who come and go at once. The wait is then a sum of k exponential
spans with rates μ, μ + θ, ..., μ + (k − 1)θ: the estimator for a queue with impatient callers of W. Whitt, "Improving
service by informing customers about anticipated delays", Management Science 45 (1999). A gamma distribution of the
same mean and variance gives the quantile (Wilson and Hilferty's approximation).

Which quantile: the model is never quite right, and what is told is rounded up, so the level itself is learned. Each caller
who was told "under X" turns out right or wrong, and moves the level a little (``learned``): I. Gibbs and E. Candès,
"Adaptive conformal inference under distribution shift" (2021). In the long run the share of right ones is ``AIM``, whatever
the model's faults. Short, middling and long waits have a level each: rounding up adds much to the first and little to the last.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import log, sqrt
from statistics import NormalDist

AIM = 0.85
"""The share of those told "under X" for whom it comes true: between 80 and 90 %."""
PACES = (0.02, 0.006, 0.002)
"""How far one wrong promise moves the level of short, middling and long waits. What is told of long waits is known late, when many
more have been told the same: the later, the smaller the steps, or the level would swing."""
LIMITS = (0.2, 0.995)
"""A level stays between these."""
CLASSES = (timedelta(seconds=90), timedelta(minutes=5))
"""Up to these means a forecast is short, or middling; beyond, it is long."""
Levels = tuple[float, float, float]
FIRST_LEVELS: Levels = (AIM, AIM, AIM)
"""Before anything was learned."""
LEAST_STARTS = 10
"""With fewer contacts taken from the line within memory, nothing is told."""
WIDEST = 0.75
"""A forecast whose standard deviation is a larger part of its mean than this is too wide to be told ..."""
SHORT = timedelta(minutes=3)
"""... unless what is told is no longer than this."""
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60))
"""What may be told: "under ... minutes". A longer wait is not told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a queue has done within memory, while somebody waited in its line."""

    starts: int
    """Contacts connected that had stood in line."""
    agent_seconds: float
    """Agents who served the queue × time."""
    gone: int
    """Contacts that left the line otherwise."""
    waited_seconds: float
    """Contacts in line × time."""
    ring_seconds: float
    """From offer to answer, added up over the starts."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The wait still to come, in seconds."""

    mean: float
    deviation: float

    @property
    def spread(self) -> float:
        return self.deviation / self.mean

    def quantile(self, level: float) -> float:
        """Of the gamma distribution with this mean and deviation."""
        shape = 1 / self.spread**2
        z = NormalDist().inv_cdf(level)
        return self.mean * max(0.0, 1 - 1 / (9 * shape) + z / (3 * sqrt(shape))) ** 3


def forecast(position: int, agents: int, seen: Seen) -> Forecast | None:
    """For position 1, 2, ...; None when too little was seen, or nobody serves the queue."""
    if seen.starts < LEAST_STARTS or agents < 1 or seen.agent_seconds <= 0:
        return None
    taken = seen.starts / seen.agent_seconds * agents
    leaving = seen.gone / seen.waited_seconds if seen.waited_seconds > 0 else 0.0
    line = _sum_of_inverses(position, taken, leaving)
    squares = _sum_of_inverse_squares(position, taken, leaving)
    mean = line + seen.ring_seconds / seen.starts
    unsure_of_rate = line**2 / seen.starts
    return Forecast(mean, sqrt(squares + unsure_of_rate))


EXACT = 64
"""So many positions are added up one by one; beyond, the integral is as good."""


def _sum_of_inverses(count: int, first: float, step: float) -> float:
    exact = min(count, EXACT)
    total = sum(1 / (first + step * index) for index in range(exact))
    if count > exact:
        low, high = first + step * (exact - 0.5), first + step * (count - 0.5)
        total += (count - exact) / first if step * count < 1e-9 * first else log(high / low) / step
    return total


def _sum_of_inverse_squares(count: int, first: float, step: float) -> float:
    exact = min(count, EXACT)
    total = sum(1 / (first + step * index) ** 2 for index in range(exact))
    if count > exact:
        low, high = first + step * (exact - 0.5), first + step * (count - 0.5)
        total += (count - exact) / first**2 if step * count < 1e-9 * first else (1 / low - 1 / high) / step
    return total


def rounded_up(seconds: float) -> timedelta | None:
    """The next longer thing that may be told; None beyond the last."""
    return next((step for step in STEPS if step.total_seconds() >= seconds), None)


def length(mean: timedelta) -> int:
    """Whether a forecast of this mean is short, middling or long: 0, 1, 2."""
    return sum(mean > limit for limit in CLASSES)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What may be told: "under ...", and the mean it was made from."""

    under: timedelta
    expected: timedelta


def to_tell(position: int, agents: int, seen: Seen, levels: Levels) -> Estimate | None:
    """None: silent when unsure."""
    found = forecast(position, agents, seen)
    if found is None:
        return None
    expected = timedelta(seconds=found.mean)
    step = rounded_up(found.quantile(levels[length(expected)]))
    if step is None or (found.spread > WIDEST and step > SHORT):
        return None
    return Estimate(step, expected)


def learned(levels: Levels, expected: timedelta, right: bool) -> Levels:
    """The levels after one more caller for whom it did (or did not) come true."""
    moved = list(levels)
    at = length(expected)
    level = levels[at] - PACES[at] * (1 - AIM) if right else levels[at] + PACES[at] * AIM
    moved[at] = min(max(level, LIMITS[0]), LIMITS[1])
    return moved[0], moved[1], moved[2]
