"""Facts of flow runs: what a caller hears and does before the queue."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FlowStarted:
    """A flow run began; it keeps the version of the flow that it began with, whatever is published meanwhile."""

    at: datetime
    call: str
    flow: str
    version: int = 0
    """The published one; 0: the flow was none that is published."""


@dataclass(frozen=True, slots=True)
class FlowMoved:
    """The flow run is at ``node`` now and says ``prompts`` as ``playback``."""

    at: datetime
    call: str
    node: str
    tries: int
    playback: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowListened:
    """The prompt of a menu has ended; the caller has until ``until`` to press a key."""

    at: datetime
    call: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowKeyPressed:
    """A key that the menu knows (``node`` is where it leads) or does not know (``node`` is empty)."""

    at: datetime
    call: str
    digit: str
    node: str


@dataclass(frozen=True, slots=True)
class FlowDigitTaken:
    """A digit of an entry; the next one must come before ``until``."""

    at: datetime
    call: str
    digit: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowCollected:
    """The caller's entry is whole: from now on it is the call's attribute of that name."""

    at: datetime
    call: str
    attribute: str
    digits: str


@dataclass(frozen=True, slots=True)
class FlowEnded:
    at: datetime
    call: str
    exit: str
    """``queue``, ``hang_up`` or ``caller_left``."""


FlowFact = FlowStarted | FlowMoved | FlowListened | FlowKeyPressed | FlowDigitTaken | FlowCollected | FlowEnded
