"""SIP messages as they pass by: one in each WebSocket frame (RFC 7118), read just far enough to say whose they are.

Only plain forms are taken: no folded lines, no compact names where it matters, each header that counts exactly once. A softphone
of ours writes nothing else; what does is not to be guessed at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FIRST = re.compile(r"(?:(?P<method>[A-Z]{2,12}) (?P<uri>sips?:[^\s<>\"]{1,500}) SIP/2\.0|SIP/2\.0 (?P<status>[1-6]\d\d)(?: [^\r\n]*)?)\Z")
_BRANCH = re.compile(r";\s*branch=(z9hG4bK[A-Za-z0-9.!%*_+`'~-]{1,200})")
_USER = re.compile(r"(?:\"[^\"\\]*\" ?|[A-Za-z0-9 .-]*)<?sips?:([A-Za-z0-9_.!~*'()%+-]{1,100})@[^<>\s\"]+")
_ONCE = ("via", "from", "to", "call-id", "cseq")
_COMPACT = frozenset({"v", "f", "t", "i", "m", "l"})


class MalformedSip(ValueError):
    """This frame is no SIP message that a softphone of ours would send."""


@dataclass(frozen=True, slots=True)
class SipText:
    """A request (``method``) or a response (``status``)."""

    text: str
    method: str
    uri: str
    status: int
    headers: Mapping[str, str]
    """The first of each name, in lower case."""
    branch: str
    """Of the topmost Via: names the transaction."""
    sender: str
    """The user of From."""
    to: str
    """The user of To."""

    @property
    def cseq(self) -> int:
        return int(self.headers["cseq"].partition(" ")[0])


def read(text: str, *, whole: bool = False) -> SipText:
    """Raises MalformedSip. ``whole``: the frame must be this one message to its last byte, for Asterisk would read on after it."""
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    found = _FIRST.match(first)
    if found is None or "\0" in text or "\n" in head.replace("\r\n", ""):
        raise MalformedSip("first line")
    headers: dict[str, str] = {}
    times: dict[str, int] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name or line[0] in " \t" or name in _COMPACT:
            raise MalformedSip("header")
        headers.setdefault(name, value.strip())
        times[name] = times.get(name, 0) + 1
    if any(times.get(name) != 1 for name in _ONCE if found["method"]) or any(name not in headers for name in _ONCE):
        raise MalformedSip("a header that must be there exactly once")
    if whole and (times.get("content-length") != 1 or headers["content-length"] != str(len(body.encode()))):
        raise MalformedSip("Content-Length")
    branch, cseq = _BRANCH.search(headers["via"]), re.fullmatch(r"\d{1,10} [A-Z]{2,12}", headers["cseq"])
    if branch is None or cseq is None or (found["method"] and headers["cseq"].split(" ")[1] != found["method"]):
        raise MalformedSip("Via or CSeq")
    users = [_USER.match(headers[name]) for name in ("from", "to")]
    sender, to = (user[1] if user else "" for user in users)
    return SipText(text, found["method"] or "", found["uri"] or "", int(found["status"] or 0), headers, branch[1], sender, to)


def without(text: str, name: str) -> str:
    """The message without such headers."""
    head, blank, body = text.partition("\r\n\r\n")
    kept = [line for line in head.split("\r\n") if line.partition(":")[0].strip().lower() != name.lower()]
    return "\r\n".join(kept) + blank + body


def with_header(text: str, line: str) -> str:
    """The message with one more header, last."""
    head, blank, body = text.partition("\r\n\r\n")
    return f"{head}\r\n{line}{blank}{body}"


def answer(request: SipText, status: int, reason: str) -> str:
    """Our own response to a request that goes no further (RFC 3261 §8.2.6)."""
    to = request.headers["to"]
    lines = [f"SIP/2.0 {status} {reason}"]
    lines += [f"{name}: {request.headers[name.lower()]}" for name in ("Via", "From")]
    lines += [f"To: {to if ';tag=' in to else to + ';tag=refused'}"]
    lines += [f"{name}: {request.headers[name.lower()]}" for name in ("Call-ID", "CSeq")]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""])


def acknowledge(request: SipText, refused: SipText) -> str:
    """The ACK of an INVITE that was refused; it belongs to the same transaction (RFC 3261 §17.1.1.3)."""
    lines = [f"ACK {request.uri} SIP/2.0", f"Via: {request.headers['via']}", f"From: {request.headers['from']}"]
    lines += [f"To: {refused.headers['to']}", f"Call-ID: {request.headers['call-id']}", f"CSeq: {request.cseq} ACK"]
    return "\r\n".join([*lines, "Max-Forwards: 70", "Content-Length: 0", "", ""])
