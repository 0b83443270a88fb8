"""A dialog: who talks to whom, under which tags and numbers, and by which way requests go (RFC 3261 §12)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from callcenter.sim.sip.message import MalformedMessage, NameAddr, Request, Response, Uri
from callcenter.sim.sip.transaction import new_branch
from callcenter.sim.sip.wire import Address

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY"
USER_AGENT = "callcenter test phone"


def new_tag() -> str:
    return secrets.token_hex(6)


def address_of(uri: str) -> Address:
    """Where a request to this URI goes."""
    parsed = Uri.parse(uri)
    return parsed.host, parsed.port


@dataclass(slots=True)
class Dialog:
    """One end's view. ``local`` and ``remote`` are whole From/To values, tags included once known."""

    call_id: str
    local: str
    remote: str
    local_tag: str
    remote_tag: str | None
    contact: str
    """Our own, with angle brackets."""
    via_sent_by: str
    target: str
    """The URI requests are for: the far end's Contact once known."""
    first_hop: Address | None
    """Where to send before a route or Contact is known: the server."""
    routes: list[str] = field(default_factory=list)
    local_cseq: int = 0
    remote_cseq: int = 0

    @classmethod
    def of_invite(cls, invite: Request, *, contact: str, via_sent_by: str, source: Address) -> Dialog:
        """The called side's dialog."""
        tag = new_tag()
        peer = invite.get("Contact")
        return cls(
            invite.call_id,
            f"{invite.need('To')};tag={tag}",
            invite.need("From"),
            tag,
            invite.tag("From"),
            contact,
            via_sent_by,
            NameAddr.parse(peer).uri if peer else NameAddr.parse(invite.need("From")).uri,
            source,
            invite.all("Record-Route"),
            secrets.randbelow(1000),
            invite.cseq[0],
        )

    def confirm(self, response: Response) -> None:
        """The calling side's dialog, from the first 2xx; a provisional response does not yet bind us."""
        self.remote = response.need("To")
        self.remote_tag = response.tag("To")
        self.routes = response.all("Record-Route")[::-1]
        self.retarget(response)

    def retarget(self, message: Request | Response) -> None:
        """Any INVITE or UPDATE, and its 2xx, may move the far end's Contact (RFC 3261 §12.2)."""
        contact = message.get("Contact")
        if contact:
            self.target = NameAddr.parse(contact).uri

    def next_hop(self) -> Address:
        """The first route, else the Contact; before both are known, or when they name no address, the server."""
        if self.remote_tag is None and self.first_hop is not None:
            return self.first_hop
        try:
            return address_of(NameAddr.parse(self.routes[0]).uri if self.routes else self.target)
        except MalformedMessage:
            if self.first_hop is None:
                raise
            return self.first_hop

    def request(self, method: str, *, cseq: int | None = None, body: bytes = b"", kind: str = "application/sdp") -> Request:
        """A request within this dialog; ``cseq`` only for ACK and CANCEL, which repeat the INVITE's."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        request = Request(method, self.target, body=body)
        request.headers = [
            ("Via", f"SIP/2.0/UDP {self.via_sent_by};rport;branch={new_branch()}"),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            *(("Route", route) for route in self.routes),
        ]
        if method in ("INVITE", "UPDATE", "REFER"):
            request.headers += [("Contact", self.contact), ("Allow", ALLOW), ("Supported", "timer")]
        request.add("User-Agent", USER_AGENT)
        if body:
            request.add("Content-Type", kind)
        return request
