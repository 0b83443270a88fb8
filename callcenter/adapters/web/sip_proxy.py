"""The softphone's way to Asterisk: a WebSocket of ``web`` on one side, the loopback ``/ws`` of Asterisk's HTTP on the other.

Who is signed in speaks as her own phone and as no other. The browser is given no SIP password at all: we answer Asterisk's
challenges here with that of her phone, which never leaves this machine, so what is good for signalling is the session, and nothing
else. The audio does not pass through here; when this process ends, calls go on, and the softphone comes back and registers anew.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType, web

from callcenter.adapters.web import sip_text
from callcenter.adapters.web.sip_digest import NoUsableChallenge, authorization
from callcenter.adapters.web.sip_text import MalformedSip, SipText

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_MESSAGE = 16 * 1024
"""Bytes; an offer of one audio stream with its candidates has 4 KB."""
BURST, PER_SECOND = 60, 10
"""Messages that may come at once, and on and on."""
REMEMBERED = 64
"""Transactions that we know the way of."""
SIGNED = ".signed"
"""What the branch of a request ends with that we have sent once more, signed."""
METHODS = frozenset({"REGISTER", "INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "INFO", "OPTIONS"})
REPLACED, SIGNED_OUT, TOO_FAST, UPSTREAM_GONE = 4001, 4401, 4008, 4012
"""Close codes: another window has the phone now; her session has ended; the client sends too much; Asterisk is away."""
HEARTBEAT = 15.0


@dataclass(frozen=True, slots=True)
class Account:
    """A phone at Asterisk."""

    user: str
    password: str = field(repr=False)


class SipProxy:
    """All softphones of one center. One device for each agent and node: the newest wins."""

    def __init__(self, nodes: Callable[[str], str | None]) -> None:
        """``nodes``: from a node's name to the address of its ``/ws``; None for one that is not there."""
        self._nodes = nodes
        self._devices: dict[tuple[str, str], web.WebSocketResponse] = {}
        self._session: ClientSession | None = None

    async def close(self) -> None:
        """Asks the browsers to come again: we are restarting."""
        for socket in list(self._devices.values()):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await socket.close(code=1012, message=b"restarting")
        if self._session is not None:
            await self._session.close()

    def has_phone(self, user: str) -> bool:
        """Whether a softphone of this account is connected through us."""
        return any(key[0] == user and not socket.closed for key, socket in self._devices.items())

    async def hang_up(self, user: str, node: str) -> None:
        """Close the line of this account: its session has ended."""
        socket = self._devices.get((user, node))
        if socket is not None:
            await socket.close(code=SIGNED_OUT, message=b"signed out")

    async def serve(self, request: web.Request, account: Account, node: str) -> web.StreamResponse:
        """One softphone, until either side leaves. The caller has checked session, right and origin."""
        address = self._nodes(node)
        if address is None:
            return web.Response(status=404, text="There is no such node.\n")
        if "sip" not in (word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")):
            return web.Response(status=400, text="Ask for the subprotocol sip.\n")
        browser = web.WebSocketResponse(protocols=("sip",), max_msg_size=MAX_MESSAGE, heartbeat=HEARTBEAT)
        await browser.prepare(request)
        key = (account.user, node)
        former, self._devices[key] = self._devices.get(key), browser
        if former is not None:
            await former.close(code=REPLACED, message=b"another window has the phone now")
        try:
            await self._bridge(browser, address, account)
        finally:
            if self._devices.get(key) is browser:
                del self._devices[key]
        return browser

    async def _bridge(self, browser: web.WebSocketResponse, address: str, account: Account) -> None:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(sock_connect=3.0))
        try:
            asterisk = await self._session.ws_connect(address, protocols=("sip",), max_msg_size=4 * MAX_MESSAGE, autoping=True)
        except (ClientError, OSError, TimeoutError):
            await browser.close(code=UPSTREAM_GONE, message=b"Asterisk is away")
            return
        leg = _Bridge(account, browser, asterisk)
        try:
            await leg.run()
        finally:
            await asterisk.close()


class _Bridge:
    """One softphone's messages, both ways."""

    def __init__(self, account: Account, browser: web.WebSocketResponse, asterisk: ClientWebSocketResponse) -> None:
        self._account = account
        self._browser = browser
        self._asterisk = asterisk
        self._asked: OrderedDict[str, SipText] = OrderedDict()
        """Requests by branch, until they are answered for good."""
        self._signed: OrderedDict[str, None] = OrderedDict()
        self._allowance = float(BURST)
        self._counted_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        ways = [asyncio.create_task(self._from_browser()), asyncio.create_task(self._from_asterisk())]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        except (ClientError, ConnectionError):
            pass
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        await self._browser.close(code=UPSTREAM_GONE, message=b"Asterisk is away")

    # --- from the browser -----------------------------------------------------------------------

    async def _from_browser(self) -> None:
        async for frame in self._browser:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            if not self._may_send():
                log.warning("sip_too_fast", user=self._account.user)
                await self._browser.close(code=TOO_FAST, message=b"too many messages")
                return
            text = frame.data if frame.type is WSMsgType.TEXT else frame.data.decode("utf-8", "replace")
            if text.strip():
                await self._asks(text)

    def _may_send(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * PER_SECOND) - 1
        self._counted_at = now
        return self._allowance >= 0

    async def _asks(self, text: str) -> None:
        try:
            message = sip_text.read(text, whole=True)
        except MalformedSip as error:
            log.warning("sip_malformed", user=self._account.user, error=str(error))
            return
        if message.method and (refusal := self._refusal(message)):
            log.warning("sip_refused", user=self._account.user, method=message.method, why=refusal)
            if message.method != "ACK":
                await self._browser.send_str(sip_text.answer(message, 403, refusal))
            return
        text = sip_text.without(text, "authorization") if message.method else text
        if message.method and message.branch in self._signed:  # CANCEL, and the ACK of a refusal, belong to the signed request
            text = text.replace(message.branch, message.branch + SIGNED, 1)
        elif message.method not in ("", "ACK", "CANCEL"):
            _remember(self._asked, message.branch, message)
        await self._asterisk.send_str(text)

    def _refusal(self, message: SipText) -> str:
        """Why this request goes no further; empty: it may. Only requests within a call that she was called in come from her To."""
        if message.method not in METHODS:
            return "Not for a softphone"
        if message.sender != self._account.user and ";tag=" not in message.headers["to"]:
            return "Not your phone"
        if message.method == "REGISTER" and message.to != self._account.user:
            return "Not your phone"
        return ""

    # --- from Asterisk --------------------------------------------------------------------------

    async def _from_asterisk(self) -> None:
        async for frame in self._asterisk:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            text = frame.data if frame.type is WSMsgType.TEXT else frame.data.decode("utf-8", "replace")
            if text.startswith("SIP/2.0 "):
                await self._answers(text)
            else:
                await self._browser.send_str(text)

    async def _answers(self, text: str) -> None:
        try:
            message = sip_text.read(text)
        except MalformedSip:
            await self._browser.send_str(text)
            return
        request = self._asked.get(message.branch)
        if request is not None and message.status in (401, 407):
            del self._asked[message.branch]
            if await self._sign(request, message):
                return
        branch = message.branch.removesuffix(SIGNED)
        if message.status >= 200:
            self._asked.pop(branch, None)
        await self._browser.send_str(text.replace(message.branch, branch) if branch != message.branch else text)

    async def _sign(self, request: SipText, challenged: SipText) -> bool:
        """Send the request once more with her phone's password; False: the challenge is one we cannot answer."""
        asks, gives = ("www-authenticate", "Authorization") if challenged.status == 401 else ("proxy-authenticate", "Proxy-Authorization")
        try:
            value = authorization(challenged.headers.get(asks, ""), self._account.user, self._account.password, request.method, request.uri)
        except NoUsableChallenge:
            return False
        if request.method == "INVITE":
            await self._asterisk.send_str(sip_text.acknowledge(request, challenged))
        text = sip_text.with_header(sip_text.without(request.text, "authorization"), f"{gives}: {value}")
        _remember(self._signed, request.branch, None)
        await self._asterisk.send_str(text.replace(request.branch, request.branch + SIGNED, 1))
        return True


def _remember(kept: OrderedDict[str, T], branch: str, value: T) -> None:
    kept[branch] = value
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
