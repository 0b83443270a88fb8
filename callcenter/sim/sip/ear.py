"""What one call heard: kept as it came, decoded only when asked."""

from __future__ import annotations

import asyncio
import wave
from array import array
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from callcenter.sim.sip.dtmf import read_event
from callcenter.sim.sip.g711 import BY_PAYLOAD_TYPE, Law
from callcenter.sim.sip.tones import RATE, TonePair, sounds

LOOK_EVERY = 0.035
"""Seconds between two looks of a listener: every second packet of 20 ms is enough to know a tone."""
BREAK = 0.6
"""A pause in the packets longer than this, seconds, ends a tone. Sparse senders pause for less."""


class StreamClosed(Exception):
    """The call ended while somebody waited for its audio."""


@dataclass(frozen=True, slots=True)
class DigitHeard:
    digit: str
    at: float
    """When its first packet came, the loop's time in seconds."""


class Listener:
    """Waits for one tone pair to last for ``for_s`` seconds."""

    def __init__(self, pair: TonePair, for_s: float) -> None:
        self.pair = pair
        self.heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._for_s = for_s
        self._looked = 0.0
        self._since: float | None = None

    def packet(self, payload: bytes, payload_type: int, arrived: float) -> None:
        pause = arrived - self._looked
        if pause < LOOK_EVERY or self.heard.done():
            return
        self._looked = arrived
        if not sounds(payload, payload_type, self.pair):
            self._since = None
        elif self._since is None or pause > BREAK:
            self._since = arrived
        elif arrived - self._since >= self._for_s:
            self.heard.set_result(self._since)


class SoundListener:
    """Waits for the first packet, from now on, that is not silence; ``heard`` is when it came."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def packet(self, payload: bytes, payload_type: int, arrived: float) -> None:
        if not self.heard.done() and payload.translate(None, BY_PAYLOAD_TYPE[payload_type].quiet):
            self.heard.set_result(arrived)


class Ear:
    """The receiving end of one stream. All times are the event loop's, in seconds."""

    def __init__(self, keep_audio: bool) -> None:
        self.packets = 0
        self.malformed = 0
        self.digits: list[DigitHeard] = []
        self.digit_came = asyncio.Event()
        self._keep = keep_audio
        self._law: Law | None = None
        self._event_type: int | None = None
        self._event_timestamp: int | None = None
        self._listeners: list[Listener | SoundListener] = []
        self._counters: list[tuple[int, asyncio.Future[None]]] = []
        self._arrivals = array("d")
        self._sequences = array("H")
        # audio, kept for every audio packet: where it ends in the bytes below, when it came, which law
        self._audio = bytearray()
        self._ends = array("L")
        self._came = array("d")
        self._types = bytearray()

    def expect(self, law: Law, event_type: int | None) -> None:
        self._law = law
        self._event_type = event_type

    def take(self, packet: bytes, arrived: float) -> bool:
        """Whether this was RTP that we had agreed on."""
        if len(packet) < 12 or packet[0] & 0xC0 != 0x80:
            self.malformed += 1
            return False
        payload_type = packet[1] & 0x7F
        law = self._law
        payload = packet[12:] if packet[0] == 0x80 else _payload(packet)
        if payload_type == self._event_type:
            self._take_event(packet, payload, arrived)
        elif law is not None and payload_type in BY_PAYLOAD_TYPE:
            if self._keep:
                self._audio += payload
                self._ends.append(len(self._audio))
                self._came.append(arrived)
                self._types.append(payload_type)
            for listener in self._listeners:
                listener.packet(payload, payload_type, arrived)
        else:  # RTCP on the wrong port, comfort noise, anything else
            self.malformed += 1
            return False
        self.packets += 1
        self._arrivals.append(arrived)
        self._sequences.append(packet[2] << 8 | packet[3])
        if self._counters:
            for enough, reached in self._counters:
                if self.packets >= enough and not reached.done():
                    reached.set_result(None)
        return True

    def _take_event(self, packet: bytes, payload: bytes, arrived: float) -> None:
        """A digit counts once, at the first of its packets to come; the timestamp names it."""
        timestamp = int.from_bytes(packet[4:8], "big")
        event = read_event(payload)
        if event is not None and timestamp != self._event_timestamp:
            self._event_timestamp = timestamp
            self.digits.append(DigitHeard(event[0], arrived))
            self.digit_came.set()

    def listen(self, pair: TonePair, for_s: float) -> Listener:
        listener = Listener(pair, for_s)
        self._listeners.append(listener)
        return listener

    def listen_for_sound(self) -> SoundListener:
        listener = SoundListener()
        self._listeners.append(listener)
        return listener

    def stop_listening(self, listener: Listener | SoundListener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    async def more_packets(self, count: int, within: float) -> None:
        """Waits for so many more packets; raises :class:`TimeoutError`, or :class:`StreamClosed` at the call's end."""
        enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (self.packets + count, enough)
        self._counters.append(waiter)
        try:
            async with asyncio.timeout(within):
                await enough
        finally:
            if waiter in self._counters:
                self._counters.remove(waiter)

    @property
    def first_packet_at(self) -> float | None:
        return self._arrivals[0] if self._arrivals else None

    @property
    def last_packet_at(self) -> float | None:
        return self._arrivals[-1] if self._arrivals else None

    def longest_gap(self, since: float = 0.0) -> float:
        """The longest time between two packets in a row, seconds, from ``since`` on."""
        times = [at for at in self._arrivals if at >= since]
        return max((after - before for before, after in pairwise(times)), default=0.0)

    @property
    def packets_lost(self) -> int:
        """Sequence numbers that never came. A jump of 1,000 and more is a new source, not a loss."""
        steps = ((after - before) & 0xFFFF for before, after in pairwise(self._sequences))
        return sum(step - 1 for step in steps if 1 < step < 1000)

    def payloads(self) -> list[tuple[float, int, bytes]]:
        """Arrival, payload type, bytes of each audio packet kept."""
        start, found = 0, []
        for end, arrived, payload_type in zip(self._ends, self._came, self._types, strict=True):
            found.append((arrived, payload_type, bytes(self._audio[start:end])))
            start = end
        return found

    def stretches(self, pair: TonePair, *, at_least: float = 0.0) -> list[tuple[float, float]]:
        """Begin and end of each stretch in which this pair was heard, at least so long (seconds)."""
        found: list[tuple[float, float]] = []
        begin: float | None = None
        last = 0.0
        for arrived, payload_type, payload in self.payloads():
            length = len(payload) / RATE
            if begin is not None and (arrived - last > BREAK or not sounds(payload, payload_type, pair)):
                found.append((begin, last))
                begin = None
            if begin is None and sounds(payload, payload_type, pair):
                begin = arrived - length
            last = arrived
        if begin is not None:
            found.append((begin, last))
        return [(begin, end) for begin, end in found if end - begin >= at_least]

    def save_wav(self, path: Path) -> None:
        """Mono, 16 bits, 8 kHz; where no packet came there is silence."""
        samples = array("h")
        began = self._came[0] if self._came else 0.0
        for arrived, payload_type, payload in self.payloads():
            place = round((arrived - began) * RATE)
            if place > len(samples) + 3 * len(payload):  # a pause, not jitter
                samples.extend([0] * (place - len(samples)))
            samples.extend(BY_PAYLOAD_TYPE[payload_type].decode(payload))
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())

    def close(self) -> None:
        waiting: list[asyncio.Future[float] | asyncio.Future[None]] = [listener.heard for listener in self._listeners]
        for future in [*waiting, *(reached for _, reached in self._counters)]:
            if not future.done():
                future.set_exception(StreamClosed("the call ended"))
        self._listeners.clear()
        self.digit_came.set()


def _payload(packet: bytes) -> bytes:
    """The payload of a packet with contributing sources, an extension or padding (RFC 3550 §5.1, §5.3.1)."""
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10 and len(packet) >= start + 4:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - packet[-1] if packet[0] & 0x20 else len(packet)
    return packet[start:end] if start < end else b""
