"""The wallboard's page and its events: for who has signed in, within her scope, until she signs out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from aiohttp import ClientResponse

from callcenter.adapters.web.site import Site
from callcenter.adapters.web.wallboard_pages import WallboardPages
from callcenter.domain.audit import By
from callcenter.domain.rights import EVERYTHING, Role, Scope
from callcenter.services.boards import Boards
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from callcenter.services.wallboard import View
from tests.support.people import FakePeople, SignedClient, person, signed_client

PAGE = {"Accept": "text/html"}


class Followed:
    """Boards that say something whenever a test says so."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.said: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow(self, view: View) -> AsyncGenerator[tuple[str, bytes], None]:
        self.views.append(view)
        while True:
            yield "change", await self.said.get()


class World:
    def __init__(self) -> None:
        self.people = FakePeople(person("sue", Role.SUPERVISOR), person("sid", Role.SUPERVISOR, queues=["sales"]))
        self.signing, self.boards = Signing(self.people, Passwords()), Followed()
        site = Site("Example", self.signing)
        site.add(WallboardPages(site.shell, cast(Boards, self.boards), "UTC"))
        self.app = site.application()

    @asynccontextmanager
    async def browser(self, name: str | None) -> AsyncIterator[SignedClient]:
        browser = await signed_client(self.app, self.signing, self.people.known[name] if name else None)
        yield browser
        await browser.client.close()


@pytest.fixture
async def world() -> World:
    return World()


async def message(stream: ClientResponse) -> bytes:
    """The next one, as it is written."""
    async with asyncio.timeout(60):
        return await stream.content.readuntil(b"\n\n")


@pytest.mark.parametrize("path", ["/wallboard", "/wallboard/events", "/wallboard/events?details=1", "/wallboard?token=%ff"])
async def test_who_has_not_signed_in_sees_nothing_and_is_led_to_the_sign_in_and_back(world: World, path: str) -> None:
    async with world.browser(None) as browser:
        answer = await browser.client.get(path)
        assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)
        led = await browser.client.get("/wallboard", headers=PAGE, allow_redirects=False)
        assert (led.status, led.headers["Location"]) == (303, "/sign-in?next=/wallboard")
    assert world.boards.views == []


async def test_the_figures_are_those_of_her_scope(world: World) -> None:
    for name, asked in (("sue", "?details=1"), ("sid", "")):
        async with world.browser(name) as browser:
            world.boards.said.put_nowait(b"{}")
            await message(await browser.client.get(f"/wallboard/events{asked}"))
    assert world.boards.views == [View(EVERYTHING, details=True), View(Scope(queues=frozenset({"sales"})), details=False)]


async def test_the_events_end_with_her_session(world: World) -> None:
    async with world.browser("sue") as browser:
        world.boards.said.put_nowait(b'{"n": 1}')
        stream = await browser.client.get("/wallboard/events")
        assert await message(stream) == b'event: change\ndata: {"n": 1}\n\n'
        await world.people.end_sessions("sue", By("test"))
        async with asyncio.timeout(60):
            while b"event: over" not in await _next(world, stream):
                await asyncio.sleep(0)
        assert await stream.content.read() == b""


async def _next(world: World, stream: ClientResponse) -> bytes:
    world.boards.said.put_nowait(b"{}")
    return await message(stream)
