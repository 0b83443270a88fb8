"""The control socket, the engine's side: commands in, answers and notices out, to our own processes on this machine only.

One JSON object per line. The first line signs in: ``{"token": ...}``. Each request after it has an ``id`` and a
``do``; its answer has the same ``id``, and as ``seq`` the number of the latest record by then: what came of the request is in it.
``{"do": "subscribe", "since": SEQ}`` lets notices follow, each with its
``seq``; ``{"gap": true}`` says that some before can no longer be had. With ``"records": true`` all notices of one number come in one
line, ``{"seq": SEQ, "facts": [...]}``, so that a listener has them all or none; ``{"rules": ...}`` among them says that the configuration
has changed. The answer tells the ``life`` of this process and the ``rules`` of this moment.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from callcenter.services.notices import Notices
from callcenter.services.private_socket import (
    LINE_LIMIT,
    SEND_SECONDS,
    ControlError,
    Json,
    JsonObject,
    PrivateSocket,
    json_line,
    json_object,
    signed_in,
)

__all__ = ["LINE_LIMIT", "ControlError", "ControlServer", "Handle", "Json", "JsonObject"]

CLIENT_LIMIT = 100

Handle = Callable[[JsonObject], Awaitable[Mapping[str, object]]]
"""Answers one request. Whatever it raises becomes ``{"error": ...}``."""


class ControlServer:
    """Serves requests at ``path`` to whoever knows ``token``."""

    def __init__(
        self,
        path: Path,
        token: str,
        handle: Handle,
        notices: Notices | None = None,
        on_bug: Callable[[JsonObject, Exception], None] | None = None,
    ) -> None:
        if not token:
            raise ValueError("an empty token would let everybody in")
        self.path = path
        self._socket = PrivateSocket(path, self._serve, CLIENT_LIMIT)
        self._token = token.encode()
        self._handle = handle
        self._notices = notices
        self._on_bug = on_bug

    async def start(self) -> None:
        """Listen. Raises ControlError."""
        await self._socket.start()

    async def stop(self) -> None:
        await self._socket.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it leaves, misbehaves, or we stop. Nothing it does reaches the engine but well-formed requests."""
        connection = _Connection(writer)
        listening: asyncio.Task[None] | None = None
        try:
            if not await self._signed_in(reader, connection):
                return
            async for request in _requests(reader, connection):
                if request.get("do") == "subscribe":
                    answer, since = self._subscribe(request)
                    await connection.send(answer)
                    if since is not None and listening is None:
                        tell = self._tell_records if request.get("records") is True else self._tell
                        listening = asyncio.create_task(tell(since, connection))
                else:
                    await connection.send({**await self._answer(request), "id": request.get("id")})
        except (OSError, TimeoutError):
            pass  # the client is gone; that is its right
        finally:
            if listening is not None:
                listening.cancel()
            writer.close()

    async def _signed_in(self, reader: asyncio.StreamReader, connection: "_Connection") -> bool:
        known = await signed_in(reader, self._token)
        await connection.send({"ok": True} if known else {"error": "the token is wrong"})
        return known

    async def _answer(self, request: JsonObject) -> Mapping[str, object]:
        if not isinstance(request.get("do"), str):
            return {"error": "'do' is missing; it must name an operation"}
        if request["do"] == "ping":
            life: JsonObject = {"life": self._notices.life, "rules": self._notices.rules} if self._notices else {}
            return {"pong": True, "seq": self._notices.seq if self._notices else 0, "pid": os.getpid(), **life}
        try:
            answer = await self._handle(request)
            return answer if self._notices is None else {"seq": self._notices.seq, **answer}
        except ControlError as refused:
            return {"error": str(refused)}
        except Exception as bug:  # a bug in one operation must not cost the others their socket
            if self._on_bug is not None:
                self._on_bug(request, bug)
            return {"error": f"the engine failed at this ({type(bug).__name__}); its log says more"}

    # --- notices ---------------------------------------------------------------------------

    def _subscribe(self, request: JsonObject) -> tuple[JsonObject, int | None]:
        if self._notices is None:
            return {"id": request.get("id"), "error": "there are no notices here"}, None
        since = request.get("since", self._notices.seq)
        if isinstance(since, bool) or not isinstance(since, int) or since < 0:
            return {"id": request.get("id"), "error": "'since' must be a whole number, 0 or more"}, None
        now: JsonObject = {"seq": self._notices.seq, "life": self._notices.life, "rules": self._notices.rules}
        return {"id": request.get("id"), **now}, since

    async def _tell(self, seq: int, connection: "_Connection") -> None:
        """Send what is newer, as fast as the listener takes it; who is too slow gets a gap, never costs us memory."""
        assert self._notices is not None
        with contextlib.suppress(OSError, TimeoutError):
            while True:
                gap, entries = self._notices.after(seq)
                if gap:
                    seq = entries[0][0] - 1 if entries else self._notices.seq
                    await connection.send({"gap": True, "seq": seq})
                for seq, notices in entries:
                    for notice in notices:
                        await connection.send({"seq": seq, "notice": notice})
                await self._notices.newer(seq)
        connection.abort()

    async def _tell_records(self, seq: int, connection: "_Connection") -> None:
        """The same, record by record, and when the rules have changed."""
        assert self._notices is not None
        rules = self._notices.rules
        with contextlib.suppress(OSError, TimeoutError):
            while True:
                gap, entries = self._notices.records_after(seq)
                if gap:
                    seq = entries[0][0] - 1 if entries else self._notices.seq
                    await connection.send({"gap": True, "seq": seq})
                for seq, record in entries:
                    await connection.send_line(b'{"seq":%d,"facts":%b}\n' % (seq, record))
                if self._notices.rules != rules:
                    rules = self._notices.rules
                    await connection.send({"rules": rules})
                else:
                    await self._notices.newer(seq)
        connection.abort()


class _Connection:
    """The sending half of one client. One line at a time, and never more in memory than the limit of its transport."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, message: Mapping[str, object]) -> None:
        await self.send_line(json_line(message))

    async def send_line(self, line: bytes) -> None:
        self._writer.write(line)
        async with asyncio.timeout(SEND_SECONDS):  # not wait_for: before Python 3.12 it may swallow a cancellation, and then we never stop
            await self._writer.drain()

    def abort(self) -> None:
        self._writer.transport.abort()


async def _requests(reader: asyncio.StreamReader, connection: _Connection) -> AsyncIterator[JsonObject]:
    """The requests of one client. A line that is no request is answered with an error; one without end costs the connection."""
    while True:
        try:
            line = await reader.readuntil()
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            await connection.send({"error": f"a request is at most {LINE_LIMIT} bytes on one line"})
            return
        try:
            request = json_object(line)
        except ValueError:
            await connection.send({"error": "a request is one JSON object on one line"})
        else:
            yield request
