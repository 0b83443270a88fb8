"""Facts of calls and their legs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callcenter.domain.events import Cause


class Direction(StrEnum):
    INBOUND = "inbound"
    INTERNAL = "internal"
    """From an agent's phone to ourselves: star codes."""
    OWN = "own"
    """An agent calls a colleague, or a number outside, by herself."""
    OUTBOUND = "outbound"
    """We call somebody."""
    PERSISTENT = "persistent"
    """We call an agent's phone, whose leg then stays up between contacts."""
    SUPERVISION = "supervision"
    """We call a supervisor's phone, who is to hear an agent's contact."""


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
    language: str = ""
    """In which the caller had chosen to be spoken to, when it was promised to call back; an agent's own."""
    made: bool = False
    """It is an agent's own call, and we make its first leg, too: her phone is rung first."""


@dataclass(frozen=True, slots=True)
class NumberUnknown:
    """The caller dialed a DID that nobody has configured."""

    at: datetime
    call: str
    did: str


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
class LegJoined:
    """An agent who talks to a caller has dialed a colleague or a queue: a further leg of the same call."""

    at: datetime
    call: str
    leg: str
    agent: str
    dialed: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last leg of the call has ended."""

    at: datetime
    call: str
    cause: Cause
    """The cause of the caller's leg."""


LegFact = (
    CallBegan
    | NumberUnknown
    | CallerListHit
    | LegCreated
    | LegRinging
    | LegUp
    | LegWasHeld
    | LegWasResumed
    | LegClosing
    | LegGone
    | AgentLegStays
    | LegJoined
    | CallEnded
)
