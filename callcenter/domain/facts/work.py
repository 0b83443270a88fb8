"""Facts of agents' work on a contact: what she wrote down and filled in, how the call sounded, and how she came back to it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ContactNoted:
    """What the agent wrote about the contact; a later note takes the place of an earlier one."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    note: str


@dataclass(frozen=True, slots=True)
class ScriptFilled:
    """What was answered in a script so far; a later one takes the place of an earlier one of the same script."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    script: str
    fields: tuple[str, ...]
    answers: tuple[str, ...]
    """One for each field."""
    done: bool
    """The script was gone through to its end."""


@dataclass(frozen=True, slots=True)
class TalkMeasured:
    """How the talk sounded at the agent's softphone."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    received: int
    """Packets."""
    lost: int
    jitter_ms: float
    rtt_ms: float
    worst_loss: float
    """Of the worst second, 0 to 1."""
    worst_jitter_ms: float
    worst_rtt_ms: float


@dataclass(frozen=True, slots=True)
class AgentLegRedialed:
    """Her phone was lost in mid-talk (a page that was loaded anew) and is rung again; the caller hears music meanwhile."""

    at: datetime
    call: str
    contact: str
    agent: str
    leg: str
    """The new one."""
    lost: str
    """The one that it takes the place of."""


@dataclass(frozen=True, slots=True)
class AgentLegResumed:
    """She is back: caller and agent hear each other again."""

    at: datetime
    call: str
    contact: str
    agent: str
    leg: str


WorkFact = ContactNoted | ScriptFilled | TalkMeasured | AgentLegRedialed | AgentLegResumed
