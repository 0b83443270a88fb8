"""What desk phones fetch to set themselves up: one file under one secret address, for the phone alone.

Whatever is wrong with the address (the secret, the name, off by configuration), the answer is the same; who guesses is made to wait. It is
given over TLS, or to this machine itself, and to nobody else: it holds a password.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from time import monotonic

from aiohttp import web

from callcenter.adapters.web.access import ORIGINS, PUBLIC, Routes, address_of
from callcenter.domain.audit import By, Deed

Find = Callable[[str, str], Awaitable[tuple[str, str] | None]]
"""By secret and name: whose phone it is, and the text of the file."""
Note = Callable[[Deed, By], Awaitable[object]]

FREE_MISSES = 10
WITHIN_S = 60.0
"""So many wrong addresses from one place in so long; then nothing is looked up for it."""
PLACES = 10_000
LONGEST = 100
"""Characters of a secret or a name that is looked up at all."""


class Misses:
    """Wrong addresses, by who asked; the places that asked longest ago are forgotten first."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._of: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def too_many(self, place: str) -> bool:
        since, count = self._of.get(place, (0.0, 0))
        return count >= FREE_MISSES and self._now() - since < WITHIN_S

    def one_more(self, place: str) -> None:
        since, count = self._of.pop(place, (self._now(), 0))
        if self._now() - since >= WITHIN_S:
            since, count = self._now(), 0
        self._of[place] = since, count + 1
        if len(self._of) > PLACES:
            self._of.popitem(last=False)


class PhoneFiles:
    """One address for each phone, below ``path``."""

    def __init__(self, path: str, find: Find, note: Note, misses: Misses | None = None) -> None:
        self._path, self._find, self._note = path, find, note
        self._misses = misses or Misses()

    def register(self, routes: Routes) -> None:
        routes.add("GET", self._path + "/{secret}/{file}", self.file, needs=PUBLIC)

    async def file(self, request: web.Request) -> web.StreamResponse:
        place, secret, name = address_of(request), request.match_info["secret"], request.match_info["file"]
        if self._misses.too_many(place):
            return web.Response(status=429, text="Wait a minute.\n", headers={"Retry-After": str(int(WITHIN_S))})
        fits = _stays_secret(request) and max(len(secret), len(name)) <= LONGEST
        found = await self._find(secret, name) if fits else None
        if found is None:
            self._misses.one_more(place)
            return web.Response(status=404, text="There is nothing here.\n")
        agent, text = found
        await self._note(Deed("phone_provisioned", f"agent {agent}", after={"file": name}), By(agent, "phone file", place))
        return web.Response(text=text, content_type="text/plain", headers={"Cache-Control": "no-store"})


def _stays_secret(request: web.Request) -> bool:
    """Nobody on the way reads it: it goes over TLS (``web.public_url``, by a proxy of ours), or does not leave this machine."""
    origins, peer = request.app[ORIGINS], request.remote or ""
    near = _is_loopback(peer)
    if origins.secure(request):
        return near or origins.is_proxy(peer)
    return near and "X-Forwarded-For" not in request.headers and "Forwarded" not in request.headers


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
