"""Facts of agents: their states, their phones, what they asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.facts.offers import MissedWhy


class AgentState(StrEnum):
    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


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
class AgentForced:
    """A supervisor wanted the agent in that state: at once, or after the contact she is in the middle of."""

    at: datetime
    agent: str
    state: AgentState
    reason: str
    """Of being not ready."""
    by: str
    why: str
    """What the supervisor said."""
    before: AgentState


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
class AgentRemoved:
    """Who is no longer configured has logged out, and is forgotten; one who gets that name later begins anew."""

    at: datetime
    agent: str


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
class AgentFiguresKept:
    """What the agent has done today (``domain.figures``); in checkpoints only, as it follows from her states and contacts."""

    at: datetime
    agent: str
    day: str
    """As ``2026-11-22``."""
    contacts: int
    talk: timedelta
    hold: timedelta
    wrap_up: timedelta
    busy: timedelta
    free: timedelta


@dataclass(frozen=True, slots=True)
class AgentKeysTaken:
    """The agent has begun to press a sequence in the middle of a talk, which the caller does not hear; empty: it is over."""

    at: datetime
    agent: str
    keys: str
    until: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class AgentTalkOver:
    """The contact of an agent with a softphone is over; what the softphone has counted of it may still come for a moment."""

    at: datetime
    agent: str
    call: str
    contact: str
    queue: str
    measured: bool = False
    """It came."""


AgentFact = (
    AgentStateChanged
    | AgentTalkOver
    | AgentRequestRemembered
    | AgentForced
    | WrapUpExtended
    | MissedOffersCounted
    | AgentTakenOut
    | AgentRemoved
    | AgentOptedOut
    | AgentLoadKept
    | AgentFiguresKept
    | AgentKeysTaken
    | AgentPhoneAsked
    | AgentPhoneChanged
    | AgentFallbackTalkChanged
    | SkillsExpired
    | AgentTallied
)
