"""Facts of agents' own calls: to a colleague, or to a number outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class OwnEndedWhy(StrEnum):
    """How an own call ended."""

    HUNG_UP = "hung_up"
    """One of both, after they had talked."""
    CALLED_OFF = "called_off"
    """The agent hung up before an answer, or did not pick up her own phone."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    """A leg was lost in mid-call, with its phone or its node, and nobody came back on another one in time."""


@dataclass(frozen=True, slots=True)
class OwnCallBegan:
    """The agent is in a call of her own, and offered nothing until it is over. Of colleague and number one is empty."""

    at: datetime
    call: str
    agent: str
    colleague: str
    number: str
    """E.164."""
    shown: str
    """The number of ours that the called party sees."""
    queue: str
    """For which she calls, as she said; empty: for none."""


@dataclass(frozen=True, slots=True)
class OwnCallDialed:
    """The other one's phone is about to ring; ``until`` then."""

    at: datetime
    call: str
    leg: str
    agent: str
    colleague: str
    number: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OwnCallAnswered:
    at: datetime
    call: str
    leg: str
    agent: str
    bridge: str


@dataclass(frozen=True, slots=True)
class OwnLegRedialed:
    """Her softphone was lost (a page that was loaded anew) and is rung again; who talks to her hears music meanwhile."""

    at: datetime
    call: str
    agent: str
    leg: str
    """The new one."""
    lost: str
    """The one that it takes the place of."""


@dataclass(frozen=True, slots=True)
class OwnLegResumed:
    """She is back."""

    at: datetime
    call: str
    agent: str
    leg: str


@dataclass(frozen=True, slots=True)
class OwnCallEnded:
    """Neither of them is in it any more."""

    at: datetime
    call: str
    agent: str
    colleague: str
    why: OwnEndedWhy
    talk: timedelta


OwnCallFact = OwnCallBegan | OwnCallDialed | OwnCallAnswered | OwnLegRedialed | OwnLegResumed | OwnCallEnded
