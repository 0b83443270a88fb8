"""How each command is said in ARI, and what its answers mean.

A command means its result: what has ended already needs no ending, what exists already needs no making.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from json import loads
from math import ceil
from typing import Any

from callcenter.adapters.ari import clean
from callcenter.adapters.ari.client import AriClient, Reply
from callcenter.adapters.ari.parse import AGENT, OUTSIDE, SNOOP, VOICEMAIL
from callcenter.adapters.ari.types import bridges, channels, deviceStates, playbacks, recordings
from callcenter.domain.commands import (
    RECORDED,
    Answer,
    AnswerRefer,
    CloseBridge,
    Command,
    ConnectLegs,
    Dial,
    HangUp,
    Play,
    RecordMessage,
    RingAgent,
    SendDigits,
    SetDeviceState,
    SetLamp,
    SnoopLeg,
    StartMusic,
    StartRinging,
    StopMessage,
    StopMusic,
    StopPlayback,
    StopRinging,
)
from callcenter.domain.events import Cause, LegEnded, PlaybackEnded, Refusal
from callcenter.services.ports import CommandError, Inbox

GONE = frozenset((404, 409, 412, 422))
"""Not there; not inside an application any more; in a state of ending; not a channel of Stasis."""
EXISTS = 409
PHONE_NOT_THERE = frozenset((400, 500))
"""What ``originate`` answers for an endpoint that has no contact ("Allocation failed") or does not exist."""
SOUNDS = "sound:callcenter/"
RECORDINGS = f"recording:{VOICEMAIL}"
KEYS_TOLD = "mixing,dtmf_events"
SETTLES = 0.15
"""Seconds after the last ear of a leg is gone in which Asterisk forgets how it counted that leg's audio."""
ENTERS_WITHIN = 2.0
"""Seconds in which a snoop channel enters the application; the answer to the request comes before."""
MESSAGE_LAMPS = "message-lamps"
"""The context of our dialplan that is told how many messages wait for a phone."""
MOST_SHOWN = 9999
RINGS_ON = 2
"""Seconds that a leg rings longer than the core lets it, if we are not there to end it: else the two time limits would race."""


def refusal(reply: Reply) -> CommandError:
    """What the answer to a request that failed means."""
    try:
        said = loads(reply.body)
        message = str(said.get("message") or said.get("error") or "")
    except (ValueError, AttributeError, RecursionError):
        message = ""
    gone = reply.status in GONE or (reply.status == 400 and "not found" in message.lower())
    return CommandError(Refusal.GONE if gone else Refusal.REFUSED, f"{reply.status} {message}"[:200])


def check(reply: Reply) -> None:
    """Raises CommandError unless it was done."""
    if not reply.ok:
        raise refusal(reply)


def check_ended(reply: Reply) -> None:
    """Raises CommandError unless it is over, by us or before."""
    if not reply.ok and reply.status not in GONE:
        raise refusal(reply)


def safe(*ids: str) -> None:
    """Raises CommandError when an id could mean something else in a path."""
    for each in ids:
        if not clean.is_safe_id(each):
            raise CommandError(Refusal.REFUSED, f"not an id: {each[:40]!r}")


def medium(prompt: str) -> str:
    """Where Asterisk finds the prompt. Raises CommandError."""
    if prompt.startswith(RECORDED):
        safe(name := prompt.removeprefix(RECORDED))
        return RECORDINGS + name
    if not clean.is_sound(prompt):
        raise CommandError(Refusal.REFUSED, f"not a prompt: {prompt[:40]!r}")
    return SOUNDS + prompt


class Commands:
    """Says commands to one node."""

    def __init__(self, client: AriClient, tell: Inbox) -> None:
        self._client = client
        self._tell = tell
        self._heard: dict[str, list[str]] = {}
        """By leg: the playbacks it hears."""
        self.snoops: dict[str, asyncio.Future[None]] = {}
        """Those that were made and have not entered the application; before, they cannot join a bridge."""
        self._spies: dict[str, str] = {}
        """From each ear that was made to its leg."""
        self._settled_at: dict[str, float] = {}
        """By leg that has lost an ear: when another may be made, by the loop's clock."""
        self.say: dict[type[Command], Callable[[Any], Coroutine[None, None, None]]] = {
            Answer: self._answer,
            Play: self._play,
            StopPlayback: self._stop_playback,
            StartMusic: self._start_music,
            StopMusic: self._stop_music,
            StartRinging: self._start_ringing,
            StopRinging: self._stop_ringing,
            AnswerRefer: self._answer_refer,
            RingAgent: self._ring_agent,
            Dial: self._dial,
            ConnectLegs: self._connect_legs,
            SendDigits: self._send_digits,
            SnoopLeg: self._snoop_leg,
            SetLamp: self._set_lamp,
            SetDeviceState: self._set_device_state,
            CloseBridge: self._close_bridge,
            RecordMessage: self._record_message,
            StopMessage: self._stop_message,
            HangUp: self._hang_up,
        }
        """How a command of each kind is carried out. Raises CommandError."""

    def begin(self) -> None:
        """A new connection."""
        self._heard.clear()
        self.snoops.clear()
        self._spies.clear()
        self._settled_at.clear()

    def entered(self, channel: str) -> None:
        """The channel is inside the application now."""
        inside = self.snoops.get(channel)
        if inside is not None and not inside.done():
            inside.set_result(None)

    def learn(self, event: object) -> None:
        """Keep in mind what legs no longer hear."""
        if type(event) is PlaybackEnded:
            heard = self._heard.get(event.leg)
            if heard and event.playback in heard:
                heard.remove(event.playback)
                if not heard:
                    del self._heard[event.leg]
        elif type(event) is LegEnded:
            self._heard.pop(event.leg, None)
            self._spies.pop(event.leg, None)
            self._settled_at.pop(event.leg, None)

    async def _answer(self, command: Answer) -> None:
        safe(command.leg)
        check(await self._client.call(channels.answer, channelId=command.leg))

    async def _play(self, command: Play) -> None:
        safe(command.leg, command.playback)
        media = ",".join([medium(prompt) for prompt in command.prompts if await self._is_there(prompt)])
        if not media:
            raise CommandError(Refusal.NO_SUCH_MEDIA, ",".join(command.prompts)[:200])
        self._heard.setdefault(command.leg, []).append(command.playback)
        try:
            check(await self._client.call(channels.playWithId, {"media": media}, channelId=command.leg, playbackId=command.playback))
        except CommandError:
            self.learn(PlaybackEnded(command.leg, command.playback))
            raise

    async def _is_there(self, prompt: str) -> bool:
        """Asterisk begins to play a recording that is gone, and (measured on 22.10.1) never says that it has ended."""
        if not prompt.startswith(RECORDED):
            return True
        safe(name := prompt.removeprefix(RECORDED))
        return (await self._client.call(recordings.getStored, recordingName=VOICEMAIL + name)).ok

    async def _stop_playback(self, command: StopPlayback) -> None:
        await self._stop(command.playback)

    async def _stop(self, playback: str) -> None:
        safe(playback)
        check_ended(await self._client.call(playbacks.stop, playbackId=playback))

    async def _start_music(self, command: StartMusic) -> None:
        safe(command.leg, command.music)
        check(await self._client.call(channels.startMoh, {"mohClass": command.music}, channelId=command.leg))

    async def _stop_music(self, command: StopMusic) -> None:
        safe(command.leg)
        check_ended(await self._client.call(channels.stopMoh, channelId=command.leg))

    async def _start_ringing(self, command: StartRinging) -> None:
        """On a leg that is up, Asterisk plays the ringing tone of the country."""
        safe(command.leg)
        check(await self._client.call(channels.ring, channelId=command.leg))

    async def _stop_ringing(self, command: StopRinging) -> None:
        safe(command.leg)
        check_ended(await self._client.call(channels.ringStop, channelId=command.leg))

    async def _answer_refer(self, command: AnswerRefer) -> None:
        """A NOTIFY with 200 or 603 ends the phone's subscription; a phone that has gone, or never asked, needs none."""
        safe(command.leg)
        state = "channel_answered" if command.done else "channel_declined"
        check_ended(await self._client.call(channels.transfer_progress, {"states": state}, channelId=command.leg))

    async def _ring_agent(self, command: RingAgent) -> None:
        """Create the leg. A phone that is not there shows as the end of the leg, as it would for one that rings in vain."""
        safe(command.leg, command.endpoint)
        caller_id = clean.caller_id(command.caller_name, command.caller)
        await self._create(command.leg, command.endpoint, AGENT, caller_id, command.ring_timeout)

    async def _dial(self, command: Dial) -> None:
        """Create the leg. The number is the only part of the dial string that did not come from our own configuration."""
        safe(command.leg, command.trunk)
        if not clean.is_e164(command.number) or not clean.is_e164(command.shown):
            raise CommandError(Refusal.REFUSED, "not a number in E.164")
        await self._create(command.leg, f"{command.number}@{command.trunk}", OUTSIDE, clean.caller_id("", command.shown), command.ring_time)

    async def _create(self, leg: str, endpoint: str, what: str, caller_id: str, ring_time: timedelta) -> None:
        """Let it ring. One leg for each name: a command given twice does not ring twice."""
        query = {
            "endpoint": f"PJSIP/{endpoint}",
            "app": self._client.server.application,
            "appArgs": what,
            "callerId": caller_id,
            "timeout": str(ceil(ring_time.total_seconds()) + RINGS_ON),
        }
        reply = await self._client.call(channels.originateWithId, query, channelId=leg)
        if reply.status in PHONE_NOT_THERE:
            self._tell(LegEnded(leg, Cause.UNREACHABLE))
        elif reply.status != EXISTS:
            check(reply)

    async def _connect_legs(self, command: ConnectLegs) -> None:
        """Create the bridge and put the legs into it, both or none.

        ``addChannel`` waits for the end of what the leg hears, and on the WebSocket every other request waits
        behind it: a prompt that is still being said is stopped first. A bridge that hands packets through natively tells no keys.
        """
        safe(command.bridge, *command.legs)
        for leg in command.legs:
            for playback in tuple(self._heard.get(leg, ())):
                await self._stop(playback)
        made = await self._client.call(bridges.createWithId, {"type": KEYS_TOLD if command.absorb else "mixing"}, bridgeId=command.bridge)
        if made.status != EXISTS:
            check(made)
        query = {"channel": ",".join(command.legs), **({"absorbDTMF": "true"} if command.absorb else {})}
        check(await self._client.call(bridges.addChannel, query, bridgeId=command.bridge))

    async def _send_digits(self, command: SendDigits) -> None:
        safe(command.leg)
        if not clean.is_digits(command.digits):
            raise CommandError(Refusal.REFUSED, "not keys of a telephone")
        check(await self._client.call(channels.sendDTMF, {"dtmf": command.digits}, channelId=command.leg))

    async def _snoop_leg(self, command: SnoopLeg) -> None:
        """Make the snoop channel, and wait until it may join a bridge; one of that name that is there is the one that was wanted.

        *out* is what the leg hears (``res/res_stasis_snoop.c``): a whisper goes there, and nowhere else.
        """
        safe(command.leg, command.snoop)
        await asyncio.sleep(max(0.0, self._settled_at.pop(command.leg, 0.0) - asyncio.get_running_loop().time()))
        self._spies[command.snoop] = command.leg
        query = {
            "app": self._client.server.application,
            "appArgs": SNOOP,
            "spy": "both",
            "whisper": "out" if command.whisper else "none",
        }
        self.snoops[command.snoop] = inside = asyncio.get_running_loop().create_future()
        try:
            reply = await self._client.call(channels.snoopChannelWithId, query, channelId=command.leg, snoopId=command.snoop)
            if reply.status == EXISTS:
                return
            check(reply)
            async with asyncio.timeout(ENTERS_WITHIN):
                await inside
        except TimeoutError:
            raise CommandError(Refusal.GONE, "the snoop channel did not come") from None
        finally:
            self.snoops.pop(command.snoop, None)

    async def _set_lamp(self, command: SetLamp) -> None:
        """For phones that have subscribed: a call into our own dialplan, which tells the PBX and is never answered."""
        safe(command.endpoint)
        new, old = (min(max(count, 0), MOST_SHOWN) for count in (command.new, command.old))
        query = {
            "endpoint": f"Local/{command.endpoint}*{new}*{old}@{MESSAGE_LAMPS}/n",
            "context": MESSAGE_LAMPS,
            "extension": "none",
            "priority": "1",
            "timeout": "5",
        }
        check(await self._client.call(channels.originate, query))

    async def _set_device_state(self, command: SetDeviceState) -> None:
        safe(command.device)
        query = {"deviceState": command.state.value.upper()}
        check(await self._client.call(deviceStates.update, query, deviceName=f"Stasis:{command.device}"))

    async def _close_bridge(self, command: CloseBridge) -> None:
        await self.destroy_bridge(command.bridge)

    async def destroy_bridge(self, bridge: str) -> None:
        """Legs in it stay up, alone."""
        safe(bridge)
        check_ended(await self._client.call(bridges.destroy, bridgeId=bridge))

    async def _record_message(self, command: RecordMessage) -> None:
        """WAV, which any player plays. The caller is heard raw: no beep and no key is Asterisk's matter."""
        safe(command.leg, command.message)
        query = {
            "name": VOICEMAIL + command.message,
            "format": "wav",
            "maxDurationSeconds": str(ceil(command.longest.total_seconds())),
            "maxSilenceSeconds": str(ceil(command.silence.total_seconds())),
            "ifExists": "fail",
            "beep": "false",
            "terminateOn": "none",
        }
        check(await self._client.call(channels.record, query, channelId=command.leg))

    async def _stop_message(self, command: StopMessage) -> None:
        safe(command.message)
        check_ended(await self._client.call(recordings.stop, recordingName=VOICEMAIL + command.message))

    async def _hang_up(self, command: HangUp) -> None:
        await self.hang_up(command.leg)

    async def hang_up(self, leg: str) -> None:
        """End the leg; one that is gone is success."""
        safe(leg)
        spied = self._spies.pop(leg, None)
        check_ended(await self._client.call(channels.hangup, {"reason": "normal"}, channelId=leg))
        if spied is not None:
            self._settled_at[spied] = asyncio.get_running_loop().time() + SETTLES
