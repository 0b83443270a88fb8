"""A circuit breaker: who has failed again and again is left alone for a while, then asked once to see whether it is back.

::

    CLOSED ── failures in a row ──► OPEN ── its time is over, one question goes through ──► PROBING
       ▲                              ▲                                                        │
       │                              └───────────────────── failed ───────────────────────────┤
       └───────────────────────────────────────────────────── answered ────────────────────────┘

Time is an argument. A probe whose fate nobody tells is forgotten after the time of an opening, so a lost answer cannot keep it shut.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"
    """Half open: one question is on its way."""


@dataclass(frozen=True, slots=True)
class BreakerRule:
    failures: int = 5
    """So many in a row open it."""
    open_for: timedelta = timedelta(seconds=30)


@dataclass(slots=True)
class Breaker:
    rule: BreakerRule = field(default_factory=BreakerRule)
    state: BreakerState = BreakerState.CLOSED
    failed: int = 0
    """In a row."""
    until: datetime | None = None
    """While open: when a probe is let through. While probing: when the probe counts as lost."""

    def admits(self, now: datetime) -> bool:
        """Whether to ask now; who asks must tell ``answered`` or ``has_failed`` afterwards."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.until is not None and now < self.until:
            return False
        self.state, self.until = BreakerState.PROBING, now + self.rule.open_for
        return True

    def answered(self) -> None:
        self.state, self.failed, self.until = BreakerState.CLOSED, 0, None

    def has_failed(self, now: datetime) -> None:
        """No answer, or none that can be used. What was asked before it opened, and fails now, does not prolong it."""
        if self.state is BreakerState.OPEN:
            return
        self.failed += 1
        if self.state is BreakerState.PROBING or self.failed >= self.rule.failures:
            self.state, self.until = BreakerState.OPEN, now + self.rule.open_for

    def withdrawn(self) -> None:
        """The question was taken back, or never put: nothing was learned. A probe may be sent again at once."""
        if self.state is BreakerState.PROBING:
            self.state, self.until = BreakerState.OPEN, None
