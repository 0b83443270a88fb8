"""Facts of consults: an agent asks a colleague or a queue while the caller is hers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Hears(StrEnum):
    """Whom an agent hears who has consulted somebody."""

    CONSULTED = "consulted"
    CALLER = "caller"
    ALL = "all"
    """A conference: caller, agent and consulted hear each other."""


@dataclass(frozen=True, slots=True)
class ConsultBegan:
    """The agent waits on ``leg`` to talk, in ``bridge``, to whoever answers ``contact``; the caller is on hold."""

    at: datetime
    call: str
    contact: str
    agent: str
    leg: str
    bridge: str


@dataclass(frozen=True, slots=True)
class ConsultTurned:
    """The agent hears somebody else of caller and consulted now, or both."""

    at: datetime
    call: str
    contact: str
    agent: str
    hears: Hears


@dataclass(frozen=True, slots=True)
class CallerHandedOver:
    """The consult was completed: the caller is no longer the agent's but ``contact``'s, whether it waits, is offered or talks."""

    at: datetime
    call: str
    contact: str
    agent: str
    wait: timedelta
    """What of this contact's wait had passed without the caller; likewise of talk and hold."""
    talk: timedelta
    hold: timedelta


ConsultFact = ConsultBegan | ConsultTurned | CallerHandedOver
