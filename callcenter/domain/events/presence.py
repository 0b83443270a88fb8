"""What agents want to be: logged in, ready, in a queue. And whether their console is there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentLoginRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentReadyRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentNotReadyRequested:
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentLogoutRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class ConsoleGone:
    """Nobody sits at the agent's console any more."""

    agent: str


@dataclass(frozen=True, slots=True)
class ConsoleBack:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentLegResumeRequested:
    """Her softphone was lost in mid-talk and is there again, or she wants to go on at this one."""

    agent: str


@dataclass(frozen=True, slots=True)
class OptOutRequested:
    """The agent wants to serve the queue no longer."""

    agent: str
    queue: str


@dataclass(frozen=True, slots=True)
class OptInRequested:
    agent: str
    queue: str


PresenceRequest = (
    AgentLoginRequested
    | AgentReadyRequested
    | AgentNotReadyRequested
    | AgentLogoutRequested
    | ConsoleGone
    | ConsoleBack
    | AgentLegResumeRequested
    | OptOutRequested
    | OptInRequested
)
