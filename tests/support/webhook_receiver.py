"""A subscriber on the loopback, who behaves as badly as told, and keeps what it was sent."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Receiver:
    """``answers`` are given in turn, then 200s: a status, or one with headers; a negative number is silence."""

    answers: deque[int | tuple[int, dict[str, str]]] = field(default_factory=deque)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hooks", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        """It disappears: connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.came.clear()
                await self.came.wait()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, body))
        self.came.set()
        answer = self.answers.popleft() if self.answers else 200
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status < 0:
            await asyncio.Event().wait()
        return web.Response(status=status, headers=headers)


@asynccontextmanager
async def webhook_receiver(*answers: int | tuple[int, dict[str, str]]) -> AsyncIterator[Receiver]:
    receiver = Receiver(deque(answers))
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()
