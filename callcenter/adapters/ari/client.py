"""One node's ARI connection: a WebSocket that carries events and requests, and comes back by itself.

The vocabulary is ari-py's and Asterisk's own: channels, bridges, playbacks, applications, asterisk.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import aiohttp
import orjson
import structlog

from callcenter.adapters.ari.types import Operation, events
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

log = structlog.get_logger(__name__)

MAX_MESSAGE = 16 * 2**20
BACKOFF_FIRST, BACKOFF_MOST = 0.2, 5.0
ECHO = "are_you_telling_us"
"""The event that we send to ourselves."""
Raw = dict[str, object]
Socket = aiohttp.ClientWebSocketResponse[Literal[False]]
"""One whose texts arrive as the bytes they were sent as."""


@dataclass(frozen=True, slots=True)
class AriServer:
    """Where a node's ARI is, and how we sign in."""

    base_url: str
    """``http://HOST:PORT/ari``"""
    user: str
    password: str
    application: str = "callcenter"
    rest_over_websocket: bool = True
    """False: requests go over plain HTTP; events still come over the WebSocket."""
    request_timeout: float = 2.0
    """Seconds; then nobody knows whether the request was carried out."""
    ping_every: float = 2.0
    """Seconds; two pings without any sign of life end the connection."""
    connect_timeout: float = 3.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What Asterisk answered to one request."""

    status: int
    body: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> object:
        """The parsed body. Raises CommandError when it is not JSON."""
        try:
            return orjson.loads(self.body)
        except ValueError as error:
            raise CommandError(Refusal.REFUSED, f"not JSON: {self.body[:100]!r}") from error


class Standing(Enum):
    AWAY = "away"
    CONNECTED = "connected"
    REPLACED = "replaced"
    """Another engine took over the application: we no longer act, and do not fight back."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a connection. All but ``on_connected`` are called from the reader and must not block."""

    on_connected: Callable[[], Awaitable[None]]
    """The WebSocket is open and requests can be made; events are already coming."""
    on_event: Callable[[Raw], None]
    on_lost: Callable[[], None]
    on_replaced: Callable[[], None]
    on_garbage: Callable[[str], None]
    """A message that is not a JSON object."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request whose answer has not come."""

    future: asyncio.Future[Reply]
    due: float
    what: str


class AriClient:
    """Keeps one connection to one node. ``run`` never returns unless we were replaced or cancelled."""

    def __init__(self, server: AriServer, allowed_events: tuple[str, ...], listener: Listener) -> None:
        self.server = server
        self.standing: Standing = Standing.AWAY
        # Answers to requests are events to the filter: without RESTResponse the node would fall silent.
        self._allowed = ("RESTResponse", "ApplicationReplaced", "ChannelUserevent", *allowed_events)
        self._listener = listener
        self._http: aiohttp.ClientSession | None = None
        self._ws: Socket | None = None
        self._waiting: dict[str, _Waiting] = {}
        """By id of the request, oldest first."""
        self._timer: asyncio.TimerHandle | None = None
        self._requests = 0
        self._heard = False
        self._echo: asyncio.Future[None] | None = None

    @property
    def is_connected(self) -> bool:
        return self.standing is Standing.CONNECTED

    @property
    def is_replaced(self) -> bool:
        return self.standing is Standing.REPLACED

    # --- the connection -------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and connect again with growing, jittered pauses for as long as we are not replaced."""
        auth = aiohttp.encode_basic_auth(self.server.user, self.server.password)
        connector = aiohttp.TCPConnector(limit=20)
        async with aiohttp.ClientSession(headers={"Authorization": auth}, connector=connector) as self._http:
            failures = 0
            while True:
                worked = await self._connect(self._http)
                if self.standing is Standing.REPLACED:
                    return
                failures = 0 if worked else failures + 1
                await asyncio.sleep(min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0))

    async def _connect(self, http: aiohttp.ClientSession) -> bool:
        """Hold one connection until it ends; return whether it ever worked."""
        url = f"{self.server.base_url}/events"
        try:
            async with asyncio.timeout(self.server.connect_timeout):
                ws = await http.ws_connect(
                    url,
                    params={"app": self.server.application},
                    autoping=False,
                    decode_text=False,
                    compress=0,
                    max_msg_size=MAX_MESSAGE,
                    timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("node_unreachable", url=url, error=str(error) or type(error).__name__)
            return False
        return await self._hold(ws)

    async def _hold(self, ws: Socket) -> bool:
        self._ws, self._heard, self.standing = ws, True, Standing.CONNECTED
        reading = asyncio.create_task(self._read(ws))
        pinging = asyncio.create_task(self._ping(ws))
        greeting = asyncio.create_task(self._greet())
        ends = {reading, pinging}
        try:
            await asyncio.wait({*ends, greeting}, return_when=asyncio.FIRST_COMPLETED)
            worked = greeting.done() and greeting.exception() is None
            if worked:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            elif greeting.done():
                error = greeting.exception()
                bug = None if isinstance(error, CommandError) else error
                log.error("node_greeting_failed", url=self.server.base_url, error=str(error), exc_info=bug)
            return worked
        finally:
            await self._let_go(ws, reading, pinging, greeting)

    async def _let_go(self, ws: Socket, *tasks: asyncio.Task[None]) -> None:
        self._ws = None
        if self.standing is Standing.CONNECTED:
            self.standing = Standing.AWAY
        for task in tasks:
            task.cancel()
        self._forget_requests()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.on_lost()
        with suppress(aiohttp.ClientError, OSError):
            await ws.close()

    def _forget_requests(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(CommandError(Refusal.NODE_AWAY, "the connection ended before the answer came"))
        self._waiting.clear()

    async def _greet(self) -> None:
        allowed = {"allowed": [{"type": kind} for kind in self._allowed]}
        reply = await self.request("PUT", f"applications/{self.server.application}/eventFilter", body=allowed)
        if not reply.ok:
            raise CommandError(Refusal.REFUSED, f"event filter: {reply.status} {reply.body[:200]}")
        await self._hear_ourselves()
        await self._listener.on_connected()

    async def _hear_ourselves(self) -> None:
        """Find out whether events reach us. Raises CommandError when they do not.

        Who connects in the moment in which Asterisk clears the connection before it away is registered for nothing: requests are answered,
        and no event ever comes (``app_update`` in res/stasis/app.c: "the app was deactivated. In that case don't replace").
        """
        self._echo = asyncio.get_running_loop().create_future()
        reply = await self.call(events.userEvent, {"application": self.server.application}, eventName=ECHO)
        if not reply.ok:
            raise CommandError(Refusal.REFUSED, f"event to ourselves: {reply.status} {reply.body[:200]}")
        try:
            async with asyncio.timeout(self.server.request_timeout):
                await self._echo
        except TimeoutError as error:
            raise CommandError(Refusal.NODE_AWAY, "the node takes requests and tells no events") from error

    # --- reading --------------------------------------------------------------------------------

    async def _read(self, ws: Socket) -> None:
        """Only read, parse and hand on: whoever reads slowly is cut off by Asterisk."""
        while True:
            message = await ws.receive()
            self._heard = True
            if message.type is aiohttp.WSMsgType.TEXT:
                try:
                    self._take(message.data)
                except Exception:  # one bad event must not cost the connection
                    log.exception("event_not_taken", text=message.data[:500].decode(errors="replace"))
            elif message.type is aiohttp.WSMsgType.PING:
                await ws.pong(message.data)
            elif message.type not in (aiohttp.WSMsgType.PONG, aiohttp.WSMsgType.BINARY):
                return
            if self.standing is not Standing.CONNECTED:
                return

    def _take(self, text: bytes) -> None:
        try:
            raw = orjson.loads(text)
        except ValueError:
            raw = None
        if type(raw) is not dict:
            self._listener.on_garbage(text[:200].decode(errors="replace"))
            return
        kind = raw.get("type")
        if kind == "RESTResponse":
            self._answered(raw)
        elif kind == "ApplicationReplaced":
            self.standing = Standing.REPLACED
            self._listener.on_replaced()
        elif kind == "ChannelUserevent":
            if raw.get("eventname") == ECHO and self._echo is not None and not self._echo.done():
                self._echo.set_result(None)
        else:
            self._listener.on_event(raw)

    def _answered(self, raw: Raw) -> None:
        """Hand an answer to who waits for it. After the time limit nobody does."""
        waiting = self._waiting.pop(str(raw.get("request_id")), None)
        status, body = raw.get("status_code"), raw.get("message_body", "")
        if waiting is None or waiting.future.done():
            return
        future = waiting.future
        if isinstance(status, int) and isinstance(body, str):
            future.set_result(Reply(status, body))
        else:
            future.set_exception(CommandError(Refusal.REFUSED, "an answer without status"))

    async def _ping(self, ws: Socket) -> None:
        """Return when the other side gave no sign of life for two pings."""
        missed = 0
        while missed < 2:
            self._heard = False
            with suppress(aiohttp.ClientError, OSError):  # the reader will see it
                await ws.ping()
            await asyncio.sleep(self.server.ping_every)
            missed = 0 if self._heard else missed + 1
        log.warning("node_silent", url=self.server.base_url)

    # --- requests -------------------------------------------------------------------------------

    async def call(self, operation: Operation, query: Mapping[str, str] | None = None, **ids: str) -> Reply:
        """Make one request of those Asterisk describes, ``ids`` filling the braces of its path."""
        path = operation.path.format_map(ids) if ids else operation.path
        ws = self._ws
        if ws is None or self.standing is not Standing.CONNECTED or not self.server.rest_over_websocket:
            return await self.request(operation.method, path, query)
        try:
            return await self._over_websocket(ws, operation.method, path, query, None)
        except (aiohttp.ClientError, OSError) as error:
            raise CommandError(Refusal.NODE_AWAY, str(error) or type(error).__name__) from error

    async def request(self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None) -> Reply:
        """Make one request and return what was answered, whatever it is. Raises CommandError(NODE_AWAY)."""
        ws = self._ws
        if ws is None or self.standing is not Standing.CONNECTED:
            raise CommandError(Refusal.NODE_AWAY, "not connected")
        try:
            if self.server.rest_over_websocket:
                return await self._over_websocket(ws, method, path, query, body)
            return await self._over_http(method, path, query, body)
        except (aiohttp.ClientError, OSError) as error:
            raise CommandError(Refusal.NODE_AWAY, str(error) or type(error).__name__) from error

    async def _over_websocket(self, ws: Socket, method: str, path: str, query: Mapping[str, str] | None, body: object) -> Reply:
        self._requests += 1
        request_id = str(self._requests)
        message: Raw = {"type": "RESTRequest", "request_id": request_id, "method": method, "uri": path}
        if query:
            message["query_strings"] = [{"name": name, "value": value} for name, value in query.items()]
        if body is not None:
            message["content_type"] = "application/json"
            message["message_body"] = orjson.dumps(body).decode()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting[request_id] = _Waiting(future, loop.time() + self.server.request_timeout, f"{method} {path}")
        if self._timer is None:
            self._timer = loop.call_later(self.server.request_timeout, self._too_late)
        try:
            await ws.send_frame(orjson.dumps(message), aiohttp.WSMsgType.TEXT)
            return await future
        finally:
            self._waiting.pop(request_id, None)

    def _too_late(self) -> None:
        """One timer for all requests: they have the same time limit, so the oldest is due first."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for request_id, waiting in list(self._waiting.items()):
            if waiting.due > loop.time():
                self._timer = loop.call_at(waiting.due, self._too_late)
                return
            del self._waiting[request_id]
            if not waiting.future.done():
                waiting.future.set_exception(CommandError(Refusal.NODE_AWAY, f"no answer to {waiting.what}"))

    async def _over_http(self, method: str, path: str, query: Mapping[str, str] | None, body: object) -> Reply:
        assert self._http is not None
        try:
            async with (
                asyncio.timeout(self.server.request_timeout),
                self._http.request(method, f"{self.server.base_url}/{path}", params=query, json=body) as response,
            ):
                return Reply(response.status, await response.text())
        except TimeoutError as error:
            raise CommandError(Refusal.NODE_AWAY, f"no answer to {method} {path}") from error
