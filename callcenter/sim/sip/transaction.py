"""SIP transactions over UDP: what is sent again, until when, and what a repetition gets (RFC 3261 §17, RFC 6026).

Timers A, B, E, F of the client and G, H of the server run here, also for a 2xx to an INVITE, which is repeated until its ACK.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from callcenter.sim.sip.message import Message, Request, Response, response_to
from callcenter.sim.sip.wire import Address

T1 = 0.5
"""Estimated round trip, seconds; everything else follows from it."""
T2 = 4.0
"""The longest time between repetitions, seconds."""
PATIENCE = 64
"""A transaction gives up, and is forgotten, after this many T1."""

Send = Callable[[bytes, Address], None]
Key = tuple[str, str]


def new_branch() -> str:
    return "z9hG4bK" + secrets.token_hex(8)


class ClientTransaction:
    """One request of ours, repeated until answered. Every response, repeated 2xx too, reaches ``on_response``."""

    def __init__(self, owner: Transactions, request: Request, to: Address, on_response: Callable[[Response], None]) -> None:
        self.request = request
        self.to = to
        self.timed_out = False
        self.provisional = False
        self.final: Response | None = None
        self._owner = owner
        self._on_response = on_response
        self._datagram = request.encode()
        self._ack: bytes | None = None
        self._pause = owner.t1
        self._repeat: asyncio.TimerHandle | None = None
        self._end = owner.loop.call_later(PATIENCE * owner.t1, self._give_up)
        self._transmit()

    @property
    def _is_invite(self) -> bool:
        return self.request.method == "INVITE"

    def _transmit(self) -> None:
        self._owner.send(self._datagram, self.to)
        self._repeat = self._owner.loop.call_later(self._pause, self._transmit)
        self._pause *= 2
        if not self._is_invite:
            self._pause = min(self._pause, self._owner.t2)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def received(self, response: Response) -> None:
        if response.status < 200:
            if self.final is None:
                if self._is_invite:
                    self._stop_repeating()
                    self._end.cancel()  # a ringing phone may ring for long: timer B has done its work
                self.provisional = True
                self._on_response(response)
            return
        repeated = self.final is not None
        if not repeated:
            self.final = response
            self._stop_repeating()
            self._end.cancel()
            self._end = self._owner.loop.call_later(PATIENCE * self._owner.t1, self._forget)
        if self._is_invite and response.status >= 300:
            if self._ack is None:
                self._ack = self._ack_for(response)
            self._owner.send(self._ack, self.to)
        if not repeated or (self._is_invite and response.status < 300):
            self._on_response(response)

    def _ack_for(self, response: Response) -> bytes:
        """The ACK of a refusal goes the INVITE's own way, with its branch (RFC 3261 §17.1.1.3)."""
        ack = Request("ACK", self.request.uri, headers=[("Via", self.request.all("Via")[0]), ("Max-Forwards", "70")])
        ack.headers += [(name, value) for name, value in self.request.headers if name in ("From", "Call-ID", "Route")]
        ack.add("To", response.need("To"))
        ack.add("CSeq", f"{self.request.cseq[0]} ACK")
        return ack.encode()

    def give_up_after(self, seconds: float) -> None:
        """A cancelled INVITE need not be waited for longer (RFC 3261 §9.1)."""
        self._end.cancel()
        self._end = self._owner.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.final is None:
            self.timed_out = True
            self._forget()
            self._on_response(response_to(self.request, 408))

    def _forget(self) -> None:
        self._stop_repeating()
        self._end.cancel()
        self._owner.forget_client(self)


class ServerTransaction:
    """One request of the far end; its repetitions get the same response again."""

    def __init__(self, owner: Transactions, request: Request, source: Address, key: Key) -> None:
        self.request = request
        self.source = source
        self.key = key
        self.final: Response | None = None
        self.on_no_ack: Callable[[], None] | None = None
        self._owner = owner
        self._datagram: bytes | None = None
        self._acked = False
        self._pause = owner.t1
        self._repeat: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    def respond(self, response: Response) -> None:
        """Sends it. After a final response nothing more can be said; a late second one is dropped."""
        if self.final is not None:
            return
        self._datagram = response.encode()
        self._owner.send(self._datagram, self.source)
        if response.status >= 200:
            self.final = response
            self._end = self._owner.loop.call_later(PATIENCE * self._owner.t1, self._give_up)
            if self.request.method == "INVITE":
                self._repeat = self._owner.loop.call_later(self._pause, self._again)

    def _again(self) -> None:
        self.repeat()
        self._pause = min(2 * self._pause, self._owner.t2)
        self._repeat = self._owner.loop.call_later(self._pause, self._again)

    def repeat(self) -> None:
        if self._datagram is not None:
            self._owner.send(self._datagram, self.source)

    def acked(self) -> None:
        self._acked = True
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _give_up(self) -> None:
        missed = self.request.method == "INVITE" and not self._acked
        self.stop()
        self._owner.forget_server(self)
        if missed and self.on_no_ack is not None:
            self.on_no_ack()

    def stop(self) -> None:
        for timer in (self._repeat, self._end):
            if timer is not None:
                timer.cancel()


class Transactions:
    """All transactions of one phone."""

    def __init__(self, send: Send, *, t1: float = T1, t2: float = T2) -> None:
        self.send = send
        self.t1 = t1
        self.t2 = t2
        self.loop = asyncio.get_running_loop()
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}

    def request(self, request: Request, to: Address, on_response: Callable[[Response], None]) -> ClientTransaction:
        """Sends this request, whose topmost Via carries a fresh branch."""
        transaction = ClientTransaction(self, request, to, on_response)
        self._clients[request.via.branch, request.method] = transaction
        return transaction

    def received_response(self, response: Response) -> bool:
        """Whether it belonged to a request of ours."""
        transaction = self._clients.get((response.via.branch, response.cseq[1]))
        if transaction is not None:
            transaction.received(response)
        return transaction is not None

    def received_request(self, request: Request, source: Address) -> ServerTransaction | None:
        """The new transaction, or ``None`` for a repetition and for the ACK of a refusal: both are dealt with here.

        The ACK of a 2xx is a transaction of its own without any response; the caller must not answer it.
        """
        key = self._server_key(request, request.method)
        known = self._servers.get(self._server_key(request, "INVITE") if request.method == "ACK" else key)
        if known is not None:
            if request.method == "ACK":
                known.acked()
            else:
                known.repeat()
            return None
        transaction = ServerTransaction(self, request, source, key)
        if request.method != "ACK":
            self._servers[key] = transaction
        return transaction

    def invite_to_cancel(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE that this CANCEL means (same branch, RFC 3261 §9.2)."""
        return self._servers.get(self._server_key(cancel, "INVITE"))

    @staticmethod
    def _server_key(request: Message, method: str) -> Key:
        via = request.via
        # without the magic cookie the branch is not unique (RFC 3261 §17.2.3): fall back on the dialog's own marks
        branch = via.branch if via.branch.startswith("z9hG4bK") else f"{request.call_id} {request.cseq[0]} {request.tag('From')}"
        return f"{branch} {via.sent_by}", method

    def forget_client(self, transaction: ClientTransaction) -> None:
        self._clients.pop((transaction.request.via.branch, transaction.request.method), None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        self._servers.pop(transaction.key, None)

    def close(self) -> None:
        for client in list(self._clients.values()):
            client._forget()
        for server in list(self._servers.values()):
            server.stop()
        self._servers.clear()
