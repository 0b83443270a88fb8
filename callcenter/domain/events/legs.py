"""What happened to legs, to what is played to them, and to what was asked for them. Told by the PBX."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Cause(StrEnum):
    """Why a leg ended."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    """The phone is not registered, or the network does not lead to it."""
    CONGESTION = "congestion"
    INVALID_NUMBER = "invalid_number"
    LOST = "lost"
    """No audio came any more (RTP timeout), or the session timer ran out."""
    NODE_CRASH = "node_crash"
    UNKNOWN = "unknown"
    """It ended while we were away."""


class Door(StrEnum):
    """Where an arriving leg came from."""

    TRUNK = "trunk"
    DESK_PHONE = "desk_phone"


class Refusal(StrEnum):
    """Why a command was not carried out."""

    GONE = "gone"
    """The leg, bridge or playback it speaks of is no longer there."""
    NODE_AWAY = "node_away"
    """The node is out of reach; nobody knows whether it was carried out."""
    NO_SUCH_MEDIA = "no_such_media"
    REFUSED = "refused"
    """The PBX said no, for a reason it alone knows."""


@dataclass(frozen=True, slots=True)
class LegArrived:
    """Somebody called us: a caller through a trunk, or an agent from the desk phone."""

    node: str
    leg: str
    door: Door
    dialed: str
    """The DID in E.164, or what the agent dialed (``*11``)."""
    caller: str
    """The caller's number, cleaned at the edge; empty when withheld."""
    caller_name: str = ""
    trunk: str = ""
    endpoint: str = ""
    """The PJSIP endpoint it came from."""
    linkedid: str = ""
    waiting_since: datetime | None = None
    """Set when the caller already waited in the dialplan's fallback: since when."""
    up: bool = False
    """Our dialplan answers before it hands a call to us; a leg that comes by another way may still ring."""


@dataclass(frozen=True, slots=True)
class LegRang:
    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    leg: str


@dataclass(frozen=True, slots=True)
class LegHeld:
    """The party pressed hold on the phone."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegResumed:
    leg: str


@dataclass(frozen=True, slots=True)
class LegReferred:
    """The party at this leg asked its phone to transfer the other one (SIP REFER, RFC 3515)."""

    leg: str
    dialed: str
    """The user part of where to, cleaned at the edge; empty when it is no number."""
    into: str | None = None
    """Attended (Replaces, RFC 3891): the phone's other leg that is to be replaced; empty when the PBX does not know it. None: blind."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    leg: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class LegFoundAlone:
    """After a gap: the leg should be talking in its bridge and is not in it."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegFoundSilent:
    """After a gap: the leg is up, and what we meant it to hear is not being played."""

    leg: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    leg: str
    digit: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """The prompt was said to its end, was stopped, or could not be played."""

    leg: str
    playback: str


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """The leg's message is whole: stopped, silent, too long, or hung up."""

    leg: str
    message: str
    length: timedelta
    """Without the silence that ended it."""


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """Nothing could be recorded: a full disk, say."""

    leg: str
    message: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command of ours was not carried out. ``command`` is the command itself."""

    command: object
    refusal: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskAnswered:
    """The outside answered what a flow had asked; ``failed`` when it could not."""

    call: str
    ask: str
    outcome: str
    attributes: Mapping[str, str]
    """What is known now; kept as attributes of the call."""


LegEvent = (
    LegRang | LegAnswered | LegHeld | LegResumed | LegReferred | LegEnded | LegFoundAlone | LegFoundSilent | DigitPressed | PlaybackEnded
)
MessageEvent = MessageRecorded | MessageFailed
