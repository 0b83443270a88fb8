"""A call and its legs.

A leg's life::

    CREATED ──► RINGING ──► UP ──► ENDED(cause)
       │           │                 ▲
       └───────────┴─────────────────┘
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callcenter.domain.events import Cause
from callcenter.domain.facts import CallBegan, DeskMenuMoved, Fact, Hears, LegGone, LegRinging, LegUp, OutsideConsulted, OwnCallBegan
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.mailbox import Visit
from callcenter.domain.supervision import Supervision


class LegState(StrEnum):
    CREATED = "created"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


LEG_TRANSITIONS: Mapping[tuple[LegState, type], LegState] = {
    (LegState.CREATED, LegRinging): LegState.RINGING,
    (LegState.CREATED, LegUp): LegState.UP,
    (LegState.RINGING, LegUp): LegState.UP,
    (LegState.CREATED, LegGone): LegState.ENDED,
    (LegState.RINGING, LegGone): LegState.ENDED,
    (LegState.UP, LegGone): LegState.ENDED,
}


@dataclass(slots=True)
class Leg:
    """One party's connection to the PBX."""

    id: str
    agent: str = ""
    """Whose phone it is; empty for the caller's leg."""
    state: LegState = LegState.CREATED
    held: bool = False
    """This party has put the other one on hold."""
    closing: bool = False
    """We asked for its end."""


@dataclass(slots=True)
class Consult:
    """An agent who has the caller wants to talk, or talks, to somebody else first; the caller is on hold meanwhile."""

    contact: str
    """What the other one is asked, or has answered, for. Not the caller's contact yet. Empty: somebody outside is asked."""
    agent: str
    leg: str
    """On which the agent talks to the consulted: the one of her talk with the caller, or another that her phone has dialed."""
    bridge: str
    hears: Hears = Hears.CONSULTED
    outside: OutsideConsulted | None = None
    answered_at: datetime | None = None
    """By the number outside."""


@dataclass(slots=True)
class OwnCall:
    """An agent's call of her own; the other leg is ``Call.outside``."""

    began: OwnCallBegan
    until: datetime | None = None
    """How long the other phone rings."""
    answered_at: datetime | None = None
    resuming: frozenset[str] = frozenset()
    """Legs that are rung for agents whose softphones were lost (``own_resuming``)."""


PAYMENT = "payment"
"""The attribute of the call that tells how the latest payment went."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An agent has sent her caller through a flow to pay, and waits for the caller to come back."""

    contact: str
    agent: str
    flow: str


@dataclass(slots=True)
class Call:
    """Everything under one call id, from the first leg's creation to the last leg's end."""

    began: CallBegan
    legs: dict[str, Leg] = field(default_factory=dict)
    """The legs that have not ended."""
    flow: FlowRun | None = None
    handed_on: FlowRun | None = None
    """The flow run that has handed the caller to one agent, and goes on when she does not answer."""
    attributes: dict[str, str] = field(default_factory=dict)
    """What is known of this call by name: what the caller entered, and the number called from (``caller``)."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """Secret entries by name: in memory only, in no fact; gone after a restart."""
    contact: str = ""
    """The contact that waits, is offered or talks; empty in a flow and after the talk."""
    left: str = ""
    """The last contact that left its queue unanswered."""
    lists: tuple[str, ...] = ()
    """The caller lists that the caller is on."""
    overflowed_by: set[str] = field(default_factory=set)
    """The rows of overflow tables that were obeyed for this caller."""
    bridge: str = ""
    visit: Visit | None = None
    """At a mailbox; the flow run, if any, goes on afterwards."""
    desk: DeskMenuMoved | None = None
    """Where the agent is who has called the spoken menu."""
    own: OwnCall | None = None
    outside: str = ""
    """The other leg of an agent's own call, or of a caller whom a flow has handed on to a number outside; both talk in ``bridge``."""
    consult: Consult | None = None
    supervision: Supervision | None = None
    """This call is a supervisor's, who hears an agent's contact in another one."""
    payment: Payment | None = None
    paused: bool = False
    """Nothing of it is recorded at the moment, whatever its queue says."""
    recording: str = ""
    cause: Cause = Cause.UNKNOWN
    ended_at: datetime | None = None
    unfinished: set[str] = field(default_factory=set)
    """Contacts of this call that have not ended; their wrap-up may outlast the legs."""
    history: list[tuple[int, Fact]] = field(default_factory=list)
    """The facts of the call, numbered, for checkpoints."""

    @property
    def id(self) -> str:
        return self.began.call

    @property
    def node(self) -> str:
        return self.began.node

    @property
    def caller_leg(self) -> Leg | None:
        """The leg of who called; None once it has ended."""
        return self.legs.get(self.began.leg)

    def consult_of(self, contact: str) -> Consult | None:
        """The consult that goes on, if it is this contact's."""
        return self.consult if self.consult is not None and self.consult.contact == contact else None

    @property
    def over(self) -> bool:
        """All legs have ended, and so has the work after them."""
        return self.ended_at is not None and not self.unfinished
