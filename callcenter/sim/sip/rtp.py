"""RTP for many phones in one process: one pacer sends and receives for all (RFC 3550, RFC 4733).

Every 20 ms the pacer wakes once, sends what is due and empties all sockets. Arrival times come from the kernel where it
gives them (Linux), so a busy test process does not look like a gap in the far end's audio.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import selectors
import socket
import struct
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.sim.sip.dtmf import END_PACKETS, EVENT_OF, event_payload
from callcenter.sim.sip.ear import Ear, StreamClosed
from callcenter.sim.sip.g711 import Law
from callcenter.sim.sip.tones import FRAME, FRAME_MS, TonePair, tone_frames
from callcenter.sim.sip.wire import Address, Loss, NoLoss

TICK = FRAME_MS / 1000
CATCH_UP = 10
"""Ticks sent at once when the process was late; beyond that time is skipped, as a phone under load would."""
ROUNDS = 16
"""Packets taken from one socket per tick at most."""

_HEADER = struct.Struct("!BBHII")
_TIMESPEC = struct.Struct("qq")
_SO_TIMESTAMPNS = 35  # Linux; the socket module does not name it


@dataclass(slots=True)
class _Digit:
    """A digit on its way out: RFC 4733 packets, or in-band frames, one per tick."""

    done: asyncio.Future[None]
    event: int = 0
    ticks: int = 0
    frames: Sequence[bytes] = ()
    sent: int = 0
    timestamp: int = 0


class RtpStream:
    """One call's audio: a socket, what we say into it, and the :class:`Ear` that keeps what comes out."""

    def __init__(
        self, pacer: Pacer, host: str, *, every: int, keep_audio: bool, loss: Loss | None = None, first: int | None = None
    ) -> None:
        """``first``: the number of the first packet; None: any, as RFC 3550 wants it."""
        self._pacer = pacer
        self._loss = loss or NoLoss()
        self._lossy = loss is not None
        self._socket = _even_port(host)
        self.address: Address = self._socket.getsockname()
        self.ear = Ear(keep_audio)
        self.sending = False
        """Whether the two descriptions let us send."""
        self.muted = False
        self.packets_sent = 0
        self.digit_up_at = 0.0
        """When the first packet that ended the latest digit went out, the loop's time in seconds; two more follow it."""
        self.digit_sent_at = 0.0
        """When the last packet of the latest digit went out, the loop's time in seconds."""
        self.cut = False
        self._every = max(every, 1)
        self._silent = every == 0
        self._phase = 0
        self._remote: Address | None = None
        self._law: Law | None = None
        self._event_type: int | None = None
        self._tone: TonePair | None = None
        self._packet_ms = FRAME_MS
        self._frames: tuple[bytes, ...] = ()
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16) if first is None else (first - 1) & 0xFFFF
        self._timestamp_base = secrets.randbits(32)
        self._marker = True
        self._digits: deque[_Digit] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    def start(self, phase: int) -> None:
        """Called by the pacer; ``phase`` spreads sparse senders over the ticks."""
        self._phase = phase % self._every

    def aim(self, remote: Address | None, law: Law, event_type: int | None, *, packet_ms: int) -> None:
        """Where to and as what, as the two descriptions agreed. ``None``: nowhere."""
        self._remote = remote
        self._event_type = event_type
        self._packet_ms = packet_ms
        self.ear.expect(law, event_type)
        if law is not self._law:
            self._law = law
            self.play(self._tone)

    def play(self, tone: TonePair | None) -> None:
        """Says this tone pair from the next packet on; ``None`` is silence."""
        self._tone = tone
        if self._law is not None:
            self._frames = tone_frames(tone, self._law, self._packet_ms)

    def send_due(self, tick: int) -> None:
        """One tick's packet, if one is due."""
        if self._remote is None or self.cut:
            return
        if self._digits:
            self._send_digit(tick)
        elif self.sending and not self.muted and not self._silent and tick % self._every == self._phase:
            frames = self._frames
            # by the tick, not by the packet: sparse packets keep the tone's phase and the clock's time
            frame = frames[(tick * FRAME_MS // self._packet_ms) % len(frames)]
            assert self._law is not None
            self._send(self._law.payload_type, self._timestamp_base + tick * FRAME, frame, self._marker)
            self._marker = False

    def _send(self, payload_type: int, timestamp: int, payload: bytes, marker: bool) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        second = payload_type | 0x80 if marker else payload_type
        packet = _HEADER.pack(0x80, second, self._sequence, timestamp & 0xFFFFFFFF, self._ssrc) + payload
        self.packets_sent += 1
        if self._lossy and self._loss.loses(packet):
            return
        try:
            self._socket.sendto(packet, self._remote)  # type: ignore[arg-type]  # checked by send_due, the hot path's only caller
        except OSError:  # buffer full or an ICMP error of an earlier packet: lost, as on a network
            return

    def _send_digit(self, tick: int) -> None:
        digit = self._digits[0]
        assert self._law is not None
        if digit.frames:
            self._send(self._law.payload_type, self._timestamp_base + tick * FRAME, digit.frames[digit.sent], self._marker)
            self._marker = False
            digit.sent += 1
            over = digit.sent >= len(digit.frames)
        else:
            assert self._event_type is not None
            if digit.sent == 0:
                digit.timestamp = self._timestamp_base + tick * FRAME
            digit.sent += 1
            # the last packet with its end bit goes out three times (RFC 4733 §2.5.1.4)
            ended = digit.sent >= digit.ticks
            duration = min(digit.sent, digit.ticks) * FRAME
            self._send(self._event_type, digit.timestamp, event_payload(digit.event, duration, ended), digit.sent == 1)
            if digit.sent == digit.ticks:
                self.digit_up_at = self._pacer.time()
            over = digit.sent >= digit.ticks + END_PACKETS - 1
            self._marker = self._marker or over  # audio begins a talkspurt after it
        if over:
            self._digits.popleft()
            self.digit_sent_at = self._pacer.time()
            if not digit.done.done():
                digit.done.set_result(None)

    async def send_digit(self, digit: str, ms: int) -> None:
        """A digit as telephone-events; returns when it was sent."""
        if self._event_type is None:
            raise ValueError("the far end takes no telephone-event")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._digits.append(_Digit(done, event=EVENT_OF[digit], ticks=max(ms // FRAME_MS, 1)))
        await done

    async def send_samples(self, samples: Sequence[int]) -> None:
        """Speaks these samples instead of the tone, padded to whole frames; returns when they were sent."""
        if self._law is None:
            raise ValueError("no audio agreed yet")
        encoded = self._law.encode(samples)
        frames = [encoded[at : at + FRAME].ljust(FRAME, bytes([self._law.silence])) for at in range(0, len(encoded), FRAME)]
        if not frames:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._digits.append(_Digit(done, frames=frames))
        await done

    def receive(self, tick_time: float, kernel_offset: float) -> None:
        """Takes one packet off the socket. Times are the loop's, seconds."""
        try:
            packet, ancillary, _, source = self._socket.recvmsg(2048, 64)
        except OSError:
            return
        if self.cut or (self._lossy and self._loss.loses(packet)):
            return
        arrived = tick_time
        if ancillary:
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][:16])
            arrived = seconds + kernel_offset + nanoseconds * 1e-9
        if self.ear.take(packet, arrived) and source != self._remote and self._remote is not None:
            self._remote = source  # symmetric RTP (RFC 4961): answer where it comes from

    def close(self) -> None:
        self._pacer.remove(self)
        self._socket.close()
        for digit in self._digits:
            if not digit.done.done():
                digit.done.set_exception(StreamClosed("the call ended"))
        self._digits.clear()
        self.ear.close()


def _even_port(host: str) -> socket.socket:
    """A socket on an even port: the odd one above it is where the far end's RTCP goes, to nobody."""
    while True:
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        found.setblocking(False)
        found.bind((host, 0))
        if found.getsockname()[1] % 2 == 0:
            break
        found.close()
    with contextlib.suppress(OSError):  # not Linux: arrival times are those of the tick
        found.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return found


class Pacer:
    """The one clock of all RTP streams in an event loop. Sleeps while there is no stream."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._streams: list[RtpStream] = []
        self._selector = selectors.DefaultSelector()
        self._timer: asyncio.TimerHandle | None = None
        self._tick = 0
        self._began = 0.0
        self._phase = 0
        self.ticks_skipped = 0

    def time(self) -> float:
        return self._loop.time()

    def add(self, stream: RtpStream) -> None:
        stream.start(self._phase)
        self._phase += 1
        self._streams.append(stream)
        self._selector.register(stream.fileno(), selectors.EVENT_READ, stream)
        if self._timer is None:
            self._began = self._loop.time() - self._tick * TICK
            self._timer = self._loop.call_soon(self._turn)  # type: ignore[assignment]

    def remove(self, stream: RtpStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)
            self._selector.unregister(stream.fileno())
        if not self._streams and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        now = self._loop.time()
        due = int((now - self._began) / TICK) + 1
        if due - self._tick > CATCH_UP:
            self.ticks_skipped += due - self._tick - CATCH_UP
            self._tick = due - CATCH_UP
        while self._tick < due:
            tick = self._tick
            for stream in self._streams:
                stream.send_due(tick)
            self._tick += 1
        self._receive(now)
        if self._streams:
            self._timer = self._loop.call_at(self._began + self._tick * TICK, self._turn)

    def _receive(self, now: float) -> None:
        offset = self._loop.time() - time.time()
        for _ in range(ROUNDS):
            ready = self._selector.select(0)
            for key, _events in ready:
                key.data.receive(now, offset)
            if not ready:
                return


_PACERS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = weakref.WeakKeyDictionary()


def shared_pacer() -> Pacer:
    """The running loop's pacer."""
    loop = asyncio.get_running_loop()
    if loop not in _PACERS:
        _PACERS[loop] = Pacer(loop)
    return _PACERS[loop]
