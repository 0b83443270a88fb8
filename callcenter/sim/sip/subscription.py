"""A subscription: what a phone is told of something it watches, as the lamp beside a key (RFC 6665)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from callcenter.sim.sip.dialog import Dialog
from callcenter.sim.sip.message import Request, Response

if TYPE_CHECKING:
    from callcenter.sim.sip.phone import Phone

PATIENCE = 10.0
"""How long a test waits for a notification, seconds."""


class SubscriptionRefused(Exception):
    """The server will not have us watch it."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.reason}")
        self.status = response.status


class Subscription:
    """Made by :meth:`Phone.subscribe`."""

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.bodies: list[str] = []
        """Of every notification so far."""
        self._told = asyncio.Event()

    async def begin(self, phone: Phone, event: str, accept: str, expires: int) -> None:
        request = self.dialog.request("SUBSCRIBE")
        request.headers += [("Contact", self.dialog.contact), ("Event", event), ("Accept", accept), ("Expires", str(expires))]
        assert phone.server is not None
        response = await phone.converse(request, phone.server, self.dialog)
        if not 200 <= response.status < 300:
            raise SubscriptionRefused(response)
        self.dialog.confirm(response)

    def notified(self, request: Request) -> None:
        self.bodies.append(request.body.decode(errors="replace"))
        self._told.set()
        self._told = asyncio.Event()

    async def tells(self, shows: Callable[[str], bool], within: float = PATIENCE) -> str:
        """Waits until the latest notification shows that; returns it."""
        async with asyncio.timeout(within):
            while not self.bodies or not shows(self.bodies[-1]):
                await self._told.wait()
        return self.bodies[-1]
