"""What we want from the PBX. Always imperative.

Each command names its ``call`` (commands of one call keep their order) and its ``node``. The ids of
legs, bridges, playbacks and recordings in here are chosen by us, so no command needs its reply.
A command means its result: hanging up a leg that is gone is success.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.ivr.questions import Question

RECORDED = "recorded:"
"""Before the id of a message or greeting, it is a prompt like any other."""


def recorded_prompt(message: str) -> str:
    """What ``RecordMessage`` has kept, to be played."""
    return f"{RECORDED}{message}"


@dataclass(frozen=True, slots=True)
class Answer:
    call: str
    node: str
    leg: str


@dataclass(frozen=True, slots=True)
class Play:
    """Say prompts of the catalogue to one leg, one after the other."""

    call: str
    node: str
    leg: str
    playback: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopPlayback:
    call: str
    node: str
    playback: str


@dataclass(frozen=True, slots=True)
class StartMusic:
    call: str
    node: str
    leg: str
    music: str


@dataclass(frozen=True, slots=True)
class StopMusic:
    call: str
    node: str
    leg: str


@dataclass(frozen=True, slots=True)
class StartRinging:
    """Let the leg, which is up, hear that somebody's phone rings for it."""

    call: str
    node: str
    leg: str


@dataclass(frozen=True, slots=True)
class StopRinging:
    call: str
    node: str
    leg: str


@dataclass(frozen=True, slots=True)
class AnswerRefer:
    """Tell the phone at this leg what came of its REFER: done, or refused."""

    call: str
    node: str
    leg: str
    done: bool


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Create the agent's leg and let the phone ring; ``caller`` and ``caller_name`` are what it shows."""

    call: str
    node: str
    leg: str
    agent: str
    endpoint: str
    caller: str
    caller_name: str
    ring_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Dial:
    """Create a leg to a number outside, through a trunk. ``number`` is E.164 and may be dialed; ``shown`` is a number of ours."""

    call: str
    node: str
    leg: str
    number: str
    trunk: str
    shown: str
    ring_time: timedelta


@dataclass(frozen=True, slots=True)
class ConnectLegs:
    """Let these legs hear each other in ``bridge``, which is created unless it exists."""

    call: str
    node: str
    bridge: str
    legs: tuple[str, ...]
    absorb: bool = False
    """Keys pressed on these legs are told to us, and are not passed on to the others."""


@dataclass(frozen=True, slots=True)
class SnoopLeg:
    """Make the channel ``snoop``: in a bridge, who is with it hears what the leg hears and says.

    With ``whisper`` they are heard by that leg, and by nobody else. It ends with the leg, or by ``HangUp``.
    """

    call: str
    node: str
    leg: str
    snoop: str
    whisper: bool


@dataclass(frozen=True, slots=True)
class CloseBridge:
    """Destroy the bridge; legs still in it stay up, alone."""

    call: str
    node: str
    bridge: str


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Let the far end of the leg get these keys, as if the other side had pressed them."""

    call: str
    node: str
    leg: str
    digits: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record ``leg`` (the caller's) into one two-channel file named after ``recording``: left what it says, right what it hears."""

    call: str
    node: str
    leg: str
    recording: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    call: str
    node: str
    leg: str
    recording: str


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """Keep what the leg says from now on, until it is silent for so long, at most so long, or until ``StopMessage``.

    ``MessageRecorded`` or ``MessageFailed`` follows; a leg that hangs up ends it, too. ``recorded_prompt(message)`` plays it.
    """

    call: str
    node: str
    leg: str
    message: str
    longest: timedelta
    silence: timedelta


@dataclass(frozen=True, slots=True)
class StopMessage:
    """That is all; ``MessageRecorded`` follows."""

    call: str
    node: str
    message: str


@dataclass(frozen=True, slots=True)
class SetLamp:
    """Tell the agent's phone how many messages wait for her (RFC 3842), so that its lamp is on or off."""

    call: str
    """No call; names the lane of this phone's commands."""
    node: str
    endpoint: str
    new: int
    old: int


class DeviceState(StrEnum):
    """What a key with a lamp shows, in the PBX's words."""

    NOT_INUSE = "not_inuse"
    INUSE = "inuse"
    BUSY = "busy"
    RINGING = "ringing"
    ONHOLD = "onhold"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class SetDeviceState:
    """Let the phones that watch the device's extension show this."""

    call: str
    """No call; names the lane of this lamp's commands."""
    node: str
    device: str
    state: DeviceState


@dataclass(frozen=True, slots=True)
class AskPhone:
    """Ask the phone whether it is there (SIP OPTIONS). ``PhoneReachable`` follows if it answers, else nothing."""

    call: str
    """No call; names the lane of this phone's commands."""
    node: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class AskOutside:
    """Have the question answered, within ``budget``; ``AskAnswered`` with this ``ask`` follows. To ask the same twice is to ask it once."""

    call: str
    node: str
    leg: str
    """The caller's."""
    ask: str
    question: Question
    budget: timedelta


@dataclass(frozen=True, slots=True)
class WithdrawAsk:
    """Nobody waits for this answer any more."""

    call: str
    node: str
    ask: str


@dataclass(frozen=True, slots=True)
class HangUp:
    call: str
    node: str
    leg: str


Command = (
    Answer
    | Play
    | StopPlayback
    | StartMusic
    | StopMusic
    | RingAgent
    | Dial
    | StartRinging
    | StopRinging
    | ConnectLegs
    | SendDigits
    | SnoopLeg
    | CloseBridge
    | StartRecording
    | StopRecording
    | RecordMessage
    | StopMessage
    | SetLamp
    | SetDeviceState
    | AskPhone
    | AnswerRefer
    | AskOutside
    | WithdrawAsk
    | HangUp
)
