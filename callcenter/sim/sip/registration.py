"""A phone's registration, kept alive (RFC 3261 §10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from callcenter.sim.sip.message import NameAddr, Response, escape_user
from callcenter.sim.sip.wire import Address

if TYPE_CHECKING:
    from callcenter.sim.sip.phone import Phone

RETRY = 2.0
"""Seconds to the next try after a refresh found nobody."""


class RegistrationRefused(Exception):
    """The registrar said no, or nothing (408)."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.reason}")
        self.status = response.status


class Registration:
    """One binding of one address, refreshed well before it expires."""

    def __init__(self, phone: Phone, server: Address) -> None:
        self._phone = phone
        self._server = server
        self._dialog = phone.outside_dialog(f"sip:{server[0]}:{server[1]}")
        self._dialog.remote = f"<sip:{escape_user(phone.user)}@{server[0]}>"
        self._refresh: asyncio.TimerHandle | None = None
        self._wanted = 0
        self.active = False
        self.expires = 0
        """Seconds the registrar granted."""

    async def register(self, expires: int) -> None:
        self._wanted = expires
        response = await self._say(expires)
        if response.status == 423:
            least = response.get("Min-Expires") or ""
            if least.isascii() and least.isdigit():
                response = await self._say(int(least))
        if response.status != 200:
            self.active = False
            raise RegistrationRefused(response)
        self.expires = self._granted(response, expires)
        self.active = self.expires > 0
        self._again_in(max(self.expires - 5, self.expires / 2))

    def _granted(self, response: Response, asked: int) -> int:
        for value in response.all("Contact"):
            contact = NameAddr.parse(value)
            granted = contact.params.get("expires", "")
            if f"<{contact.uri.partition(';')[0]}>" == self._dialog.contact and granted.isascii() and granted.isdigit():
                return int(granted)
        general = response.get("Expires") or ""
        return int(general) if general.isascii() and general.isdigit() else asked

    async def unregister(self) -> None:
        self.stop()
        response = await self._say(0)
        self.active = False
        if response.status != 200:
            raise RegistrationRefused(response)

    async def _say(self, expires: int) -> Response:
        request = self._dialog.request("REGISTER")
        request.headers += [("Contact", self._dialog.contact), ("Expires", str(expires))]
        return await self._phone.converse(request, self._server, self._dialog)

    def _again_in(self, seconds: float) -> None:
        self.stop()
        self._refresh = asyncio.get_running_loop().call_later(seconds, lambda: self._phone.spawn(self._keep()))

    async def _keep(self) -> None:
        try:
            await self.register(self._wanted)
        except RegistrationRefused:  # the server restarts: it will be back
            self._again_in(RETRY)

    def stop(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()
            self._refresh = None
