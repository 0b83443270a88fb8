"""A fake node in one process, its engine in another: so that the engine can be killed for good while the calls go on.

Pickled messages over a Unix socket, between two processes of one benchmark and nobody else.
"""

import asyncio
import contextlib
import itertools
import pickle
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from callcenter.domain.commands import Command
from callcenter.domain.events import Event, Refusal
from callcenter.services.ports import CommandError, Inbox, Snapshot
from callcenter.sim.fake_pbx import FakePbx

HEADER = 4


async def _read(reader: asyncio.StreamReader) -> Any:
    size = int.from_bytes(await reader.readexactly(HEADER), "big")
    return pickle.loads(await reader.readexactly(size))


def _write(writer: asyncio.StreamWriter, message: object) -> None:
    body = pickle.dumps(message)
    writer.write(len(body).to_bytes(HEADER, "big") + body)


class FakeNodeServer:
    """The node's side: one engine at a time; calls outlive it."""

    def __init__(self, pbx: FakePbx, path: Path) -> None:
        self.pbx = pbx
        self._path = path
        self._server: asyncio.Server | None = None
        self.beats = 0
        """How often the engine has said that it is alive."""

    async def __aenter__(self) -> "FakeNodeServer":
        self.pbx.fall_deaf()
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *unused: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(event: Event) -> None:
            if not writer.is_closing():  # else it was killed, and we are about to see that
                _write(writer, (None, event))

        self.pbx.listen(tell)
        try:
            while True:
                number, do, given = await _read(reader)
                try:
                    answer: object = self._do(do, given)
                except CommandError as error:
                    answer = (error.refusal, error.detail)
                _write(writer, (number, answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.pbx.fall_deaf()
            writer.close()

    def _do(self, do: str, given: Any) -> object:
        if do == "beat":
            self.beats += 1
        elif do == "snapshot":
            return self.pbx.snapshot(given)
        else:
            getattr(self.pbx, do)(given)
        return None


class RemoteTelephony:
    """The engine's side: implements ``services.ports.Telephony`` for one node."""

    def __init__(self, node: str, path: Path, inbox: Inbox, on_connect: Callable[[str], Awaitable[None]]) -> None:
        self.nodes: Sequence[str] = (node,)
        self._path = path
        self._inbox = inbox
        self._on_connect = on_connect
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self._kept_back: list[Event] | None = []
        self._tasks: list[asyncio.Task[None]] = []
        self._open = False
        self._writer: asyncio.StreamWriter

    async def start(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(self._path)
        self._tasks = [asyncio.create_task(self._hear(reader)), asyncio.create_task(self._greet())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            self._writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            number, said = await _read(reader)
            if number is not None:
                self._waiting.pop(number).set_result(said)
            elif self._kept_back is None:
                self._inbox(said)
            else:
                self._kept_back.append(said)

    async def _greet(self) -> None:
        await self._on_connect(self.nodes[0])
        kept_back, self._kept_back = self._kept_back, None
        for event in kept_back or ():
            self._inbox(event)

    async def _ask(self, do: str, given: object) -> object:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        _write(self._writer, (number, do, given))
        said = await answer
        if isinstance(said, tuple):
            raise CommandError(*said)
        return said

    async def run(self, command: Command) -> None:
        """Raises CommandError."""
        if not self._open:
            raise CommandError(Refusal.NODE_AWAY, "not caught up yet")
        await self._ask("run", command)

    async def snapshot(self, node: str, playbacks: Sequence[str]) -> Snapshot:
        seen = await self._ask("snapshot", tuple(playbacks))
        assert isinstance(seen, Snapshot)
        self._open = True
        return seen

    async def watch(self, node: str, leg: str) -> None:
        await self._ask("watch", leg)

    async def release(self, node: str, leg: str) -> None:
        await self._ask("release", leg)

    async def destroy_bridge(self, node: str, bridge: str) -> None:
        await self._ask("destroy_bridge", bridge)

    async def beat(self, node: str) -> None:
        await self._ask("beat", None)

    async def tell_hours(self, node: str, did: str, hint: str) -> None:
        """Nobody asks for it here."""
