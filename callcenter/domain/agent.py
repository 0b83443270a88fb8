"""An agent's life. Exactly one state at a time; RESERVED is the whole protection against double booking.

::

    LOGGED_OUT ◄──► NOT_READY(reason) ◄──► READY ──► RESERVED ──► TALKING ──► WRAP_UP
                          ▲                  ▲           │                       │
                          └──────────────────┴───────────┴───────────────────────┘

What an agent asks for in the middle of a contact is remembered and obeyed after wrap-up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain.config import Device
from callcenter.domain.facts import AgentRequestRemembered, AgentState, AgentStateChanged, Fact
from callcenter.domain.figures import Figures
from callcenter.domain.load import Load
from callcenter.domain.tally import AgentTally

LOGGED_OUT, NOT_READY, READY = AgentState.LOGGED_OUT, AgentState.NOT_READY, AgentState.READY
RESERVED, TALKING, WRAP_UP = AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP

AGENT_MOVES: Mapping[AgentState, frozenset[AgentState]] = {
    LOGGED_OUT: frozenset({NOT_READY}),
    NOT_READY: frozenset({NOT_READY, READY, LOGGED_OUT}),
    READY: frozenset({NOT_READY, LOGGED_OUT, RESERVED}),
    RESERVED: frozenset({READY, NOT_READY, LOGGED_OUT, TALKING}),
    TALKING: frozenset({WRAP_UP}),
    WRAP_UP: frozenset({READY, NOT_READY, LOGGED_OUT}),
}

BUSY = frozenset({RESERVED, TALKING})
"""In the middle of a contact: requests are remembered."""

LOGIN = "login"
MISSED_OFFER = "missed_offer"
PHONE_UNREACHABLE = "phone_unreachable"
FALLBACK_CALL = "fallback_call"
OWN_CALL = "own_call"
MICRO_BREAK = "micro_break"
SUPERVISING = "supervising"
"""She hears a colleague's contact."""
LEG_RINGS = "leg_rings"
"""Her phone is rung for the leg that is to stay up."""
CONSOLE_GONE = "console_gone"
"""Her phone was the browser in which her console is no longer open."""
OWN_REASONS = frozenset(
    {LOGIN, MISSED_OFFER, PHONE_UNREACHABLE, FALLBACK_CALL, OWN_CALL, MICRO_BREAK, LEG_RINGS, CONSOLE_GONE, SUPERVISING}
)
"""Reasons to be not ready that nobody asks for: the center gives them by itself."""

ASK_PHONE_AFTER = timedelta(seconds=15)
ASK_PHONE_EVERY = timedelta(seconds=60)
"""While an agent waits for her phone, it is asked: of one that Asterisk took to be there all along nobody would ever tell."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How an agent serves a queue."""

    level: int = 0
    delay: timedelta = timedelta(0)
    own: bool = True
    """False: only while one of ``groups`` is called to it."""
    groups: tuple[str, ...] = ()


@dataclass(slots=True)
class Agent:
    """A person who handles contacts, as the center knows her now."""

    name: str
    endpoint: str = ""
    queues: tuple[str, ...] = ()
    """Those she serves now."""
    opted_out: tuple[str, ...] = ()
    serves: Mapping[str, Serving] = field(default_factory=dict)
    """These queues, and those that may call her as a reserve."""
    order: int = 0
    """Her place in the configuration."""
    skills: Mapping[str, int] = field(default_factory=dict)
    """Those that have not expired."""
    skills_as_of: datetime | None = None
    """The latest date at which some have expired."""
    tally: AgentTally = field(default_factory=AgentTally)
    devices: tuple[Device, ...] = ()
    """Where she is rung, one after the other; none: at her desk phone only."""
    state: AgentState = LOGGED_OUT
    reason: str = ""
    since: datetime | None = None
    idle_since: datetime | None = None
    """Since when she waits for a contact; a missed or withdrawn offer never improves it."""
    contact: str = ""
    until: datetime | None = None
    """In WRAP_UP: when it ends by itself. In NOT_READY: when she is ready again by herself, or when her phone is
    asked again; None: neither."""
    extended: bool = False
    """This wrap-up was extended already."""
    remembered: AgentRequestRemembered | None = None
    reachable: bool = True
    persistent: bool = False
    leg: str = ""
    """Her leg that stays up between contacts; empty: her phone is rung for each."""
    leg_to_be: str = ""
    """The same while it rings."""
    load: Load = field(default_factory=Load)
    figures: Figures = field(default_factory=Figures)
    """Of the day of her last change of state."""
    keys: str = ""
    """What she has pressed of a sequence in the middle of a talk ..."""
    keys_until: datetime | None = None
    """... and until when the next key belongs to it."""
    missed_at: tuple[datetime, ...] = ()
    """When she missed offers lately."""
    fallback_leg: str = ""
    """The channel she talks on outside our application, if any."""
    own_calls: frozenset[str] = frozenset()
    """The calls of her own that she is in, or that ring her phone; and those in which she listens to a mailbox, on whatever line."""
    history: dict[type, tuple[int, Fact]] = field(default_factory=dict)
    """The last fact of each kind, numbered, for checkpoints."""

    @property
    def has_outside(self) -> bool:
        """Whether she can be reached without her desk phone."""
        return any(device.number for device in self.devices)

    @property
    def own_call(self) -> str:
        """One of her own calls; empty: she is in none."""
        return min(self.own_calls, default="")

    @property
    def can_be_rung(self) -> bool:
        return self.reachable or self.has_outside

    @property
    def change(self) -> AgentStateChanged | None:
        """The fact that brought her into her state."""
        numbered = self.history.get(AgentStateChanged)
        return numbered[1] if numbered and isinstance(numbered[1], AgentStateChanged) else None
