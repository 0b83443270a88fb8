"""Facts of contacts: how each comes into a queue, to an agent, and to its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class OverflowWhy(StrEnum):
    MAX_WAIT = "max_wait"
    FULL = "full"
    NO_AGENTS = "no_agents"
    CALLBACK_TAKEN = "callback_taken"
    CLOSED = "closed"
    KEY_PRESSED = "key_pressed"
    RULE = "rule"
    """A row that people wrote into the queue's overflow table; the fact names it."""
    VOICEMAIL = "voicemail"
    """The agent took the call at none of her devices, and the caller is at her mailbox."""
    CALLED_OFF = "called_off"
    """A consult that was called off before anybody answered; likewise the next."""
    MOVED = "moved"
    """A supervisor moved it to another queue."""
    NOT_ANSWERED = "not_answered"
    """The colleague to be consulted did not answer."""


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


class AdvancedWhy(StrEnum):
    RELAXED = "relaxed"
    CAPPED = "capped"
    """Its priority has grown to the cap."""
    STARVING = "starving"
    PREFERRED_OVER = "preferred_over"
    """It no longer waits for one agent alone."""


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
class ContactReordered:
    """A supervisor gave the waiting contact another priority, or put it at the head of its line."""

    at: datetime
    call: str
    contact: str
    queue: str
    priority: int
    head: bool
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class ContactMoved:
    """A supervisor sent the waiting contact to another queue, or to an agent; what came of it is told by the facts that follow."""

    at: datetime
    call: str
    contact: str
    queue: str
    """Where it waited."""
    to_queue: str
    to_agent: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class OverflowPlanned:
    """No row of the overflow table applied on the date it might have; when to look again."""

    at: datetime
    call: str
    contact: str
    overflow_at: datetime | None


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
    flags: tuple[str, ...] = ()
    """What the configuration says that it means, such as ``success``, ``resolved``, ``do_not_call``."""


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """Wrap-up is over."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    wrap_up: timedelta


ContactFact = (
    ContactEntered
    | WaiterAdvanced
    | ContactReordered
    | ContactMoved
    | OverflowPlanned
    | ContactConnected
    | ContactAbandoned
    | ContactOverflowed
    | ContactHeld
    | ContactResumed
    | ContactParted
    | DispositionGiven
    | ContactEnded
)
