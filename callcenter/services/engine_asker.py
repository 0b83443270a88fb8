"""Many questions to the engine at once, over a few connections that stay; and its picture, asked once for all who want it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused

CONNECTIONS = 8
PICTURE_SECONDS = 0.3
"""So old a picture may be, unless something was asked for meanwhile."""
PICTURE = "state"


class EngineAsker:
    """One of each process that asks on behalf of many."""

    def __init__(self, path: Path, token: str, *, within: float = 5.0, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._path, self._token, self._within, self._elapsed = path, token, within, elapsed
        self._idle: list[ControlClient] = []
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._picture: tuple[float, JsonObject] | None = None
        self._painting: asyncio.Task[JsonObject] | None = None

    async def __call__(self, do: str, **fields: Json) -> JsonObject:
        """Raises EngineAway, RequestRefused."""
        if do == PICTURE:
            return await self._seen()
        try:
            return await self._ask(do, **fields)
        finally:
            self._picture = self._painting = None  # it may show no longer what is

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().__aexit__(None, None, None)

    async def _seen(self) -> JsonObject:
        now = self._elapsed()
        if self._picture is not None and now - self._picture[0] < PICTURE_SECONDS:
            return self._picture[1]
        if self._painting is None or self._painting.done():
            self._painting = asyncio.create_task(self._paint())
        return await asyncio.shield(self._painting)

    async def _paint(self) -> JsonObject:
        asked_at, painting = self._elapsed(), asyncio.current_task()
        picture = await self._ask(PICTURE)
        if self._painting is painting:
            self._picture = asked_at, picture
        return picture

    async def _ask(self, do: str, **fields: Json) -> JsonObject:
        async with self._room:
            client = await self._connected()
            try:
                answer = await client.ask(do, **fields)
            except RequestRefused:
                self._idle.append(client)
                raise
            except BaseException:  # its answer, when it comes, would be taken for that of the next question
                await client.__aexit__(None, None, None)
                raise
            self._idle.append(client)
            return answer

    async def _connected(self) -> ControlClient:
        """A connection that works. Whether an old one does is found out by a question that changes nothing. Raises EngineAway."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.ask("ping")
                return client
            except BaseException as error:
                await client.__aexit__(None, None, None)
                if not isinstance(error, EngineAway):
                    raise
        client = ControlClient(self._path, self._token, self._within)
        return await client.__aenter__()
