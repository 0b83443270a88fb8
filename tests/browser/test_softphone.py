"""The softphone against a real Asterisk, in a real Chromium, through our own proxy: who may speak as whom, and what is heard."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError, web
from playwright.async_api import Page

from callcenter.adapters.web.sip_proxy import MAX_MESSAGE, REPLACED, TOO_FAST, Account, SipProxy
from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call, NotHeard
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.browser.sound import fake_microphone, microphone_browser
from tests.support.center import CALLER_TONE, RunningCenter, running_center

STATIC = Path("callcenter/adapters/web/static")
BROWSER_TONE: TonePair = tone_pair(64)
PAGE = """<!doctype html><title>softphone</title><script type="module">
import { Softphone } from "/static/agent/softphone.js";
import { Devices, Listener } from "/static/agent/devices.js";
import * as preshift from "/static/agent/preshift.js";
localStorage.setItem("callcenter.audio", JSON.stringify({processing: false}));
const account = await (await fetch("/account")).json();
const said = [];
const phone = new Softphone(account, new Devices());
for (const type of ["state", "ringing", "connected", "ended", "summary", "replaced", "trouble", "quality", "held", "muted"])
    phone.addEventListener(type, (event) => said.push([type, event.detail]));
Object.assign(window, {phone, said, Listener, preshift});
phone.start();
</script>"""


@dataclass
class Stand:
    """A page with nothing but the softphone, and the web server behind it."""

    center: RunningCenter
    agent: str
    proxy: SipProxy | None = None
    port: int = 0
    runner: web.AppRunner | None = None

    @property
    def account(self) -> Account:
        phone = self.center.pbx.phone(self.agent)
        return Account(phone.endpoint, phone.password)

    async def start(self) -> None:
        address = f"http://127.0.0.1:{self.center.pbx.node.node.http_port}/ws"
        self.proxy = SipProxy(lambda node: address if node == "node1" else None)
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/account", self._account)
        app.router.add_get("/sip/{node}", self._sip)
        app.router.add_static("/static", STATIC)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        assert self.runner is not None
        assert self.proxy is not None
        await self.proxy.close()
        await self.runner.cleanup()

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _account(self, _request: web.Request) -> web.Response:
        return web.json_response({"user": self.account.user, "nodes": ["node1"], "ice_servers": []})

    async def _sip(self, request: web.Request) -> web.StreamResponse:
        assert self.proxy is not None
        return await self.proxy.serve(request, self.account, request.match_info["node"])


BROWSER_AGENTS = [{"name": "alice", "queues": ["support"], "phone": "browser"}, {"name": "bob", "queues": ["support"]}]


@asynccontextmanager
async def softphone(tmp_path: Path) -> AsyncIterator[tuple[RunningCenter, Stand, Page]]:
    async with running_center(agent=BROWSER_AGENTS) as center:
        stand = Stand(center, "alice")
        await stand.start()
        try:
            async with microphone_browser(fake_microphone(tmp_path / "voice.wav", BROWSER_TONE)) as context:
                page = await context.new_page()
                page.on("console", lambda message: print("console:", message.text))
                page.on("pageerror", lambda error: print("uncaught:", error))
                await page.goto(f"http://127.0.0.1:{stand.port}/")
                await page.wait_for_function("window.phone && phone.registered")
                yield center, stand, page
        finally:
            await stand.stop()


async def said(page: Page, kind: str) -> Any:
    """Wait for it; its first detail."""
    await page.wait_for_function("kind => said.some(([type]) => type === kind)", arg=kind)
    return await page.evaluate("kind => said.find(([type]) => type === kind)[1]", kind)


async def hears(page: Page, tones: TonePair) -> None:
    """The audio that the page plays holds both tones."""
    await page.wait_for_function(
        """tones => {
            if (!phone.audio.srcObject) return false;
            window.ear ??= new Listener(phone.audio.srcObject);
            return tones.every(tone => ear.above(tone) > 20);
        }""",
        arg=list(tones),
    )


async def silent(caller: Call) -> None:
    """Wait until the caller hears nothing of her any more."""
    async with asyncio.timeout(20):
        while True:
            try:
                await caller.hears(BROWSER_TONE, within=0.7, for_s=0.3)
            except NotHeard:
                return


async def ready(center: RunningCenter, agent: str) -> None:
    await center.ask("agent_login", agent=agent)
    await center.until(lambda: center._ready(agent))


@pytest.mark.long
async def test_a_call_to_the_browser_is_heard_both_ways_and_survives_a_restart_of_the_proxy(tmp_path: Path) -> None:
    async with softphone(tmp_path) as (center, stand, page):
        echo = await page.evaluate("preshift.testPath(phone)")
        assert echo["heard"], echo
        assert echo["received"] > 10
        await ready(center, "alice")
        caller = await center.call()
        await caller.send_digit("2")
        await said(page, "ringing")
        assert await page.evaluate("phone.answer()")
        await caller.hears(BROWSER_TONE)
        await hears(page, CALLER_TONE)

        await stand.stop()
        await page.wait_for_function("!phone.registered")
        await caller.hears(BROWSER_TONE, for_s=1.0)
        await stand.start()
        await page.wait_for_function("phone.registered")
        await caller.hears(BROWSER_TONE, for_s=1.0)
        await hears(page, CALLER_TONE)
        await caller.hang_up()
        await said(page, "ended")  # Asterisk's BYE finds the way that is there now
        ended = await center.fact(f.ContactParted)
        assert ended.why == "caller_hung_up"
        summary = await said(page, "summary")
        assert summary["received"] > 50
        assert summary["loss"] == 0


@pytest.mark.long
async def test_hold_mute_and_digits(tmp_path: Path) -> None:
    async with softphone(tmp_path) as (center, _stand, page):
        await ready(center, "alice")
        await page.evaluate("phone.expected = true")
        caller = await center.call()
        await caller.send_digit("2")
        await caller.hears(BROWSER_TONE)
        await page.evaluate("phone.mute(true)")
        await silent(caller)
        await page.evaluate("phone.mute(false)")
        await caller.hears(BROWSER_TONE)
        assert await page.evaluate("phone.hold(true)")
        await center.fact(f.ContactHeld)
        await silent(caller)
        await caller.hears_sound()
        assert await page.evaluate("phone.hold(false)")
        await center.fact(f.ContactResumed)
        await caller.hears(BROWSER_TONE)
        await page.evaluate("phone.sendDigits('5')")
        await caller.hears_digits("5")
        await page.evaluate("phone.hangUp()")
        await caller.ended()
        assert (await center.fact(f.ContactParted)).why == "agent_hung_up"


async def test_who_is_signed_in_speaks_as_her_own_phone_only(tmp_path: Path) -> None:
    """Against the proxy as a hostile program speaks to it."""
    async with running_center(agent=BROWSER_AGENTS) as center:
        stand = Stand(center, "alice")
        await stand.start()
        mine, other = stand.account.user, center.pbx.phone("bob").endpoint
        url = f"http://127.0.0.1:{stand.port}/sip/node1"
        try:
            async with ClientSession() as session:
                with pytest.raises(WSServerHandshakeError):
                    await session.ws_connect(url.replace("node1", "node2"), protocols=("sip",))
                with pytest.raises(WSServerHandshakeError):
                    await session.ws_connect(url)
                async with session.ws_connect(url, protocols=("sip",)) as socket:
                    assert await answered(socket, register(mine, mine)) == 200
                    assert await answered(socket, register(other, other)) == 403
                    assert await answered(socket, register(mine, other)) == 403
                    assert await answered(socket, register(other, mine)) == 403
                    assert await answered(socket, request("SUBSCRIBE", mine, mine)) == 403
                    assert await answered(socket, request("MESSAGE", mine, other)) == 403
                    longer = register(mine, mine).replace("Content-Length: 0", "Content-Length: 1")
                    for malformed in (
                        longer,
                        "hello",
                        "REGISTER",
                        register(mine, mine).replace("From: ", "f: "),
                        register(mine, mine) * 2,
                        "\0",
                    ):
                        await socket.send_str(malformed)
                    smuggled = register(mine, mine).replace("CSeq: 1 REGISTER", f"CSeq: 1 REGISTER\r\nFrom: <sip:{other}@callcenter>;tag=1")
                    await socket.send_str(smuggled)
                    assert await answered(socket, register(mine, mine)) == 200
                    contacts = center.pbx.cli("pjsip show contacts")
                    assert contacts.count(f"{mine}/") == 1
                    assert other not in contacts
                    async with session.ws_connect(url, protocols=("sip",)) as newest:
                        assert await closed_with(socket) == REPLACED
                        assert await answered(newest, register(mine, mine)) == 200
                        for _ in range(200):
                            await newest.send_str(register(other, other))
                        assert await closed_with(newest) == TOO_FAST
                async with session.ws_connect(url, protocols=("sip",)) as socket:
                    await socket.send_str("x" * (MAX_MESSAGE + 1))
                    assert await closed_with(socket) == 1009
        finally:
            await stand.stop()


def register(sender: str, to: str) -> str:
    return request("REGISTER", sender, to)


def request(method: str, sender: str, to: str) -> str:
    branch = secrets.token_hex(8)
    lines = [
        f"{method} sip:callcenter SIP/2.0",
        f"Via: SIP/2.0/WS client.invalid;branch=z9hG4bK{branch}",
        f"From: <sip:{sender}@callcenter>;tag={branch}",
        f"To: <sip:{to}@callcenter>",
        f"Call-ID: {branch}",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        f"Contact: <sip:{sender}@client.invalid;transport=ws>",
        "Expires: 60",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])


async def answered(socket: ClientWebSocketResponse, message: str) -> int:
    """The status of the final answer to it."""
    branch = message.partition("branch=")[2].split("\r\n")[0]
    await socket.send_str(message)
    async with asyncio.timeout(20):
        async for frame in socket:
            text = frame.data if isinstance(frame.data, str) else frame.data.decode()
            if f"branch={branch}" in text and text.startswith("SIP/2.0 ") and not text.startswith("SIP/2.0 1"):
                return int(text.split(" ")[1])
    raise AssertionError("the socket was closed")


async def closed_with(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(20):
        async for _ in socket:
            pass
    return socket.close_code
