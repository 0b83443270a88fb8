"""The control socket, the engine's side: commands in, answers and notices out, to our own processes on this machine only.

One JSON object per line. The first line signs in: ``{"token": ...}``. Each request after it has an ``id`` and a
``do``; its answer has the same ``id``. ``{"do": "subscribe", "since": SEQ}`` lets notices follow, each with its
``seq``; ``{"gap": true}`` says that some before can no longer be had.
"""

import asyncio
import contextlib
import hmac
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from callcenter.services.notices import Notices

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

LINE_LIMIT = 64 * 1024
"""Bytes of one request, its line end included."""
CLIENT_LIMIT = 100
SIGN_IN_SECONDS = 5.0
SEND_SECONDS = 10.0
"""A listener who takes nothing for so long is dropped; it may come back and resume."""
PATH_LIMIT = 107
"""Bytes of the path of a Unix socket (sun_path, with its closing NUL 108)."""

Handle = Callable[[JsonObject], Awaitable[Mapping[str, object]]]
"""Answers one request. Whatever it raises becomes ``{"error": ...}``."""


class ControlError(Exception):
    """The control socket cannot be had; or a request was refused, and why."""


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
        self._token = token.encode()
        self._handle = handle
        self._notices = notices
        self._on_bug = on_bug
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._inode = 0

    async def start(self) -> None:
        """Listen. A socket that a killed predecessor left is replaced. Raises ControlError."""
        if len(os.fsencode(self.path)) > PATH_LIMIT:
            raise ControlError(f"{self.path}: too long for a socket ({PATH_LIMIT} bytes); choose a data folder with a shorter path")
        try:
            private_folder(self.path.parent)
            self._server = await asyncio.start_unix_server(self._accept, self.path, limit=LINE_LIMIT)
            self.path.chmod(0o600)
            self._inode = self.path.stat().st_ino
        except OSError as error:
            raise ControlError(f"{self.path}: cannot listen there: {error.strerror}") from None

    async def stop(self) -> None:
        """Hang up on everybody and stop listening. The socket of a successor stays."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with contextlib.suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= CLIENT_LIMIT:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

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
                        listening = asyncio.create_task(self._tell(since, connection))
                else:
                    await connection.send({**await self._answer(request), "id": request.get("id")})
        except (OSError, TimeoutError):
            pass  # the client is gone; that is its right
        finally:
            if listening is not None:
                listening.cancel()
            writer.close()

    async def _signed_in(self, reader: asyncio.StreamReader, connection: "_Connection") -> bool:
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                line = await reader.readuntil()
            token = _object(line).get("token")
        except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            token = None
        known = isinstance(token, str) and hmac.compare_digest(token.encode(errors="replace"), self._token)
        await connection.send({"ok": True} if known else {"error": "the token is wrong"})
        return known

    async def _answer(self, request: JsonObject) -> Mapping[str, object]:
        if not isinstance(request.get("do"), str):
            return {"error": "'do' is missing; it must name an operation"}
        if request["do"] == "ping":
            return {"pong": True, "seq": self._notices.seq if self._notices else 0, "pid": os.getpid()}
        try:
            return await self._handle(request)
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
        return {"id": request.get("id"), "seq": self._notices.seq}, since

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


class _Connection:
    """The sending half of one client. One line at a time, and never more in memory than the limit of its transport."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, message: Mapping[str, object]) -> None:
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
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
            request = _object(line)
        except ValueError:
            await connection.send({"error": "a request is one JSON object on one line"})
        else:
            yield request


def _object(line: bytes) -> JsonObject:
    """One JSON object. Raises ValueError, also for what is nested too deep."""
    try:
        read = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(read, dict):
        raise ValueError("not an object")
    return read


def private_folder(folder: Path) -> None:
    """Make a folder that only we may enter; one that others may enter is refused. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = folder.stat()
    if seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        raise PermissionError(0, f"others may enter {folder}; run: chmod 700 {folder}")
