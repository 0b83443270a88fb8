"""How long callers are willing to wait, learned from those who gave up and those who were answered before they would have.

Who was answered (or left otherwise) after a wait tells only that the patience was longer: a right-censored
observation. Kaplan and Meier (*Nonparametric Estimation from Incomplete Observations*, 1958): the share still
waiting after each abandon is the product of (1 − abandons ÷ callers still waiting just before). To count the
answered as abandons, or to leave them out, would make callers look less patient than they are.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import log


@dataclass(frozen=True, slots=True)
class Watched:
    """One caller's wait: ended by giving up, or by something else before that."""

    wait: timedelta
    gave_up: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """The share of callers whose patience lasts longer than a wait."""

    waits: tuple[timedelta, ...] = ()
    """The waits after which callers gave up, each once, rising."""
    shares: tuple[float, ...] = ()
    """Of each of these: the share whose patience is longer."""
    abandons: int = 0
    waited: timedelta = timedelta()
    """All waits together, of whatever end."""

    def longer_than(self, wait: timedelta) -> float:
        """The share of callers whose patience lasts longer than this wait."""
        seen = bisect_right(self.waits, wait)
        return self.shares[seen - 1] if seen else 1.0

    def beyond(self, wait: timedelta, chance: float) -> timedelta | None:
        """The patience of a caller who is known to wait longer than ``wait``; None: for ever.

        ``chance`` is uniform in (0, 1]: the share of such callers who are more patient still. Past the longest abandon
        nothing was seen; there callers give up at the mean rate of all (abandons ÷ time waited), and never when nobody did.
        """
        if not self.abandons:
            return None
        left = self.longer_than(wait)
        wanted = left * chance
        for index in range(bisect_right(self.waits, wait), len(self.waits)):
            if self.shares[index] <= wanted:
                return self.waits[index]
        start = max(wait, self.waits[-1])
        more = chance if left == 0 or wait >= self.waits[-1] else min(1.0, wanted / self.shares[-1])
        return start + self.waited / self.abandons * -log(more)


def kaplan_meier(watched: Iterable[Watched]) -> Patience:
    """The estimate from these waits. Who is answered at the very moment another gives up was still waiting then."""
    ordered = sorted(watched, key=lambda each: (each.wait, not each.gave_up))
    waits: list[timedelta] = []
    shares: list[float] = []
    share, at_risk, index = 1.0, len(ordered), 0
    while index < len(ordered):
        wait, gave_up, others = ordered[index].wait, 0, 0
        while index < len(ordered) and ordered[index].wait == wait:
            gave_up += ordered[index].gave_up
            others += not ordered[index].gave_up
            index += 1
        if gave_up:
            share *= 1 - gave_up / at_risk
            waits.append(wait)
            shares.append(share)
        at_risk -= gave_up + others
    abandons = sum(each.gave_up for each in ordered)
    return Patience(tuple(waits), tuple(shares), abandons, sum((each.wait for each in ordered), timedelta()))
