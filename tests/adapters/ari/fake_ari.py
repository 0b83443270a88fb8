"""The far end of an ARI connection, played inside the test: it notes every request and answers as it was told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from callcenter.adapters.ari.client import AriServer

INFO = {"status": {"startup_time": "2026-11-22T05:56:24.972+0000", "last_reload_time": "2026-11-22T05:56:24.972+0000"}}
Request = tuple[str, str, dict[str, str]]


class FakeAri:
    """One Asterisk's ARI on a free port."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.bodies: list[object] = []
        self.authorizations: list[str | None] = []
        self.urls: list[str] = []
        self.answers: dict[tuple[str, str], tuple[int, object]] = {
            ("GET", "asterisk/info"): (200, INFO),
            ("GET", "channels"): (200, []),
            ("GET", "bridges"): (200, []),
            ("GET", "applications/callcenter"): (200, {"channel_ids": []}),
        }
        """By method and path; what is not in here is 204."""
        self.silent: set[tuple[str, str]] = set()
        """Requests that are never answered."""
        self.deaf = False
        """Answers no ping."""
        self.tells_nothing = False
        """As Asterisk to who connects while the connection before is cleared away: requests are answered, no event is told."""
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self._newest: web.WebSocketResponse | None = None
        self.base_url = ""

    async def events(self, http: web.Request) -> web.WebSocketResponse:
        self.urls.append(str(http.rel_url))
        self.authorizations.append(http.headers.get("Authorization"))
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(http)
        self.sockets.put_nowait(ws)
        self._newest = ws
        async for message in ws:
            if message.type is WSMsgType.PING and not self.deaf:
                await ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await self._take(ws, json.loads(message.data))
        return ws

    async def _take(self, ws: web.WebSocketResponse, request: dict[str, object]) -> None:
        assert request["type"] == "RESTRequest"
        query = {each["name"]: each["value"] for each in request.get("query_strings", [])}  # type: ignore[attr-defined]
        method, path = str(request["method"]), str(request["uri"])
        status, body = self._answer(method, path, query, json.loads(str(request.get("message_body", "null"))))
        await self._tell_users_event(path)
        if (method, path) not in self.silent:
            response = {
                "type": "RESTResponse",
                "request_id": request["request_id"],
                "status_code": status,
                "message_body": json.dumps(body),
            }
            await ws.send_json(response)

    async def _tell_users_event(self, path: str) -> None:
        if path.startswith("events/user/") and self._newest is not None and not self.tells_nothing:
            await self._newest.send_json({"type": "ChannelUserevent", "eventname": path.rpartition("/")[2], "userevent": {}})

    async def rest(self, http: web.Request) -> web.Response:
        body = await http.json() if http.can_read_body else None
        status, said = self._answer(http.method, http.match_info["path"], dict(http.query), body)
        self.authorizations.append(http.headers.get("Authorization"))
        await self._tell_users_event(http.match_info["path"])
        return web.json_response(said, status=status) if status != 204 else web.Response(status=204)

    def _answer(self, method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        self.requests.append((method, path, query))
        self.bodies.append(body)
        return self.answers.get((method, path), (204, None))

    def server(self, **changes: object) -> AriServer:
        return AriServer(self.base_url, "engine", "secret", **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def fake_ari() -> AsyncIterator[FakeAri]:
    far_end = FakeAri()
    app = web.Application()
    app.router.add_get("/ari/events", far_end.events)
    app.router.add_route("*", "/ari/{path:.*}", far_end.rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    far_end.base_url = f"http://{host}:{port}/ari"
    try:
        yield far_end
    finally:
        await runner.cleanup()
