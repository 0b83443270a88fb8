"""The smallest ARI application: says that it is alive, and notes who enters. For tests of the dialplan, without our engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from tests.support.asterisk import Pbx


@dataclass
class Listener:
    """Who has entered the application so far, and how to end it."""

    pbx: Pbx
    http: aiohttp.ClientSession
    entered: "asyncio.Queue[list[str]]" = field(default_factory=asyncio.Queue)

    async def next(self) -> list[str]:
        """The arguments of the next channel that enters ``Stasis()``."""
        return await asyncio.wait_for(self.entered.get(), 30)

    async def beat(self, age: int = 0) -> None:
        """Write the heartbeat as if it were ``age`` seconds old."""
        async with self.http.get(f"{self.pbx.ari_url}/asterisk/variable", params={"variable": "EPOCH"}) as answer:
            now = int((await answer.json())["value"])
        params = {"variable": "CC_BEAT", "value": str(now - age)}
        async with self.http.post(f"{self.pbx.ari_url}/asterisk/variable", params=params) as answer:
            assert answer.status == 204, await answer.text()

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Stay alive in the eyes of the dialplan."""

        async def beat_on() -> None:
            while True:
                await self.beat()
                await asyncio.sleep(0.5)

        beats = asyncio.create_task(beat_on())
        try:
            yield
        finally:
            beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beats


@contextlib.asynccontextmanager
async def listening(pbx: Pbx, answer: bool = True) -> AsyncIterator[Listener]:
    """Attach to the application; channels that enter are answered and hung up at once, as the callers of the tests want to end."""
    headers = {"Authorization": aiohttp.encode_basic_auth(pbx.ari_user, pbx.secrets.ari_password)}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(f"{pbx.ari_url}/events", params={"app": "callcenter"}) as socket,
    ):
        listener = Listener(pbx, http)
        reading = asyncio.create_task(_read(socket, listener, answer))
        try:
            yield listener
        finally:
            await listener.beat(age=3600)
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading


async def _read(socket: aiohttp.ClientWebSocketResponse, listener: Listener, answer: bool) -> None:
    async for message in socket:
        event = message.json()
        if event["type"] == "StasisStart":
            listener.entered.put_nowait(event["args"])
            url = f"{listener.pbx.ari_url}/channels/{event['channel']['id']}"
            if answer:
                async with listener.http.post(f"{url}/answer"):
                    pass
                async with listener.http.delete(url):
                    pass
