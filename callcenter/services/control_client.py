"""The control socket, the side of everybody else: the command line, the web, the supervisor."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from callcenter.services.control import Json, JsonObject

ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer: ``state`` of a large center."""


class EngineAway(Exception):
    """The engine does not answer on its control socket."""


class RequestRefused(Exception):
    """The engine answered with a sentence that says why not."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened; ``gap`` when notices before this one can no longer be had."""

    seq: int
    notice: JsonObject
    gap: bool = False


class ControlClient:
    """One signed-in connection; ``async with ControlClient(path, token) as engine: await engine.ask("ping")``."""

    def __init__(self, path: Path, token: str, timeout: float = 5.0) -> None:
        """``timeout``: seconds to wait for the engine, at each step."""
        self._path = path
        self._token = token
        self._timeout = timeout
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._asked = 0

    async def __aenter__(self) -> "ControlClient":
        try:
            async with asyncio.timeout(self._timeout):
                self._reader, self._writer = await asyncio.open_unix_connection(self._path, limit=ANSWER_LIMIT)
        except (OSError, TimeoutError):
            raise EngineAway("the engine does not run; start it with 'callcenter serve'") from None
        try:
            await self._send({"token": self._token})
            self._checked(await self._receive(self._timeout))
        except BaseException:
            self._writer.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        """Ask for an operation and return its answer. Raises EngineAway, RequestRefused."""
        self._asked += 1
        await self._send({"id": self._asked, "do": do, **fields})
        answer = await self._receive(self._timeout)
        while answer.get("id") != self._asked:  # a notice, or the late answer to a question given up
            answer = await self._receive(self._timeout)
        return self._checked(answer)

    async def listen(self, since: int | None = None) -> AsyncIterator[Notice]:
        """All notices above ``since`` (None: from now on), as they come. Raises EngineAway when the engine leaves."""
        answer = await self.ask("subscribe", **({} if since is None else {"since": since}))
        yield Notice(_seq(answer) if since is None else since, {})
        while True:
            message = await self._receive(None)
            notice = message.get("notice", {})
            if "gap" in message or "notice" in message:
                yield Notice(_seq(message), notice if isinstance(notice, dict) else {}, "gap" in message)

    async def records(self, since: int) -> AsyncIterator[JsonObject]:
        """The answer to the subscription, then the records above ``since`` as the control socket writes them. Raises EngineAway."""
        yield await self.ask("subscribe", since=since, records=True)
        while True:
            yield await self._receive(None)

    async def _send(self, message: JsonObject) -> None:
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            async with asyncio.timeout(self._timeout):
                await self._writer.drain()
        except (OSError, TimeoutError):
            raise EngineAway("the engine does not take requests; it may be restarting, try again in some seconds") from None

    async def _receive(self, within: float | None) -> JsonObject:
        try:
            async with asyncio.timeout(within):
                message = json.loads(await self._reader.readuntil())
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            raise EngineAway("the engine does not answer; it may be restarting, try again in some seconds") from None
        return message if isinstance(message, dict) else {}

    @staticmethod
    def _checked(answer: JsonObject) -> JsonObject:
        if "error" in answer:
            raise RequestRefused(str(answer["error"]))
        return answer


def _seq(message: JsonObject) -> int:
    seq = message.get("seq")
    return seq if isinstance(seq, int) else 0


async def ask(path: Path, token: str, do: str, within: float = 5.0, **fields: Json) -> JsonObject:
    """One question on a connection of its own. Raises EngineAway, RequestRefused."""
    async with ControlClient(path, token, within) as engine:
        return await engine.ask(do, **fields)


async def answers(path: Path, token: str, within: float = 1.0) -> bool:
    """Whether the engine's loop turns: it answers a ping within ``within`` seconds."""
    with contextlib.suppress(EngineAway, RequestRefused, TimeoutError):
        async with asyncio.timeout(within):
            await ask(path, token, "ping", within)
            return True
    return False
