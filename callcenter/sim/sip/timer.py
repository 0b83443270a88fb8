"""Session timers: proof, from time to time, that the far end still exists (RFC 4028)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from callcenter.sim.sip.message import Message, Request, Response, parameters

if TYPE_CHECKING:
    from callcenter.sim.sip.call import Call

LEAST = 90
"""No interval below this is asked for (RFC 4028 §5), seconds."""


class SessionTimer:
    """Who refreshes, how often, and what happens when nobody does."""

    def __init__(self, call: Call, *, refresh: Callable[[Message], Awaitable[None]], expired: Callable[[], None]) -> None:
        self._call = call
        self._refresh = refresh
        self._expired = expired
        self._timer: asyncio.TimerHandle | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self.interval: int | None = None
        self.we_refresh = False
        self.refreshed = 0
        """How often the far end refreshed the session."""
        self.wanted: int | None = None
        """The interval our own INVITEs ask for; ``None`` asks for nothing but accepts what comes."""

    def headers(self) -> tuple[tuple[str, str], ...]:
        """For an INVITE or UPDATE of ours."""
        interval = self.interval or self.wanted
        if interval is None:
            return ()
        refresher = f";refresher={'uac' if self.we_refresh else 'uas'}" if self.interval else ""
        return (("Session-Expires", f"{interval}{refresher}"),)

    def agreed(self, response: Response, *, we_asked: bool) -> None:
        """What the 2xx to our own request says."""
        found = _session_expires(response)
        if found is None:
            self.stop()
            return
        interval, refresher = found
        self._begin(interval, (refresher == "uac") is we_asked, response)

    def accept(self, request: Request) -> tuple[tuple[str, str], ...]:
        """What our 2xx must say to the far end's request."""
        found = _session_expires(request)
        if found is None:
            self.stop()
            return ()
        interval, refresher = found
        refresher = refresher or "uac"
        self.refreshed += 1
        self._begin(interval, refresher == "uas", request)
        require = (("Require", "timer"),) if request.lists("Supported", "timer") else ()
        return (("Session-Expires", f"{interval};refresher={refresher}"), *require)

    def _begin(self, interval: int, we_refresh: bool, far_end: Message) -> None:
        self.stop()
        self.interval, self.we_refresh = interval, we_refresh
        if we_refresh:
            self._timer = self._call.later(interval / 2, lambda: self._start_refresh(far_end))
        else:
            self._timer = self._call.later(interval - min(32, interval / 3), self._expired)

    def _start_refresh(self, far_end: Message) -> None:
        async def refresh() -> None:
            await self._refresh(far_end)

        self._refreshing = asyncio.get_running_loop().create_task(refresh())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.interval = None


def _session_expires(message: Message) -> tuple[int, str] | None:
    """Interval in seconds and refresher, which may be empty."""
    value = message.get("Session-Expires")
    if value is None:
        return None
    number, _, rest = value.partition(";")
    if not number.strip().isascii() or not number.strip().isdigit():
        return None
    return int(number), parameters(rest).get("refresher", "")
