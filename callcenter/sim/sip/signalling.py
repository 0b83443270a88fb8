"""The SIP side of one call: INVITE both ways, what may happen within it, and its end (RFC 3261 §13–15, RFC 3311, RFC 4028)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from typing import TYPE_CHECKING

from callcenter.sim.sip.call import Call
from callcenter.sim.sip.dialog import ALLOW, Dialog
from callcenter.sim.sip.media import Media
from callcenter.sim.sip.message import MalformedMessage, Message, Request, Response, response_to
from callcenter.sim.sip.sdp import MalformedSdp
from callcenter.sim.sip.state import CallState, EndReason, end_reason
from callcenter.sim.sip.timer import SessionTimer
from callcenter.sim.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from callcenter.sim.sip.phone import Phone

SIPFRAG = re.compile(rb"SIP/2\.0 (\d{3}) ")
"""The beginning of a message/sipfrag (RFC 3420)."""

CHALLENGES = 2
"""A second challenge is answered too: the first nonce may have gone stale."""


class ReinviteRefused(Exception):
    """The far end did not accept a change such as hold."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.reason}")
        self.response = response


class Signalling:
    """Everything about one call that goes over the SIP socket."""

    def __init__(self, phone: Phone, call: Call, dialog: Dialog, media: Media, *, incoming: ServerTransaction | None = None) -> None:
        self._phone = phone
        self._call = call
        self._media = media
        self.dialog = dialog
        self.timer = SessionTimer(call, refresh=self._refresh, expired=self.hang_up)
        # as the caller, and for re-INVITEs of ours
        self._invite: ClientTransaction | None = None
        self._challenges = 0
        self._acks: dict[int, bytes] = {}
        self._cancelled = False
        self._cancel_sent = False
        self._change: asyncio.Future[Response] | None = None
        self._hold: bool | None = None
        # as the called, and for re-INVITEs of theirs
        self._incoming = incoming
        self._answered: dict[int, ServerTransaction] = {}
        self._awaits_answer = False
        """We sent the offer in a 2xx; the answer comes with the ACK."""
        call.attach(self)

    # -- calling ----------------------------------------------------------------------------------------------

    def send_invite(self, request: Request) -> None:
        """The first INVITE, or one within the call."""
        self._invite = self._phone.transactions.request(request, self.dialog.next_hop(), self._invite_answered)

    def _invite_answered(self, response: Response) -> None:
        assert self._invite is not None
        number = response.cseq[0]
        first = self.dialog.remote_tag is None
        if first and not (self._call.statuses and self._call.statuses[-1] == response.status):
            self._call.statuses.append(response.status)
        if response.status < 200:
            self._provisional(response)
        elif response.status < 300:
            if number in self._acks:  # our ACK was lost
                self._phone.send(self._acks[number], self.dialog.next_hop())
            else:
                self._accepted(response, first)
        elif number == self._invite.request.cseq[0]:
            self._refused(response, first)

    def _provisional(self, response: Response) -> None:
        call = self._call
        if self._cancelled and not self._cancel_sent:
            self._send_cancel()
        if call.state is CallState.CREATED and response.status > 100:
            call.enter(CallState.RINGING)
        if response.body and call.state is CallState.RINGING:  # early media
            try:
                self._media.accept(response.body)
            except MalformedSdp:
                return
        call.tell()

    def _accepted(self, response: Response, first: bool) -> None:
        assert self._invite is not None
        if first:
            self.dialog.confirm(response)
        else:
            self.dialog.retarget(response)
        number = response.cseq[0]
        ack = self.dialog.request("ACK", cseq=number)
        ack.headers += [(name, value) for name, value in self._invite.request.headers if "authorization" in name.lower()]
        self._acks[number] = ack.encode()
        self._phone.send(self._acks[number], self.dialog.next_hop())
        try:
            self._media.accept(response.body, hold=self._hold)
        except MalformedSdp as problem:
            if first:
                self._up_after_all()
                self._bye(EndReason(True, text=str(problem)))
                return
        self.timer.agreed(response, we_asked=True)
        if not first:
            self._changed(response)
        elif self._cancelled:  # the answer crossed our CANCEL
            self._bye(EndReason(True, text="cancelled"))
        else:
            self._call.enter(CallState.UP)

    def _up_after_all(self) -> None:
        if self._call.state in (CallState.CREATED, CallState.RINGING):
            self._call.enter(CallState.UP)

    def _refused(self, response: Response, first: bool) -> None:
        assert self._invite is not None
        again = self._another_try(response)
        if again is not None and not self._cancelled:
            self.send_invite(again)
        elif not first:
            self._changed(response)
            if response.status in (408, 481):
                self._bye(EndReason(True, response.status, response.reason))
        else:
            by_us = self._cancelled or self._invite.timed_out
            self._end(end_reason(response, by_us=by_us, status=response.status, text=response.reason))

    def _another_try(self, response: Response) -> Request | None:
        """The same INVITE with what was missing: credentials, or a longer session interval."""
        assert self._invite is not None
        if response.status in (401, 407) and self._challenges < CHALLENGES:
            self._challenges += 1
            self.dialog.local_cseq += 1
            return self._phone.authorized(self._invite.request, response, self.dialog.local_cseq)
        if response.status == 422 and (least := response.get("Min-SE")) and self._invite.request.get("Min-SE") is None:
            self.dialog.local_cseq += 1
            again = self._phone.renewed(self._invite.request, self.dialog.local_cseq)
            again.put("Session-Expires", least.partition(";")[0])
            again.put("Min-SE", least.partition(";")[0])
            return again
        return None

    def _send_cancel(self) -> None:
        """CANCEL goes the INVITE's way with the INVITE's branch, and only after a provisional response (RFC 3261 §9.1)."""
        assert self._invite is not None
        invite = self._invite
        cancel = Request("CANCEL", invite.request.uri, headers=[("Via", invite.request.all("Via")[0]), ("Max-Forwards", "70")])
        cancel.headers += [(name, value) for name, value in invite.request.headers if name in ("From", "To", "Call-ID", "Route")]
        cancel.add("CSeq", f"{invite.request.cseq[0]} CANCEL")
        self._phone.transactions.request(cancel, invite.to, lambda _: None)
        invite.give_up_after(64 * self._phone.transactions.t1)
        self._cancel_sent = True

    # -- being called -----------------------------------------------------------------------------------------

    def _respond(self, status: int, *, body: bytes = b"", extra: tuple[tuple[str, str], ...] = ()) -> None:
        assert self._incoming is not None
        self._call.statuses.append(status)
        self._incoming.respond(self.response(self._incoming.request, status, body=body, extra=extra))

    def response(self, request: Request, status: int, *, body: bytes = b"", extra: tuple[tuple[str, str], ...] = ()) -> Response:
        """A response of this call, with our tag and Contact."""
        response = response_to(request, status, tag=self.dialog.local_tag)
        if 100 < status < 300:
            response.headers += [("Contact", self.dialog.contact), ("Allow", ALLOW), ("Supported", "timer")]
        response.headers += extra
        if body:
            response.add("Content-Type", "application/sdp")
            response.body = body
        return response

    @property
    def _may_respond(self) -> bool:
        return self._incoming is not None and self._call.state in (CallState.CREATED, CallState.RINGING)

    def trying(self) -> None:
        self._respond(100)

    def ring(self) -> None:
        if self._may_respond:
            if self._call.state is CallState.CREATED:
                self._call.enter(CallState.RINGING)
            self._respond(180)

    def progress(self) -> None:
        if self._may_respond:
            body = self._describe(self._call.invite)
            if body is not None:
                if self._call.state is CallState.CREATED:
                    self._call.enter(CallState.RINGING)
                self._respond(183, body=body)

    def answer(self) -> None:
        if not self._may_respond:
            return
        assert self._incoming is not None
        body = self._describe(self._call.invite)
        if body is None:
            return
        self._await_ack(self._incoming)
        extra = self.timer.accept(self._call.invite)
        self._call.enter(CallState.UP)
        self._respond(200, body=body, extra=extra)

    def _describe(self, invite: Request) -> bytes | None:
        """Our answer to its offer, or our offer when it has none; an offer that does not fit is refused here."""
        self._awaits_answer = not invite.body
        try:
            return self._media.answer(invite.body) if invite.body else self._media.offer()
        except MalformedSdp:
            self.reject(488)
            return None

    @property
    def confirmed(self) -> bool:
        """Whether every 200 of ours to an INVITE has had its ACK."""
        return not self._answered

    def _await_ack(self, transaction: ServerTransaction) -> None:
        self._answered[transaction.request.cseq[0]] = transaction
        transaction.on_no_ack = lambda: self._bye(EndReason(True, text="no ACK came"))

    def reject(self, status: int, q850: int | None = None) -> None:
        if self._may_respond:
            self._respond(status, extra=(("Reason", f"Q.850;cause={q850}"),) if q850 is not None else ())
            self._end(EndReason(True, status, "rejected", q850))

    def is_for(self, transaction: ServerTransaction) -> bool:
        """Whether this is the INVITE that began the call."""
        return transaction is self._incoming

    def cancelled_by_caller(self, cancel: Request) -> None:
        if self._may_respond:
            self._respond(487)
            self._end(end_reason(cancel, by_us=False, status=487, text="cancelled"))

    # -- within the call --------------------------------------------------------------------------------------

    def received(self, transaction: ServerTransaction) -> None:
        """A request within this dialog."""
        request = transaction.request
        number, method = request.cseq
        if method == "ACK":
            self._ack_received(request, number)
            return
        if number < self.dialog.remote_cseq:
            transaction.respond(self.response(request, 500))
            return
        self.dialog.remote_cseq = number
        if method == "BYE":
            transaction.respond(self.response(request, 200))
            if self._may_respond:  # a caller may say BYE to an early dialog
                self._respond(487)
            self._end(end_reason(request, by_us=False))
        elif method in ("INVITE", "UPDATE"):
            self._asked_to_change(transaction)
        elif method in ("INFO", "NOTIFY", "OPTIONS"):
            if method == "NOTIFY":
                self._notified(request)
            transaction.respond(self.response(request, 200))
        else:
            self._phone.refuse_method(transaction)

    def _ack_received(self, request: Request, number: int) -> None:
        transaction = self._answered.pop(number, None)
        if transaction is None:
            return
        transaction.acked()
        self._call.tell()
        if self._awaits_answer:
            self._awaits_answer = False
            try:
                self._media.accept(request.body)
            except MalformedSdp as problem:
                self._bye(EndReason(True, text=str(problem)))

    def _asked_to_change(self, transaction: ServerTransaction) -> None:
        """Hold, resume, or a session timer's refresh from the far end."""
        request = transaction.request
        if self._change is not None or self._may_respond:  # both at once (RFC 3261 §14.2)
            transaction.respond(self.response(request, 491))
            return
        self.dialog.retarget(request)
        try:
            body = b""
            if request.body:
                body = self._media.answer(request.body)
            elif request.method == "INVITE":
                self._awaits_answer = True
                body = self._media.offer()
        except MalformedSdp:
            transaction.respond(self.response(request, 488))
            return
        if request.method == "INVITE":
            self._await_ack(transaction)
        transaction.respond(self.response(request, 200, body=body, extra=self.timer.accept(request)))
        self._call.tell()

    async def refer(self, target: str, extra: tuple[tuple[str, str], ...] = ()) -> Response:
        """Asks the far end to refer its other party to this URI (RFC 3515); returns what it says to that, not how it ended."""
        request = self.dialog.request("REFER")
        request.headers += [("Refer-To", f"<{target}>"), ("Referred-By", self.dialog.contact), *extra]
        return await self._phone.converse(request, self.dialog.next_hop(), self.dialog)

    def replaces(self) -> str:
        """This dialog as a Replaces header names it to the far end (RFC 3891 §3): the tags are seen from there."""
        return f"{self.dialog.call_id};to-tag={self.dialog.remote_tag};from-tag={self.dialog.local_tag}"

    def _notified(self, request: Request) -> None:
        """What became of a REFER of ours: the first line of the message that it came to (RFC 3515 §2.4.5)."""
        event = (request.get("Event") or "").partition(";")[0].strip()
        found = SIPFRAG.match(request.body)
        if event == "refer" and found:
            self._call.referred.append(int(found[1]))
            self._call.tell()

    async def reinvite(self, *, hold: bool | None = None) -> Response:
        """Asks for a change, again after 491; raises :class:`ReinviteRefused`."""
        while True:
            response = await self._reinvite_once(hold)
            if response.status != 491:
                break
            # the owner of the Call-ID waits longer (RFC 3261 §14.1), so that one of both gets through
            await asyncio.sleep(random.uniform(2.1, 4.0) if self._call.outgoing else random.uniform(0.0, 2.0))
        if response.status >= 300:
            raise ReinviteRefused(response)
        return response

    async def _reinvite_once(self, hold: bool | None) -> Response:
        if self._change is not None:
            await asyncio.wait([self._change])
        self._hold = hold
        self._challenges = 0
        self._change = asyncio.get_running_loop().create_future()
        request = self.dialog.request("INVITE", body=self._media.offer(hold=hold))
        request.headers += self.timer.headers()
        change = self._change
        self.send_invite(request)
        return await change

    def _changed(self, response: Response) -> None:
        change, self._change, self._hold = self._change, None, None
        if change is not None and not change.done():
            change.set_result(response)

    async def _refresh(self, far_end: Message) -> None:
        """Keeps the session alive: UPDATE where the far end takes it, else a re-INVITE that changes nothing."""
        if far_end.lists("Allow", "UPDATE"):
            request = self.dialog.request("UPDATE")
            request.headers += self.timer.headers()
            response = await self._phone.converse(request, self.dialog.next_hop(), self.dialog)
            if response.status < 300:
                self.timer.agreed(response, we_asked=True)
        else:
            response = await self._reinvite_once(None)
        if response.status in (408, 481):
            self._bye(EndReason(True, response.status, "session refresh failed"))

    # -- the end ----------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """By whatever the state demands. Ended or ending already: nothing."""
        call = self._call
        if call.state is CallState.UP:
            self._bye(EndReason(True))
        elif self._may_respond:
            self.reject(603)
        elif call.state in (CallState.CREATED, CallState.RINGING):
            self._cancelled = True
            assert self._invite is not None
            if self._invite.provisional:
                self._send_cancel()
            call.enter(CallState.ENDING)

    def _bye(self, reason: EndReason) -> None:
        if self._call.state is CallState.ENDED:
            return
        if self._call.state is not CallState.ENDING:
            self._call.enter(CallState.ENDING)
        self.timer.stop()
        self._phone.spawn(self._say_bye(reason))

    async def _say_bye(self, reason: EndReason) -> None:
        with contextlib.suppress(MalformedMessage):  # the far end's Contact is no address: nobody to tell
            await self._phone.converse(self.dialog.request("BYE"), self.dialog.next_hop(), self.dialog)
        self._end(reason)

    def _end(self, reason: EndReason) -> None:
        """Over, for whatever reason; the first one counts."""
        if self._call.state is CallState.ENDED:
            return
        self.timer.stop()
        self._call.end_reason = reason
        self._call.enter(CallState.ENDED)
        self._phone.forget(self._call)
        if self._change is not None and not self._change.done():
            self._change.set_result(Response(481, "the call ended"))

    def abandon(self) -> None:
        """The phone closes: no more words."""
        self._end(EndReason(True, text="phone closed"))
