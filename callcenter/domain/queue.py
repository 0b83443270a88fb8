"""A waiting line: who waits, who is ready for it, both in order, neither ever scanned.

Both lines are heaps with lazy deletion: a dict holds the truth, an entry of the heap that the dict
denies is dropped when it comes to the top, and the heap is rebuilt when most of it is stale. So each
operation costs O(log n), amortised.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from callcenter.domain.conditions import STANDS_OFF, Condition, Phase, Standing
from callcenter.domain.config import QueueConfig
from callcenter.domain.measures import Measures

Rank = TypeVar("Rank", tuple[int, datetime, str], tuple[datetime, str])


class Line(Generic[Rank]):
    """Things in the order of their rank, lowest first. The last field of the rank is the thing's id."""

    __slots__ = ("_heap", "_order", "_ranks")

    def __init__(self) -> None:
        self._heap: list[Rank] = []
        self._ranks: dict[str, Rank] = {}
        self._order: list[Rank] | None = None
        """All in order, if nothing has changed since somebody asked."""

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, name: str) -> bool:
        return name in self._ranks

    def put(self, rank: Rank) -> None:
        name = rank[-1]
        if self._ranks.get(name) == rank:
            return
        self._ranks[name] = rank
        self._order = None
        heappush(self._heap, rank)

    def take(self, name: str) -> None:
        """Remove it, wherever it stands; nothing happens when it is not in line."""
        self._order = None
        if self._ranks.pop(name, None) is not None and len(self._heap) > 2 * len(self._ranks) + 64:
            self._heap = list(self._ranks.values())
            heapify(self._heap)

    def head(self) -> Rank | None:
        while self._heap:
            rank = self._heap[0]
            if self._ranks.get(rank[-1]) == rank:
                return rank
            heappop(self._heap)
        return None

    def first(self, count: int) -> list[Rank]:
        """The first few in order, without removing them."""
        found: list[Rank] = []
        while len(found) < count and (rank := self.head()) is not None:
            heappop(self._heap)
            if not found or found[-1] != rank:
                found.append(rank)
        for rank in found:
            heappush(self._heap, rank)
        return found

    def position(self, name: str) -> int:
        """1 for the head. Sorted once after each change, and only when somebody asks; not for routing."""
        if self._order is None:
            self._order = sorted(self._ranks.values())
        return bisect_left(self._order, self._ranks[name]) + 1

    def in_order(self) -> list[str]:
        """All ids in order; for screens and tests, not for routing."""
        return [rank[-1] for rank in sorted(self._ranks.values())]


CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Waiter:
    """Whoever stands in a line: a contact, or something else that waits for an agent, such as a callback that keeps its place.

    To put another kind of waiter in: call ``State.stand_in_line(waiter)`` in the applier of the fact that makes it wait, and
    ``State.step_out(id)`` in the appliers of those that end its wait. Ids are opaque, but no two waiters share one. Register the story
    of its turn in ``center.ITS_TURN`` by ``kind``: the router calls ``story(turn, waiter, agent)`` once the waiter is at the head and
    ``agent`` is the one to take it. The story must emit facts that step the waiter out, or that reserve the agent; the router
    looks at the line again afterwards. Call ``delivery.route_queue`` after a waiter has come to stand in line.
    """

    id: str
    queue: str
    priority: int
    entered_at: datetime
    """From when its wait counts."""
    place: datetime
    """Orders it among equals."""
    kind: str = CONTACT

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """Where it stands in line: higher priority first, then the earlier place; the id makes ties repeatable."""
        return -self.priority, self.place, self.id


class Queue:
    """A named waiting line with its policy."""

    __slots__ = (
        *("config", "logged_in", "look_at", "measures", "oldest", "ready", "ringing", "serving", "standings", "unanswered", "waiting"),
    )

    def __init__(self, config: QueueConfig) -> None:
        self.config = config
        self.waiting: Line[tuple[int, datetime, str]] = Line()
        """Waiters that may be given to an agent now, by place."""
        self.ringing: Line[tuple[int, datetime, str]] = Line()
        """Contacts with an open offer, by place: ring-all offers them to agents who become ready meanwhile, too."""
        self.unanswered = 0
        """Contacts waiting or offered, wherever their node."""
        self.ready: Line[tuple[datetime, str]] = Line()
        """Agents that may be offered a contact now, longest idle first."""
        self.logged_in = 0
        self.serving = 0
        """Agents logged in and neither on a break nor otherwise not ready."""
        self.oldest: Line[tuple[datetime, str]] = Line()
        """Contacts waiting or offered, by how long."""
        self.measures = Measures()
        self.standings: dict[str, Standing] = {}
        """Of its conditions, by key: those that rise or hold."""
        self.look_at: datetime | None = None
        """When its conditions are looked at next; follows from the facts and the passing of time."""

    def standing(self, condition: Condition) -> Standing:
        return self.standings.get(condition.key, STANDS_OFF)

    def holds(self, condition: Condition) -> bool:
        """Whether the condition, one of ``config.conditions``, held when it was last looked at."""
        return self.standing(condition).phase is Phase.ON

    @property
    def name(self) -> str:
        return self.config.name
