"""Facts of offers: an agent's phone rings for a contact."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MissedWhy(StrEnum):
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"


class WithdrawnWhy(StrEnum):
    CALLER_LEFT = "caller_left"
    OVERFLOWED = "overflowed"
    ANSWERED = "answered"
    """Another agent was faster (ring-all)."""
    CALLED_OFF = "called_off"
    """The agent who wanted to consult does not want to any more."""
    CONSOLE_GONE = "console_gone"
    """The agent's phone was the browser in which her console is no longer open."""
    NODE_AWAY = "node_away"
    """The node of the call went out of reach, or it lost the offer; not the agent's fault."""


@dataclass(frozen=True, slots=True)
class ContactOffered:
    """The router proposed the contact to the agent, whose phone is told to ring as ``leg``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    until: datetime
    candidates: int
    """How many agents were ready for it."""
    runners_up: tuple[str, ...] = ()
    """The next three agents in rank."""
    rank: tuple[str, ...] = ()
    """Of the agent, part by part in the order in which they count: ``level 0``, ``gap 0``, ``longest_idle``, ``idle 12.0 s``."""
    number: str = ""
    """The number outside that is rung; empty: her desk phone."""
    device: int = 0
    """Which of her devices it is, counted from 0."""
    missed: MissedWhy | None = None
    """What became of the devices before this one."""
    stays: bool = False
    """``leg`` is up already and stays up between contacts: nothing rings."""


@dataclass(frozen=True, slots=True)
class OfferMoved:
    """Find-me: the agent did not take the offer at one device (``why``); the same offer rings at the next one, as ``leg``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    until: datetime
    number: str
    device: int
    why: MissedWhy


@dataclass(frozen=True, slots=True)
class OfferToAccept:
    """A phone outside was answered, by a person or a voicemail: the caller is connected when the key is pressed before ``until``."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    leg: str
    playback: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OfferMissed:
    """RONA: the agent did not take the offer; the contact keeps its place."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    why: MissedWhy


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The offer ended by nobody's fault; the agent keeps idle-since."""

    at: datetime
    call: str
    contact: str
    queue: str
    offer: str
    agent: str
    why: WithdrawnWhy


OfferFact = ContactOffered | OfferMoved | OfferToAccept | OfferMissed | OfferWithdrawn
