"""The last notices, numbered, for whoever listens now or comes back after a gap."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, Protocol, TypeVar

N = TypeVar("N")

KEPT = 10_000
"""So many numbers can be missed and still be had."""
AT_ONCE = 500


Encoded = Sequence[tuple[int, Sequence[Mapping[str, object]]]]
"""Numbers, and the notices under each as JSON."""


class Notices(Protocol):
    """Where listeners are served from."""

    @property
    def seq(self) -> int: ...

    def after(self, seq: int) -> tuple[bool, Encoded]: ...

    async def newer(self, seq: int) -> None: ...


class NoticeRing(Generic[N]):
    """A bounded run of notices with rising sequence numbers. Putting one in costs next to nothing, whoever listens.

    Several notices may share a number (the facts of one event); they are handed on together or not at all.
    ``encode`` turns one into JSON; it is called only for somebody who listens.
    """

    def __init__(self, encode: Callable[[N], Mapping[str, object]], kept: int = KEPT) -> None:
        self._encode = encode
        self._kept: deque[tuple[int, tuple[N, ...]]] = deque(maxlen=kept)
        self._seq = 0
        self._lost_up_to = 0
        self._listeners: set[Callable[[], None]] = set()

    @property
    def seq(self) -> int:
        """The number of the newest notice; 0 when there was none yet."""
        return self._seq

    def begin_at(self, seq: int) -> None:
        """What was numbered up to ``seq`` belongs to the time before us and cannot be had here."""
        self._seq = max(self._seq, seq)
        if not self._kept:
            self._lost_up_to = self._seq

    def put(self, seq: int, notices: Sequence[N]) -> None:
        """Add notices under a number above all before. Fits ``services.ports.FactListener``."""
        if not notices:
            return
        if len(self._kept) == self._kept.maxlen:
            self._lost_up_to = self._kept[0][0]
        self._kept.append((seq, tuple(notices)))
        self._seq = seq
        for wake in self._listeners:
            wake()

    def after(self, seq: int) -> tuple[bool, Encoded]:
        """The next notices above ``seq``, and whether some between can no longer be had (or ``seq`` is from another life of ours)."""
        gap = seq < self._lost_up_to or seq > self._seq
        start = self._lost_up_to if gap else seq
        found: deque[tuple[int, tuple[N, ...]]] = deque()
        for entry in reversed(self._kept):  # from the newest, so that who is nearly up to date costs little
            if entry[0] <= start:
                break
            found.appendleft(entry)
        return gap, [(number, [self._encode(notice) for notice in notices]) for number, notices in islice(found, AT_ONCE)]

    async def newer(self, seq: int) -> None:
        """Return once there is a notice above ``seq`` (or ``seq`` is above all there are)."""
        if self._seq != seq:
            return
        came = asyncio.Event()
        self._listeners.add(came.set)
        try:
            await came.wait()
        finally:
            self._listeners.discard(came.set)
