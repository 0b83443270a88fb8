"""One call on a test phone: everything that can be done with it, heard on it and said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote as quote_header

from callcenter.sim.sip.ear import DigitHeard, Ear, StreamClosed
from callcenter.sim.sip.media import Media
from callcenter.sim.sip.message import Request, escape_user
from callcenter.sim.sip.state import TRANSITIONS, CallState, EndReason, IllegalTransition
from callcenter.sim.sip.tones import DTMF, RATE, TonePair, samples_of

if TYPE_CHECKING:
    from callcenter.sim.sip.signalling import Signalling

__all__ = ["Call", "CallFailed", "CallState", "EndReason", "HeardTone", "NotHeard"]

PATIENCE = 10.0
"""How long a test waits for something by default, seconds."""


class CallFailed(Exception):
    """The call ended before what was waited for."""

    def __init__(self, reason: EndReason | None) -> None:
        super().__init__(str(reason))
        self.reason = reason


class NotHeard(AssertionError):
    """What should have been heard was not."""


@dataclass(frozen=True, slots=True)
class HeardTone:
    """Seconds since the call began at this phone."""

    start_s: float
    end_s: float
    pair: TonePair


class Call:
    """A call in or out. Made by :meth:`Phone.invite` or taken from :meth:`Phone.incoming`."""

    def __init__(self, media: Media, invite: Request, *, outgoing: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._media = media
        self._signalling: Signalling | None = None
        self._changed = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self.invite = invite
        """The INVITE that began it, as sent or as received: for its headers."""
        self.outgoing = outgoing
        self.state = CallState.CREATED
        self.end_reason: EndReason | None = None
        self.statuses: list[int] = []
        """Every response status to the first INVITE, in order: heard when outgoing, given when incoming."""
        self.referred: list[int] = []
        """What became of our REFER, as the far end's NOTIFYs say: 100, and then the final status."""
        self.began_at = self._loop.time()
        self.up_at: float | None = None
        self.ended_at: float | None = None

    def attach(self, signalling: Signalling) -> None:
        self._signalling = signalling

    # -- life -------------------------------------------------------------------------------------------------

    def enter(self, state: CallState) -> None:
        """The one door to a new state."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.state, state)
        self.state = state
        if state is CallState.UP:
            self.up_at = self._loop.time()
        if state in (CallState.ENDING, CallState.ENDED):
            self._media.stop_sending()
        if state is CallState.ENDED:
            self.ended_at = self._loop.time()
            for timer in self._timers:
                timer.cancel()
            self._media.close()
        self.tell()

    def tell(self) -> None:
        """Wakes everybody who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """Does it then, unless the call has ended before."""
        timer = self._loop.call_later(seconds, act)
        self._timers.append(timer)
        return timer

    async def until(self, holds: Callable[[], bool], within: float | None = PATIENCE) -> None:
        """Waits until this holds; raises :class:`CallFailed` when the call ends first, :class:`TimeoutError` when it takes too long."""
        async with asyncio.timeout(within):
            while not holds():
                if self.state is CallState.ENDED:
                    raise CallFailed(self.end_reason)
                await self._changed.wait()

    async def ringing(self, within: float | None = PATIENCE) -> Call:
        """Waits for a 18x, or for the answer if there is none."""
        await self.until(lambda: self.state is not CallState.CREATED or bool(self.statuses and self.statuses[-1] > 100), within)
        return self

    async def answered(self, within: float | None = PATIENCE) -> Call:
        await self.until(lambda: self.up_at is not None, within)
        return self

    async def ended(self, within: float | None = PATIENCE) -> EndReason:
        await self.until(lambda: self.state is CallState.ENDED, within)
        assert self.end_reason is not None
        return self.end_reason

    @property
    def is_up(self) -> bool:
        return self.state is CallState.UP

    # -- signalling -------------------------------------------------------------------------------------------

    @property
    def signalling(self) -> Signalling:
        assert self._signalling is not None
        return self._signalling

    @property
    def call_id(self) -> str:
        return self.invite.call_id

    @property
    def dialed(self) -> str:
        """The user part of the Request-URI: what the far end, or we, dialed."""
        rest = self.invite.uri.partition(":")[2]
        return rest.rpartition("@")[0].partition(";")[0]

    def ring(self) -> None:
        """180 Ringing."""
        self.signalling.ring()

    def progress(self) -> None:
        """183 with a description: early media flows both ways."""
        self.signalling.progress()

    def answer(self) -> None:
        """200 OK. Nothing happens when the call is answered or over already."""
        self.signalling.answer()

    def reject(self, status: int = 603, *, q850: int | None = None) -> None:
        """Refuses an incoming call."""
        self.signalling.reject(status, q850)

    async def hang_up(self, within: float | None = 40.0) -> EndReason:
        """BYE, CANCEL or a refusal, as the state demands; returns once the far end has confirmed. Ended already is fine."""
        self.signalling.hang_up()
        return await self.ended(within)

    async def hold(self) -> None:
        """Re-INVITE with ``sendonly``."""
        await self.signalling.reinvite(hold=True)

    async def resume(self) -> None:
        await self.signalling.reinvite(hold=False)

    async def refer(self, to: str, *, replacing: Call | None = None, headers: tuple[tuple[str, str], ...] = ()) -> int:
        """Transfers the far end: to this number (blind), or into another call of ours (attended, with Replaces).

        Returns the status of the answer; ``referred`` tells afterwards what became of it.
        """
        self.referred.clear()
        target = self.signalling.dialog.target
        host = target.partition(":")[2].rpartition("@")[2].partition(";")[0].rstrip(">")
        uri = f"sip:{escape_user(to)}@{host}"
        if replacing is not None:
            uri += f"?Replaces={quote_header(replacing.signalling.replaces())}"
        return (await self.signalling.refer(uri, headers)).status

    async def transferred(self, within: float | None = PATIENCE) -> int:
        """Waits for the end of our REFER; returns the status that was told."""
        await self.until(lambda: bool(self.referred and self.referred[-1] >= 200), within)
        return self.referred[-1]

    @property
    def held(self) -> bool:
        """Whether we hold the far end."""
        return self._media.held

    @property
    def held_by_far_end(self) -> bool:
        return self._media.held_by_far_end

    # -- speaking ---------------------------------------------------------------------------------------------

    def play(self, tone: TonePair | None) -> None:
        """Says this pair from now on; ``None`` is silence."""
        self._media.stream.play(tone)

    def mute(self, on: bool = True) -> None:
        """Sends no audio at all (``on``), or again; digits still go out."""
        self._media.stream.muted = on

    async def send_digit(self, digit: str, ms: int = 120, gap_ms: int = 80) -> None:
        """A key pressed for ``ms``, as RFC 4733 events; returns after the gap that parts it from the next."""
        await self._media.stream.send_digit(digit, ms)
        await asyncio.sleep(gap_ms / 1000)

    async def send_digits(self, digits: str, ms: int = 120, gap_ms: int = 80) -> None:
        for digit in digits:
            await self.send_digit(digit, ms, gap_ms)

    @property
    def digit_up_at(self) -> float:
        """When the first packet that ended the latest digit went out, the event loop's time in seconds."""
        return self._media.stream.digit_up_at

    @property
    def digit_sent_at(self) -> float:
        """When the last packet of the latest digit went out, the event loop's time in seconds."""
        return self._media.stream.digit_sent_at

    async def send_inband_digit(self, digit: str, ms: int = 120, gap_ms: int = 80) -> None:
        """The key's two tones as audio."""
        await self._media.stream.send_samples(samples_of(DTMF[digit], RATE * ms // 1000))
        await asyncio.sleep(gap_ms / 1000)

    async def say(self, samples: list[int]) -> None:
        """Speaks these samples (16 bits, 8,000 a second) instead of the tone; returns when they were sent."""
        await self._media.stream.send_samples(samples)

    # -- hearing ----------------------------------------------------------------------------------------------

    @property
    def ear(self) -> Ear:
        return self._media.stream.ear

    async def hears(self, pair: TonePair, *, within: float = PATIENCE, for_s: float = 0.5) -> float:
        """Waits until this pair has been heard for ``for_s`` without a break; returns when it began, seconds since the call began."""
        if self.state is CallState.ENDED:
            raise NotHeard(f"{pair}: the call has ended: {self.end_reason}")
        listener = self.ear.listen(pair, for_s)
        try:
            async with asyncio.timeout(within):
                return await listener.heard - self.began_at
        except TimeoutError:
            raise NotHeard(f"{pair} not heard within {within} s; {self.packets_received} packets came") from None
        except StreamClosed:
            raise NotHeard(f"{pair}: the call ended: {self.end_reason}") from None
        finally:
            self.ear.stop_listening(listener)

    async def hears_sound(self, *, within: float = PATIENCE) -> float:
        """Waits for the next packet that is not silence; returns when it came, the event loop's time in seconds."""
        if self.state is CallState.ENDED:
            raise NotHeard(f"the call has ended: {self.end_reason}")
        listener = self.ear.listen_for_sound()
        try:
            async with asyncio.timeout(within):
                return await listener.heard
        except TimeoutError:
            raise NotHeard(f"silence for {within} s; {self.packets_received} packets came") from None
        except StreamClosed:
            raise NotHeard(f"the call ended: {self.end_reason}") from None
        finally:
            self.ear.stop_listening(listener)

    async def hears_packets(self, count: int = 1, *, within: float = PATIENCE) -> None:
        """Waits until so many more RTP packets came."""
        await self.ear.more_packets(count, within)

    def heard_tones(self, *pairs: TonePair, at_least: float = 0.1) -> list[HeardTone]:
        """Which of these pairs was heard when, in the order they began. Needs kept audio."""
        found = [
            HeardTone(b - self.began_at, e - self.began_at, pair) for pair in pairs for b, e in self.ear.stretches(pair, at_least=at_least)
        ]
        return sorted(found, key=lambda tone: (tone.start_s, tone.pair))

    async def hears_digits(self, digits: str, *, within: float = PATIENCE) -> None:
        """Waits until the digits received so far end with these."""
        try:
            async with asyncio.timeout(within):
                while not self.digits_received.endswith(digits):
                    if self.state is CallState.ENDED:
                        raise NotHeard(f"digits {digits}: the call ended after {self.digits_received!r}")
                    self.ear.digit_came.clear()
                    await self.ear.digit_came.wait()
        except TimeoutError:
            raise NotHeard(f"digits {digits} not received within {within} s, but {self.digits_received!r}") from None

    @property
    def digits_received(self) -> str:
        return "".join(heard.digit for heard in self.ear.digits)

    @property
    def digits_heard(self) -> list[DigitHeard]:
        return list(self.ear.digits)

    @property
    def packets_received(self) -> int:
        return self.ear.packets

    @property
    def packets_sent(self) -> int:
        return self._media.stream.packets_sent

    @property
    def packets_lost(self) -> int:
        return self.ear.packets_lost

    def longest_gap_s(self, since_s: float = 0.0) -> float:
        """The longest time between two RTP packets, seconds, from ``since_s`` after the call began."""
        return self.ear.longest_gap(self.began_at + since_s)

    def quiet_for_s(self) -> float:
        """Time since the last RTP packet, or since the call began; at the end of the call it stands still."""
        until = self._loop.time() if self.ended_at is None else self.ended_at
        return until - (self.ear.last_packet_at or self.began_at)

    def save_wav(self, path: Path) -> None:
        """What was heard, mono, 16 bits."""
        self.ear.save_wav(path)

    def cut_audio(self, cut: bool) -> None:
        self._media.stream.cut = cut
