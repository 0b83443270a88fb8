"""What happened: to legs (from the PBX), on the wish of people, and in time. Always past tense.

``node`` is the name of the Asterisk node; ``leg`` is the channel id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.config import Canary, CenterConfig
from callcenter.domain.hours import Calendar
from callcenter.domain.ivr.flow import Flow
from callcenter.domain.supervision_modes import SupervisionMode


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


class ForcedState(StrEnum):
    """What a supervisor may want an agent to be."""

    READY = "ready"
    NOT_READY = "not_ready"
    LOGGED_OUT = "logged_out"


class Refusal(StrEnum):
    """Why a command was not carried out."""

    GONE = "gone"
    """The leg, bridge or playback it speaks of is no longer there."""
    NODE_AWAY = "node_away"
    """The node is out of reach; nobody knows whether it was carried out."""
    NO_SUCH_MEDIA = "no_such_media"
    REFUSED = "refused"
    """The PBX said no, for a reason it alone knows."""


# --- legs -------------------------------------------------------------------------------------


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


# --- nodes and phones -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeConnected:
    """We see the node again, and all that we missed has been told before this."""

    node: str
    started_at: datetime
    """When that Asterisk was started; another one than before means that it crashed in between."""


@dataclass(frozen=True, slots=True)
class NodeDisconnected:
    node: str
    tried_since: datetime | None = None
    """Since when we have been trying to reach it, when that is later than the loss: our own restart is not the node's fault."""


@dataclass(frozen=True, slots=True)
class PhoneReachable:
    endpoint: str


@dataclass(frozen=True, slots=True)
class PhoneUnreachable:
    endpoint: str


@dataclass(frozen=True, slots=True)
class FallbackTalkBegan:
    """The agent's phone is busy on a call that the dialplan handles, outside our application."""

    node: str
    leg: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class FallbackTalkEnded:
    leg: str


@dataclass(frozen=True, slots=True)
class FallbackCallReported:
    """A call that began and ended in the dialplan's fallback, read from the node's queue log."""

    node: str
    leg: str
    queue: str
    did: str
    caller: str
    entered_at: datetime
    ended_at: datetime
    answered_at: datetime | None = None
    endpoint: str = ""
    """The phone that answered."""
    log_offset: int = 0
    """How far the queue log has been read once this is known."""
    closed: bool = False
    """The caller was told that we are closed."""


# --- people -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentLoginRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentReadyRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentNotReadyRequested:
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentLogoutRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class ConsoleGone:
    """Nobody sits at the agent's console any more."""

    agent: str


@dataclass(frozen=True, slots=True)
class ConsoleBack:
    agent: str


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The agent wants the caller moved to a queue, a colleague or a number outside, without talking first (blind)."""

    agent: str
    queue: str = ""
    colleague: str = ""
    number: str = ""
    """Outside, as it was entered. One of these."""


@dataclass(frozen=True, slots=True)
class ConsultRequested:
    """The agent wants to talk to somebody of a queue, or to a colleague, while the caller is on hold."""

    agent: str
    queue: str = ""
    colleague: str = ""


@dataclass(frozen=True, slots=True)
class CompleteRequested:
    """The agent leaves: the caller goes on with the consulted."""

    agent: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The agent goes back to the caller; the consult is called off."""

    agent: str


@dataclass(frozen=True, slots=True)
class SwapRequested:
    """The agent talks to the other one of caller and consulted."""

    agent: str


@dataclass(frozen=True, slots=True)
class ConferenceRequested:
    """All three are to hear each other."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentDialRequested:
    """The agent wants to call somebody herself: her phone is rung, and then the other one."""

    agent: str
    number: str = ""
    """An extension, or a number outside as it was entered."""
    colleague: str = ""
    """By name. One of both."""
    queue: str = ""
    """For which she calls: the called party sees its number."""


@dataclass(frozen=True, slots=True)
class AgentDialEndRequested:
    """The agent hangs up the call of her own."""

    agent: str


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """The agent sends her caller through a flow for payments, and waits."""

    agent: str
    flow: str = ""
    """The first one when it is empty."""


@dataclass(frozen=True, slots=True)
class PaymentEndRequested:
    """The agent wants the caller back now."""

    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpEndRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtensionRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class DispositionChosen:
    """The agent says what the contact has achieved, in mid-talk or in wrap-up."""

    agent: str
    disposition: str


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """The agent has written something about the contact."""

    agent: str
    contact: str
    note: str


@dataclass(frozen=True, slots=True)
class ScriptAnswered:
    """The agent has filled in a script, or some of it."""

    agent: str
    contact: str
    script: str
    fields: tuple[str, ...]
    answers: tuple[str, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class TalkFigures:
    """What a softphone counts of a talk; see ``facts.TalkMeasured``."""

    received: int
    lost: int
    jitter_ms: float
    rtt_ms: float
    worst_loss: float
    worst_jitter_ms: float
    worst_rtt_ms: float


@dataclass(frozen=True, slots=True)
class TalkHeard:
    """How the talk sounded at the agent's softphone."""

    agent: str
    contact: str
    figures: TalkFigures


@dataclass(frozen=True, slots=True)
class AgentLegResumeRequested:
    """Her softphone was lost in mid-talk and is there again, or she wants to go on at this one."""

    agent: str


@dataclass(frozen=True, slots=True)
class OptOutRequested:
    """The agent wants to serve the queue no longer."""

    agent: str
    queue: str


@dataclass(frozen=True, slots=True)
class OptInRequested:
    agent: str
    queue: str


@dataclass(frozen=True, slots=True)
class SupervisionRequested:
    """A supervisor wants to hear an agent's contact; the supervisor's phone is rung for it."""

    supervisor: str
    agent: str
    mode: SupervisionMode
    stay: bool = False
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class SupervisionSwitchRequested:
    supervisor: str
    mode: SupervisionMode
    by: str = ""


@dataclass(frozen=True, slots=True)
class SupervisionEndRequested:
    supervisor: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class AgentForceRequested:
    """A supervisor wants the agent ready, not ready or logged out."""

    agent: str
    state: ForcedState
    reason: str = ""
    """Of being not ready."""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ContactMoveRequested:
    """A supervisor wants the waiting contact in another queue, or offered to that agent."""

    contact: str
    queue: str = ""
    agent: str = ""
    """One of both."""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ContactPriorityRequested:
    """A supervisor wants the waiting contact at the head of its line, or with another priority."""

    contact: str
    priority: int | None = None
    """None: at the head."""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSendRequested:
    """A supervisor has something to say to agents. ``notice`` is the asker's to choose, so that sending twice sends once."""

    notice: str
    text: str
    agents: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    """To who serves them; with neither agents nor queues: to all."""
    lasts: timedelta = timedelta(hours=8)
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoticeAckRequested:
    notice: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallbackRequested:
    """Somebody of ours promises a callback. ``callback`` is the asker's to choose, so that asking twice promises once."""

    callback: str
    queue: str
    number: str
    """As it was entered."""
    due_at: datetime | None = None
    """None: as soon as it is its turn."""
    caller_name: str = ""
    priority: int = 0
    owner: str = ""
    owned_for: timedelta | None = None
    """None: as the queue says."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallbackEditRequested:
    """What is given is changed, the rest stays."""

    callback: str
    queue: str | None = None
    number: str | None = None
    due_at: datetime | None = None
    owner: str | None = None
    """Empty: anybody's from now on."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallbackCancelRequested:
    callback: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class DoNotCallAddRequested:
    """Somebody asked one of ours not to be called any more."""

    number: str
    """As it was entered."""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DoNotCallRemoveRequested:
    number: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class MessageDeleteRequested:
    """Somebody of ours wants the message in a mailbox deleted."""

    message: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class MessageHeardRequested:
    """Somebody of ours has heard the message otherwise than by phone."""

    message: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    config: CenterConfig


@dataclass(frozen=True, slots=True)
class FlowsChanged:
    """Flows were published or rolled back; nothing else is new. Callers who are inside finish on the version they began with."""

    flows: Mapping[str, Flow]
    flow_versions: Mapping[tuple[str, int], Flow]
    canaries: Mapping[str, Canary]


@dataclass(frozen=True, slots=True)
class CalendarsRenewed:
    """Opening hours, made for the time ahead; all of them."""

    calendars: Mapping[str, Calendar]


@dataclass(frozen=True, slots=True)
class HoursSwitchRequested:
    """The emergency switch of a calendar."""

    calendar: str
    is_open: bool | None
    """None: as its hours say."""
    until: datetime | None = None
    """None: until it is switched back."""
    reason: str = ""
    by: str = ""


# --- time -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline is due; nothing else happened."""


LegEvent = (
    LegRang | LegAnswered | LegHeld | LegResumed | LegReferred | LegEnded | LegFoundAlone | LegFoundSilent | DigitPressed | PlaybackEnded
)
MessageEvent = MessageRecorded | MessageFailed
MessageRequest = MessageDeleteRequested | MessageHeardRequested
AgentRequest = (
    AgentLoginRequested
    | AgentReadyRequested
    | AgentNotReadyRequested
    | AgentLogoutRequested
    | ConsoleGone
    | ConsoleBack
    | TransferRequested
    | ConsultRequested
    | CompleteRequested
    | CancelRequested
    | SwapRequested
    | ConferenceRequested
    | AgentDialRequested
    | AgentDialEndRequested
    | PaymentRequested
    | PaymentEndRequested
    | WrapUpEndRequested
    | WrapUpExtensionRequested
    | DispositionChosen
    | NoteWritten
    | ScriptAnswered
    | TalkHeard
    | AgentLegResumeRequested
    | OptOutRequested
    | OptInRequested
)
SupervisorRequest = (
    SupervisionRequested
    | SupervisionSwitchRequested
    | SupervisionEndRequested
    | AgentForceRequested
    | ContactMoveRequested
    | ContactPriorityRequested
    | NoticeSendRequested
    | NoticeAckRequested
)
CallbackRequest = CallbackRequested | CallbackEditRequested | CallbackCancelRequested
DoNotCallRequest = DoNotCallAddRequested | DoNotCallRemoveRequested
NodeEvent = NodeConnected | NodeDisconnected
PhoneEvent = PhoneReachable | PhoneUnreachable | FallbackTalkBegan | FallbackTalkEnded | FallbackCallReported
HoursEvent = CalendarsRenewed | HoursSwitchRequested
CenterEvent = CommandRefused | AskAnswered | ConfigChanged | FlowsChanged | TimePassed
PersonRequest = AgentRequest | SupervisorRequest | CallbackRequest | DoNotCallRequest | MessageRequest
Event = LegArrived | LegEvent | MessageEvent | PersonRequest | NodeEvent | PhoneEvent | HoursEvent | CenterEvent

EventTypes: Mapping[str, type] = {kind.__name__: kind for kind in Event.__args__}
