"""What the dialplan's fallback did while we were away, read from a node's queue log. Pure.

Lines are ``epoch|channel|queue|member|event|data...``. Our dialplan adds lines of its own
(``dialplan/90-fallback.conf.j2``); app_queue's CONNECT names the member's phone that answered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from callcenter.domain.events import FallbackCallReported

PREFIX = "fallback_"


@dataclass(slots=True)
class _Call:
    queue: str
    did: str
    caller: str
    entered_at: datetime
    answered_at: datetime | None = None
    endpoint: str = ""
    closed: bool = False


class FallbackLog:
    """Reads a queue log from where it was left, whole lines only; yields the calls that ended in the fallback.

    A caller who was handed to the engine (``CC_RETURNED``) is the engine's matter and not reported. Lines of other
    queues, and lines that make no sense, are passed over. A start of Asterisk ends what a crash left open, at the
    time of the last line before it.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._calls: dict[str, _Call] = {}
        self._offset = 0
        self._latest = datetime.fromtimestamp(0, UTC)

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        return self._offset

    def read(self, content: bytes, reported: int) -> Iterator[FallbackCallReported]:
        """``content`` follows what was read before; calls whose last line ends at or before ``reported`` are known already."""
        while b"\n" in content:
            line, _, content = content.partition(b"\n")
            self._offset += len(line) + 1
            calls = list(self._line(line.decode("utf-8", "replace").split("|")))
            for n, call in enumerate(calls, 1):  # each with an offset of its own: we may be killed between two of them
                offset = max(self._offset - len(line), self._offset - len(calls) + n)
                if offset > reported:
                    yield replace(call, log_offset=offset)

    def _line(self, parts: list[str]) -> Iterator[FallbackCallReported]:
        if len(parts) < 5 or not parts[0].isdigit():
            return
        before, at = self._latest, datetime.fromtimestamp(int(parts[0]), UTC)
        self._latest = at
        if parts[4] == "QUEUESTART":
            for channel in list(self._calls):
                yield self._ended(channel, before)
        if not parts[2].startswith(PREFIX):
            return
        channel, queue, member, happening, *data = parts[1], parts[2].removeprefix(PREFIX), parts[3], parts[4], *parts[5:]
        if happening == "CC_ENTERED" and len(data) >= 3 and data[2].isdigit():
            entered_at = datetime.fromtimestamp(int(data[2]), UTC)
            self._calls[channel] = _Call(queue, data[0], data[1], min(entered_at, at))
        elif happening == "CC_RETURNED":
            self._calls.pop(channel, None)
        elif happening == "CONNECT" and channel in self._calls:
            self._calls[channel].answered_at = max(at, self._calls[channel].entered_at)
            self._calls[channel].endpoint = member.removeprefix("PJSIP/")
        elif happening == "CC_CLOSED" and channel in self._calls:
            self._calls[channel].closed = True
        elif happening == "CC_ENDED" and channel in self._calls:
            yield self._ended(channel, at)

    def _ended(self, channel: str, at: datetime) -> FallbackCallReported:
        call = self._calls.pop(channel)
        return FallbackCallReported(
            self._node,
            channel,
            call.queue,
            call.did,
            call.caller,
            call.entered_at,
            max(at, call.answered_at or call.entered_at),  # the node's clock may have been set back
            call.answered_at,
            call.endpoint,
            self._offset,
            call.closed,
        )
