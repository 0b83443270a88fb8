"""Who stands in a line, and before whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

CONTACT = "contact"
"""The kind of waiter that is a contact."""
FRONT = -1
"""Before all bands: who was put at the head by a supervisor."""


class Band(IntEnum):
    """Within a queue, whoever is in a lower band comes first."""

    STARVING = 0
    """Has waited ``starve_after``."""
    CAPPED = 1
    """Its priority has grown to ``priority_cap``, or was above it from the beginning."""
    AGEING = 2


@dataclass(slots=True)
class Waiter:
    """Whoever stands in a line: a contact, or something else that waits for an agent, such as a callback that keeps its place.

    To put another kind of waiter in: call ``State.stand_in_line(waiter)`` in the applier of the fact that makes it wait, and
    ``State.step_out(id)`` in the appliers of those that end its wait. Ids are opaque, but no two waiters share one. Register the story
    of its turn in ``stories.ITS_TURN`` by ``kind``: the router calls ``story(turn, waiter, agent)`` once the waiter is at the head and
    ``agent`` is the one to take it. The story must emit facts that step the waiter out, or that reserve the agent; the router
    looks at the line again afterwards. Call ``router.route_waiter`` after a waiter has come to stand in line.

    Priority, its ageing, and the rungs of relaxing are the same for all kinds; what changes with time is told by ``WaiterAdvanced``.
    """

    id: str
    queue: str
    priority: int
    entered_at: datetime
    """From when its wait counts."""
    place: datetime
    """Orders it among equals."""
    kind: str = CONTACT
    require: str = ""
    """What it needs of an agent beside what the queue requires."""
    prefer: str = ""
    preferred: str = ""
    """The agent it waits for alone ..."""
    preferred_until: datetime | None = None
    """... until then."""
    rung: int = 0
    """How many of the queue's time steps it has waited for."""
    band: Band = Band.AGEING
    advances_at: datetime | None = None
    """When something of this changes by itself next."""
    front_at: datetime | None = None
    """When a supervisor put it at the head; who was last is first."""

    def wait(self, now: datetime) -> timedelta:
        return now - self.entered_at
