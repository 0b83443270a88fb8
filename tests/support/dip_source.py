"""A server that flows may ask, which behaves as badly as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[["DipServerEnd"], Awaitable[None]]


@dataclass
class DipServerEnd:
    """One request, as bytes, and the way back."""

    head: bytes
    body: bytes
    writer: asyncio.StreamWriter

    async def say(self, status: str, body: bytes, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    @property
    def path(self) -> str:
        return self.head.split()[1].decode()


def saying(answer: object, status: str = "200 OK", *headers: str) -> Answer:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda end: end.say(status, body, *headers)


async def silence(end: DipServerEnd) -> None:
    """Takes the question and never answers."""
    await asyncio.Event().wait()


async def a_flood(end: DipServerEnd) -> None:
    """An answer without end."""
    end.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        end.writer.write(b"4000\r\n" + b"[" * 0x4000 + b"\r\n")
        await end.writer.drain()


async def a_trickle(end: DipServerEnd) -> None:
    """One byte now and then."""
    end.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        end.writer.write(b" ")
        await end.writer.drain()
        await asyncio.sleep(0.05)


@dataclass
class DipSource:
    """``answer`` may be changed at any time."""

    answer: Answer
    port: int = 0
    asked: list[DipServerEnd] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Down: connections are refused."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
                end = DipServerEnd(head, await reader.readexactly(length), writer)
                self.asked.append(end)
                await self.answer(end)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def dip_source(answer: Answer) -> AsyncIterator[DipSource]:
    source = DipSource(answer)
    await source.start()
    try:
        yield source
    finally:
        await source.stop()
