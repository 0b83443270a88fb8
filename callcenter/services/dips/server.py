"""The dips process' socket: the engine asks, many questions at once on one connection, answers in whatever order they come.

One JSON object per line. The first line signs in: ``{"token": ...}``. Then ``{"do": "ask", "id", "source", "values", "secret",
"budget_s"}`` is answered ``{"id", "outcome", "attributes"}``; ``{"do": "withdraw", "id"}`` is not answered. ``ping``, ``measures``
and ``reload`` are answered with the same ``id``. Nothing of a question is ever logged.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

from callcenter.services.dips.runner import Dips, Question
from callcenter.services.private_socket import SEND_SECONDS, ControlError, PrivateSocket, json_line, json_object, signed_in

CLIENT_LIMIT = 20
LONGEST_BUDGET = 60.0


class DipServer:
    """Serves at ``path`` whoever knows ``token``. ``reload`` reads the settings again; raises ControlError with a sentence."""

    def __init__(self, path: Path, token: str, dips: Dips, reload: Callable[[], Awaitable[None]]) -> None:
        self._socket = PrivateSocket(path, self._serve, CLIENT_LIMIT)
        self._token = token.encode()
        self._dips = dips
        self._reload = reload

    async def start(self) -> None:
        """Listen. Raises ControlError."""
        await self._socket.start()

    async def stop(self) -> None:
        await self._socket.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Client(self._dips, self._reload, self._token, reader, writer).serve()


class _Client:
    """One connection and its questions."""

    def __init__(
        self, dips: Dips, reload: Callable[[], Awaitable[None]], token: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._dips = dips
        self._reload = reload
        self._token = token
        self._reader = reader
        self._writer = writer
        self._asked: dict[object, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Until it leaves or misbehaves; what it asked is withdrawn then."""
        try:
            if await self._signed_in():
                while line := await self._reader.readline():
                    await self._take(json_object(line))
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            for task in self._asked.values():
                task.cancel()
            self._writer.close()

    async def _signed_in(self) -> bool:
        known = await signed_in(self._reader, self._token)
        await self._send({"ok": True} if known else {"error": "the token is wrong"})
        return known

    async def _take(self, request: Mapping[str, object]) -> None:
        do, ask = request.get("do"), request.get("id")
        if not isinstance(ask, str | int):
            raise ValueError("'id' is missing")  # a client of ours never does that
        if do == "ask":
            task = self._asked[ask] = asyncio.create_task(self._answer(ask, _question(request)))
            task.add_done_callback(lambda _: self._asked.pop(ask, None))
        elif do == "withdraw":
            if ask in self._asked:
                self._asked[ask].cancel()
        elif do == "measures":
            await self._send({"id": ask, "sources": self._dips.measures()})
        elif do == "reload":
            await self._send({"id": ask, **await self._reloaded()})
        else:
            await self._send({"id": ask, "pong": True, "pid": os.getpid()})

    async def _reloaded(self) -> Mapping[str, object]:
        try:
            await self._reload()
        except ControlError as error:
            return {"error": str(error)}
        return {"ok": True}

    async def _answer(self, ask: object, question: Question) -> None:
        answer = await self._dips.ask(question)
        with contextlib.suppress(OSError, TimeoutError):
            await self._send({"id": ask, "outcome": answer.outcome, "attributes": answer.told()})

    async def _send(self, message: Mapping[str, object]) -> None:
        self._writer.write(json_line(message))
        async with asyncio.timeout(SEND_SECONDS):
            await self._writer.drain()


def _question(request: Mapping[str, object]) -> Question:
    """Raises ValueError."""
    source, values, budget = request.get("source"), request.get("values"), request.get("budget_s")
    if not isinstance(source, str) or not isinstance(values, dict) or not isinstance(budget, int | float):
        raise ValueError("no question")
    if not all(isinstance(name, str) and isinstance(value, str) for name, value in values.items()):
        raise ValueError("no question")
    return Question(source, values, timedelta(seconds=min(max(0.0, budget), LONGEST_BUDGET)), request.get("secret") is True)
