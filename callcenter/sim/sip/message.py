"""SIP messages as text on the wire and as values here (RFC 3261 §7, §20, §25).

Bytes that are not UTF-8 survive both ways (``surrogateescape``), so hostile input can be sent and seen exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

COMPACT = {
    "i": "Call-ID",
    "m": "Contact",
    "e": "Content-Encoding",
    "l": "Content-Length",
    "c": "Content-Type",
    "f": "From",
    "s": "Subject",
    "k": "Supported",
    "t": "To",
    "v": "Via",
    "x": "Session-Expires",
}
"""Compact header names (RFC 3261 §7.3.3, RFC 4028)."""

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
    607: "Unwanted",
}

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")
_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]+))(?::(?P<port>[0-9]{1,5}))?\Z")


class MalformedMessage(ValueError):
    """These bytes are not a SIP message we can use."""


@dataclass(slots=True)
class Message:
    """What requests and responses share: headers in order, and a body."""

    headers: list[tuple[str, str]] = field(default_factory=list, kw_only=True)
    body: bytes = field(default=b"", kw_only=True)

    def get(self, name: str) -> str | None:
        """The first value of this header."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def need(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise MalformedMessage(f"no {name} header")
        return value

    def all(self, name: str) -> list[str]:
        """Every value of this header, those joined by commas taken apart."""
        wanted = name.lower()
        return [part for key, value in self.headers if key.lower() == wanted for part in split_commas(value)]

    def add(self, name: str, value: str) -> None:
        self.headers.append((name, value))

    def put(self, name: str, value: str) -> None:
        """Replaces the first such header in its place, or adds it."""
        for at, (key, _) in enumerate(self.headers):
            if key.lower() == name.lower():
                self.headers[at] = (key, value)
                return
        self.headers.append((name, value))

    def drop(self, name: str) -> None:
        self.headers = [(key, value) for key, value in self.headers if key.lower() != name.lower()]

    def start_line(self) -> str:
        raise NotImplementedError

    def encode(self) -> bytes:
        lines = [self.start_line()]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method."""
        number, _, method = self.need("CSeq").partition(" ")
        if not number.isascii() or not number.isdigit():
            raise MalformedMessage("CSeq without a number")
        return int(number), method.strip()

    @property
    def call_id(self) -> str:
        return self.need("Call-ID")

    @property
    def via(self) -> Via:
        """The topmost Via."""
        values = self.all("Via")
        if not values:
            raise MalformedMessage("no Via header")
        return Via.parse(values[0])

    def tag(self, name: str) -> str | None:
        """The tag of From or To."""
        return NameAddr.parse(self.need(name)).params.get("tag")

    def lists(self, name: str, option: str) -> bool:
        """Whether a header such as Supported, Require or Allow lists this word."""
        return option.lower() in (word.lower() for word in self.all(name))


@dataclass(slots=True)
class Request(Message):
    method: str
    uri: str

    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass(slots=True)
class Response(Message):
    status: int
    reason: str = ""

    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"


def parse(datagram: bytes) -> Request | Response:
    """One datagram as a message; raises :class:`MalformedMessage`."""
    head, blank, body = datagram.partition(b"\r\n\r\n")
    if not blank:
        raise MalformedMessage("no empty line after the headers")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    headers = _headers(lines)
    body = _body(headers, body)
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    if start.startswith("SIP/2.0 "):
        status, _, reason = start[8:].partition(" ")
        if not (len(status) == 3 and status.isascii() and status.isdigit() and "1" <= status[0] <= "6"):
            raise MalformedMessage("status is not a number from 100 to 699")
        return Response(int(status), reason, headers=headers, body=body)
    words = start.split(" ")
    if len(words) != 3 or words[2] != "SIP/2.0" or not words[1] or not _TOKEN.match(words[0]):
        raise MalformedMessage("neither a request line nor a status line")
    return Request(words[0], words[1], headers=headers, body=body)


def _headers(lines: Iterable[str]) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t"):  # folded: belongs to the header above
            if not headers:
                raise MalformedMessage("folded line before any header")
            name, value = headers[-1]
            headers[-1] = name, f"{value} {line.strip()}".strip()
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not _TOKEN.match(name):
            raise MalformedMessage("line that is not a header")
        headers.append((COMPACT.get(name.lower(), name), value.strip(" \t")))
    return headers


def _body(headers: list[tuple[str, str]], rest: bytes) -> bytes:
    length = next((value for name, value in headers if name.lower() == "content-length"), None)
    if length is None:
        return rest
    if not length.isascii() or not length.isdigit() or int(length[:9]) > len(rest):
        raise MalformedMessage("Content-Length does not fit the datagram")
    return rest[: int(length)]


def split_commas(value: str) -> list[str]:
    """Splits at commas that stand outside quotes and angle brackets."""
    if "," not in value:
        return [value.strip()]
    parts, start, quoted, depth, at = [], 0, False, 0, 0
    while at < len(value):
        letter = value[at]
        if quoted:
            if letter == "\\":
                at += 1
            elif letter == '"':
                quoted = False
        elif letter == '"':
            quoted = True
        elif letter == "<":
            depth += 1
        elif letter == ">":
            depth -= 1
        elif letter == "," and depth <= 0:
            parts.append(value[start:at].strip())
            start = at + 1
        at += 1
    return [*parts, value[start:].strip()]


def parameters(text: str) -> dict[str, str]:
    """``;a=1;b`` as a mapping; names in lower case, a bare name has an empty value."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


@dataclass(frozen=True, slots=True)
class Uri:
    """A sip: URI, as far as a phone needs it."""

    user: str
    host: str
    port: int
    params: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Uri:
        scheme, colon, rest = text.partition(":")
        if not colon or scheme.lower() not in ("sip", "sips"):
            raise MalformedMessage("not a sip URI")
        rest, _, _ = rest.partition("?")
        at = rest.rfind("@")  # a user part may hold ";": look for the host first
        user, place = (rest[:at], rest[at + 1 :]) if at >= 0 else ("", rest)
        hostport, _, params = place.partition(";")
        host, port = split_host(hostport)
        return cls(user.partition(":")[0], host, port or 5060, parameters(params))


def split_host(text: str) -> tuple[str, int | None]:
    """``host``, ``host:port`` and ``[v6]:port``; the brackets are taken off."""
    fits = _HOST.match(text.strip())
    if not fits:
        raise MalformedMessage("not a host and port")
    port = int(fits["port"]) if fits["port"] else None
    if port is not None and port > 65535:
        raise MalformedMessage("port above 65535")
    return fits["six"] or fits["host"], port


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route: a display name, a URI, parameters."""

    display: str
    uri: str
    params: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        display, rest = "", text.strip()
        if rest.startswith('"'):
            quoted = re.match(r'"((?:[^"\\]|\\.)*)"', rest, re.DOTALL)
            if not quoted:
                raise MalformedMessage("display name without closing quote")
            display = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)
            rest = rest[quoted.end() :].strip()
        if "<" in rest:
            name, _, rest = rest.partition("<")
            uri, closed, after = rest.partition(">")
            if not closed:
                raise MalformedMessage("address without closing bracket")
            return cls(display or name.strip(), uri.strip(), parameters(after))
        uri, _, after = rest.partition(";")
        return cls(display, uri.strip(), parameters(after))


@dataclass(frozen=True, slots=True)
class Via:
    """One hop a request took, and so the way its responses go back."""

    sent_by: str
    params: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Via:
        protocol, _, rest = text.strip().partition(" ")
        if protocol.upper().count("/") != 2 or not rest.strip():
            raise MalformedMessage("Via that is none")
        sent_by, _, params = rest.partition(";")
        return cls(sent_by.strip(), parameters(params))

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")


def quote(text: str) -> str:
    """A display name in quotes, its quotes and backslashes escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escape_user(text: str) -> str:
    """The user part of a URI, percent-encoded where RFC 3261 §25 demands it (CR and LF too: that is how hostile ones travel)."""
    plain = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/")
    return "".join(
        letter if letter in plain else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape")) for letter in text
    )


def response_to(request: Request, status: int, reason: str | None = None, *, tag: str | None = None) -> Response:
    """A response with the headers that must be copied (RFC 3261 §8.2.6); ``tag`` goes onto a To that has none."""
    copied = [(name, value) for name, value in request.headers if name.lower() in ("via", "from", "to", "call-id", "cseq")]
    if status > 100:
        copied += [(name, value) for name, value in request.headers if name.lower() == "record-route"]
    response = Response(status, REASONS.get(status, "") if reason is None else reason, headers=copied)
    to = request.get("To") or ""
    if tag and status > 100 and request.tag("To") is None:
        response.put("To", f"{to};tag={tag}")
    return response
