"""What two descriptions agreed on, and the stream that follows (RFC 3264)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from callcenter.sim.sip.g711 import Law
from callcenter.sim.sip.rtp import RtpStream, shared_pacer
from callcenter.sim.sip.sdp import TELEPHONE_EVENT, Audio, Direction, MalformedSdp, read_sdp, write_sdp
from callcenter.sim.sip.tones import FRAME_MS, TonePair
from callcenter.sim.sip.wire import Loss


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How a phone speaks."""

    host: str
    tone: TonePair | None
    packet_ms: int
    rtp_every: int
    keep_audio: bool
    laws: tuple[Law, ...]
    loss: Loss | None
    telephone_events: bool = True
    """Whether it offers and takes RFC 4733 events."""
    first_sequence: int | None = None
    """The number of each stream's first packet; None: any."""

    def __post_init__(self) -> None:
        if self.packet_ms < FRAME_MS or self.packet_ms % FRAME_MS:
            raise ValueError(f"packet_ms must be a multiple of {FRAME_MS}, not {self.packet_ms}")


class Media:
    """One call's audio, from its first offer to its end."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._session = secrets.randbits(31)
        self._version = 0
        self._last: Audio | None = None
        pacer = shared_pacer()
        every = settings.rtp_every * settings.packet_ms // FRAME_MS
        first = settings.first_sequence
        self.stream = RtpStream(pacer, settings.host, every=every, keep_audio=settings.keep_audio, loss=settings.loss, first=first)
        self.stream.play(settings.tone)
        pacer.add(self.stream)
        self.held = False
        """Whether we hold the far end."""
        self.held_by_far_end = False
        self.law: Law | None = None

    def _write(self, audio: Audio) -> bytes:
        if audio != self._last:
            self._version += 1
            self._last = audio
        return write_sdp(audio, session=self._session, version=self._version, packet_ms=self._settings.packet_ms)

    def offer(self, *, hold: bool | None = None) -> bytes:
        """Our description; ``hold`` asks for a change, ``None`` leaves it."""
        held = self.held if hold is None else hold
        laws = (self.law,) if self.law else self._settings.laws
        host, port = self.stream.address
        events = TELEPHONE_EVENT if self._settings.telephone_events else None
        return self._write(Audio(host, port, laws, events, Direction.SENDONLY if held else Direction.SENDRECV))

    def answer(self, body: bytes) -> bytes:
        """Our answer to this offer, and from now on what we do; raises :class:`MalformedSdp` when nothing fits."""
        theirs = read_sdp(body)
        law = self._common(theirs)
        direction = theirs.direction.mirrored
        if self.held:
            direction = Direction.SENDONLY if direction.sends else Direction.INACTIVE
        host, port = self.stream.address
        events = theirs.telephone_event if self._settings.telephone_events else None
        answer = self._write(Audio(host, port, (law,), events, direction, theirs.rejected))
        self._follow(theirs, law)
        return answer

    def accept(self, body: bytes, *, hold: bool | None = None) -> None:
        """The far end's answer to our offer."""
        theirs = read_sdp(body)
        law = self._common(theirs)
        self.held = self.held if hold is None else hold
        self._follow(theirs, law)

    def _common(self, theirs: Audio) -> Law:
        law = next((law for law in theirs.laws if law in self._settings.laws), None)
        if law is None or not theirs.port:
            raise MalformedSdp("no codec in common, or the stream is refused")
        return law

    def _follow(self, theirs: Audio, law: Law) -> None:
        self.law = law
        # an answer of recvonly to our own hold is no hold by them
        self.held_by_far_end = theirs.direction in (Direction.SENDONLY, Direction.INACTIVE) and not self.held
        remote = None if theirs.host == "0.0.0.0" else (theirs.host, theirs.port)
        self.stream.aim(remote, law, theirs.telephone_event, packet_ms=self._settings.packet_ms)
        self.stream.sending = not self.held and not self.held_by_far_end

    def stop_sending(self) -> None:
        self.stream.sending = False

    def close(self) -> None:
        self.stream.close()
