"""Many questions to the engine at once, over a few connections that stay."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused

CONNECTIONS = 8


class EngineAsker:
    """One of each process that asks on behalf of many."""

    def __init__(self, path: Path, token: str, told: Callable[[int], None] = lambda seq: None, *, within: float = 5.0) -> None:
        """``told``: how far the engine was when it answered, by the number of its latest record."""
        self._path, self._token, self._told, self._within = path, token, told, within
        self._idle: list[ControlClient] = []
        self._room = asyncio.Semaphore(CONNECTIONS)

    async def __call__(self, do: str, **fields: Json) -> JsonObject:
        """Raises EngineAway, RequestRefused."""
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
        if isinstance(seq := answer.get("seq"), int):
            self._told(seq)
        return answer

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().__aexit__(None, None, None)

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
