"""The last notices, numbered, for whoever listens now or comes back after a gap."""

import asyncio
import json
import secrets
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

    @property
    def life(self) -> str: ...

    @property
    def rules(self) -> str: ...

    def after(self, seq: int) -> tuple[bool, Encoded]: ...

    def records_after(self, seq: int) -> tuple[bool, Sequence[tuple[int, bytes]]]: ...

    async def newer(self, seq: int) -> None: ...


class NoticeRing(Generic[N]):
    """A bounded run of notices with rising sequence numbers. Putting one in costs next to nothing, whoever listens.

    Several notices may share a number (the facts of one event); they are handed on together or not at all.
    ``encode`` turns one into JSON, ``dump`` all of one number into a line of JSON; they are called only for somebody who listens.
    """

    def __init__(
        self, encode: Callable[[N], Mapping[str, object]], kept: int = KEPT, dump: Callable[[Sequence[N]], bytes] | None = None
    ) -> None:
        self._encode = encode
        self._dump = dump or (lambda notices: json.dumps([encode(notice) for notice in notices]).encode())
        self.life = secrets.token_hex(8)
        """Of this run of the process: who was told by another one may have been told what was never written down."""
        self._changes = 0
        self._kept: deque[tuple[int, tuple[N, ...]]] = deque(maxlen=kept)
        self._seq = 0
        self._lost_up_to = 0
        self._listeners: set[Callable[[], None]] = set()

    @property
    def seq(self) -> int:
        """The number of the newest notice; 0 when there was none yet."""
        return self._seq

    @property
    def rules(self) -> str:
        """Another one each time the rules have changed under which notices are to be understood."""
        return f"{self.life}-{self._changes}"

    def change_rules(self) -> None:
        """Whoever listens is told, among the notices."""
        self._changes += 1
        for wake in self._listeners:
            wake()

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
        gap, found = self._found_after(seq)
        return gap, [(number, [self._encode(notice) for notice in notices]) for number, notices in found]

    def records_after(self, seq: int) -> tuple[bool, Sequence[tuple[int, bytes]]]:
        """Like ``after``; all that share a number as one line of JSON."""
        gap, found = self._found_after(seq)
        return gap, [(number, self._dump(notices)) for number, notices in found]

    def _found_after(self, seq: int) -> tuple[bool, list[tuple[int, tuple[N, ...]]]]:
        gap = seq < self._lost_up_to or seq > self._seq
        start = self._lost_up_to if gap else seq
        found: deque[tuple[int, tuple[N, ...]]] = deque()
        for entry in reversed(self._kept):  # from the newest, so that who is nearly up to date costs little
            if entry[0] <= start:
                break
            found.appendleft(entry)
        return gap, list(islice(found, AT_ONCE))

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
