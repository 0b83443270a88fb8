"""The test phone: registers, calls, is called. As an agent's phone, as a caller, or as the carrier's end of a trunk.

phone = await Phone.start("alice", server=("127.0.0.1", 5060), password="…", tone=(440.0, 620.0))
await phone.register()
call = await phone.invite("+18005550100", caller_id="+12025550123")
await call.answered()
await call.hears((550.0, 1000.0))
await call.hang_up()
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Self

from callcenter.sim.sip import digest
from callcenter.sim.sip.call import PATIENCE, Call
from callcenter.sim.sip.dialog import ALLOW, USER_AGENT, Dialog, address_of, new_tag
from callcenter.sim.sip.g711 import ALAW, ULAW, Law
from callcenter.sim.sip.media import Media, MediaSettings
from callcenter.sim.sip.message import MalformedMessage, Request, Response, escape_user, parse, quote, response_to
from callcenter.sim.sip.policy import AnswerAfter, InvitePolicy
from callcenter.sim.sip.registration import Registration, RegistrationRefused
from callcenter.sim.sip.signalling import Signalling
from callcenter.sim.sip.subscription import Subscription
from callcenter.sim.sip.tones import FRAME_MS, TonePair
from callcenter.sim.sip.transaction import T1, ServerTransaction, Transactions, new_branch
from callcenter.sim.sip.wire import Address, Loss, NoLoss, Wire

__all__ = ["Phone", "RegistrationRefused"]

KEPT = 256
"""Calls and requests remembered until somebody asks."""

Headers = Sequence[tuple[str, str]]
_KNOWN = frozenset(word.strip() for word in ALLOW.split(",")) | {"REGISTER", "SUBSCRIBE", "REFER", "MESSAGE", "PUBLISH", "PRACK"}


class Phone:
    """One SIP address on one UDP socket, with any number of calls."""

    def __init__(
        self, name: str, *, server: Address | None, user: str, password: str | None, media: MediaSettings, on_invite: InvitePolicy
    ) -> None:
        self.name = name
        self.server = server
        self.user = user
        self.on_invite = on_invite
        """What happens to calls that come in; may be changed at any time."""
        self.session_expires: int | None = None
        """Seconds; our INVITEs ask for a session timer with this interval."""
        self.malformed = 0
        """Datagrams that were no SIP."""
        self.requests: deque[Request] = deque(maxlen=KEPT)
        """The latest requests that began something outside a call of ours: INVITE, OPTIONS, NOTIFY, …"""
        self._asked = asyncio.Event()
        self._password = password
        self._media = media
        self._calls: dict[tuple[str, str], Call] = {}
        self._subscriptions: dict[tuple[str, str], Subscription] = {}
        self._incoming: asyncio.Queue[Call] = asyncio.Queue(KEPT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._registration: Registration | None = None
        self._wire: Wire
        self.transactions: Transactions

    @classmethod
    async def start(
        cls,
        name: str,
        *,
        server: Address | None = None,
        user: str | None = None,
        password: str | None = None,
        local_host: str = "127.0.0.1",
        local_port: int = 0,
        tone: TonePair | None = None,
        packet_ms: int = FRAME_MS,
        rtp_every: int = 1,
        keep_audio: bool = True,
        laws: tuple[Law, ...] = (ULAW, ALAW),
        on_invite: InvitePolicy | None = None,
        t1: float = T1,
        loss: Loss | None = None,
        rtp_loss: Loss | None = None,
        telephone_events: bool = True,
        first_sequence: int | None = None,
    ) -> Self:
        """Opens its socket.

        ``rtp_every=10`` sends each tenth packet only, ``0`` none. ``keep_audio=False`` counts and hears, but keeps no audio
        for ``heard_tones`` and ``save_wav``. ``loss`` loses SIP both ways, ``rtp_loss`` RTP. Without
        ``telephone_events`` its keys can only be heard in the audio. ``first_sequence``: the number of each call's first RTP packet.
        """
        media = MediaSettings(local_host, tone, packet_ms, rtp_every, keep_audio, laws, rtp_loss, telephone_events, first_sequence)
        phone = cls(name, server=server, user=user or name, password=password, media=media, on_invite=on_invite or AnswerAfter())
        losses = loss or NoLoss()

        def receive(datagram: bytes, source: Address) -> None:
            if not losses.loses(datagram):
                phone._received(datagram, source)

        loop = asyncio.get_running_loop()
        phone._wire = Wire(receive, losses)
        phone.transactions = Transactions(phone._wire.send, t1=t1, t2=8 * t1)
        await loop.create_datagram_endpoint(lambda: phone._wire, local_addr=(local_host, local_port))
        return phone

    # -- who it is --------------------------------------------------------------------------------------------

    @property
    def address(self) -> Address:
        return self._wire.address

    @property
    def uri(self) -> str:
        """Where another phone can invite this one directly."""
        host, port = self.address
        return f"sip:{escape_user(self.name)}@{host}:{port}"

    @property
    def calls(self) -> list[Call]:
        """Those that have not ended."""
        return list(self._calls.values())

    @property
    def _sent_by(self) -> str:
        host, port = self.address
        return f"{host}:{port}"

    # -- registration -----------------------------------------------------------------------------------------

    @property
    def registered(self) -> bool:
        return self._registration is not None and self._registration.active

    async def register(self, expires: int = 300) -> None:
        """Registers, and again in time; raises :class:`RegistrationRefused`."""
        if self.server is None:
            raise ValueError("a phone without a server cannot register")
        if self._registration is None:
            self._registration = Registration(self, self.server)
        await self._registration.register(expires)

    async def unregister(self) -> None:
        if self._registration is not None:
            await self._registration.unregister()

    # -- subscriptions ----------------------------------------------------------------------------------------

    async def subscribe(self, to: str, event: str, accept: str, expires: int = 300) -> Subscription:
        """Watches something at the server (RFC 6665), as an extension's lamp; raises :class:`SubscriptionRefused`."""
        assert self.server is not None
        subscription = Subscription(self.outside_dialog("sip:{}@{}:{}".format(escape_user(to), *self.server)))
        self._subscriptions[subscription.dialog.call_id, subscription.dialog.local_tag] = subscription
        await subscription.begin(self, event, accept, expires)
        return subscription

    # -- calling ----------------------------------------------------------------------------------------------

    async def invite(
        self,
        to: str,
        *,
        caller_id: str | None = None,
        display_name: str | None = None,
        from_raw: str | None = None,
        headers: Headers = (),
        ring_timeout: float | None = None,
    ) -> Call:
        """Calls a number through the server, or a whole ``sip:`` URI. Returns at once; see :meth:`Call.answered`.

        ``caller_id`` is percent-encoded where SIP demands it and ``display_name`` quoted; ``from_raw`` goes out as the From
        header exactly as given, only our tag behind it. After ``ring_timeout`` seconds without answer the caller gives up.
        """
        whole = to.startswith(("sip:", "sips:"))
        if not whole and self.server is None:
            raise ValueError("without a server only sip: URIs can be called")
        host, port = self.server or self.address
        target = to if whole else f"sip:{escape_user(to)}@{host}:{port}"
        tag = new_tag()
        own = from_raw
        if own is None:
            shown = f"{quote(display_name)} " if display_name is not None else ""
            own = f"{shown}<sip:{escape_user(self.user if caller_id is None else caller_id)}@{host if self.server else self._sent_by}>"
        hop = self.server or address_of(target)
        dialog = Dialog(secrets.token_hex(12), f"{own};tag={tag}", f"<{target}>", tag, None, self._contact(), self._sent_by, target, hop)
        media = Media(self._media)
        request = dialog.request("INVITE", body=media.offer())
        request.headers += headers
        call = Call(media, request, outgoing=True)
        signalling = Signalling(self, call, dialog, media)
        signalling.timer.wanted = self.session_expires
        request.headers += signalling.timer.headers()
        self._calls[dialog.call_id, tag] = call
        signalling.send_invite(request)
        if ring_timeout is not None:
            call.later(ring_timeout, lambda: None if call.up_at is not None else signalling.hang_up())
        return call

    def _contact(self) -> str:
        return f"<sip:{escape_user(self.user)}@{self._sent_by}>"

    async def incoming(self, within: float | None = PATIENCE) -> Call:
        """The next call that came in, whatever became of it. The latest 256 that nobody took are kept."""
        async with asyncio.timeout(within):
            return await self._incoming.get()

    async def asked(self, shows: Callable[[Request], bool], within: float = PATIENCE) -> Request:
        """Waits for such a request outside a call of ours; returns the first."""
        async with asyncio.timeout(within):
            while (found := next(filter(shows, self.requests), None)) is None:
                await self._asked.wait()
        return found

    # -- requests of ours -------------------------------------------------------------------------------------

    def send(self, datagram: bytes, to: Address) -> None:
        """These bytes, SIP or not."""
        self._wire.send(datagram, to)

    def renewed(self, request: Request, cseq: int) -> Request:
        """The same request as a new one: another branch, another number."""
        again = Request(request.method, request.uri, headers=list(request.headers), body=request.body)
        again.put("Via", f"SIP/2.0/UDP {self._sent_by};rport;branch={new_branch()}")
        again.put("CSeq", f"{cseq} {request.method}")
        return again

    def authorized(self, request: Request, challenge: Response, cseq: int) -> Request | None:
        """The same request with credentials; ``None`` when we have none that fit."""
        if self._password is None:
            return None
        try:
            name, value, asked = digest.answer(challenge, user=self.user, password=self._password, method=request.method, uri=request.uri)
        except digest.NoUsableChallenge:
            return None
        if request.get(name) is not None and not asked.stale:
            return None  # refused these already
        again = self.renewed(request, cseq)
        again.drop(name)
        again.add(name, value)
        return again

    async def ask(self, request: Request, to: Address) -> Response:
        """Sends it; its final response, 408 of our own when none came."""
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def on_response(response: Response) -> None:
            if response.status >= 200 and not answered.done():
                answered.set_result(response)

        self.transactions.request(request, to, on_response)
        return await answered

    async def converse(self, request: Request, to: Address, dialog: Dialog) -> Response:
        """Like :meth:`ask`, and answers challenges."""
        response = await self.ask(request, to)
        for _ in range(2):
            if response.status not in (401, 407):
                break
            dialog.local_cseq += 1
            again = self.authorized(request, response, dialog.local_cseq)
            if again is None:
                break
            request = again
            response = await self.ask(request, to)
        return response

    async def options(self, to: str | None = None) -> Response:
        """Asks the server, or this URI, whether it is there."""
        target = to or "sip:{}:{}".format(*(self.server or self.address))
        hop = self.server if self.server and to is None else address_of(target)
        dialog = self.outside_dialog(target)
        return await self.ask(dialog.request("OPTIONS"), hop)

    def outside_dialog(self, target: str) -> Dialog:
        """For requests that belong to no call."""
        tag = new_tag()
        host = self.server[0] if self.server else self._sent_by
        own = f"<sip:{escape_user(self.user)}@{host}>"
        return Dialog(
            secrets.token_hex(12), f"{own};tag={tag}", f"<{target}>", tag, None, self._contact(), self._sent_by, target, self.server
        )

    # -- requests of others -----------------------------------------------------------------------------------

    def _received(self, datagram: bytes, source: Address) -> None:
        if not datagram.strip(b"\r\n\0 "):  # keep-alive
            return
        try:
            message = parse(datagram)
            if isinstance(message, Response):
                self.transactions.received_response(message)
            else:
                self._request(message, source)
        except MalformedMessage:
            self.malformed += 1

    def _request(self, request: Request, source: Address) -> None:
        for needed in ("From", "To", "Call-ID"):
            request.need(needed)
        if request.cseq[1] != request.method:
            raise MalformedMessage("CSeq of another method")
        _stamp_source(request, source)
        transaction = self.transactions.received_request(request, source)
        if transaction is None:
            return
        if request.method == "CANCEL":
            self._cancel(transaction)
            return
        tag = request.tag("To")
        if tag is not None:
            call = self._calls.get((request.call_id, tag))
            if call is not None:
                call.signalling.received(transaction)
            elif (subscription := self._subscriptions.get((request.call_id, tag))) is not None and request.method == "NOTIFY":
                transaction.respond(response_to(request, 200))
                subscription.notified(request)
            elif request.method != "ACK":
                transaction.respond(response_to(request, 481))
        elif request.method != "ACK":
            self._outside_request(transaction)

    def _outside_request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self.requests.append(request)
        self._asked.set()
        self._asked = asyncio.Event()
        unknown = [option for option in request.all("Require") if option.lower() not in ("timer", "")]
        if unknown:
            response = response_to(request, 420, tag=new_tag())
            response.add("Unsupported", ", ".join(unknown))
            transaction.respond(response)
        elif request.method == "INVITE":
            self._invited(transaction)
        elif request.method == "OPTIONS":
            response = response_to(request, 200, tag=new_tag())
            response.headers += [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", "timer"), ("User-Agent", USER_AGENT)]
            transaction.respond(response)
        elif request.method == "NOTIFY":  # voicemail lamps and the like
            transaction.respond(response_to(request, 200, tag=new_tag()))
        elif request.method in ("BYE", "UPDATE", "INFO"):  # only within a call
            transaction.respond(response_to(request, 481, tag=new_tag()))
        else:
            self.refuse_method(transaction)

    def refuse_method(self, transaction: ServerTransaction) -> None:
        """405 for methods that exist, 501 for those that do not."""
        response = response_to(transaction.request, 405 if transaction.request.method in _KNOWN else 501, tag=new_tag())
        response.add("Allow", ALLOW)
        transaction.respond(response)

    def _invited(self, transaction: ServerTransaction) -> None:
        dialog = Dialog.of_invite(transaction.request, contact=self._contact(), via_sent_by=self._sent_by, source=transaction.source)
        media = Media(self._media)
        call = Call(media, transaction.request, outgoing=False)
        signalling = Signalling(self, call, dialog, media, incoming=transaction)
        self._calls[dialog.call_id, dialog.local_tag] = call
        signalling.trying()
        self.on_invite.decide(call)
        if self._incoming.full():  # nobody asks for them: a bench
            self._incoming.get_nowait()
        self._incoming.put_nowait(call)

    def _cancel(self, transaction: ServerTransaction) -> None:
        cancel = transaction.request
        invite = self.transactions.invite_to_cancel(cancel)
        if invite is None:
            transaction.respond(response_to(cancel, 481, tag=new_tag()))
            return
        transaction.respond(response_to(cancel, 200, tag=new_tag()))
        for call in self.calls:
            if call.signalling.is_for(invite):
                call.signalling.cancelled_by_caller(cancel)

    # -- the end ----------------------------------------------------------------------------------------------

    def vanish(self) -> None:
        """As if unplugged: answers nothing, sends nothing, tells nobody."""
        self._plug(False)

    def come_back(self) -> None:
        """Plugged in again; calls that the far end still keeps go on."""
        self._plug(True)

    def _plug(self, in_: bool) -> None:
        self._wire.cut = not in_
        for call in self.calls:
            call.cut_audio(not in_)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Runs it beside; the phone waits for it, or ends it, when it closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, call: Call) -> None:
        self._calls.pop((call.call_id, call.signalling.dialog.local_tag), None)

    async def close(self, patience: float = 2.0) -> None:
        """Hangs up politely, at most for ``patience`` seconds, and closes the socket. Registrations are left to expire."""
        for call in self.calls:
            call.signalling.hang_up()
        if not self._wire.cut:
            await asyncio.gather(*(_quietly_ended(call, patience) for call in self.calls))
        if self._registration is not None:
            self._registration.stop()
        for call in self.calls:
            call.signalling.abandon()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.transactions.close()
        self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _quietly_ended(call: Call, patience: float) -> None:
    try:
        await call.ended(patience)
    except TimeoutError:
        return


def _stamp_source(request: Request, source: Address) -> None:
    """``received`` and ``rport`` go onto the topmost Via (RFC 3581)."""
    for at, (name, value) in enumerate(request.headers):
        if name.lower() == "via":
            first, comma, rest = value.partition(",")
            words = [word for word in first.split(";") if word.strip().partition("=")[0].lower() not in ("rport", "received")]
            stamped = ";".join([*words, f"received={source[0]}", f"rport={source[1]}"])
            request.headers[at] = name, stamped + comma + rest
            return
