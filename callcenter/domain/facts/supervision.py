"""Facts of supervision: who hears whose contacts, how, why, and who wanted it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callcenter.domain.supervision_modes import EVERY_QUEUE, SupervisionMode, SupervisionTold


class TurnedWhy(StrEnum):
    ANSWERED = "answered"
    """The supervisor's phone."""
    ASKED = "asked"
    FOLLOWED = "followed"
    """The agent's next contact."""
    CONTACT_ENDED = "contact_ended"
    """The supervisor stays, and hears nothing until her next one."""
    REARRANGED = "rearranged"
    """Agent and caller were parted, for a consult, so nobody may be in between."""
    PAYING = "paying"
    """The caller pays: nobody hears anything until that is over."""
    NEW_EAR = "new_ear"
    """The agent's leg hears another party."""
    DEAF = "deaf"
    """The PBX had lost the supervisor's ear; there is a new one."""


class SupervisionEndedWhy(StrEnum):
    ASKED = "asked"
    SUPERVISOR_HUNG_UP = "supervisor_hung_up"
    SUPERVISOR_LOST = "supervisor_lost"
    NOT_ANSWERED = "not_answered"
    """The supervisor's phone."""
    CONTACT_ENDED = "contact_ended"
    TOOK_OVER = "took_over"
    NOT_ALLOWED = "not_allowed"
    """By the configuration that is in force now."""
    NOT_POSSIBLE = "not_possible"
    """The PBX refused."""


@dataclass(frozen=True, slots=True)
class SupervisionBegan:
    """The supervisor's phone is rung, or has dialed; nobody is heard yet."""

    at: datetime
    call: str
    """The supervisor's own: that of ``leg``."""
    supervisor: str
    agent: str
    contact: str
    """Empty: the agent has none at the moment, and the supervisor stays until she has."""
    queue: str
    leg: str
    mode: SupervisionMode
    """What the supervisor wants to begin with."""
    stay: bool
    """Whether the supervisor stays with the agent when the contact is over."""
    reason: str
    by: str
    """Who asked for it, when it was not the supervisor by phone."""
    within: tuple[str, ...] = (EVERY_QUEUE,)
    """The queues upon which who asked may listen; beside what the configuration allows the supervisor."""


@dataclass(frozen=True, slots=True)
class SupervisionTurned:
    """From now on the supervisor hears ``contact`` (empty: nobody) in that mode."""

    at: datetime
    call: str
    supervisor: str
    agent: str
    contact: str
    queue: str
    mode: SupervisionMode
    why: TurnedWhy
    watched: str
    """The call of the contact."""
    snoop: str
    """The channel that hears the agent's leg; empty: none is needed."""
    bridge: str
    """Where the supervisor's leg is: with the snoop, or with agent and caller."""
    told: SupervisionTold = SupervisionTold.NOBODY
    """Who is told now."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class SupervisionEnded:
    at: datetime
    call: str
    supervisor: str
    agent: str
    contact: str
    queue: str
    why: SupervisionEndedWhy
    by: str = ""


@dataclass(frozen=True, slots=True)
class LegMoved:
    """A leg that is up belongs to another call from now on: the supervisor has taken over."""

    at: datetime
    call: str
    """The new one."""
    leg: str
    agent: str
    from_call: str


SupervisionFact = SupervisionBegan | SupervisionTurned | SupervisionEnded | LegMoved
