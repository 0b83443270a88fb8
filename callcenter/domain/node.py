"""One Asterisk node, as far as we know."""

from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.facts import Fact
from callcenter.domain.machine import Alarm


@dataclass(slots=True)
class Node:
    """Changed by ``State.apply`` only."""

    name: str
    started_at: datetime | None = None
    lost_at: datetime | None = None
    """Set while it is out of reach: when its calls are taken for lost."""
    calls: set[str] = field(default_factory=set)
    held_back: set[Alarm] = field(default_factory=set)
    """Deadlines of its calls that came due while it was out of reach."""
    log_offset: int = 0
    """How far its queue log has been read."""
    history: dict[type, tuple[int, Fact]] = field(default_factory=dict)

    @property
    def away(self) -> bool:
        return self.lost_at is not None
