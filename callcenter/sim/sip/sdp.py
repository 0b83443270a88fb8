"""The session description of one audio stream: offers, answers, hold (RFC 8866, RFC 3264, RFC 4733)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.sim.sip.g711 import BY_PAYLOAD_TYPE, LAWS, Law

TELEPHONE_EVENT = 101
"""The payload type we ask for; the far end may choose another."""


class MalformedSdp(ValueError):
    """Not a session description we can use."""


class Direction(StrEnum):
    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def mirrored(self) -> Direction:
        """How the other end must see it."""
        return {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}.get(self, self)


_DIRECTIONS = frozenset(direction.value for direction in Direction)


@dataclass(frozen=True, slots=True)
class Audio:
    """The first usable audio stream of a description."""

    host: str
    port: int
    laws: tuple[Law, ...]
    telephone_event: int | None
    direction: Direction
    rejected: tuple[str, ...] = ()
    """Further ``m=`` lines, which an answer must repeat with port 0 (RFC 3264 §6)."""


def _law(payload_type: int, names: dict[int, str]) -> Law | None:
    name = names.get(payload_type)
    if name is None:
        return BY_PAYLOAD_TYPE.get(payload_type)
    found = LAWS.get(name.split("/")[0].upper())
    # only under their static numbers: a phone that renumbers G.711 does not occur
    return found if found is not None and found.payload_type == payload_type else None


def read_sdp(body: bytes) -> Audio:
    """The audio of this description; raises :class:`MalformedSdp`."""
    host, direction = "", Direction.SENDRECV
    streams: list[list[str]] = []
    for line in body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            streams.append([line])
        elif streams:
            streams[-1].append(line)
        elif line.startswith("c="):
            host = _host(line)
        elif line.startswith("a=") and line[2:] in _DIRECTIONS:
            direction = Direction(line[2:])
    for at, stream in enumerate(streams):
        if stream[0].startswith("m=audio "):
            rejected = tuple(other[0] for n, other in enumerate(streams) if n != at)
            return _audio(stream, host, direction, rejected)
    raise MalformedSdp("no audio stream")


def _host(line: str) -> str:
    words = line[2:].split()
    if len(words) != 3:
        raise MalformedSdp("c= line without an address")
    return words[2].split("/")[0]


def _audio(stream: Sequence[str], host: str, direction: Direction, rejected: tuple[str, ...]) -> Audio:
    names: dict[int, str] = {}
    for line in stream[1:]:
        if line.startswith("c="):
            host = _host(line)
        elif line.startswith("a=") and line[2:] in _DIRECTIONS:
            direction = Direction(line[2:])
        elif line.startswith("a=rtpmap:"):
            number, _, name = line[9:].partition(" ")
            if number.isascii() and number.isdigit():
                names[int(number[:4])] = name.strip()
    words = stream[0][2:].split()
    if len(words) < 4 or not all(word.isascii() and word.isdigit() and int(word[:6]) < 65536 for word in [words[1], *words[3:]]):
        raise MalformedSdp("m= line with a port or payload type that is no number")
    numbers = [int(word) for word in words[3:]]
    laws = tuple(law for number in numbers if (law := _law(number, names)))
    events = next((number for number in numbers if names.get(number, "").lower().startswith("telephone-event/8000")), None)
    if not host:
        raise MalformedSdp("no c= line")
    return Audio(host, int(words[1]), laws, events, direction, rejected)


def write_sdp(audio: Audio, *, session: int, version: int, packet_ms: int) -> bytes:
    """The description of our stream; ``version`` counts up with each change (RFC 3264 §8)."""
    events = [] if audio.telephone_event is None else [audio.telephone_event]
    numbers = " ".join(map(str, [law.payload_type for law in audio.laws] + events))
    lines = ["v=0", f"o=- {session} {version} IN IP4 {audio.host}", "s=-", f"c=IN IP4 {audio.host}", "t=0 0"]
    lines.append(f"m=audio {audio.port} RTP/AVP {numbers}")
    lines += [f"a=rtpmap:{law.payload_type} {law.name}/8000" for law in audio.laws]
    for number in events:
        lines += [f"a=rtpmap:{number} telephone-event/8000", f"a=fmtp:{number} 0-16"]
    lines += [f"a=ptime:{packet_ms}", f"a={audio.direction}"]
    for other in audio.rejected:
        kind, _, rest = other[2:].partition(" ")
        lines.append(f"m={kind} 0 {' '.join(rest.split()[1:])}")
    return ("\r\n".join(lines) + "\r\n").encode()
