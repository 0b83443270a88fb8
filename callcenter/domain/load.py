"""How busy an agent has been lately: occupancy over the last half hour, where older time counts less.

An exponential window: each second counts exp(-age / half an hour). So two numbers are enough, whatever happened. As in the glossary,
talk, hold and wrap-up are busy, ready and reserved are free, and not-ready time is in neither.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import exp

from callcenter.domain.facts import AgentState

WINDOW = timedelta(minutes=30)
BUSY = frozenset({AgentState.TALKING, AgentState.WRAP_UP})
FREE = frozenset({AgentState.READY, AgentState.RESERVED})


@dataclass(frozen=True, slots=True)
class Load:
    """Weighted seconds at the last change of state."""

    busy: float = 0.0
    free: float = 0.0

    def after(self, state: AgentState, stay: timedelta) -> "Load":
        """Once the agent has been in this state for so long."""
        kept = exp(-(stay / WINDOW))
        gained = WINDOW.total_seconds() * (1 - kept)
        return Load(self.busy * kept + gained * (state in BUSY), self.free * kept + gained * (state in FREE))

    @property
    def occupancy(self) -> float | None:
        """Busy time of all time that counts; None while too little was seen to tell."""
        seen = self.busy + self.free
        return self.busy / seen if seen >= WINDOW.total_seconds() / 2 else None
