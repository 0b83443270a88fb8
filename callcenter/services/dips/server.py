"""The dips process' socket: the engine asks, many questions at once on one connection, answers in whatever order they come.

One JSON object per line. The first line signs in: ``{"token": ...}``. Then ``{"do": "ask", "id", "source", "values", "secret",
"budget_s"}`` is answered ``{"id", "outcome", "attributes"}``; ``{"do": "withdraw", "id"}`` is not answered. ``ping``, ``measures``
and ``reload`` are answered with the same ``id``. Nothing of a question is ever logged.
"""

import asyncio
import contextlib
import hmac
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

from callcenter.services.control import LINE_LIMIT, SEND_SECONDS, SIGN_IN_SECONDS, ControlError, private_folder
from callcenter.services.dips.runner import Dips, Question

CLIENT_LIMIT = 20
LONGEST_BUDGET = 60.0


class DipServer:
    """Serves at ``path`` whoever knows ``token``. ``reload`` reads the settings again; raises ControlError with a sentence."""

    def __init__(self, path: Path, token: str, dips: Dips, reload: Callable[[], Awaitable[None]]) -> None:
        self._path = path
        self._token = token.encode()
        self._dips = dips
        self._reload = reload
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._inode = 0

    async def start(self) -> None:
        """Listen. A socket that a killed predecessor left is replaced. Raises ControlError."""
        try:
            private_folder(self._path.parent)
            self._server = await asyncio.start_unix_server(self._accept, self._path, limit=LINE_LIMIT)
            self._path.chmod(0o600)
            self._inode = self._path.stat().st_ino
        except OSError as error:
            raise ControlError(f"{self._path}: cannot listen there: {error.strerror or error}") from None

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= CLIENT_LIMIT:
            writer.close()
            return
        task = asyncio.create_task(_Client(self._dips, self._reload, self._token, reader, writer).serve())
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)


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
                    await self._take(_object(line))
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            for task in self._asked.values():
                task.cancel()
            self._writer.close()

    async def _signed_in(self) -> bool:
        async with asyncio.timeout(SIGN_IN_SECONDS):
            token = _object(await self._reader.readline()).get("token")
        known = isinstance(token, str) and hmac.compare_digest(token.encode(errors="replace"), self._token)
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
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
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


def _object(line: bytes) -> dict[str, object]:
    """Raises ValueError."""
    try:
        read = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(read, dict):
        raise ValueError("not an object")
    return read
