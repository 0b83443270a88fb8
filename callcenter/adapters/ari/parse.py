"""From what Asterisk said to what happened. Raw dictionaries stop here, and are validated here only.

How legs end (measured on 22.10.1):

- A leg *we* created is subscribed to our application for life: ``ChannelDestroyed`` tells its end and cause,
  and so ``StasisEnd`` is not its end.
- A leg that *arrived* is subscribed only while it is inside the application: ``StasisEnd`` is the last we
  hear of it, and the cause is in the ``ChannelHangupRequest`` before it, if there was one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from callcenter.adapters.ari import clean
from callcenter.adapters.ari.client import Raw
from callcenter.adapters.ari.types import (
    Channel,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelHangupRequest,
    ChannelHold,
    ChannelStateChange,
    ChannelTransfer,
    ChannelUnhold,
    PlaybackFinished,
    RecordingFinished,
    StasisEnd,
    StasisStart,
)
from callcenter.domain.events import (
    Cause,
    DigitPressed,
    Door,
    Event,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegHeld,
    LegRang,
    LegReferred,
    LegResumed,
    MessageFailed,
    MessageRecorded,
    PlaybackEnded,
)

VOICEMAIL = "voicemail-"
"""Before the id of a message: what Asterisk calls its recording."""

AGENT = "agent"
OUTSIDE = "outside"
"""What we tell the application about legs that we create: to an agent's phone, to a number outside."""
SNOOP = "snoop"
"""Likewise about the ear of a supervisor."""
CREATED_BY_US = (AGENT, OUTSIDE)

Q850 = {
    0: Cause.NORMAL,  # a BYE without a reason
    1: Cause.INVALID_NUMBER,
    2: Cause.UNREACHABLE,
    3: Cause.UNREACHABLE,
    16: Cause.NORMAL,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,  # 408
    19: Cause.NO_ANSWER,  # 480, and the node's own time limit
    20: Cause.UNREACHABLE,
    21: Cause.REJECTED,  # 603, 403
    22: Cause.INVALID_NUMBER,
    26: Cause.NORMAL,  # answered elsewhere
    27: Cause.UNREACHABLE,
    28: Cause.INVALID_NUMBER,
    31: Cause.NORMAL,
    32: Cause.NORMAL,
    34: Cause.CONGESTION,  # 503
    38: Cause.CONGESTION,  # 500
    41: Cause.CONGESTION,
    42: Cause.CONGESTION,
    44: Cause.LOST,  # the RTP timeout of res_pjsip
    58: Cause.REJECTED,  # 488: no common codec
}
"""Causes as ITU-T Q.850 numbers them, in our words; what is not listed is UNKNOWN."""

SOFT_HANGUP_DEVICE = 1
"""``AST_SOFTHANGUP_DEV``: the channel driver gave up the leg by itself, which it does when no RTP comes any more."""

_DIGIT = re.compile(r"[0-9A-D*#]")


@dataclass(frozen=True, slots=True)
class Ignored:
    """A kind that means nothing to us, or something told twice."""

    kind: str


@dataclass(frozen=True, slots=True)
class MalformedEvent:
    """A kind that we know, and that does not fit."""

    kind: str
    detail: str
    leg: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A leg that nobody asked for took the place of one of ours (INVITE with Replaces, RFC 3891)."""

    leg: str
    by: str


OfChannel = (
    StasisStart
    | StasisEnd
    | ChannelHangupRequest
    | ChannelDestroyed
    | ChannelStateChange
    | ChannelDtmfReceived
    | ChannelHold
    | ChannelUnhold
)

Parsed = Event | Ignored | MalformedEvent | Replaced


def endpoint_of(channel_name: str) -> str:
    """``PJSIP/alice-0000002a`` belongs to the endpoint ``alice``; other technologies have none for us."""
    if not channel_name.startswith("PJSIP/"):
        return ""
    return channel_name.removeprefix("PJSIP/").rpartition("-")[0]


def arrival(node: str, channel: Channel, args: list[str]) -> LegArrived | None:
    """What a leg that came in from outside tells; None when the arguments are not those of our dialplan."""
    if not args or args[0] not in (Door.TRUNK, Door.DESK_PHONE) or len(args) < 2:
        return None
    door = Door(args[0])
    leg, endpoint = channel["id"], endpoint_of(channel["name"])
    return LegArrived(
        node,
        leg,
        door,
        clean.number(args[1]),
        clean.number(channel["caller"]["number"]),
        clean.name(channel["caller"]["name"]),
        trunk=endpoint if door is Door.TRUNK else "",
        endpoint=endpoint,
        linkedid=leg,  # the first leg of a call gives the linkedid its value
        waiting_since=_since(args[2] if len(args) > 2 else ""),
        up=channel["state"] == "Up",
    )


def application_args(channel: Channel, application: str) -> list[str] | None:
    """The arguments with which the channel entered our application; None when it is not inside."""
    dialplan = channel["dialplan"]
    name, *args = dialplan["app_data"].split(",")
    return args if dialplan["app_name"] == "Stasis" and name == application else None


def _since(epoch: str) -> datetime | None:
    """When the caller began to wait in the fallback, in seconds of the node's clock; nonsense counts as "did not wait"."""
    if not epoch.isascii() or not epoch.isdigit() or len(epoch) > 10 or int(epoch) == 0:
        return None
    return datetime.fromtimestamp(int(epoch), UTC)


def _leg(event: OfChannel) -> str:
    return _safe(event["channel"]["id"])


def _safe(leg: object) -> str:
    if type(leg) is not str or clean.SAFE_ID.fullmatch(leg) is None:
        raise ValueError(f"channel id {leg!r}")
    return leg


def _soft_cause(event: ChannelHangupRequest) -> Cause:
    """Asterisk itself asked for the end; then the number holds flags of its own and is not of Q.850."""
    return Cause.LOST if event.get("cause") == SOFT_HANGUP_DEVICE else Cause.NORMAL


class Parser:
    """Parses the events of one node's connection, in order. It remembers only what the next event cannot say."""

    def __init__(self, node: str, application: str) -> None:
        self._node = node
        self._application = application
        self._inside: set[str] = set()
        self._hung_up: dict[str, Cause] = {}
        self._replaced: set[str] = set()
        self._kinds: Mapping[str, Callable[[Any], Parsed]] = {
            "StasisStart": self._stasis_start,
            "StasisEnd": self._stasis_end,
            "ChannelStateChange": self._state_change,
            "ChannelDestroyed": self._destroyed,
            "ChannelHangupRequest": self._hangup_request,
            "ChannelDtmfReceived": self._dtmf,
            "ChannelHold": lambda raw: LegHeld(_leg(raw)),
            "ChannelUnhold": lambda raw: LegResumed(_leg(raw)),
            "ChannelTransfer": self._transfer,
            "PlaybackFinished": self._playback_finished,
            "RecordingFinished": lambda raw: self._recording(raw, failed=False),
            "RecordingFailed": lambda raw: self._recording(raw, failed=True),
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of events we use: all others need not be sent."""
        return tuple(self._kinds)

    def begin(self) -> None:
        """A new connection: what an old one said is no longer worth knowing."""
        self._inside.clear()
        self._replaced.clear()
        self._hung_up.clear()

    def parse(self, raw: Raw) -> Parsed:
        """What happened."""
        kind = raw.get("type")
        known = self._kinds.get(kind) if type(kind) is str else None
        if known is None:
            return Ignored(str(kind)[:80])
        if raw.get("application") != self._application:
            return Ignored(f"{kind} of another application")
        try:
            return known(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return MalformedEvent(str(kind), repr(error)[:200])

    # --- kinds ----------------------------------------------------------------------------------

    def _stasis_start(self, event: StasisStart) -> Parsed:
        leg = _leg(event)
        if leg in self._inside:
            return Ignored("StasisStart, again")
        args = event["args"]
        if "replace_channel" in event:
            replaced = _safe(event["replace_channel"]["id"])
            self._replaced.add(replaced)
            return Replaced(replaced, leg)
        if args and args[0] in CREATED_BY_US:
            self._inside.add(leg)
            return LegAnswered(leg)
        if args == [SNOOP]:
            return Ignored("StasisStart of a snoop")
        arrived = arrival(self._node, event["channel"], args)
        if arrived is None:
            return MalformedEvent("StasisStart", f"arguments {args!r}"[:200], leg)
        self._inside.add(leg)
        return arrived

    def _stasis_end(self, event: StasisEnd) -> Parsed:
        leg, channel = _leg(event), event["channel"]
        self._inside.discard(leg)
        if leg in self._replaced:  # who took its place has its subscription: this is the last we are sure to hear
            self._replaced.discard(leg)
        elif application_args(channel, self._application) in ([AGENT], [OUTSIDE], [SNOOP]):
            return Ignored("StasisEnd of a leg of ours")
        return LegEnded(leg, self._hung_up.pop(leg, Cause.UNKNOWN))

    def _hangup_request(self, event: ChannelHangupRequest) -> Parsed:
        """Not the end yet, but the reason of it; comes twice for each leg, and the first time counts."""
        self._hung_up.setdefault(_leg(event), _soft_cause(event) if event.get("soft") else Q850.get(event.get("cause", 0), Cause.UNKNOWN))
        return Ignored("ChannelHangupRequest")

    def _destroyed(self, event: ChannelDestroyed) -> Parsed:
        leg = _leg(event)
        self._inside.discard(leg)
        self._hung_up.pop(leg, None)
        cause, state = Q850.get(event["cause"], Cause.UNKNOWN), event["channel"]["state"]
        if cause is Cause.NO_ANSWER and state == "Down":
            cause = Cause.UNREACHABLE  # it did not even ring
        elif cause is Cause.UNKNOWN and state != "Up":
            cause = Cause.CONGESTION  # UNKNOWN would be nobody's fault, and the same phone would be rung again at once, for ever
        return LegEnded(leg, cause)

    def _state_change(self, event: ChannelStateChange) -> Parsed:
        return LegRang(_leg(event)) if event["channel"]["state"] == "Ringing" else Ignored("ChannelStateChange")

    def _dtmf(self, event: ChannelDtmfReceived) -> Parsed:
        digit = event["digit"]
        if not _DIGIT.fullmatch(digit):
            raise ValueError("digit")
        return DigitPressed(_leg(event), digit)

    def _transfer(self, event: ChannelTransfer) -> Parsed:
        """A REFER; with a state it is but the echo of what we have answered.

        The phone may write anything into it: what is no number means nothing, and a dialog that this node does not know is nobody's.
        """
        if "state" in event:
            return Ignored("ChannelTransfer, answered")
        refer_to = event["refer_to"]
        wanted, other = refer_to["requested_destination"], refer_to.get("destination_channel")
        into = (_safe(other["id"]) if other else "") if "protocol_id" in wanted else None
        dialed = wanted.get("destination", "")
        return LegReferred(_safe(event["referred_by"]["source_channel"]["id"]), dialed if dialed == clean.number(dialed) else "", into)

    def _playback_finished(self, event: PlaybackFinished) -> Parsed:
        """``done`` or ``failed``: either way the leg hears it no longer.

        Asterisk says so too when the party hangs up in mid-prompt, before it tells the end of the leg: that is no end of
        the prompt, or whoever leaves during the welcome would be put into the queue on the way out.
        """
        playback = event["playback"]
        kind, _, leg = playback["target_uri"].partition(":")
        if kind != "channel":
            return Ignored("PlaybackFinished on a bridge")
        if not clean.is_safe_id(leg) or not clean.is_safe_id(playback["id"]):
            raise ValueError("playback")
        if leg in self._hung_up:
            return Ignored("PlaybackFinished of a leg that has hung up")
        return PlaybackEnded(leg, playback["id"])

    def _recording(self, raw: Raw, *, failed: bool) -> Parsed:
        """A message was recorded, or could not be; told before the end of a leg that hung up. Lengths are whole seconds, rounded up."""
        recording = cast(RecordingFinished, raw)["recording"]
        kind, _, leg = recording["target_uri"].partition(":")
        name = recording["name"]
        if kind != "channel" or not name.startswith(VOICEMAIL):
            return Ignored(str(raw.get("type")))
        leg, message = _safe(leg), _safe(name.removeprefix(VOICEMAIL))
        if failed:
            return MessageFailed(leg, message)
        return MessageRecorded(leg, message, timedelta(seconds=int(recording.get("duration", 0))))
