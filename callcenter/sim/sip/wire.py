"""What carries datagrams, and what loses them on purpose."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol, cast

Address = tuple[str, int]


class Loss(Protocol):
    """Decides, datagram by datagram, what the network loses."""

    def loses(self, datagram: bytes) -> bool: ...


class NoLoss:
    def loses(self, datagram: bytes) -> bool:
        return False


class RandomLoss:
    """Loses this part of all datagrams, the same ones for the same seed."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)

    def loses(self, datagram: bytes) -> bool:
        return self._random.random() < self._rate


class LoseFirst:
    """Loses the first ``count`` datagrams that begin with ``start``, such as ``b"INVITE"``."""

    def __init__(self, start: bytes, count: int = 1) -> None:
        self._start = start
        self.left = count

    def loses(self, datagram: bytes) -> bool:
        if self.left and datagram.startswith(self._start):
            self.left -= 1
            return True
        return False


class Wire(asyncio.DatagramProtocol):
    """One UDP socket for SIP. Cut, it is deaf and dumb: nothing in, nothing out."""

    def __init__(self, receive: Callable[[bytes, Address], None], loss: Loss) -> None:
        self._receive = receive
        self._loss = loss
        self._transport: asyncio.DatagramTransport | None = None
        self.cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # neither asyncio's own nor uvloop's inherits from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not self.cut:
            self._receive(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody listens there: the transaction's timer will find out by itself."""

    def send(self, datagram: bytes, to: Address) -> None:
        if self._transport is not None and not self.cut and not self._loss.loses(datagram):
            self._transport.sendto(datagram, to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @property
    def address(self) -> Address:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return str(host), int(port)
