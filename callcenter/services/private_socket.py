"""A Unix socket in a folder that only we may enter, for our own processes on this machine: one JSON object per line, after a sign-in."""

import asyncio
import contextlib
import hmac
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

LINE_LIMIT = 64 * 1024
"""Bytes of one request, its line end included."""
SIGN_IN_SECONDS = 5.0
SEND_SECONDS = 10.0
"""A listener who takes nothing for so long is dropped; it may come back and resume."""
PATH_LIMIT = 107
"""Bytes of the path of a Unix socket (sun_path, with its closing NUL 108)."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one client until it leaves; closes what it was given."""


class ControlError(Exception):
    """The socket cannot be had; or a request was refused, and why."""


class PrivateSocket:
    """Serves at most ``clients`` at once at ``path``."""

    def __init__(self, path: Path, serve: Serve, clients: int) -> None:
        self.path = path
        self._serve = serve
        self._most = clients
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Future[None]] = set()
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
            raise ControlError(f"{self.path}: cannot listen there: {error.strerror or error}") from None

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
        if len(self._clients) >= self._most:
            writer.close()
            return
        client = asyncio.ensure_future(self._serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)


async def signed_in(reader: asyncio.StreamReader, token: bytes) -> bool:
    """Whether the first line, which must come soon, holds the token. What is no such line does not."""
    try:
        async with asyncio.timeout(SIGN_IN_SECONDS):
            said = json_object(await reader.readuntil()).get("token")
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        return False
    return isinstance(said, str) and hmac.compare_digest(said.encode(errors="replace"), token)


def json_object(line: bytes) -> JsonObject:
    """One JSON object. Raises ValueError, also for what is nested too deep."""
    try:
        read = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(read, dict):
        raise ValueError("not an object")
    return read


def json_line(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def private_folder(folder: Path) -> None:
    """Make a folder that only we may enter; one that others may enter is refused. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = folder.stat()
    if seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        raise PermissionError(0, f"others may enter {folder}; run: chmod 700 {folder}")
