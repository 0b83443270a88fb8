"""Is a port free?"""

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import NodeSection

Kind = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port we are going to listen on."""

    key: str
    """Where the settings name it."""
    owner: str
    """The service that listens there."""
    host: str
    port: int
    kind: Kind

    def is_free(self) -> bool:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM if self.kind == "tcp" else socket.SOCK_DGRAM) as probe:
            if self.kind == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return False
        return True

    @property
    def sentence(self) -> str:
        return f"port {self.port} ({self.kind}) at {self.host} is in use by another program; stop that, or set {self.key} to a free port"


def of_node(node: NodeSection) -> Iterator[Wanted]:
    """The ports of an Asterisk of ours."""
    owner, key = f"asterisk {node.name}", f"node '{node.name}'"
    yield Wanted(f"sip_port of {key}", owner, node.bind, node.sip_port, "udp")
    yield Wanted(f"sip_port of {key}", owner, node.bind, node.sip_port, "tcp")
    if node.sip_tls_port is not None:
        yield Wanted(f"sip_tls_port of {key}", owner, node.bind, node.sip_tls_port, "tcp")
    yield Wanted(f"http_port of {key}", owner, "127.0.0.1", node.http_port, "tcp")
    yield Wanted(f"ami_port of {key}", owner, "127.0.0.1", node.ami_port, "tcp")


def all_of(settings: Settings) -> Iterator[Wanted]:
    """All ports of this machine that the settings name."""
    for node in settings.nodes:
        if not node.remote:
            yield from of_node(node)
    yield Wanted("engine.agi_port", "engine", settings.engine.agi_host, settings.engine.agi_port, "tcp")
    yield Wanted("web.port", "web", settings.web.host, settings.web.port, "tcp")


_KINDS: tuple[Kind, ...] = ("tcp", "udp")
_POOL = range(20_000, 32_000)
"""Below those the kernel gives to outgoing connections, which would take a free port away at any moment; above the RTP of nodes."""
_RTP = range(10_000, 20_000)
_reserved: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that are free for TCP and UDP, and that no other process is given this way while this one lives."""
    ports: list[int] = []
    for port in random.SystemRandom().sample(_POOL, len(_POOL)):
        if len(ports) == count:
            return ports
        if _reserve(port) and all(Wanted("", "", "127.0.0.1", port, kind).is_free() for kind in _KINDS):
            ports.append(port)
    raise OSError(f"no {count} free ports from {_POOL.start} to {_POOL.stop - 1}")


def rtp_ranges(nodes: int, legs: int = 100) -> list[list[int]]:
    """Ranges for the RTP of nodes of one center, each with room for so many legs, none in another's.

    Those of two centers may overlap: Asterisk passes over ports in use. Spread at random, they seldom do.
    """
    room = len(_RTP) // nodes
    if 2 * legs > room:
        raise OSError(f"no room for {nodes} nodes of {legs} legs in ports {_RTP.start} to {_RTP.stop - 1}")
    firsts = (_RTP.start + node * room + random.SystemRandom().randrange(0, room - 2 * legs + 1, 2) for node in range(nodes))
    return [[first, first + 2 * legs - 1] for first in firsts]


def _reserve(port: int) -> bool:
    """A socket of this name in Linux's abstract namespace stands for the port; it is gone with the process, however that ends."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0callcenter-port-{port}")
    except OSError:
        mark.close()
        return False
    _reserved.append(mark)
    return True
