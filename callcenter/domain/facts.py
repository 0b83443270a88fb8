"""What we keep. Past tense, business meaning; the only source of CDR, KPI, agent time and recordings.

The center's state is a fold over these: ``Center.handle`` decides and emits facts, ``Center`` applies
each to itself at once, and ``Center.restore`` applies them again after a restart. What is not in a fact
did not happen. All fields are strings, numbers, booleans, aware UTC datetimes, timedeltas, tuples of
strings or of dates, enums, or None, so that ``services.fact_codec`` can write them as JSON without a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.callback_facts import CallbackAttempted, CallbackCreated, CallbackEdited, CallbackFact, CallbackOffered
from callcenter.domain.conditions import Phase
from callcenter.domain.events import Cause


class Direction(StrEnum):
    INBOUND = "inbound"
    INTERNAL = "internal"
    """From an agent's phone to ourselves: star codes."""
    OUTBOUND = "outbound"
    """We call somebody."""
    PERSISTENT = "persistent"
    """We call an agent's phone, whose leg then stays up between contacts."""


class AgentState(StrEnum):
    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


class OverflowWhy(StrEnum):
    MAX_WAIT = "max_wait"
    FULL = "full"
    NO_AGENTS = "no_agents"
    CALLBACK_TAKEN = "callback_taken"
    CLOSED = "closed"
    KEY_PRESSED = "key_pressed"
    RULE = "rule"
    """A row that people wrote into the queue's overflow table; the fact names it."""
    CALLED_OFF = "called_off"
    """A consult that was called off before anybody answered; likewise the next."""
    NOT_ANSWERED = "not_answered"
    """The colleague to be consulted did not answer."""


class MissedWhy(StrEnum):
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"


class WithdrawnWhy(StrEnum):
    CALLER_LEFT = "caller_left"
    OVERFLOWED = "overflowed"
    ANSWERED = "answered"
    """Another agent was faster (ring-all)."""
    CALLED_OFF = "called_off"
    """The agent who wanted to consult does not want to any more."""
    NODE_AWAY = "node_away"
    """The node of the call went out of reach, or it lost the offer; not the agent's fault."""


class EndedWhy(StrEnum):
    """How the talk of a contact ended."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    AGENT_LOST = "agent_lost"
    CALLER_LOST = "caller_lost"
    TRANSFERRED = "transferred"
    CALLED_OFF = "called_off"
    """A consult was over, and the caller went on with the agent who had asked."""
    NODE_CRASH = "node_crash"
    CONNECT_FAILED = "connect_failed"


class DisposedBy(StrEnum):
    """Who said what the contact has achieved."""

    AGENT = "agent"
    TIME_OUT = "time_out"
    """Nobody: the wrap-up ended without, and the queue requires one."""


class Hears(StrEnum):
    """Whom an agent hears who has consulted somebody."""

    CONSULTED = "consulted"
    CALLER = "caller"
    ALL = "all"
    """A conference: caller, agent and consulted hear each other."""


class MissingWhy(StrEnum):
    """Why a recording that should exist does not."""

    REFUSED = "refused"
    NODE_AWAY = "node_away"


# --- calls and legs ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The first leg of a call arrived."""

    at: datetime
    call: str
    node: str
    leg: str
    direction: Direction
    dialed: str
    caller: str
    caller_name: str
    trunk: str
    linkedid: str
    agent: str = ""
    """Who called, when it was an agent's phone."""
    waiting_since: datetime | None = None
    """Set when the caller had waited in the fallback before: since when."""


@dataclass(frozen=True, slots=True)
class NumberUnknown:
    """The caller dialed a DID that nobody has configured."""

    at: datetime
    call: str
    did: str


@dataclass(frozen=True, slots=True)
class LegCreated:
    """We are about to create this leg, of a call of our own."""

    at: datetime
    call: str
    leg: str
    agent: str = ""
    """Whose phone it is; empty: the caller's."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    at: datetime
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegUp:
    at: datetime
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegWasHeld:
    at: datetime
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegWasResumed:
    at: datetime
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegClosing:
    """We asked the PBX to hang this leg up; it is still there until ``LegGone``."""

    at: datetime
    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class LegGone:
    at: datetime
    call: str
    leg: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class AgentLegStays:
    """The agent's leg is up and stays up between contacts, which are bridged to it without ringing."""

    at: datetime
    call: str
    agent: str
    leg: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last leg of the call has ended."""

    at: datetime
    call: str
    cause: Cause
    """The cause of the caller's leg."""


@dataclass(frozen=True, slots=True)
class CallerListHit:
    """The caller is on a list."""

    at: datetime
    call: str
    list: str
    number: str
    """The entry: the number, or a beginning of it and ``*``."""
    reason: str
    blocked: bool


# --- flow runs --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowStarted:
    at: datetime
    call: str
    flow: str


@dataclass(frozen=True, slots=True)
class FlowMoved:
    """The flow run is at ``node`` now and says ``prompts`` as ``playback``."""

    at: datetime
    call: str
    node: str
    tries: int
    playback: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowListened:
    """The prompt of a menu has ended; the caller has until ``until`` to press a key."""

    at: datetime
    call: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowKeyPressed:
    """A key that the menu knows (``node`` is where it leads) or does not know (``node`` is empty)."""

    at: datetime
    call: str
    digit: str
    node: str


@dataclass(frozen=True, slots=True)
class FlowDigitTaken:
    """A digit of an entry; the next one must come before ``until``."""

    at: datetime
    call: str
    digit: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowCollected:
    """The caller's entry is whole: from now on it is the call's attribute of that name."""

    at: datetime
    call: str
    attribute: str
    digits: str


@dataclass(frozen=True, slots=True)
class FlowEnded:
    at: datetime
    call: str
    exit: str
    """``queue``, ``hang_up`` or ``caller_left``."""


# --- contacts and offers ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactEntered:
    """The contact entered the queue at ``entered_at``, from which its wait counts; ``place`` orders it among equals.

    Neither ever changes. Both may lie before ``at``: a caller who comes back from the fallback has waited there
    already, and one whose agent was lost gets a new contact at the old place.
    """

    at: datetime
    call: str
    contact: str
    queue: str
    priority: int
    entered_at: datetime
    place: datetime
    caller: str
    overflow_at: datetime | None = None
    """When a row of the overflow table may apply for the first time, because of the wait or the clock."""
    transferred_from: str = ""
    """The contact that the caller comes from, after a transfer, a lost agent, or an overflow into this queue."""
    status_at: datetime | None = None
    """When the caller is told position and estimated wait for the first time."""
    comfort_at: datetime | None = None
    require: str = ""
    """What it needs of an agent beside what the queue requires (``domain.skills``)."""
    prefer: str = ""
    rule: str = ""
    """The routing rule that directed it, if any."""
    preferred: str = ""
    """The agent it waits for alone ..."""
    preferred_until: datetime | None = None
    """... until then."""
    preferred_skipped: str = ""
    """Why it did not wait for the agent it should have waited for."""
    for_agent: str = ""
    """The colleague whom it was meant for: her phone rings first, and nobody else's meanwhile."""
    consult: bool = False
    """An agent asks for it while the caller is still hers (``ConsultBegan``)."""


@dataclass(frozen=True, slots=True)
class LegJoined:
    """An agent who talks to a caller has dialed a colleague or a queue: a further leg of the same call."""

    at: datetime
    call: str
    leg: str
    agent: str
    dialed: str


@dataclass(frozen=True, slots=True)
class ConsultBegan:
    """The agent waits on ``leg`` to talk, in ``bridge``, to whoever answers ``contact``; the caller is on hold."""

    at: datetime
    call: str
    contact: str
    agent: str
    leg: str
    bridge: str


@dataclass(frozen=True, slots=True)
class ConsultTurned:
    """The agent hears somebody else of caller and consulted now, or both."""

    at: datetime
    call: str
    contact: str
    agent: str
    hears: Hears


@dataclass(frozen=True, slots=True)
class CallerHandedOver:
    """The consult was completed: the caller is no longer the agent's but ``contact``'s, whether it waits, is offered or talks."""

    at: datetime
    call: str
    contact: str
    agent: str
    wait: timedelta
    """What of this contact's wait had passed without the caller; likewise of talk and hold."""
    talk: timedelta
    hold: timedelta


@dataclass(frozen=True, slots=True)
class ContactOffered:
    """The router proposed the contact to the agent, whose phone is told to ring as ``leg``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    until: datetime
    candidates: int
    """How many agents were ready for it."""
    runners_up: tuple[str, ...] = ()
    """The next three agents in rank."""
    rank: tuple[str, ...] = ()
    """Of the agent, part by part in the order in which they count: ``level 0``, ``gap 0``, ``longest_idle``, ``idle 12.0 s``."""
    number: str = ""
    """The number outside that is rung; empty: her desk phone."""
    device: int = 0
    """Which of her devices it is, counted from 0."""
    missed: MissedWhy | None = None
    """What became of the devices before this one."""
    stays: bool = False
    """``leg`` is up already and stays up between contacts: nothing rings."""


class AdvancedWhy(StrEnum):
    RELAXED = "relaxed"
    CAPPED = "capped"
    """Its priority has grown to the cap."""
    STARVING = "starving"
    PREFERRED_OVER = "preferred_over"
    """It no longer waits for one agent alone."""


@dataclass(frozen=True, slots=True)
class WaiterAdvanced:
    """Who waits has waited long enough for something: more agents may take it, or it comes before others."""

    at: datetime
    call: str
    """Empty for a waiter without a call."""
    contact: str
    queue: str
    rung: int
    """How many time steps of the queue it has passed."""
    band: int
    """0 starving, 1 at the priority cap, 2 ageing."""
    preferred: str
    """The agent it still waits for alone."""
    why: AdvancedWhy


@dataclass(frozen=True, slots=True)
class OfferMoved:
    """Find-me: the agent did not take the offer at one device (``why``); the same offer rings at the next one, as ``leg``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    until: datetime
    number: str
    device: int
    why: MissedWhy


@dataclass(frozen=True, slots=True)
class OfferToAccept:
    """A phone outside was answered, by a person or a voicemail: the caller is connected when the key is pressed before ``until``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    playback: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OfferMissed:
    """RONA: the agent did not take the offer; the contact keeps its place."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    why: MissedWhy


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The offer ended by nobody's fault; the agent keeps idle-since."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    why: WithdrawnWhy


@dataclass(frozen=True, slots=True)
class ContactConnected:
    """Agent and caller hear each other in ``bridge``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    bridge: str
    wait: timedelta


@dataclass(frozen=True, slots=True)
class ContactAbandoned:
    at: datetime
    call: str
    contact: str
    queue: str
    wait: timedelta
    short: bool


@dataclass(frozen=True, slots=True)
class ContactOverflowed:
    at: datetime
    call: str
    contact: str
    queue: str
    wait: timedelta
    why: OverflowWhy
    rule: str = ""
    """The row of the overflow table, when people wrote it."""


@dataclass(frozen=True, slots=True)
class OverflowPlanned:
    """No row of the overflow table applied on the date it might have; when to look again."""

    at: datetime
    call: str
    contact: str
    overflow_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactAnnounced:
    """The waiting caller is told ``prompts`` as ``playback``; the music goes on afterwards."""

    at: datetime
    call: str
    contact: str
    queue: str
    playback: str
    prompts: tuple[str, ...]
    position: int | None
    """The position in line that was told."""
    under: timedelta | None
    """The estimated wait that was told: "under ..." from now on."""
    status_at: datetime | None
    """When position and estimated wait are due next."""
    comfort_at: datetime | None
    comforts: int
    """How many comfort prompts were said in turn so far."""
    expected: timedelta | None = None
    """The mean of the forecast that ``under`` was made from."""


@dataclass(frozen=True, slots=True)
class AnnouncementEnded:
    """It has been said, or cut off; the next does not begin before ``quiet_until``."""

    at: datetime
    call: str
    contact: str
    playback: str
    quiet_until: datetime


@dataclass(frozen=True, slots=True)
class AnnouncementsPlanned:
    """There was nothing to say; when to look again."""

    at: datetime
    call: str
    contact: str
    status_at: datetime | None
    comfort_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactHeld:
    """The agent put the caller on hold."""

    at: datetime
    call: str
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ContactResumed:
    at: datetime
    call: str
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ContactParted:
    """Agent and caller no longer hear each other: talk is over, wrap-up begins (until ``wrap_up_until``)."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    talk: timedelta
    """Bridged time without hold."""
    hold: timedelta
    why: EndedWhy
    wrap_up_until: datetime


@dataclass(frozen=True, slots=True)
class DispositionGiven:
    """What the contact has achieved; a later one takes the place of an earlier one."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    disposition: str
    by: DisposedBy


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """Wrap-up is over."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    wrap_up: timedelta


# --- agents -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    at: datetime
    agent: str
    state: AgentState
    reason: str = ""
    """With ``NOT_READY`` only."""
    contact: str = ""
    idle_since: datetime | None = None
    until: datetime | None = None
    """When it ends by itself (``WRAP_UP``, a rest after a missed offer), or when a phone that could not be rung is asked again."""


@dataclass(frozen=True, slots=True)
class AgentRequestRemembered:
    """The agent asked for ``state`` in the middle of a contact; it is obeyed after wrap-up."""

    at: datetime
    agent: str
    state: AgentState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The wrap-up after this contact ends at ``until``, and is not extended again."""

    at: datetime
    agent: str
    contact: str
    until: datetime


@dataclass(frozen=True, slots=True)
class MissedOffersCounted:
    """The offers the agent has missed lately, each by its date; none after she was taken out for them."""

    at: datetime
    agent: str
    missed_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """Who is no longer configured has logged out, and is forgotten; one who gets that name later begins anew."""

    at: datetime
    agent: str


@dataclass(frozen=True, slots=True)
class AgentTakenOut:
    """The agent missed offers and is not offered any more for now; supervisors are told why."""

    at: datetime
    agent: str
    contact: str
    queue: str
    why: MissedWhy
    misses: int
    """How many made it so; 0: her phone cannot be reached."""


@dataclass(frozen=True, slots=True)
class AgentOptedOut:
    """The queues the agent does not serve now by her own wish: all of them; none: she serves all she may."""

    at: datetime
    agent: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentLoadKept:
    """How busy the agent was until her last change of state (``domain.load``); in checkpoints only, as it follows from her states."""

    at: datetime
    agent: str
    busy: float
    free: float


@dataclass(frozen=True, slots=True)
class AgentPhoneAsked:
    """We asked the nodes whether the agent's phone answers; at ``until`` we ask again."""

    at: datetime
    agent: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AgentPhoneChanged:
    at: datetime
    agent: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class AgentFallbackTalkChanged:
    """The agent's phone is (or no longer is) busy on a call the dialplan handles; ``leg`` is that channel."""

    at: datetime
    agent: str
    leg: str
    talking: bool


@dataclass(frozen=True, slots=True)
class SkillsExpired:
    """The date of these skills has come; she no longer has them."""

    at: datetime
    agent: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentTallied:
    """What the agent has done lately. Written into checkpoints only: it follows from facts that are no longer kept."""

    at: datetime
    agent: str
    contact_at: datetime | None
    call_at: datetime | None
    queues: tuple[str, ...]
    turns: tuple[str, ...]
    """Dates, one for each of ``queues``."""
    contacts: float | None
    talk: float | None
    occupancy: float
    as_of: datetime | None


# --- queues -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueTallied:
    """What the queue has seen lately. Written into checkpoints only."""

    at: datetime
    queue: str
    talks: int
    mean_talk_s: float


@dataclass(frozen=True, slots=True)
class CallersServed:
    """Who talked with whom last, the oldest first. Written into checkpoints only."""

    at: datetime
    callers: tuple[str, ...]
    agents: tuple[str, ...]


# --- recordings -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    node: str
    recording: str
    """Names the file: ``<recording>.raw`` while Asterisk writes, ``<recording>.wav`` afterwards."""


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    at: datetime
    call: str
    contact: str
    recording: str


@dataclass(frozen=True, slots=True)
class RecordingMissing:
    at: datetime
    call: str
    contact: str
    recording: str
    why: MissingWhy


# --- queues ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConditionChanged:
    """A condition of the queue (``condition`` is its key) began to rise, to hold, or ceased to; ``value`` is what was measured."""

    at: datetime
    queue: str
    condition: str
    phase: Phase
    value: float | None


@dataclass(frozen=True, slots=True)
class QueueMeasured:
    """What the queue remembers of the last half hour: kept whole in checkpoints, and before the configuration changes."""

    at: datetime
    queue: str
    line: int
    agents: int
    since: datetime | None
    """Since when ``line`` and ``agents`` have been so."""
    levels: tuple[str, ...]
    """The quantiles at which waits are told."""
    minutes: tuple[str, ...]
    standings: tuple[str, ...]
    """Of its conditions: phase, since, key; separated by blanks."""


# --- nodes and fallback -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeUp:
    at: datetime
    node: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class NodeAway:
    """We cannot reach the node since ``at``; its calls are taken for lost at ``lost_at``."""

    at: datetime
    node: str
    lost_at: datetime


@dataclass(frozen=True, slots=True)
class FallbackCallEnded:
    """A call that the dialplan's fallback served from beginning to end while we were away. It is one call, one contact."""

    at: datetime
    call: str
    contact: str
    node: str
    leg: str
    queue: str
    did: str
    caller: str
    entered_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    agent: str
    short: bool
    log_offset: int


CallFact = (
    CallBegan
    | NumberUnknown
    | LegCreated
    | CallerListHit
    | LegRinging
    | LegUp
    | LegWasHeld
    | LegWasResumed
    | LegClosing
    | LegGone
    | AgentLegStays
    | CallEnded
    | FlowStarted
    | FlowMoved
    | FlowListened
    | FlowKeyPressed
    | FlowDigitTaken
    | FlowCollected
    | FlowEnded
    | ContactEntered
    | CallbackOffered
    | LegJoined
    | ConsultBegan
    | ConsultTurned
    | CallerHandedOver
    | ContactOffered
    | WaiterAdvanced
    | OfferMoved
    | OfferToAccept
    | OfferMissed
    | OfferWithdrawn
    | ContactConnected
    | ContactAbandoned
    | ContactOverflowed
    | OverflowPlanned
    | ContactAnnounced
    | AnnouncementEnded
    | AnnouncementsPlanned
    | ContactHeld
    | ContactResumed
    | ContactParted
    | DispositionGiven
    | ContactEnded
    | RecordingStarted
    | RecordingStopped
    | RecordingMissing
)
"""Of one call, its legs, its flow run, its contacts and recordings."""

AgentFact = (
    AgentStateChanged
    | SkillsExpired
    | AgentTallied
    | AgentRequestRemembered
    | WrapUpExtended
    | MissedOffersCounted
    | AgentRemoved
    | AgentTakenOut
    | AgentOptedOut
    | AgentLoadKept
    | AgentPhoneAsked
    | AgentPhoneChanged
    | AgentFallbackTalkChanged
)
QueueFact = ConditionChanged | QueueMeasured | QueueTallied | CallersServed
NodeFact = NodeUp | NodeAway | FallbackCallEnded
Fact = CallFact | AgentFact | QueueFact | NodeFact | CallbackFact

ON_DISK_FIRST: frozenset[type] = frozenset({CallbackCreated, CallbackEdited, CallbackAttempted})
"""Promises and dials: the commands that such a fact justifies are not carried out before it is on disk."""

FACT_TYPES: Mapping[str, type[Fact]] = {kind.__name__: kind for kind in Fact.__args__}
