"""What we keep of callbacks: our promises to call callers back, and what became of them.

Kinds of fact like those of ``domain.facts``, which lists them among all others.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CallbackSource(StrEnum):
    """How the promise came about."""

    KEY = "key"
    """The caller pressed the key while waiting in the queue."""
    FLOW = "flow"
    """The caller asked for it in a flow."""
    PERSON = "person"
    """Somebody of ours entered it."""


class AttemptOutcome(StrEnum):
    """How an attempt ended that did not lead to a talk; decided by machine."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    ABANDONED = "abandoned"
    """The caller answered, and left before an agent was there."""
    CANCELLED = "cancelled"
    """We gave it up: the agent hung up, or the caller called us meanwhile."""
    FAILED = "failed"
    """The network did not lead there; or nobody knows what became of it, which counts as used."""


class ReleasedWhy(StrEnum):
    """Why the agent reserved for a callback is free again without a talk."""

    MISSED = "missed"
    """The agent did not answer."""
    NOBODYS_FAULT = "nobodys_fault"
    """The node went out of reach, or lost the leg; or the callback was settled otherwise."""
    UNREACHED = "unreached"
    """The caller could not be reached."""
    REACHED = "reached"
    """Caller first: the caller is there, and is offered to whoever is next."""


class KeptHow(StrEnum):
    BRIDGED = "bridged"
    """We called, and an agent talked to the caller."""
    MERGED = "merged"
    """The caller called us, and stands at the promised place."""


class BrokenWhy(StrEnum):
    EXPIRED = "expired"
    UNREACHED = "unreached"
    """All attempts are used."""
    INVALID_NUMBER = "invalid_number"
    """The network says that there is no such number, or it may no longer be dialed."""
    DO_NOT_CALL = "do_not_call"
    CANCELLED = "cancelled"
    """By a person."""


@dataclass(frozen=True, slots=True)
class CallbackOffered:
    """The caller was told that we would call back; the first step of the funnel."""

    at: datetime
    call: str
    contact: str
    queue: str


@dataclass(frozen=True, slots=True)
class CallbackCreated:
    """We promised it. On disk before the caller is told so."""

    at: datetime
    callback: str
    queue: str
    number: str
    """E.164, allowed to be dialed."""
    caller_name: str
    priority: int
    place: datetime
    """Where it stands in line among equals, as ``ContactEntered.place``; virtual hold keeps the contact's."""
    due_at: datetime
    """From when on it stands in line: at once, or at the chosen time."""
    expires_at: datetime
    source: CallbackSource
    shown: str = ""
    """The number of ours that the caller will see."""
    call: str = ""
    """The call in which the caller asked for it."""
    contact: str = ""
    """The contact that overflowed for it."""
    owner: str = ""
    """The agent whose callback it is ..."""
    owner_until: datetime | None = None
    """... until then; afterwards it is anybody's."""
    by: str = ""
    """Who entered it."""
    require: str = ""
    """What it needs of an agent beside what the queue requires, as the contact did that overflowed for it."""
    prefer: str = ""
    rule: str = ""
    language: str = ""
    """In which the caller had chosen to be spoken to."""


@dataclass(frozen=True, slots=True)
class CallbackEdited:
    """What is promised now."""

    at: datetime
    callback: str
    queue: str
    number: str
    due_at: datetime
    expires_at: datetime
    owner: str = ""
    owner_until: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallbackDue:
    """Its time has come: it stands in line."""

    at: datetime
    callback: str


@dataclass(frozen=True, slots=True)
class CallbackPutOff:
    """Its turn has come outside the calling hours: it is due again when they begin."""

    at: datetime
    callback: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CallbackReserved:
    """Its turn has come: this agent is reserved for it. Agent first, her phone is told to ring as ``leg``; else ``leg`` is empty."""

    at: datetime
    callback: str
    queue: str
    call: str
    node: str
    agent: str
    leg: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CallbackReleased:
    """The agent is no longer reserved for it."""

    at: datetime
    callback: str
    agent: str
    why: ReleasedWhy


@dataclass(frozen=True, slots=True)
class CallbackAttempted:
    """The caller is about to be dialed as ``leg``, whose name follows from ``attempt``.

    On disk before the command is given; from then on the attempt is used up, whatever comes of it.
    """

    at: datetime
    callback: str
    queue: str
    attempt: str
    number: str
    trunk: str
    call: str
    node: str
    leg: str
    agent: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CallbackReached:
    """The caller answered."""

    at: datetime
    callback: str
    attempt: str
    call: str


@dataclass(frozen=True, slots=True)
class CallbackUnreached:
    """The attempt came to nothing; the next is due at ``due_at``, when the retry rule allows one."""

    at: datetime
    callback: str
    attempt: str
    outcome: AttemptOutcome
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallbackBridged:
    """Agent and caller hear each other."""

    at: datetime
    callback: str
    call: str
    contact: str
    agent: str
    in_time: bool


@dataclass(frozen=True, slots=True)
class CallbackKept:
    at: datetime
    callback: str
    how: KeptHow
    in_time: bool
    call: str = ""
    """With ``MERGED``: the call in which the caller came."""


@dataclass(frozen=True, slots=True)
class CallbackBroken:
    at: datetime
    callback: str
    why: BrokenWhy
    by: str = ""


CallbackFact = (
    CallbackCreated
    | CallbackEdited
    | CallbackDue
    | CallbackPutOff
    | CallbackReserved
    | CallbackReleased
    | CallbackAttempted
    | CallbackReached
    | CallbackUnreached
    | CallbackBridged
    | CallbackKept
    | CallbackBroken
)
"""Of one callback."""
