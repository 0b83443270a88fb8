"""Connections to addresses that people wrote down: judged where they are made, after the name was resolved and for that very connection.

So a name cannot be resolved to something else in between (DNS rebinding), and ``http://2130706433/`` is what it means.
"""

import socket
from collections.abc import Callable

from callcenter.domain.dips.addresses import may_connect

Wanted = tuple[int, int, int, str, tuple[object, ...]]
"""As ``socket.getaddrinfo`` gives it."""


class AddressRefused(OSError):
    """The name leads to an address that may not be asked."""


def sockets(*, allow_private: Callable[[], bool]) -> Callable[[Wanted], socket.socket]:
    """What makes a socket for exactly one address, for aiohttp's ``TCPConnector(socket_factory=...)``.

    ``allow_private`` is asked each time. Raises AddressRefused.
    """

    def make(wanted: Wanted) -> socket.socket:
        family, kind, protocol, _, address = wanted
        if not may_connect(str(address[0]), allow_private=allow_private()):
            raise AddressRefused(0, "private address")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make
