"""What is going on right now, kept up to date from the engine's control socket for those who watch it."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from callcenter.services.control import JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused, ask

AT_MOST_EVERY = 0.5
"""Seconds between two pictures, however much happens."""
AT_LEAST_EVERY = 5.0
RETRY_EVERY = 1.0


class LiveFeed:
    """The latest picture of the center; asked of the engine only while somebody watches."""

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        self._token = token
        self._picture: JsonObject | None = None
        self._version = 0
        self._watchers = 0
        self._watched = asyncio.Event()
        self._changed = asyncio.Condition()
        self._stirred = asyncio.Event()

    @property
    def picture(self) -> JsonObject | None:
        """None: the engine is away."""
        return self._picture

    @property
    def version(self) -> int:
        """Rises with every picture."""
        return self._version

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, pictures keep coming."""
        self._watchers += 1
        self._watched.set()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._watched.clear()

    async def newer(self, version: int) -> int:
        """Wait for a picture after ``version``; return its version."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._version != version)
            return self._version

    async def ask(self) -> JsonObject | None:
        """A picture of this moment; None: the engine is away."""
        try:
            return await ask(self._path, self._token, "state", 2.0)
        except (EngineAway, RequestRefused):
            return None

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._watched.wait()
            try:
                async with ControlClient(self._path, self._token) as asking, ControlClient(self._path, self._token) as listening:
                    await self._follow(asking, listening)
            except (EngineAway, RequestRefused):
                await self._show(None)
                await asyncio.sleep(RETRY_EVERY)

    async def _follow(self, asking: ControlClient, listening: ControlClient) -> None:
        """A new picture when something happened, not too often; and now and then when nothing did."""
        stirring = asyncio.create_task(self._listen(listening))
        try:
            while self._watchers:
                self._stirred.clear()
                await self._show(await asking.ask("state"))
                await asyncio.sleep(AT_MOST_EVERY)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AT_LEAST_EVERY):
                        await self._stirred.wait()
                if stirring.done():
                    stirring.result()
        finally:
            stirring.cancel()
            await asyncio.gather(stirring, return_exceptions=True)

    async def _listen(self, listening: ControlClient) -> None:
        try:
            async for _ in listening.listen():
                self._stirred.set()
        finally:
            self._stirred.set()  # the engine has left: the next question will say so

    async def _show(self, picture: JsonObject | None) -> None:
        if picture is None and self._picture is None and self._version:
            return
        async with self._changed:
            self._picture = picture
            self._version += 1
            self._changed.notify_all()
