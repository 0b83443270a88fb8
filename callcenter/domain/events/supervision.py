"""What supervisors want: to hear and help, to force a state, to move a contact, to be read."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.supervision_modes import EVERY_QUEUE, SupervisionMode


class ForcedState(StrEnum):
    """What a supervisor may want an agent to be."""

    READY = "ready"
    NOT_READY = "not_ready"
    LOGGED_OUT = "logged_out"


@dataclass(frozen=True, slots=True)
class SupervisionRequested:
    """A supervisor wants to hear an agent's contact; the supervisor's phone is rung for it."""

    supervisor: str
    agent: str
    mode: SupervisionMode
    stay: bool = False
    reason: str = ""
    by: str = ""
    within: tuple[str, ...] = (EVERY_QUEUE,)
    """The queues upon which whoever asks may listen."""


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
