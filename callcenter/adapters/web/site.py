"""All that one web process serves, put together: each part of the screens registers its routes at the one door."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from aiohttp import web

from callcenter.adapters.web.access import Door, Origins, Routes
from callcenter.adapters.web.door import add_headers, contain
from callcenter.adapters.web.requests import Requests
from callcenter.adapters.web.shell import Shell
from callcenter.adapters.web.sign_in_pages import SignInPages
from callcenter.adapters.web.static_files import StaticFiles
from callcenter.domain.audit import By, Deed
from callcenter.services.people.signing import Signing

BODY_LIMIT = 64 * 1024
"""Bytes of a request, unless the handler reads it as a stream."""

Context = Callable[[web.Application], AsyncIterator[None]]


class Part(Protocol):
    """Some pages, or some of the API."""

    def register(self, routes: Routes) -> None: ...


class Site:
    """Use: make it, ``add`` the parts, then ask for the ``application`` once."""

    def __init__(self, center: str, signing: Signing, origins: Origins | None = None) -> None:
        self.routes = Routes()
        self.requests = Requests()
        self.shell = Shell(center, self.routes)
        self.signing = signing
        self.note: Callable[[Deed, By], Awaitable[object]] = signing.store.note
        """Writes into the audit trail."""
        self.origins = origins or Origins()
        self._contexts: list[Context] = [self._watching]
        self.sign_in_pages = SignInPages(self.shell, signing, self.origins, self.routes)
        self.add(StaticFiles())
        self.add(self.sign_in_pages)

    def add(self, part: Part, *contexts: Context) -> None:
        """``contexts`` run as long as the application does."""
        part.register(self.routes)
        self._contexts += contexts

    def application(self) -> web.Application:
        door = Door(self.signing, self.origins, self.shell.refuse)
        app = web.Application(middlewares=[self.requests.middleware, contain, door.middleware], client_max_size=BODY_LIMIT)
        app.on_response_prepare.append(add_headers)
        app.cleanup_ctx.extend(self._contexts)
        door.guard(app, self.routes)
        return app

    async def _watching(self, _app: web.Application) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.signing.watch())
        yield
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        self.signing.passwords.close()
