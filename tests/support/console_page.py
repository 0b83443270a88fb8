"""A person's page in front of a running center: the web process's console socket, its commands and its replica, over a real WebSocket.

async with page_of(center, SUE) as page:
    await page.asks("supervise_begin", agent="alice", mode="listen")
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.adapters.web.console_socket import ConsoleSocket
from callcenter.domain.config import CenterConfig
from callcenter.domain.rights import Signed
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import load
from callcenter.services.console_commands import Commands
from callcenter.services.consoles import Consoles
from callcenter.services.control_client import RequestRefused
from callcenter.services.replica import Replica
from tests.support.center import RunningCenter

PATIENCE = 30.0


class Page:
    """One tab. Closed tabs are not its matter."""

    def __init__(self, socket: ClientWebSocketResponse, session_ended: asyncio.Event) -> None:
        self._socket = socket
        self.session_ended = session_ended
        """Set it to end her session, as signing out does, or an admin."""
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.told: list[dict[str, Any]] = []
        """Every event, as it came."""

    async def read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = message.json()
            answered = self._waiting.pop(str(said.get("id")), None)
            if answered is None:
                self.told.append(said)
            elif not answered.done():
                answered.set_result(said)

    async def asks(self, do: str, **fields: Any) -> dict[str, Any]:
        """The answer to a command. Raises RequestRefused with the sentence that the page would show."""
        number = str(next(self._numbers))
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "do": do, **fields})
        async with asyncio.timeout(PATIENCE):
            answer = await answered
        if "error" in answer:
            raise RequestRefused(answer["error"])
        done: dict[str, Any] = answer["ok"]
        return done


@asynccontextmanager
async def page_of(center: RunningCenter, signed: Signed) -> AsyncIterator[Page]:
    """Her page; the replica behind it is up to date when this begins."""
    folder, token = data_folder(center.pbx.settings), center.pbx.secrets.control_token

    def config() -> CenterConfig:
        settings = load(center.file)
        return settings.center_config(load_secrets(settings.data, [agent.name for agent in settings.agents]).endpoints)

    replica = Replica(folder.control_socket, token, center.pbx.settings.data / "journal", config)
    consoles = Consoles(replica, center.ask)
    socket = ConsoleSocket(consoles, Commands(replica, center.ask))

    ended = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        async def still() -> Signed | None:
            return signed

        return await socket.serve(request, signed, still, ended)

    app = web.Application()
    app.router.add_get("/console/socket", serve)
    async with TestClient(TestServer(app)) as client:
        following = asyncio.create_task(replica.run())
        await center.until(lambda: replica.here)
        page = Page(await client.ws_connect("/console/socket"), ended)
        reading = asyncio.create_task(page.read())
        try:
            yield page
        finally:
            for task in (reading, following):
                task.cancel()
            await asyncio.gather(reading, following, return_exceptions=True)
