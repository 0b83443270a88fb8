"""Lines: things in order of rank, of which anyone may step out. Neither ever scanned.

Heaps with lazy deletion: a dict holds the truth, an entry of the heap that the dict denies is dropped when it comes to the top, and the
heap is rebuilt when most of it is stale. So each operation costs O(log n), amortised.
"""

from bisect import bisect_left
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from callcenter.domain.strategies import AgentRank

Place = tuple[int, float, float, str]
"""Where a waiter stands: its band, its priority within the band, its date, its id; lowest first."""
Rank = TypeVar("Rank", Place, AgentRank, tuple[datetime, str], tuple[int, datetime, str])


class Line(Generic[Rank]):
    """Things in the order of their rank, lowest first. The last field of the rank is the thing's id."""

    __slots__ = ("_heap", "_order", "ranks")

    def __init__(self) -> None:
        self._heap: list[Rank] = []
        self.ranks: dict[str, Rank] = {}
        """The truth, by id; for others to read."""
        self._order: list[Rank] | None = None
        """All in order, if nothing has changed since somebody asked."""

    def __len__(self) -> int:
        return len(self.ranks)

    def __contains__(self, name: str) -> bool:
        return name in self.ranks

    def put(self, rank: Rank) -> None:
        name = rank[-1]
        if self.ranks.get(name) == rank:
            return
        self.ranks[name] = rank
        self._order = None
        heappush(self._heap, rank)

    def take(self, name: str) -> None:
        """Remove it, wherever it stands; nothing happens when it is not in line."""
        self._order = None
        if self.ranks.pop(name, None) is not None and len(self._heap) > 2 * len(self.ranks) + 64:
            self._heap = list(self.ranks.values())
            heapify(self._heap)

    def rank_of(self, name: str) -> Rank | None:
        return self.ranks.get(name)

    def head(self) -> Rank | None:
        while self._heap:
            rank = self._heap[0]
            if self.ranks.get(rank[-1]) == rank:
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
            self._order = sorted(self.ranks.values())
        return bisect_left(self._order, self.ranks[name]) + 1

    def in_order(self) -> list[str]:
        """All ids in order; for screens and tests, not for routing."""
        return [rank[-1] for rank in sorted(self.ranks.values())]


class Crowd:
    """Agents and since when they are idle; in order only when somebody asks."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._since)

    def put(self, name: str, since: datetime) -> None:
        self._since[name] = since

    def take(self, name: str) -> None:
        self._since.pop(name, None)

    def in_order(self) -> list[str]:
        """Longest idle first; for screens and tests, not for routing."""
        return [name for _, name in sorted((since, name) for name, since in self._since.items())]
