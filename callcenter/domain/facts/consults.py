"""Facts of consults: an agent asks a colleague, a queue or somebody outside while the caller is hers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.facts.own_calls import OwnEndedWhy


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


@dataclass(frozen=True, slots=True)
class OutsideConsulted:
    """A number outside is about to ring, until then; the agent waits on ``own_leg`` to talk to it in ``bridge``, the caller is on hold."""

    at: datetime
    call: str
    leg: str
    agent: str
    own_leg: str
    bridge: str
    number: str
    """E.164."""
    shown: str
    """The number of ours that the called party sees."""
    until: datetime


@dataclass(frozen=True, slots=True)
class OutsideConsultAnswered:
    """Agent and number outside hear each other."""

    at: datetime
    call: str
    leg: str
    agent: str


@dataclass(frozen=True, slots=True)
class OutsideConsultEnded:
    """The number outside is consulted no more, and has not got the caller."""

    at: datetime
    call: str
    leg: str
    agent: str
    number: str
    why: OwnEndedWhy
    talk: timedelta


@dataclass(frozen=True, slots=True)
class CallerHandedOutside:
    """The consult was completed: caller and number outside hear each other, until one of them hangs up."""

    at: datetime
    call: str
    leg: str
    agent: str
    number: str
    talk: timedelta
    """What of the talk there had passed without the caller."""


ConsultFact = (
    ConsultBegan | ConsultTurned | CallerHandedOver | OutsideConsulted | OutsideConsultAnswered | OutsideConsultEnded | CallerHandedOutside
)
