"""``/console/socket``: one WebSocket for each tab of a console; what it says stands in docs/console-socket.md.

A reader that takes nothing is closed, never waited for. Whoever is silent for ``SILENT_AFTER`` is gone, as far as this socket is concerned;
when a person is gone altogether is for ``services.consoles`` to say.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import orjson
import structlog
from aiohttp import WSMsgType, web

from callcenter.adapters.web import access
from callcenter.adapters.web.access import SECRET, SIGNING, Routes
from callcenter.domain.rights import Right, Signed, may, of_queue
from callcenter.services.console_commands import Commands
from callcenter.services.consoles import Console, Consoles, Full, Tab
from callcenter.services.control import JsonObject
from callcenter.services.people.store import PeopleAway
from callcenter.services.private_socket import json_object

log = structlog.get_logger(__name__)

MESSAGE_LIMIT = 32 * 1024
"""Bytes of one command."""
AT_ONCE = 16
"""Commands of one tab under way; more wait."""
PING_EVERY = 3.0
SILENT_AFTER = 9.0
SEND_SECONDS = 10.0

TOO_SLOW, SIGNED_OUT, TOO_MANY = 4408, 4401, 4429
"""Close codes, from the range for applications (RFC 6455, 7.4.2)."""

OVER = "your session has ended; sign in again: a call that is on goes on"

Still = Callable[[], Awaitable[Signed | None]]
"""Who has signed in, with the rights she has now; None: she no longer is."""


def add_routes(routes: Routes, consoles: Consoles, commands: Commands) -> None:
    """For everybody who has signed in with a session."""
    served = ConsoleSocket(consoles, commands)

    async def socket(request: web.Request) -> web.StreamResponse:
        secret = request[SECRET]
        with access.while_signed_in(request) as ended:
            return await served.serve(request, access.signed(request), lambda: request.app[SIGNING].of_cookie(secret), ended)

    routes.add("GET", "/console/socket", socket, needs=Right.OWN_ACCOUNT)


class ConsoleSocket:
    """Serves the tabs of all consoles."""

    def __init__(self, consoles: Consoles, commands: Commands) -> None:
        self._consoles, self._commands = consoles, commands

    async def serve(self, request: web.Request, signed: Signed, still: Still, ended: asyncio.Event) -> web.WebSocketResponse:
        """One tab, until it leaves or its session has ended. Whoever may not be here has been turned away before."""
        socket = web.WebSocketResponse(autoping=False, max_msg_size=MESSAGE_LIMIT, compress=False)
        await socket.prepare(request)
        connection = _Connection(socket, request.transport)
        tab = Tab(connection.close_later, connection.stir.set)
        try:
            session, since = request.query.get("session", ""), _number(request.query.get("since", ""))
            console = self._consoles.enter(signed.person, signed.agent, tab, session, since, _alerts_of(signed))
        except Full as full:
            await socket.close(code=TOO_MANY, message=str(full).encode())
            return socket
        visit = _Visit(self._consoles, self._commands, connection, tab, console, signed, still, ended)
        try:
            await visit.last()
        finally:
            self._consoles.leave(console, tab)
        return socket


class _Connection:
    """The WebSocket, and what is to be written to it."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.socket = socket
        self._transport = transport
        self.stir = asyncio.Event()
        self.why = ""

    def close_later(self, why: str) -> None:
        """From where nobody can wait. Who is too slow to read is too slow to be asked politely."""
        self.why = why
        self.stir.set()

    async def send(self, message: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self.socket.send_str(message.decode())

    def abort(self) -> None:
        """Without a word more: the other side may be gone, or take nothing."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self, code: int, why: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.socket.close(code=code, message=why.encode()[:120])
        except (OSError, TimeoutError, RuntimeError):
            self.abort()


class _Visit:
    """One tab, from its opening to its end."""

    def __init__(
        self,
        consoles: Consoles,
        commands: Commands,
        connection: _Connection,
        tab: Tab,
        console: Console,
        signed: Signed,
        still: Still,
        ended: asyncio.Event,
    ) -> None:
        self._consoles, self._commands, self._connection = consoles, commands, connection
        self._tab, self._console, self._signed, self._still, self._ended = tab, console, signed, still, ended
        self._heard_at = asyncio.get_running_loop().time()
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def last(self) -> None:
        beside = [asyncio.create_task(task) for task in (self._write(), self._watch(), self._sign_out())]
        try:
            await self._read()
        finally:
            for task in (*beside, *self._under_way):
                task.cancel()
            await asyncio.gather(*beside, *self._under_way, return_exceptions=True)

    async def _read(self) -> None:
        socket = self._connection.socket
        async for message in socket:
            self._heard_at = asyncio.get_running_loop().time()
            self._consoles.heard(self._console)
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await self._room.acquire()
                task = asyncio.create_task(self._command(message.data))
                self._under_way.add(task)
                task.add_done_callback(self._done)
            elif message.type is WSMsgType.BINARY:
                self._put({"id": None, "error": "commands are text"})

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._room.release()
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("console_bug", exc_info=bug)
            self._put({"id": None, "error": "something went wrong here; the log of the web process says what"})

    async def _command(self, text: str) -> None:
        try:
            message = json_object(text.encode())
        except ValueError:
            self._put({"id": None, "error": "a command is one JSON object"})
            return
        if message.get("do") == "ping":
            self._put({"id": message.get("id"), "ok": {}})
        elif message.get("do") == "lead":
            self._consoles.lead(self._console, self._tab)
            self._put({"id": message.get("id"), "ok": {}})
        elif await self._signed_in():
            self._put(await self._commands.carry_out(self._console, self._signed, message))
        else:
            self._put({"id": message.get("id"), "error": OVER})

    async def _signed_in(self) -> bool:
        """Still, and with the rights she has now; while nobody can tell, with those she had."""
        try:
            signed = await self._still()
        except PeopleAway:
            return True
        if signed is None or (signed.person, signed.agent) != (self._signed.person, self._signed.agent):
            return False
        self._signed = signed
        return True

    def _put(self, message: JsonObject) -> None:
        self._tab.put(orjson.dumps(message))

    async def _write(self) -> None:
        waiting = self._tab.waiting
        try:
            while not self._connection.why:
                while waiting:
                    await self._connection.send(waiting.popleft())
                self._connection.stir.clear()
                if not waiting and not self._connection.why:
                    await self._connection.stir.wait()
            await self._connection.close(TOO_SLOW, self._connection.why)
        except (OSError, TimeoutError, RuntimeError):  # aiohttp says so of a socket that is closing
            self._connection.abort()

    async def _watch(self) -> None:
        """Whether somebody is still there."""
        while True:
            await asyncio.sleep(PING_EVERY)
            if asyncio.get_running_loop().time() - self._heard_at > SILENT_AFTER:
                self._connection.abort()
                return
            with contextlib.suppress(OSError, RuntimeError):
                await self._connection.socket.ping()

    async def _sign_out(self) -> None:
        await self._ended.wait()
        await self._commands.session_over(self._signed)
        await self._connection.close(SIGNED_OUT, OVER)


def _alerts_of(signed: Signed) -> Callable[[str], bool]:
    return lambda queue: may(signed, Right.SEE_REPORTS, of_queue(queue))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
