"""An Asterisk that is not there, with the behaviour measured on the real one.

It keeps the rules that matter: ids chosen by the other side; a playback or a hang-up of something gone is
refused with GONE; events are told per channel in order; nothing is told while nobody listens, nor repeated
afterwards; a bridge outlives its legs; a phone rings, is busy, declines, is away or never answers.
The contract suite holds it against a real Asterisk 22.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain import commands as c
from callcenter.domain.events import (
    Cause,
    DigitPressed,
    Door,
    Event,
    FallbackTalkEnded,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegHeld,
    LegRang,
    LegReferred,
    LegResumed,
    PhoneReachable,
    PlaybackEnded,
    Refusal,
)
from callcenter.services.ports import CommandError, SeenLeg, Snapshot
from callcenter.sim.fake_messages import FakeMessages
from callcenter.sim.timeline import Timeline


class Mood(StrEnum):
    """What a phone does when it is rung."""

    ANSWERS = "answers"
    BUSY = "busy"
    DECLINES = "declines"
    RINGS_ON = "rings_on"
    UNREACHABLE = "unreachable"


@dataclass(slots=True)
class Phone:
    """An agent's phone, as the fake knows it."""

    mood: Mood = Mood.ANSWERS
    answers_after: Callable[[], timedelta] = field(default=lambda: timedelta(seconds=2))


@dataclass(slots=True)
class Channel:
    """One channel of the fake."""

    id: str
    endpoint: str
    """A phone's, or the trunk's."""
    arrival: LegArrived | None = None
    number: str = ""
    """Whom we called, when it is a leg to the outside."""
    up: bool = False
    ringing: bool = False
    bridge: str = ""
    playback: str = ""
    music: str = ""
    hears_ringing: bool = False
    referred: list[bool] = field(default_factory=list)
    """What was told of its REFERs: done, or refused."""
    digits: str = ""
    """Keys that its far end got from the other side, or from us."""
    absorbs: bool = False
    """Its keys do not get to the others in its bridge."""
    spies_on: str = ""
    """The leg that it hears, when it is a snoop channel ..."""
    whispers: bool = False
    """... and speaks to."""
    ours: bool = True
    """False: the dialplan's fallback has it, and we are told nothing."""
    heard: list[str] = field(default_factory=list)
    """Prompts and music, in the order this party began to hear them; ``bridge`` for another party."""


PROMPT_LENGTH = timedelta(seconds=2)
ASKED_WITHIN = timedelta(seconds=3.5)
"""When it is known whether a phone answers (SIP OPTIONS)."""


class FakePbx:
    """One node in virtual time."""

    def __init__(self, name: str, timeline: Timeline, tell: Callable[[Event], None]) -> None:
        self.name = name
        self.started_at: datetime = timeline.now
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, set[str]] = {}
        self.phones: dict[str, Phone] = {}
        """By endpoint."""
        self.outside: dict[str, Phone] = {}
        """By number: whom we may call."""
        self.dialed: list[c.Dial] = []
        self.recordings: dict[str, str] = {}
        """Recordings going on, and the leg each belongs to; it ends with that leg at the latest."""
        self.recorded: list[str] = []
        self.listening = True
        """Whether our application is connected; what happens meanwhile is never told."""
        self.watched: set[str] = set()
        """Legs outside our application whose end is told."""
        self.beat_at: datetime | None = None
        self.hours: dict[str, str] = {}
        """What the dialplan was told of opening hours, by number; lost at a crash."""
        self.prompt_length = PROMPT_LENGTH
        self.broken_prompts: set[str] = set()
        self.disk_full = False
        self.device_states: dict[str, c.DeviceState] = {}
        """What the lamps of phones show, by device."""
        self.door_answers = True
        """Our dialplan answers before it hands a call to us; False: legs arrive unanswered."""
        self.messages = FakeMessages(timeline, self._tell)
        self._timeline = timeline
        self._deliver = tell
        self._count = 0
        self._run: dict[type, Callable[..., None]] = {
            c.Answer: self._answer,
            c.Play: self._play,
            c.StopPlayback: self._stop_playback,
            c.StartMusic: self._start_music,
            c.StopMusic: self._stop_music,
            c.StartRinging: self._start_ringing,
            c.StopRinging: self._stop_ringing,
            c.AnswerRefer: self._answer_refer,
            c.RingAgent: self._ring_agent,
            c.Dial: self._dial,
            c.ConnectLegs: self._connect_legs,
            c.SendDigits: self._send_digits,
            c.SnoopLeg: self._snoop_leg,
            c.CloseBridge: self._close_bridge,
            c.StartRecording: self._start_recording,
            c.StopRecording: self._stop_recording,
            c.AskPhone: self._ask_phone,
            c.RecordMessage: lambda command: self.messages.record(self._channel(command.leg).id, command),
            c.StopMessage: lambda command: self.messages.stop(command.message),
            c.SetLamp: self.messages.show,
            c.SetDeviceState: lambda command: self.device_states.update({command.device: command.state}),
            c.HangUp: self._hang_up,
        }

    def listen(self, tell: Callable[[Event], None]) -> None:
        """Our application connects: from now on events go to ``tell``."""
        self._deliver, self.listening = tell, True

    def fall_deaf(self) -> None:
        """Our application is no longer connected; calls go on."""
        self.listening = False
        self.watched.clear()

    # --- the outside world ----------------------------------------------------------------------

    def call_in(self, did: str, caller: str = "+12025550123", waiting_since: datetime | None = None, *, caller_name: str = "") -> str:
        """Somebody dials; returns the leg."""
        leg = self._channel_id()
        arrival = LegArrived(self.name, leg, Door.TRUNK, did, caller, caller_name, "carrier", "", leg, waiting_since, self.door_answers)
        self.channels[leg] = Channel(leg, "carrier", arrival, up=arrival.up)
        self._tell(arrival)
        return leg

    def wait_in_fallback(self) -> str:
        """Somebody dials while the dialplan takes us for away; returns the leg, which is not ours."""
        leg = self._channel_id()
        self.channels[leg] = Channel(leg, "carrier", up=True, ours=False)
        return leg

    def hand_over(self, leg: str, did: str, caller: str, waiting_since: datetime) -> None:
        """The dialplan hands a caller who waited in its fallback to us."""
        channel = self.channels[leg]
        channel.arrival = LegArrived(
            self.name, leg, Door.TRUNK, did, caller, trunk="carrier", linkedid=leg, waiting_since=waiting_since, up=True
        )
        channel.ours = True
        self._tell(channel.arrival)

    def dial_from_phone(self, endpoint: str, dialed: str) -> str:
        """An agent dials from the desk phone."""
        leg = self._channel_id()
        arrival = LegArrived(self.name, leg, Door.DESK_PHONE, dialed, "", endpoint=endpoint, linkedid=leg, up=self.door_answers)
        self.channels[leg] = Channel(leg, endpoint, arrival, up=arrival.up)
        self._tell(arrival)
        return leg

    def talk_in_fallback(self, endpoint: str) -> str:
        """The dialplan gives a caller to this agent's phone; returns the agent's leg."""
        leg = self._channel_id()
        self.channels[leg] = Channel(leg, endpoint, up=True, ours=False)
        return leg

    def party_hangs_up(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        """The far end is gone, by its own will unless the cause says otherwise."""
        self._end(leg, cause)

    def party_presses(self, leg: str, digit: str) -> None:
        channel = self.channels.get(leg)
        if channel is None:
            return
        for other in self.bridges.get(channel.bridge, set()) if not channel.absorbs else ():
            if other != leg:
                self.channels[other].digits += digit
        self._tell(DigitPressed(leg, digit))

    def party_holds(self, leg: str, hold: bool = True) -> None:
        if leg in self.channels:
            self._tell(LegHeld(leg) if hold else LegResumed(leg))

    def party_refers(self, leg: str, dialed: str, into: str | None = None) -> None:
        """The party presses the transfer key of its phone."""
        if leg in self.channels:
            self._tell(LegReferred(leg, dialed, into if into is None or into in self.channels else ""))

    def crash(self) -> None:
        """kill -9, and a new start: every channel is gone and nobody is told."""
        self.channels.clear()
        self.bridges.clear()
        self.recordings.clear()
        self.messages.crash()
        self.watched.clear()
        self.beat_at = None
        self.hours.clear()
        self.started_at = self._timeline.now

    # --- our side -------------------------------------------------------------------------------

    def run(self, command: c.Command) -> None:
        """Carry out the command. Raises CommandError."""
        if not self.listening:
            raise CommandError(Refusal.NODE_AWAY)
        self._run[type(command)](command)

    def snapshot(self, playbacks: tuple[str, ...] = ()) -> Snapshot:
        """What is here now."""
        legs = {ch.id: SeenLeg(ch.id, ch.up, ch.ringing, ch.ours, ch.endpoint, ch.arrival) for ch in self.channels.values()}
        going_on = frozenset({ch.playback for ch in self.channels.values()} | self.messages.going_on()).intersection(playbacks)
        bridges = {name: frozenset(members) for name, members in self.bridges.items()}
        return Snapshot(self.name, self.started_at, legs, bridges, going_on)

    def release(self, leg: str) -> None:
        self._end(leg, Cause.NORMAL)

    def watch(self, leg: str) -> None:
        """Tell the end of a leg outside our application, at once when it is gone already."""
        self.watched.add(leg)
        if leg not in self.channels:
            self._tell_end(leg)

    def beat(self) -> None:
        self.beat_at = self._timeline.now

    def tell_hours(self, did: str, hint: str) -> None:
        self.hours[did] = hint

    def destroy_bridge(self, bridge: str) -> None:
        for leg in self.bridges.pop(bridge, set()):
            self.channels[leg].bridge = ""

    # --- commands -------------------------------------------------------------------------------

    def _channel(self, leg: str) -> Channel:
        if leg not in self.channels:
            raise CommandError(Refusal.GONE, leg)
        return self.channels[leg]

    def _answer(self, command: c.Answer) -> None:
        self._channel(command.leg).up = True

    def _play(self, command: c.Play) -> None:
        channel = self._channel(command.leg)
        if self.broken_prompts & set(command.prompts):
            raise CommandError(Refusal.NO_SUCH_MEDIA, ", ".join(command.prompts))
        channel.playback, channel.music = command.playback, ""
        channel.heard += command.prompts
        self._timeline.after(self.prompt_length * len(command.prompts), self._playback_over, channel, command.playback)

    def _playback_over(self, channel: Channel, playback: str) -> None:
        if channel.playback == playback and channel.id in self.channels:
            channel.playback = ""
            self._tell(PlaybackEnded(channel.id, playback))

    def _stop_playback(self, command: c.StopPlayback) -> None:
        for channel in self.channels.values():
            if channel.playback == command.playback:
                self._playback_over(channel, command.playback)
                return

    def _start_music(self, command: c.StartMusic) -> None:
        channel = self._channel(command.leg)
        channel.music = command.music
        channel.heard.append(f"music:{command.music}")

    def _stop_music(self, command: c.StopMusic) -> None:
        if command.leg in self.channels:
            self.channels[command.leg].music = ""

    def _start_ringing(self, command: c.StartRinging) -> None:
        channel = self._channel(command.leg)
        channel.hears_ringing = True
        channel.heard.append("ringing")

    def _stop_ringing(self, command: c.StopRinging) -> None:
        if command.leg in self.channels:
            self.channels[command.leg].hears_ringing = False

    def _answer_refer(self, command: c.AnswerRefer) -> None:
        if command.leg in self.channels:
            self.channels[command.leg].referred.append(command.done)

    def _ring_agent(self, command: c.RingAgent) -> None:
        phone = self.phones.setdefault(command.endpoint, Phone())
        self._create(Channel(command.leg, command.endpoint), phone, command.ring_timeout)

    def _dial(self, command: c.Dial) -> None:
        if command.leg in self.channels:
            return  # one channel for each name
        self.dialed.append(command)
        phone = self.outside.setdefault(command.number, Phone())
        self._create(Channel(command.leg, command.trunk, number=command.number), phone, command.ring_time)

    def _create(self, channel: Channel, phone: Phone, ring_time: timedelta) -> None:
        self.channels[channel.id] = channel
        if phone.mood is Mood.UNREACHABLE:
            self._timeline.after(timedelta(), self._end, channel.id, Cause.UNREACHABLE)
        elif phone.mood is Mood.BUSY:
            self._timeline.after(timedelta(milliseconds=50), self._end, channel.id, Cause.BUSY)
        else:
            self._timeline.after(timedelta(milliseconds=50), self._rings, channel.id, phone, ring_time)

    def _rings(self, leg: str, phone: Phone, ring_timeout: timedelta) -> None:
        channel = self.channels.get(leg)
        if channel is None:
            return
        channel.ringing = True
        self._tell(LegRang(leg))
        self._timeline.after(ring_timeout, self._rang_in_vain, leg)
        if phone.mood is Mood.ANSWERS:
            self._timeline.after(phone.answers_after(), self._picked_up, leg)
        elif phone.mood is Mood.DECLINES:
            self._timeline.after(phone.answers_after(), self._end, leg, Cause.REJECTED)

    def _rang_in_vain(self, leg: str) -> None:
        channel = self.channels.get(leg)
        if channel is not None and channel.ringing:
            self._end(leg, Cause.NO_ANSWER)

    def _picked_up(self, leg: str) -> None:
        channel = self.channels.get(leg)
        if channel is not None and not channel.up:
            channel.up, channel.ringing = True, False
            self._tell(LegAnswered(leg))

    def _connect_legs(self, command: c.ConnectLegs) -> None:
        members = self.bridges.setdefault(command.bridge, set())
        for leg in command.legs:
            channel = self._channel(leg)
            self.bridges.get(channel.bridge, set()).discard(leg)
            channel.bridge, channel.absorbs = command.bridge, command.absorb
            channel.heard.append("bridge")
            members.add(leg)

    def _send_digits(self, command: c.SendDigits) -> None:
        self._channel(command.leg).digits += command.digits

    def _snoop_leg(self, command: c.SnoopLeg) -> None:
        """Asterisk makes it up at once; it ends with the leg."""
        self._channel(command.leg)
        if command.snoop not in self.channels:
            self.channels[command.snoop] = Channel(command.snoop, "", up=True, spies_on=command.leg, whispers=command.whisper)

    def hears(self, leg: str) -> set[str]:
        """The legs whose voices this one hears."""
        others = {other for other in self.bridges.get(self.channels[leg].bridge, set()) if other != leg}
        heard = {other for other in others if not self.channels[other].spies_on}
        for spied in {self.channels[other].spies_on for other in others} - {""}:
            heard |= {spied} | (self._members(spied) - {leg})
        for spy in self.channels.values():
            if spy.spies_on == leg and spy.whispers:
                heard |= self._members(spy.id)
        return heard

    def _members(self, leg: str) -> set[str]:
        """Who is with it, snoops aside."""
        others = self.bridges.get(self.channels[leg].bridge, set()) - {leg}
        return {other for other in others if not self.channels[other].spies_on}

    def _close_bridge(self, command: c.CloseBridge) -> None:
        self.destroy_bridge(command.bridge)

    def _start_recording(self, command: c.StartRecording) -> None:
        self._channel(command.leg)
        if command.recording in self.recordings:
            return
        if self.disk_full:
            raise CommandError(Refusal.REFUSED, "no space left on device")
        self.recordings[command.recording] = command.leg

    def _stop_recording(self, command: c.StopRecording) -> None:
        if self.recordings.pop(command.recording, None) is not None:
            self.recorded.append(command.recording)

    def _ask_phone(self, command: c.AskPhone) -> None:
        self._timeline.after(ASKED_WITHIN, self._phone_was_asked, command.endpoint)

    def _phone_was_asked(self, endpoint: str) -> None:
        if self.phones.setdefault(endpoint, Phone()).mood is not Mood.UNREACHABLE:
            self._tell(PhoneReachable(endpoint))

    def _hang_up(self, command: c.HangUp) -> None:
        self._end(command.leg, Cause.NORMAL)

    # --- inside ---------------------------------------------------------------------------------

    def _end(self, leg: str, cause: Cause) -> None:
        self.messages.leg_ended(leg)
        channel = self.channels.pop(leg, None)
        if channel is None:
            return
        for recording in [recording for recording, of in self.recordings.items() if of == leg]:
            del self.recordings[recording]
            self.recorded.append(recording)
        if channel.bridge in self.bridges:
            self.bridges[channel.bridge].discard(leg)
        for spy in [spy.id for spy in self.channels.values() if spy.spies_on == leg]:
            self._timeline.after(timedelta(), self._end, spy, Cause.NORMAL)
        if channel.ours:
            self._tell(LegEnded(leg, cause))
        else:
            self._tell_end(leg)

    def _tell_end(self, leg: str) -> None:
        """The end of a leg outside our application."""
        if leg in self.watched:
            self.watched.discard(leg)
            self._tell(FallbackTalkEnded(leg))

    def _tell(self, event: Event) -> None:
        if self.listening:
            self._deliver(event)

    def _channel_id(self) -> str:
        self._count += 1
        return f"{self.name}-{self._timeline.now.timestamp():.0f}.{self._count}"
